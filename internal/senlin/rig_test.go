package senlin

import (
	"encoding/json"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gophercloud/gophercloud"
	"go.uber.org/goleak"

	"profilesync/internal/devcloud"
	"profilesync/internal/live"
	"profilesync/internal/profile"
	"profilesync/internal/senlin/session"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rig is a client of a cloud in this process, and what lies between them.
type rig struct {
	*Client
	cloud *devcloud.Cloud

	mu     sync.Mutex
	asked  []string // "METHOD path?query" in order
	fault  func(req *http.Request, next http.RoundTripper) (*http.Response, error)
	inside http.RoundTripper
}

func (r *rig) RoundTrip(req *http.Request) (*http.Response, error) {
	r.mu.Lock()
	r.asked = append(r.asked, req.Method+" "+req.URL.RequestURI())
	fault := r.fault
	r.mu.Unlock()
	if fault != nil {
		return fault(req, r.inside)
	}
	return r.inside.RoundTrip(req)
}

// since forgets what was asked so far, and returns it.
func (r *rig) since() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	asked := r.asked
	r.asked = nil
	return asked
}

// between puts a fault between client and cloud.
func (r *rig) between(fault func(req *http.Request, next http.RoundTripper) (*http.Response, error)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fault = fault
}

func demo() Options {
	return Options{Login: &Login{
		AuthURL: devcloud.AuthURL(devcloud.InProcessURL), Username: "demo", Password: "demo", Project: "demo",
	}}
}

// connect opens a cloud and a client of it.
func connect(t testing.TB, cloud devcloud.Options, options Options) *rig {
	t.Helper()
	if cloud.Path == "" {
		cloud.Path = filepath.Join(t.TempDir(), "cloud.db")
	}
	cloud.Unsynced = true
	opened, err := devcloud.Open(cloud)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := opened.Close(); err != nil {
			t.Error(err)
		}
	})
	r := &rig{cloud: opened, inside: opened.Transport()}
	options.Transport = r
	if r.Client, err = Connect(t.Context(), options); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	r.since()
	return r
}

func server(name string) profile.Profile {
	return profile.Profile{Name: name, Spec: profile.Spec{
		Type: "os.nova.server", Version: "1.0",
		Properties: profile.Properties{"flavor": "m1.small", "networks": []any{map[string]any{"network": "private"}}},
	}}
}

func (r *rig) create(t testing.TB, p profile.Profile) live.Profile {
	t.Helper()
	made, err := r.Create(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// send asks the cloud for something that the client has no method for.
func (r *rig) send(t *testing.T, method, path, body string, ok int) {
	t.Helper()
	err := r.session.Do(t.Context(), session.Request{
		Send: func(s *gophercloud.ServiceClient) (*http.Response, error) {
			return s.Request(method, s.ServiceURL("v1", path), session.Keep(json.RawMessage(body), ok))
		},
		Read: func([]byte) error { return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
}

func names(t *testing.T, profiles []live.Profile, err error) []string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, p := range profiles {
		all = append(all, p.Name)
	}
	slices.Sort(all)
	return all
}

func second(_ live.Profile, err error) error { return err }

// ticking is a clock that can be put forward by hours.
func ticking(mu *sync.Mutex, hours *int) func() time.Time {
	return func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		return time.Now().Add(time.Duration(*hours) * time.Hour)
	}
}

// says is an answer made by hand.
func says(req *http.Request, status int, body string) (*http.Response, error) {
	return &http.Response{
		StatusCode: status, Header: http.Header{}, Request: req,
		Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
	}, nil
}

// inBubble runs a test in a time of its own, where waiting costs nothing.
func inBubble(t *testing.T, name string, test func(t *testing.T)) {
	t.Run(name, func(t *testing.T) { synctest.Test(t, test) })
}

// losing breaks the connection of requests with this method, before the cloud
// sees them or after it has acted.
func losing(method string, after bool) func(*http.Request, http.RoundTripper) (*http.Response, error) {
	return func(req *http.Request, next http.RoundTripper) (*http.Response, error) {
		if req.Method != method || strings.HasSuffix(req.URL.Path, "/tokens") {
			return next.RoundTrip(req)
		}
		if after {
			if _, err := next.RoundTrip(req); err != nil {
				return nil, err
			}
		}
		return nil, io.ErrUnexpectedEOF
	}
}

func asked(all []string, method string) (n int) {
	for _, one := range all {
		if strings.HasPrefix(one, method+" /v1") {
			n++
		}
	}
	return n
}
