// Package remote holds one conversation with a Git server, over HTTP or SSH:
// which references it has, and packs of objects.
//
// It owns how a server is reached and let into, who it must be, and what may go
// wrong on the way: every conversation ends with its context, takes a bounded
// number of bytes, waits a bounded time for the next one, and fails with one of
// package repository's errors or of its own, which never show a secret.
//
// It speaks version 0 of Git's protocol, which every host has, and asks each
// question in one round. A server that offers multi_ack gets it asked for:
// Azure DevOps and AWS CodeCommit refuse a client that does without.
//
// It never looks into a pack, writes nothing to disk, and never runs git; the
// one program it may run is a credential helper that an operator names. A
// server whose SSH host key is not known it does not talk to.
package remote

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"time"

	"github.com/go-git/go-git/v5/plumbing/format/pktline"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/sideband"
	"github.com/go-git/go-git/v5/utils/ioutil"

	"profilesync/internal/source/repository"
)

// Server is a Git server, how to get into it, and how much it may send.
type Server struct {
	// Address is an http or https URL, which may carry a user name and a
	// password, or an ssh URL, which may carry a user name. The path of the
	// latter is from the root of the server's files or, without the first
	// slash, from where the server lets the user in.
	Address *url.URL
	Login   Login
	// Limit bounds the bytes of all its answers together.
	Limit int64
	// Patience is how long the server may say nothing while it is listened to:
	// 0 is two minutes.
	Patience time.Duration
}

func (s Server) patience() time.Duration { return cmp.Or(s.Patience, usualPatience) }

// Conversation is an open connection to a server. It is used by one goroutine
// at a time, and is a repository.Server.
type Conversation struct {
	link       link
	received   *meter
	advertised *packp.AdvRefs
}

// Dial asks the server for its references, which takes one request.
func (s Server) Dial(ctx context.Context) (*Conversation, error) {
	if err := s.Login.check(s.Address); err != nil {
		return nil, err
	}
	c := &Conversation{received: &meter{limit: s.Limit}}
	if s.Address.Scheme == "ssh" {
		c.link = &shell{server: s, received: c.received}
	} else {
		c.link = &web{server: s, received: c.received}
	}
	if err := c.listen(ctx); err != nil {
		err = c.explain(ctx, err)
		c.link.close()
		return nil, err
	}
	return c, nil
}

func (c *Conversation) listen(ctx context.Context) error {
	stream, err := c.link.references(ctx)
	if err != nil {
		return err
	}
	defer stream.Close()
	c.advertised = packp.NewAdvRefs()
	err = c.advertised.Decode(stream)
	if errors.Is(err, packp.ErrEmptyAdvRefs) || err == nil && c.advertised.IsEmpty() {
		return repository.ErrEmpty
	}
	return err
}

// Advertised returns what the server said when it was dialled.
func (c *Conversation) Advertised() *packp.AdvRefs { return c.advertised }

// Received counts the bytes the server sent so far.
func (c *Conversation) Received() int64 { return c.received.received }

// Close ends the conversation.
func (c *Conversation) Close() error {
	c.link.close()
	return nil
}

// Pack asks for objects and returns the pack the server sends, as it arrives.
// A server that took the question but sent no pack is a repository.ErrNoPack.
func (c *Conversation) Pack(ctx context.Context, q repository.Question) (io.ReadCloser, error) {
	req, err := request(c.advertised.Capabilities, q)
	if err != nil {
		return nil, err
	}
	reply, err := c.ask(ctx, req)
	if err != nil {
		return nil, c.explain(ctx, fmt.Errorf("%w: %w", repository.ErrNoPack, err))
	}
	explain := func(err error) error {
		return c.explain(ctx, fmt.Errorf("%w: the pack the server sent: %w", repository.ErrDamaged, err))
	}
	return arriving{demultiplexed(req, reply), reply, explain}, nil
}

// ask puts a question in one round: what is wanted, what is there, done. So the
// server has nothing to wait for, and all its acknowledgements come before the pack.
func (c *Conversation) ask(ctx context.Context, req *packp.UploadPackRequest) (*packp.UploadPackResponse, error) {
	var question bytes.Buffer
	err := errors.Join(
		req.UploadRequest.Encode(&question),
		req.UploadHaves.Encode(&question, false),
		pktline.NewEncoder(&question).EncodeString("done\n"),
	)
	if err != nil {
		return nil, err
	}
	stream, err := c.link.ask(ctx, question.Bytes())
	if err != nil {
		return nil, err
	}
	reply := packp.NewUploadPackResponse(req)
	begun := bufio.NewReader(stream)
	if _, err = begun.Peek(1); err == nil {
		err = reply.Decode(ioutil.NewReadCloser(begun, stream))
	}
	if err != nil {
		stream.Close()
		return nil, err
	}
	return reply, nil
}

// explain turns what went wrong into an error for people.
func (c *Conversation) explain(ctx context.Context, err error) error {
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return ctx.Err()
	case ctx.Err() != nil:
		return fmt.Errorf("%w: no complete answer in time: %w", repository.ErrUnreachable, ctx.Err())
	}
	return c.link.explain(err)
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

// request is made of what the server can do; one that cannot cut history off sends it.
func request(caps *capability.List, q repository.Question) (*packp.UploadPackRequest, error) {
	req := packp.NewUploadPackRequestFromCapabilities(caps)
	req.Wants, req.Haves = q.Wants, q.Haves
	if !q.Thin {
		req.Capabilities.Delete(capability.ThinPack)
	}
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
	last := &tail{from: reply}
	switch {
	case req.Capabilities.Supports(capability.Sideband64k):
		return flushed{sideband.NewDemuxer(sideband.Sideband64k, last), last}
	case req.Capabilities.Supports(capability.Sideband):
		return flushed{sideband.NewDemuxer(sideband.Sideband, last), last}
	}
	return reply
}

// flushed tells a reply that is over from one that was cut off: go-git takes
// each for the end, and so does SSH, where a connection that breaks ends the
// stream like a command that is done. Git ends a reply by a flush.
type flushed struct {
	io.Reader
	last *tail
}

func (f flushed) Read(p []byte) (int, error) {
	n, err := f.Reader.Read(p)
	if errors.Is(err, io.EOF) && string(f.last.bytes) != string(pktline.FlushPkt) {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// tail remembers the last four bytes that were read.
type tail struct {
	from  io.Reader
	bytes []byte
}

func (t *tail) Read(p []byte) (int, error) {
	n, err := t.from.Read(p)
	t.bytes = append(t.bytes, p[max(0, n-len(pktline.FlushPkt)):n]...)
	t.bytes = append(t.bytes[:0], t.bytes[max(0, len(t.bytes)-len(pktline.FlushPkt)):]...)
	return n, err
}
