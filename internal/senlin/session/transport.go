package session

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptrace"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// answerLimit bounds an answer that is no list: one profile (1 MiB is the most
// that Senlin takes) or a catalog.
const answerLimit = 8 << 20

// callHeader carries the number of a call from gophercloud, which knows no
// context per request, to the transport, and no further.
const callHeader = "X-Profilesync-Call"

const tokenHeader = "X-Auth-Token"

var errTooLarge = errors.New("answer is too large")

// call is what the transport must know of a request beyond the request itself.
type call struct {
	ctx    context.Context
	limit  int64
	dialed atomic.Bool // a connection was asked for
	sent   atomic.Bool // there was one: the server may have seen the request
}

// unsent reports whether the server cannot have acted on the request.
func (c *call) unsent() bool { return c.dialed.Load() && !c.sent.Load() }

// begin is called before each sending, and refused after a 401.
func (c *call) begin() { c.dialed.Store(false); c.sent.Store(false) }

func (c *call) refused() { c.dialed.Store(true); c.sent.Store(false) }

// transport gives every request its caller's context and a deadline, bounds
// every answer, keeps a read-only client from writing, and renews the token.
type transport struct {
	base     http.RoundTripper
	timeout  time.Duration
	readOnly bool
	log      *slog.Logger
	renew    func(ctx context.Context, stale string) (string, error)

	mu    sync.Mutex
	last  uint64
	calls map[string]*call
}

// open announces a call; the name goes into its callHeader.
func (t *transport) open(c *call) (name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last++
	name = strconv.FormatUint(t.last, 10)
	t.calls[name] = c
	return name
}

func (t *transport) close(name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.calls, name)
}

func (t *transport) find(name string) *call {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.calls[name]
}

// RoundTrip sends a request, and once more when the token has expired: the
// token filter stands before everything else, so a 401 means not carried out.
// Requests without a call are those of the login.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := t.guard(req); err != nil {
		if req.Body != nil {
			_ = req.Body.Close() // nothing was read from it
		}
		return nil, err
	}
	c := t.find(req.Header.Get(callHeader))
	if c == nil {
		return t.send(req, &call{ctx: req.Context(), limit: answerLimit})
	}
	resp, err := t.send(req, c)
	if err != nil || resp.StatusCode != http.StatusUnauthorized {
		return resp, err
	}
	_ = resp.Body.Close() // its text would be about the old token
	c.refused()
	token, err := t.renew(c.ctx, req.Header.Get(tokenHeader))
	if err != nil {
		return nil, err
	}
	again := req.Clone(c.ctx)
	again.Header.Set(tokenHeader, token)
	if req.GetBody != nil {
		if again.Body, err = req.GetBody(); err != nil {
			return nil, err
		}
	}
	return t.send(again, c)
}

// guard lets a read-only client do nothing but read, log in and validate.
func (t *transport) guard(req *http.Request) error {
	if !t.readOnly || req.Method == http.MethodGet || req.Method == http.MethodHead {
		return nil
	}
	path := req.URL.Path
	if req.Method == http.MethodPost &&
		(strings.HasSuffix(path, "/v1/profiles/validate") || strings.HasSuffix(path, "/auth/tokens")) {
		return nil
	}
	return fmt.Errorf("%w: %s %s is refused", ErrReadOnly, req.Method, path)
}

func (t *transport) send(req *http.Request, c *call) (*http.Response, error) {
	c.begin()
	ctx, cancel := context.WithTimeoutCause(c.ctx, t.timeout, ErrTimeout)
	out := req.Clone(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(string) { c.dialed.Store(true) },
		GotConn: func(httptrace.GotConnInfo) { c.sent.Store(true) },
	}))
	out.Header.Del(callHeader)
	started := time.Now()
	resp, err := t.base.RoundTrip(out)
	attrs := []slog.Attr{
		slog.String("method", req.Method), slog.String("path", req.URL.Path),
		slog.Int64("ms", time.Since(started).Milliseconds()),
	}
	if err != nil {
		err = endedBy(ctx, err)
		cancel()
		t.log.LogAttrs(ctx, slog.LevelDebug, "request without an answer", append(attrs, slog.String("cause", innermost(err).Error()))...)
		return nil, err
	}
	t.log.LogAttrs(ctx, slog.LevelDebug, "request", append(attrs,
		slog.Int("status", resp.StatusCode), slog.String("request_id", requestID(resp.Header)))...)
	limit := c.limit
	if resp.StatusCode != http.StatusOK {
		limit = min(limit, answerLimit)
	}
	resp.Body = &answer{ctx: ctx, cancel: cancel, body: resp.Body, left: limit, cut: cut{
		method: req.Method, address: req.URL.String(), requestID: requestID(resp.Header),
	}}
	return resp, nil
}

// endedBy names the deadline or the caller as the cause of a request's end
// where they are.
func endedBy(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

// answer is a response's body with a limit, under the request's deadline.
type answer struct {
	ctx    context.Context
	cancel context.CancelFunc
	body   io.ReadCloser
	left   int64
	cut    cut
}

// cut is an answer that began and did not reach its end.
type cut struct {
	error
	method, address, requestID string
}

func (c *cut) Unwrap() error { return c.error }

func (a *answer) Read(p []byte) (int, error) {
	if a.left <= 0 {
		// At the limit, only the end is still welcome.
		if n, err := a.body.Read(make([]byte, 1)); n == 0 {
			return 0, err
		}
		return 0, errTooLarge
	}
	n, err := a.body.Read(p[:min(int64(len(p)), a.left)])
	a.left -= int64(n)
	if err != nil && !errors.Is(err, io.EOF) {
		a.cut.error = endedBy(a.ctx, err)
		err = &a.cut
	}
	return n, err
}

func (a *answer) Close() error {
	defer a.cancel()
	return a.body.Close()
}

// follow lets a read be redirected within its server and nothing else: a token
// must not go to another host, and a write must not become a GET.
func follow(req *http.Request, via []*http.Request) error {
	from := via[len(via)-1]
	if len(via) > 3 || (from.Method != http.MethodGet && from.Method != http.MethodHead) ||
		req.URL.Host != from.URL.Host || req.URL.Scheme != from.URL.Scheme {
		return http.ErrUseLastResponse
	}
	return nil
}

func requestID(header http.Header) string { return header.Get("X-Openstack-Request-Id") }
