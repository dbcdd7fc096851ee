package repository

import (
	"context"
	"errors"
	"io"
	"strings"

	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"
)

// Server is an open conversation with a Git server.
type Server interface {
	// Advertised returns the references the server has.
	Advertised() *packp.AdvRefs
	// Pack asks for objects and returns a pack of them as it arrives, ErrNoPack
	// when the server took the question but sent none.
	Pack(context.Context, Question) (io.ReadCloser, error)
}

// Question says which objects are wanted of a server.
type Question struct {
	Wants   []Hash // commits or tags, at least one
	Haves   []Hash // commits of which the server need not send what they have
	Shallow []Hash // those of Haves whose parents are not there
	Depth   int    // how many commits of history, 0 for all
	// Thin lets the pack have deltas of objects that are not in it, but in
	// Haves. Without it git's own server, asked for a Depth, sends all that is in a commit,
	// whatever Haves have.
	Thin bool
	// CommitsOnly leaves trees and files out, if the server can do so.
	CommitsOnly bool
}

// ErrNoPack says that a server took a question but did not answer with a pack.
var ErrNoPack = errors.New("server sent no pack")

// Limits bound what a pack from a server may become. All must be positive.
type Limits struct {
	Object   int64 // bytes of one object, inflated
	Inflated int64 // bytes of all objects together, inflated
}

// maxObjects bounds the objects of a fetched pack, each of which costs some
// 70 bytes of memory however small it is.
const maxObjects = 2_000_000

// Fetch gets what is needed to read ref (see Repository.Commit) from a server.
//
// It asks for the one commit without history. If ref is a commit id that the
// server does not hand out by itself, or a short one, it gets every branch and
// tag with their history.
//
// With a keeper, which may be nil, it gets only what is not kept, unless ref is
// a short commit id. A Repository that is not Afresh may turn out to
// be damaged through no fault of the server's.
func Fetch(ctx context.Context, server Server, ref string, keeper Keeper, limits Limits) (*Repository, error) {
	f := fetcher{server: server, limits: limits}
	refs := remoteRefs{server.Advertised()}
	named, err := resolve(refs, ref)
	if err != nil {
		return nil, err
	}
	if keeper != nil && named.prefix == "" {
		return f.fetchKept(ctx, refs, named, keeper)
	}
	return f.fetchWhole(ctx, refs, named, nil)
}

type fetcher struct {
	server Server
	limits Limits
}

// fetch gets a pack that holds what named stands for.
func (f *fetcher) fetch(ctx context.Context, named name) (*received, error) {
	if named.prefix != "" {
		return f.receive(ctx, Question{Wants: f.everything()})
	}
	p, err := f.receive(ctx, Question{Wants: []Hash{named.hash}, Depth: 1})
	if errors.Is(err, ErrNoPack) && named.literal {
		// A server says beforehand whether it hands out commits that no branch
		// or tag points to, but git's own does so over HTTP in any case, as
		// long as one of them leads there. So it was asked first.
		return f.receive(ctx, Question{Wants: f.everything()})
	}
	return p, err
}

// everything lists the tips of all branches and tags.
func (f *fetcher) everything() []Hash {
	seen := make(map[Hash]struct{})
	var tips []Hash
	for full, h := range f.server.Advertised().References {
		if _, twice := seen[h]; !twice && isBranchOrTag(full) {
			seen[h] = struct{}{}
			tips = append(tips, h)
		}
	}
	return tips
}

// ask gets the pack of the wanted objects, with so many commits of history, 0 for all.
func (f *fetcher) ask(ctx context.Context, wants []Hash, depth int) (*pack, error) {
	r, err := f.receive(ctx, Question{Wants: wants, Depth: depth})
	if err != nil {
		return nil, err
	}
	return r.pack, nil
}

// receive also takes a thin pack, whose deltas may be of objects in others.
func (f *fetcher) receive(ctx context.Context, q Question, others ...*pack) (*received, error) {
	if len(q.Wants) == 0 {
		return nil, ErrEmpty
	}
	arriving, err := f.server.Pack(ctx, q)
	if err != nil {
		return nil, err
	}
	defer arriving.Close()
	return receive(ctx, arriving, f.limits, others...)
}

// remoteRefs are the references a server advertises.
type remoteRefs struct{ advertised *packp.AdvRefs }

func (r remoteRefs) lookup(full string) (ref, error) {
	if full == "HEAD" {
		return r.head()
	}
	h, ok := r.advertised.References[full]
	if !ok {
		return ref{}, errNoRef
	}
	return ref{hash: h}, nil
}

// head prefers the branch a server says HEAD to be, for the sake of messages.
func (r remoteRefs) head() (ref, error) {
	for _, link := range r.advertised.Capabilities.Get(capability.SymRef) {
		if target, ok := strings.CutPrefix(link, "HEAD:"); ok {
			return ref{target: target}, nil
		}
	}
	if r.advertised.Head == nil {
		return ref{}, errNoRef
	}
	return ref{hash: *r.advertised.Head}, nil
}

func (r remoteRefs) empty() (bool, error) {
	for full := range r.advertised.References {
		if isBranchOrTag(full) {
			return false, nil
		}
	}
	return r.advertised.Head == nil, nil
}

func isBranchOrTag(full string) bool {
	return strings.HasPrefix(full, "refs/heads/") || strings.HasPrefix(full, "refs/tags/")
}
