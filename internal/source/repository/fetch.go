package repository

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"

	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/sideband"
	"github.com/go-git/go-git/v5/plumbing/transport"
	githttp "github.com/go-git/go-git/v5/plumbing/transport/http"
)

// Limits bound what is taken from a server. All must be positive.
type Limits struct {
	Wire     int64 // bytes of all replies together
	Object   int64 // bytes of one object, inflated
	Inflated int64 // bytes of all objects together, inflated
}

// maxObjects bounds the objects of a fetched pack, each of which costs some
// 300 bytes of memory however small it is.
const maxObjects = 2_000_000

// Fetch gets what is needed to read ref (see Repository.Commit) from the
// server at address, an http or https URL that may carry a user name and a
// password. Nothing is written to disk.
//
// It asks for the one commit without history. If ref is a commit id that the
// server does not hand out by itself, or a short one, it gets every branch and
// tag with their history.
func Fetch(ctx context.Context, address *url.URL, ref string, limits Limits) (*Repository, error) {
	w := newWire(limits.Wire)
	defer w.close()
	s, err := dial(w, address)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	advertised, err := s.AdvertisedReferencesContext(ctx)
	if err != nil {
		return nil, w.explain(ctx, err)
	}
	f := fetcher{wire: w, session: s, advertised: advertised, limits: limits}
	refs := remoteRefs{advertised}
	named, err := resolve(refs, ref)
	if err != nil {
		return nil, err
	}
	p, err := f.fetch(ctx, named)
	if err != nil {
		return nil, err
	}
	return &Repository{refs: refs, objects: &store{packs: []*pack{p}}}, nil
}

// dial prepares a session; nothing is sent yet. The credentials leave the URL
// here, so that no error of the layers below can show them.
func dial(w *wire, address *url.URL) (transport.UploadPackSession, error) {
	bare := *address
	bare.User = nil
	endpoint, err := transport.NewEndpoint(bare.String())
	if err != nil {
		return nil, err
	}
	if address.User == nil {
		return githttp.NewClient(w.client()).NewUploadPackSession(endpoint, nil)
	}
	password, _ := address.User.Password()
	auth := &githttp.BasicAuth{Username: address.User.Username(), Password: password}
	return githttp.NewClient(w.client()).NewUploadPackSession(endpoint, auth)
}

type fetcher struct {
	wire       *wire
	session    transport.UploadPackSession
	advertised *packp.AdvRefs
	limits     Limits
}

// fetch gets a pack that holds what named stands for.
func (f *fetcher) fetch(ctx context.Context, named name) (*pack, error) {
	if named.prefix != "" {
		return f.ask(ctx, f.everything(), 0)
	}
	p, err := f.ask(ctx, []Hash{named.hash}, 1)
	if errors.Is(err, errRefused) && named.literal {
		// A server says beforehand whether it hands out commits that no branch
		// or tag points to, but git's own does so over HTTP in any case, as
		// long as one of them leads there. So it was asked first.
		return f.ask(ctx, f.everything(), 0)
	}
	return p, err
}

// everything lists the tips of all branches and tags.
func (f *fetcher) everything() []Hash {
	seen := make(map[Hash]struct{})
	var tips []Hash
	for full, h := range f.advertised.References {
		if _, twice := seen[h]; !twice && isBranchOrTag(full) {
			seen[h] = struct{}{}
			tips = append(tips, h)
		}
	}
	return tips
}

// errRefused says that the server took the question but did not answer with a pack.
var errRefused = errors.New("server sent no pack")

// ask gets the pack of the wanted objects, with so many commits of history, 0 for all.
func (f *fetcher) ask(ctx context.Context, wants []Hash, depth int) (*pack, error) {
	if len(wants) == 0 {
		return nil, ErrEmpty
	}
	req, err := request(f.advertised.Capabilities, wants, depth)
	if err != nil {
		return nil, err
	}
	reply, err := f.session.UploadPack(ctx, req)
	if err != nil {
		return nil, f.wire.explain(ctx, fmt.Errorf("%w: %w", errRefused, err))
	}
	defer reply.Close()
	content, err := io.ReadAll(demultiplexed(req, reply)) // within the limit of the wire
	if err != nil {
		return nil, f.wire.explain(ctx, fmt.Errorf("%w: the pack the server sent: %w", ErrDamaged, err))
	}
	return indexPack(ctx, content, f.limits)
}

// request is made of what the server can do; one that cannot cut history off sends it.
func request(caps *capability.List, wants []Hash, depth int) (*packp.UploadPackRequest, error) {
	req := packp.NewUploadPackRequestFromCapabilities(caps)
	req.Wants = wants
	var err error
	if caps.Supports(capability.NoProgress) {
		err = req.Capabilities.Set(capability.NoProgress)
	}
	if depth > 0 && caps.Supports(capability.Shallow) {
		req.Depth = packp.DepthCommits(depth)
		err = errors.Join(err, req.Capabilities.Set(capability.Shallow))
	}
	return req, err
}

// demultiplexed takes the pack out of a reply that has progress and errors beside it.
func demultiplexed(req *packp.UploadPackRequest, reply *packp.UploadPackResponse) io.Reader {
	switch {
	case req.Capabilities.Supports(capability.Sideband64k):
		return sideband.NewDemuxer(sideband.Sideband64k, reply)
	case req.Capabilities.Supports(capability.Sideband):
		return sideband.NewDemuxer(sideband.Sideband, reply)
	}
	return reply
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
