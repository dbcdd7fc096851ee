package session

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/gophercloud/gophercloud"
	"go.uber.org/goleak"

	"profilesync/internal/devcloud"
	"profilesync/internal/senlin/clouds"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	keystone = "http://keystone.invalid/v3"
	senlin   = "http://senlin.invalid"
	catalog  = `[{"type": "clustering", "endpoints": [{"interface": "public", "region_id": "One", "url": "` + senlin + `/v1/"}]}]`
	granted  = `{"token": {"project": {"id": "p1"}, "catalog": ` + catalog + `}}`
	versions = `{"version": {"min_version": "1.0", "max_version": "1.14"}}`
)

// stub is a Keystone and a Senlin with the least that a session needs. A route,
// "METHOD host/path", replaces what they do there.
type stub struct {
	routes map[string]http.HandlerFunc

	mu     sync.Mutex
	asked  []string        // "METHOD host/path" in order
	logins int             // tokens handed out: "token-1", "token-2", ...
	old    map[string]bool // tokens that have expired
}

func (s *stub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	route := r.Method + " " + r.URL.Host + r.URL.Path
	s.mu.Lock()
	s.asked = append(s.asked, route)
	expired := r.URL.Host == "senlin.invalid" && s.old[r.Header.Get(tokenHeader)]
	s.mu.Unlock()
	w.Header().Set("X-Openstack-Request-Id", "req-1")
	if expired {
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprint(w, `{"error": {"code": 401, "title": "Unauthorized", "message": "The request you have made requires authentication."}}`)
		return
	}
	if handle, ok := s.routes[route]; ok {
		handle(w, r)
		return
	}
	switch route {
	case "POST keystone.invalid/v3/auth/tokens":
		s.login(w, r)
	case "GET senlin.invalid/v1":
		fmt.Fprint(w, versions)
	default:
		fmt.Fprint(w, `{}`)
	}
}

func (s *stub) login(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.logins++
	w.Header().Set("X-Subject-Token", fmt.Sprintf("token-%d", s.logins))
	w.WriteHeader(http.StatusCreated)
	fmt.Fprint(w, granted)
}

// expire makes every token that was handed out a stale one.
func (s *stub) expire() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.old = map[string]bool{}
	for i := range s.logins {
		s.old[fmt.Sprintf("token-%d", i+1)] = true
	}
}

func (s *stub) count(route string) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, asked := range s.asked {
		if asked == route {
			n++
		}
	}
	return n
}

func somewhere() clouds.Cloud {
	return clouds.Cloud{
		Name: "somewhere", Reach: gophercloud.AvailabilityPublic,
		Auth: gophercloud.AuthOptions{
			IdentityEndpoint: keystone, Username: "ann", Password: "open sesame", DomainID: "default",
			Scope: &gophercloud.AuthScope{ProjectID: "p1"},
		},
	}
}

// open opens a session with a stub, in this process.
func open(t *testing.T, s *stub, options Options) *Session {
	t.Helper()
	if options.Transport == nil {
		options.Transport = devcloud.InProcess(s)
	}
	opened, err := Open(t.Context(), somewhere(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(opened.Close)
	return opened
}

// get asks for a path and reads the answer.
func (s *Session) get(ctx context.Context, path string) (body string, err error) {
	err = s.Do(ctx, Request{
		Send: func(client *gophercloud.ServiceClient) (*http.Response, error) {
			return client.Get(client.ServiceURL("v1", path), nil, Keep(nil, http.StatusOK))
		},
		Read: func(read []byte) error {
			body = string(read)
			return nil
		},
	})
	return body, err
}

// post writes something.
func (s *Session) post(ctx context.Context, path string) error {
	return s.Do(ctx, Request{
		Write: true,
		Send: func(client *gophercloud.ServiceClient) (*http.Response, error) {
			return client.Post(client.ServiceURL("v1", path), nil, nil, Keep(map[string]string{"a": "b"}, http.StatusCreated))
		},
		Read: func([]byte) error { return nil },
	})
}

func reply(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}
}

// inTurn answers with one after the other, and the last for ever.
func inTurn(answers ...http.HandlerFunc) http.HandlerFunc {
	var mu sync.Mutex
	return func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		next := answers[0]
		if len(answers) > 1 {
			answers = answers[1:]
		}
		mu.Unlock()
		next(w, r)
	}
}

// dropped breaks the connection without an answer.
func dropped(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

// hanging answers nothing until the client gives up.
func hanging(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

const testTimeout = 10 * time.Second
