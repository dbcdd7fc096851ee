package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/transport"

	"profilesync/internal/source/repository"
)

// wire is the HTTP connection of one fetch. It bounds what is received and
// remembers what the layers above it forget to pass on. It is used by one
// goroutine at a time.
type wire struct {
	http     *http.Transport
	limit    int64
	received int64
	exceeded int64  // the limit that was
	status   int    // of the last answer
	notGit   string // the content type of an answer that is not Git's
}

const (
	dialTimeout   = 30 * time.Second
	headerTimeout = 2 * time.Minute // a server may count objects for a while before it answers

	// maxAdvertised bounds the list of references, half a million of them.
	maxAdvertised = 32 << 20
	// maxReason bounds what is read of an answer that is an error.
	maxReason = 1 << 10

	advertisement = "application/x-git-upload-pack-advertisement"
)

func newWire(limit int64) *wire {
	return &wire{limit: limit, http: &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: dialTimeout}).DialContext,
		TLSHandshakeTimeout:   dialTimeout,
		ResponseHeaderTimeout: headerTimeout,
		ForceAttemptHTTP2:     true,
	}}
}

func (w *wire) client() *http.Client { return &http.Client{Transport: w} }

func (w *wire) close() { w.http.CloseIdleConnections() }

// RoundTrip implements http.RoundTripper.
func (w *wire) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := w.http.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	w.status = resp.StatusCode
	limit := w.limit
	switch {
	case resp.StatusCode >= http.StatusMultipleChoices:
		// Cut, not refused: the reason an error gives is for people.
		resp.Body = body{io.LimitReader(resp.Body, maxReason), resp.Body}
		return resp, nil
	case req.Method == http.MethodGet:
		limit = min(limit, maxAdvertised)
		if kind, _, _ := strings.Cut(resp.Header.Get("Content-Type"), ";"); kind != advertisement {
			resp.Body.Close()
			w.notGit = repository.Printable(kind)
			return nil, errNotGit
		}
	}
	resp.Body = body{&counted{from: resp.Body, wire: w, limit: limit}, resp.Body}
	return resp, nil
}

var errNotGit = errors.New("not Git's protocol")

type body struct {
	io.Reader
	io.Closer
}

// counted fails once the wire has received more than the limit.
type counted struct {
	from  io.Reader
	wire  *wire
	limit int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.from.Read(p)
	c.wire.received += int64(n)
	if c.wire.received > c.limit {
		c.wire.exceeded = c.limit
		return 0, repository.ErrLimit
	}
	return n, err
}

// explain turns what go-git says of a failed exchange into one of
// package repository's errors. It goes by what the wire has seen where go-git drops the cause.
func (w *wire) explain(ctx context.Context, err error) error {
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return ctx.Err()
	case ctx.Err() != nil:
		return fmt.Errorf("%w: no complete answer in time: %w", repository.ErrUnreachable, ctx.Err())
	case w.exceeded > 0:
		return fmt.Errorf("%w: the server sends more than %d bytes", repository.ErrLimit, w.exceeded)
	case errors.Is(err, errNotGit):
		return fmt.Errorf("%w: the server answers %q, not Git's smart HTTP protocol", repository.ErrNoRepository, w.notGit)
	case errors.Is(err, transport.ErrEmptyRemoteRepository):
		return repository.ErrEmpty
	case w.status == http.StatusUnauthorized:
		return fmt.Errorf("%w: the server asks for credentials, or for others (status 401)", repository.ErrAuthentication)
	case w.status == http.StatusForbidden:
		return fmt.Errorf("%w: the server forbids it (status 403)", repository.ErrAuthentication)
	case w.status == http.StatusNotFound:
		return fmt.Errorf("%w: the server has none here, or hides it from these credentials (status 404)", repository.ErrNoRepository)
	case w.status >= http.StatusBadRequest:
		return fmt.Errorf("%w: it answers with status %d", repository.ErrUnreachable, w.status)
	}
	var unexpected *plumbing.UnexpectedError
	if errors.As(err, &unexpected) {
		err = unexpected.Err // it does not unwrap
	}
	var failed *url.Error // of net/http: the request got no answer
	if errors.As(err, &failed) {
		return fmt.Errorf("%w: %w", repository.ErrUnreachable, repository.Trimmed(failed.Err))
	}
	if errors.Is(err, repository.ErrDamaged) {
		return repository.Trimmed(err)
	}
	return fmt.Errorf("%w: its answer: %w", repository.ErrUnreachable, repository.Trimmed(err))
}
