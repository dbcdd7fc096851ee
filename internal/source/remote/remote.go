// Package remote holds one conversation with a Git server: which references it
// has, and packs of objects.
//
// It owns how a server is reached and what may go wrong on the way: every
// conversation ends with its context, takes a bounded number of bytes, and
// fails with one of package repository's errors, which never show a password.
//
// It never looks into a pack, writes nothing to disk, and never runs git.
package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"

	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/sideband"
	"github.com/go-git/go-git/v5/plumbing/transport"
	githttp "github.com/go-git/go-git/v5/plumbing/transport/http"

	"profilesync/internal/source/repository"
)

// Server is a Git server and how much it may send.
type Server struct {
	// Address is an http or https URL, which may carry a user name and a password.
	Address *url.URL
	// Limit bounds the bytes of all its answers together.
	Limit int64
}

// Conversation is an open connection to a server. It is used by one goroutine
// at a time, and is a repository.Server.
type Conversation struct {
	wire       *wire
	session    transport.UploadPackSession
	advertised *packp.AdvRefs
}

// Dial asks the server for its references, which takes one request.
func (s Server) Dial(ctx context.Context) (*Conversation, error) {
	w := newWire(s.Limit)
	session, err := open(w, s.Address)
	if err != nil {
		w.close()
		return nil, err
	}
	c := &Conversation{wire: w, session: session}
	if c.advertised, err = session.AdvertisedReferencesContext(ctx); err != nil {
		return nil, errors.Join(w.explain(ctx, err), c.Close())
	}
	return c, nil
}

// Advertised returns what the server said when it was dialled.
func (c *Conversation) Advertised() *packp.AdvRefs { return c.advertised }

// Received counts the bytes the server sent so far.
func (c *Conversation) Received() int64 { return c.wire.received }

// Close ends the conversation.
func (c *Conversation) Close() error {
	defer c.wire.close()
	return c.session.Close()
}

// Pack asks for objects and returns the pack the server sends, as it arrives.
// A server that took the question but sent no pack is a repository.ErrNoPack.
func (c *Conversation) Pack(ctx context.Context, q repository.Question) (io.ReadCloser, error) {
	req, err := request(c.advertised.Capabilities, q)
	if err != nil {
		return nil, err
	}
	reply, err := c.session.UploadPack(ctx, req)
	if err != nil {
		return nil, c.wire.explain(ctx, fmt.Errorf("%w: %w", repository.ErrNoPack, err))
	}
	explain := func(err error) error {
		return c.wire.explain(ctx, fmt.Errorf("%w: the pack the server sent: %w", repository.ErrDamaged, err))
	}
	return arriving{demultiplexed(req, reply), reply, explain}, nil
}

// arriving is a pack within the limit of the wire, whose errors are explained.
type arriving struct {
	io.Reader
	io.Closer
	explain func(error) error
}

func (a arriving) Read(p []byte) (int, error) {
	n, err := a.Reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = a.explain(err)
	}
	return n, err
}

// open prepares a session; nothing is sent yet. The credentials leave the URL
// here, so that no error of the layers below can show them.
func open(w *wire, address *url.URL) (transport.UploadPackSession, error) {
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

// request is made of what the server can do; one that cannot cut history off sends it.
func request(caps *capability.List, q repository.Question) (*packp.UploadPackRequest, error) {
	req := packp.NewUploadPackRequestFromCapabilities(caps)
	req.Wants, req.Haves = q.Wants, q.Haves
	var err error
	if caps.Supports(capability.NoProgress) {
		err = req.Capabilities.Set(capability.NoProgress)
	}
	if caps.Supports(capability.Shallow) && (q.Depth > 0 || len(q.Shallow) > 0) {
		req.Depth, req.Shallows = packp.DepthCommits(q.Depth), q.Shallow
		err = errors.Join(err, req.Capabilities.Set(capability.Shallow))
	}
	if q.CommitsOnly && caps.Supports(capability.Filter) {
		req.Filter = packp.FilterTreeDepth(0)
		err = errors.Join(err, req.Capabilities.Set(capability.Filter))
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
