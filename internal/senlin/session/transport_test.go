package session

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gophercloud/gophercloud"

	"profilesync/internal/devcloud"
	"profilesync/internal/profile"
)

func TestAServerThatHangsIsATimeoutThatNamesIt(t *testing.T) {
	begun := func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusOK)
		fmt.Fprint(w, `{"profiles": [`)
		hanging(w, r)
	}
	for name, handle := range map[string]http.HandlerFunc{"before its answer": hanging, "within its answer": begun} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				opened := open(t, &stub{routes: map[string]http.HandlerFunc{read: handle}}, Options{Timeout: testTimeout})
				started := time.Now()
				_, err := opened.get(t.Context(), "profiles")
				if took := time.Since(started); took != testTimeout {
					t.Errorf("took %s, want %s", took, testTimeout)
				}
				if !errors.Is(err, ErrTimeout) || !errors.Is(err, profile.ErrUnavailable) {
					t.Errorf("got %v", err)
				}
				if want := "no answer to GET http://senlin.invalid/v1/profiles within 10s"; err == nil || err.Error() != want {
					t.Errorf("got %q, want %q", err, want)
				}
			})
		})
	}
}

// stalled is a network on which the answers to some requests stop after their
// headers.
type stalled struct {
	http.RoundTripper
	at string // the end of their paths
}

func (s stalled) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := s.RoundTripper.RoundTrip(r)
	if err == nil && strings.HasSuffix(r.URL.Path, s.at) {
		resp.Body = silence{r.Context()}
	}
	return resp, err
}

// silence is a body that does not come.
type silence struct{ until context.Context }

func (s silence) Read([]byte) (int, error) {
	<-s.until.Done()
	return 0, s.until.Err()
}

func (silence) Close() error { return nil }

func TestAnAnswerThatStallsIsNamedByItsID(t *testing.T) {
	for at, want := range map[string]string{
		"/auth/tokens": "no answer to POST http://keystone.invalid/v3/auth/tokens within 10s (req-1)",
		"/v1":          "no answer to GET http://senlin.invalid/v1 within 10s (req-1)",
		"/profiles":    "no answer to GET http://senlin.invalid/v1/profiles within 10s (req-1)",
	} {
		t.Run(at, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				opened, err := Open(t.Context(), somewhere(), Options{
					Transport: stalled{devcloud.InProcess(&stub{}), at}, Timeout: testTimeout,
				})
				if err == nil {
					_, err = opened.get(t.Context(), "profiles")
				}
				if !errors.Is(err, ErrTimeout) || !errors.Is(err, profile.ErrUnavailable) || err.Error() != want {
					t.Errorf("got %v, want %s", err, want)
				}
			})
		})
	}
}

func TestACallerEndsItsOwnRequestOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		let := make(chan struct{})
		opened := open(t, &stub{routes: map[string]http.HandlerFunc{
			"GET senlin.invalid/v1/slow": func(w http.ResponseWriter, r *http.Request) {
				select {
				case <-let:
				case <-r.Context().Done():
				}
			},
		}}, Options{Timeout: testTimeout})
		stopped := errors.New("stopped by a signal")
		ctx, cancel := context.WithCancelCause(t.Context())
		given, kept := make(chan error), make(chan error)
		go func() {
			_, err := opened.get(ctx, "slow")
			given <- err
		}()
		go func() {
			_, err := opened.get(t.Context(), "slow")
			kept <- err
		}()
		synctest.Wait()
		cancel(stopped)
		begun := time.Now()
		if err := <-given; !errors.Is(err, context.Canceled) || !errors.Is(err, stopped) {
			t.Errorf("got %v", err)
		}
		if waited := time.Since(begun); waited > 0 {
			t.Errorf("it went on for %s", waited)
		}
		close(let)
		if err := <-kept; err != nil {
			t.Error(err)
		}
		if n := len(opened.transport.calls); n != 0 {
			t.Errorf("%d calls are remembered", n)
		}
	})
}

func TestAWriteThatWasGivenUpIsInDoubt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		opened := open(t, &stub{routes: map[string]http.HandlerFunc{write: hanging}}, Options{Timeout: testTimeout})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := opened.post(ctx, "profiles")
		if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, profile.ErrInDoubt) {
			t.Errorf("got %v", err)
		}
	})
}

func TestAnAnswerIsReadUpToItsLimit(t *testing.T) {
	const limit = 1000
	ask := func(t *testing.T, size int) error {
		opened := open(t, &stub{routes: map[string]http.HandlerFunc{read: reply(200, strings.Repeat(" ", size))}}, Options{})
		return opened.Do(t.Context(), Request{
			Limit: limit,
			Send: func(client *gophercloud.ServiceClient) (*http.Response, error) {
				return client.Get(client.ServiceURL("v1", "profiles"), nil, Keep(nil, 200))
			},
			Read: func([]byte) error { return nil },
		})
	}
	if err := ask(t, limit); err != nil {
		t.Error("at the limit:", err)
	}
	if err := ask(t, limit+1); !errors.Is(err, ErrNotSenlin) {
		t.Error("over the limit:", err)
	}
}

func TestAReadOnlySessionCannotWrite(t *testing.T) {
	s := &stub{}
	opened := open(t, s, Options{ReadOnly: true})
	before := len(s.asked)
	for _, method := range []string{http.MethodPost, http.MethodPatch, http.MethodPut, http.MethodDelete, "MERGE"} {
		for _, path := range []string{"profiles", "profiles/x", "clusters", "profiles/validate/x", "profiles?x=/v1/profiles/validate"} {
			err := opened.Do(t.Context(), Request{Write: true, Send: func(client *gophercloud.ServiceClient) (*http.Response, error) {
				return client.Request(method, client.ServiceURL("v1", path), Keep(nil, 200))
			}})
			if !errors.Is(err, ErrReadOnly) || errors.Is(err, profile.ErrInDoubt) {
				t.Errorf("%s %s: %v", method, path, err)
			}
		}
	}
	if len(s.asked) != before {
		t.Errorf("the server saw %q", s.asked[before:])
	}
	if err := opened.post(t.Context(), "profiles/validate"); errors.Is(err, ErrReadOnly) {
		t.Error("validating is refused:", err)
	}
	s.expire()
	if _, err := opened.get(t.Context(), "profiles"); err != nil || s.logins != 2 {
		t.Error("a new login is refused:", err)
	}
}

func TestARedirectIsFollowedByReadsWithinTheServerOnly(t *testing.T) {
	to := func(where string, status int) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, where, status) }
	}
	s := &stub{routes: map[string]http.HandlerFunc{
		"GET senlin.invalid/v1/near":  to("/v1/profiles", 302),
		"GET senlin.invalid/v1/far":   to("http://evil.invalid/v1/profiles?secret=x", 302),
		"GET senlin.invalid/v1/other": to("https://senlin.invalid/v1/profiles", 301),
		"GET senlin.invalid/v1/loop":  to("/v1/loop", 302),
		"POST senlin.invalid/v1/near": to("/v1/profiles", 307),
		"POST senlin.invalid/v1/get":  to("/v1/profiles", 301),
	}}
	opened := open(t, s, Options{})
	if _, err := opened.get(t.Context(), "near"); err != nil {
		t.Error(err)
	}
	for _, path := range []string{"far", "other", "loop"} {
		if _, err := opened.get(t.Context(), path); !errors.Is(err, ErrNotSenlin) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", path, err)
		}
	}
	for _, path := range []string{"near", "get"} {
		err := opened.post(t.Context(), path)
		if !errors.Is(err, ErrNotSenlin) || !strings.Contains(err.Error(), "is redirected to") {
			t.Errorf("%s: %v", path, err)
		}
	}
	if n := s.count(read); n != 1 {
		t.Errorf("the list was asked for %d times, want once", n)
	}
	if n := s.count(write) + s.count("GET evil.invalid/v1/profiles"); n != 0 {
		t.Errorf("%q", s.asked)
	}
}

func TestAConnectionThatWasNeverMadeLeavesNoDoubt(t *testing.T) {
	s := &stub{routes: map[string]http.HandlerFunc{write: reply(201, "{}")}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.URL.Host, _, _ = net.SplitHostPort(r.Host)
		s.ServeHTTP(w, r)
	}))
	defer server.Close()
	var refuse atomic.Int32
	base := &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		if refuse.Add(-1) >= 0 {
			return nil, &net.OpError{Op: "dial", Net: network, Err: errors.New("connection refused")}
		}
		return (&net.Dialer{}).DialContext(ctx, network, server.Listener.Addr().String())
	}}
	cloud := somewhere()
	cloud.Auth.IdentityEndpoint = "http://keystone.invalid:80/v3"
	cloud.Override = "http://senlin.invalid:80"
	opened, err := Open(t.Context(), cloud, Options{Transport: base, Timeout: 2 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	refuse.Store(2)
	if err := opened.post(t.Context(), "profiles"); err != nil || s.count(write) != 1 {
		t.Errorf("%d requests arrived, %v", s.count(write), err)
	}
	refuse.Store(100)
	err = opened.post(t.Context(), "profiles")
	if !errors.Is(err, ErrUnreachable) || !errors.Is(err, profile.ErrUnavailable) || errors.Is(err, profile.ErrInDoubt) {
		t.Errorf("got %v", err)
	}
	if want := "cannot reach http://senlin.invalid:80/v1/profiles: connection refused"; err == nil || err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
}

func TestTheLogHoldsNoSecret(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))
	opened := open(t, &stub{routes: map[string]http.HandlerFunc{write: dropped}}, Options{Log: log, UserAgent: "profilesync/1"})
	if _, err := opened.get(t.Context(), "profiles"); err != nil {
		t.Fatal(err)
	}
	_ = opened.post(t.Context(), "profiles")
	for _, want := range []string{"method=POST path=/v3/auth/tokens", "method=GET path=/v1/profiles", "status=200 request_id=req-1", "without an answer"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, &out)
		}
	}
	for _, secret := range []string{"token-1", "sesame", "granted"} {
		if strings.Contains(out.String(), secret) {
			t.Errorf("%q is in\n%s", secret, &out)
		}
	}
}

func TestEveryRequestSaysItsVersionAndWhoAsks(t *testing.T) {
	var header http.Header
	s := &stub{routes: map[string]http.HandlerFunc{read: func(_ http.ResponseWriter, r *http.Request) { header = r.Header }}}
	opened := open(t, s, Options{UserAgent: "profilesync/1"})
	if _, err := opened.get(t.Context(), "profiles"); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{
		"Openstack-Api-Version": "clustering 1.14", "X-Auth-Token": "token-1", "Accept": "application/json", callHeader: "",
	} {
		if got := header.Get(key); got != want {
			t.Errorf("%s is %q, want %q", key, got, want)
		}
	}
	if agent := header.Get("User-Agent"); !strings.HasPrefix(agent, "profilesync/1 gophercloud/") {
		t.Errorf("User-Agent is %q", agent)
	}
}
