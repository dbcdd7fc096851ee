package session

import (
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"profilesync/internal/lease"
	"profilesync/internal/profile"
)

var _ fenced = (*lease.FencedError)(nil)

var errFence = errors.New("lease lost")

// fenceError is what a fence around the network gives.
type fenceError struct{ unsent bool }

func (fenceError) Error() string  { return "lease lost" }
func (fenceError) Unwrap() error  { return errFence }
func (e fenceError) Unsent() bool { return e.unsent }

// fence stands before a network and lets no write through, or no answer to it.
type fence struct {
	base http.RoundTripper
	late bool
	asks *int
}

func (f fence) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Method == http.MethodGet || req.URL.Host == "keystone.invalid" {
		return f.base.RoundTrip(req)
	}
	*f.asks++
	if !f.late {
		return nil, fenceError{unsent: true}
	}
	resp, err := f.base.RoundTrip(req)
	if err == nil {
		_ = resp.Body.Close() // nobody is to read it
	}
	return nil, fenceError{}
}

func TestAWriteThatWasNotLetThroughIsNotInDoubt(t *testing.T) {
	for name, story := range map[string]struct {
		late bool
		want string
	}{
		"before it was sent":      {false, "not sent: lease lost"},
		"while it was waited for": {true, "gave up waiting for POST http://senlin.invalid/v1/profiles: lease lost; it may have been carried out"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				asks := 0
				opened := open(t, &stub{}, Options{Timeout: testTimeout, Wrap: func(base http.RoundTripper) http.RoundTripper {
					return fence{base, story.late, &asks}
				}})
				began := time.Now()
				err := opened.post(t.Context(), "profiles")
				if !errors.Is(err, errFence) || errors.Is(err, profile.ErrInDoubt) != story.late {
					t.Errorf("got %v", err)
				}
				if errors.Is(err, profile.ErrUnavailable) || errors.Is(err, ErrUnreachable) {
					t.Error("the cloud is blamed")
				}
				if err == nil || err.Error() != story.want {
					t.Errorf("says %q, want %q", err, story.want)
				}
				if asks != 1 || time.Since(began) != 0 {
					t.Errorf("asked %d times in %s", asks, time.Since(began))
				}
			})
		})
	}
}
