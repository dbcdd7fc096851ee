package lease

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
)

// Fence is what a write has to ask; a [Held] is one.
type Fence interface {
	// Check is nil as long as writing is permitted. It does not block.
	Check() error
	// Lost is closed when that has ended; nil when it does not end by itself.
	Lost() <-chan struct{}
}

// Guard stands before a network and lets a write through only while a fence
// permits it. A write that is under way when the lease ends is waited for no
// longer.
//
// The fence is asked twice: first of all, and once more when the connection is
// there, just before the first byte. Between the two there may be a handshake of
// seconds, or a pause of the whole process.
type Guard struct {
	Base   http.RoundTripper
	Fence  Fence
	Writes func(*http.Request) bool // of a request: whether it changes anything
}

// FencedError is a write that the end of a lease has prevented or cut short. It
// unwraps to what the fence said, which is [ErrLost] of a lease.
type FencedError struct {
	Err    error
	unsent bool
}

func (e *FencedError) Error() string { return e.Err.Error() }

func (e *FencedError) Unwrap() error { return e.Err }

// Unsent reports whether nothing of the request went out, so that it has surely
// not been carried out.
func (e *FencedError) Unsent() bool { return e.unsent }

// RoundTrip sends a request if it may be sent. Its error is a [*FencedError]
// where the fence is its cause.
func (g Guard) RoundTrip(req *http.Request) (*http.Response, error) {
	if !g.Writes(req) {
		return g.Base.RoundTrip(req)
	}
	if err := g.Fence.Check(); err != nil {
		if req.Body != nil {
			_ = req.Body.Close() // nothing was read from it
		}
		return nil, refused(req, err)
	}
	ctx, end := context.WithCancelCause(req.Context())
	lost := g.Fence.Lost()
	go func() {
		select {
		case <-lost:
			end(g.lost())
		case <-ctx.Done():
		}
	}()
	resp, err := g.Base.RoundTrip(req.WithContext(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(got httptrace.GotConnInfo) {
			if err := g.Fence.Check(); err != nil {
				end(refused(req, err))
				_ = got.Conn.Close() // nothing else keeps the transport from writing to it
			}
		},
	})))
	if err == nil {
		resp.Body = answer{resp.Body, end}
		return resp, nil
	}
	var fenced *FencedError
	if errors.As(context.Cause(ctx), &fenced) {
		err = fenced
	}
	end(nil)
	return nil, err
}

// refused is the error of a request of which nothing has gone out.
func refused(req *http.Request, why error) error {
	return &FencedError{Err: fmt.Errorf("%s %s is refused: %w", req.Method, req.URL.Path, why), unsent: true}
}

// lost is why a request that may have gone out is given up.
func (g Guard) lost() error {
	err := g.Fence.Check()
	if err == nil {
		err = ErrLost
	}
	return &FencedError{Err: err}
}

// answer is the body of a response, after which its request needs no more
// watching.
type answer struct {
	io.ReadCloser
	end context.CancelCauseFunc
}

func (a answer) Close() error {
	defer a.end(nil)
	return a.ReadCloser.Close()
}
