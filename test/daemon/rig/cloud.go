package rig

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"profilesync/internal/devcloud"
)

// onlyRegion is what an embedded cloud calls its region.
const onlyRegion = "RegionOne"

// Cloud is an embedded cloud behind a socket.
type Cloud struct {
	Name, URL, Region string

	inside http.RoundTripper
	down   atomic.Bool
	delay  atomic.Int64
	mutex  sync.Mutex
	log    []Request
	note   func(by string) string
}

// Request is one that a cloud has answered.
type Request struct {
	At           time.Time // when it came
	By           string    // instance, as the program names itself
	Method, Path string
	Body         string // of a write
	Status       int
	Answer       string // to a write
	Note         string // what Noting's function said as it came
}

// NewCloud starts a cloud.
func NewCloud(t testing.TB, name string) *Cloud { return NewCloudIn(t, name, onlyRegion) }

// NewCloudIn starts a cloud whose region has a name of its own. Embedded clouds
// call their projects alike, and leases for writing are told apart by both.
func NewCloudIn(t testing.TB, name, region string) *Cloud {
	t.Helper()
	c := &Cloud{Name: name, Region: region}
	server := httptest.NewUnstartedServer(nil)
	c.URL = "http://" + server.Listener.Addr().String()
	cloud, err := devcloud.Open(devcloud.Options{
		Path: filepath.Join(t.TempDir(), "devcloud.db"), BaseURL: c.URL, Unsynced: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	c.inside = cloud.Transport()
	server.Config.Handler = c.watch(c.rename(cloud.Handler()))
	server.Start()
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
		if err := cloud.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// rename gives the region its name in the catalog.
func (c *Cloud) rename(handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c.Region == onlyRegion || !strings.HasSuffix(r.URL.Path, "/auth/tokens") {
			handler.ServeHTTP(w, r)
			return
		}
		kept := httptest.NewRecorder()
		handler.ServeHTTP(kept, r)
		for key, values := range kept.Header() {
			if key != "Content-Length" {
				w.Header()[key] = values
			}
		}
		w.WriteHeader(kept.Code)
		_, _ = w.Write(bytes.ReplaceAll(kept.Body.Bytes(), []byte(`"`+onlyRegion+`"`), []byte(`"`+c.Region+`"`))) // the client may be gone
	})
}

// watch keeps the log, and breaks every connection while the cloud is down.
func (c *Cloud) watch(handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c.down.Load() {
			panic(http.ErrAbortHandler)
		}
		request := Request{At: time.Now(), Method: r.Method, Path: r.URL.Path}
		if _, agent, found := strings.Cut(r.UserAgent(), "profilesync ("); found {
			request.By, _, _ = strings.Cut(agent, ")")
		}
		answer := &answer{ResponseWriter: w, status: http.StatusOK}
		if request.IsWrite() {
			c.arrived(&request, r)
			answer.kept = &bytes.Buffer{}
		}
		handler.ServeHTTP(answer, r)
		request.Status = answer.status
		if answer.kept != nil {
			request.Answer = answer.kept.String()
		}
		c.mutex.Lock()
		defer c.mutex.Unlock()
		c.log = append(c.log, request)
	})
}

// arrived notes what is known of a write before it is carried out.
func (c *Cloud) arrived(request *Request, r *http.Request) {
	c.mutex.Lock()
	note := c.note
	c.mutex.Unlock()
	if note != nil {
		request.Note = note(request.By)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the rest never came, which the handler sees as well
	}
	request.Body = string(body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	time.Sleep(time.Duration(c.delay.Load()))
}

type answer struct {
	http.ResponseWriter
	status int
	kept   *bytes.Buffer // nil when nobody wants the body
}

func (a *answer) WriteHeader(status int) {
	a.status = status
	a.ResponseWriter.WriteHeader(status)
}

func (a *answer) Write(p []byte) (int, error) {
	if a.kept != nil {
		a.kept.Write(p)
	}
	return a.ResponseWriter.Write(p)
}

// Down breaks every request from now on, or no longer.
func (c *Cloud) Down(down bool) { c.down.Store(down) }

// Delay lets every write take so much longer.
func (c *Cloud) Delay(by time.Duration) { c.delay.Store(int64(by)) }

// Noting calls a function as each write comes, with who sent it, before it is
// carried out.
func (c *Cloud) Noting(note func(by string) string) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.note = note
}

// Requests are all so far.
func (c *Cloud) Requests() []Request {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return append([]Request(nil), c.log...)
}

// IsWrite reports whether a request asks for a change of a profile.
func (r Request) IsWrite() bool {
	return r.Method != http.MethodGet && strings.Contains(r.Path, "/v1/profiles") && !strings.HasSuffix(r.Path, "/validate")
}

// Writes are the requests that asked for a change.
func (c *Cloud) Writes() []Request {
	var writes []Request
	for _, r := range c.Requests() {
		if r.IsWrite() {
			writes = append(writes, r)
		}
	}
	return writes
}

// Forget drops the requests so far.
func (c *Cloud) Forget() {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.log = nil
}

// Profile is one as the cloud lists it.
type Profile struct {
	ID       string         `json:"id"`
	Name     string         `json:"name"`
	Metadata map[string]any `json:"metadata"`
	Spec     struct {
		Properties map[string]any `json:"properties"`
	} `json:"spec"`
}

// Profiles are those of the account that the program works as. They are read
// past the socket, and not in the log.
func (c *Cloud) Profiles(t testing.TB) []Profile {
	t.Helper()
	a := devcloud.Accounts()[0]
	login := fmt.Sprintf(`{"auth": {"identity": {"methods": ["password"], "password": {"user": {"name": %q, "password": %q, `+
		`"domain": {"id": "default"}}}}, "scope": {"project": {"name": %q, "domain": {"id": "default"}}}}}`, a.Name, a.Password, a.Project)
	header, _ := c.ask(t, http.MethodPost, "/identity/v3/auth/tokens", "", login)
	_, text := c.ask(t, http.MethodGet, "/v1/profiles", header.Get("X-Subject-Token"), "")
	var listed struct {
		Profiles []Profile `json:"profiles"`
	}
	if err := json.Unmarshal(text, &listed); err != nil {
		t.Fatal(err)
	}
	return listed.Profiles
}

func (c *Cloud) ask(t testing.TB, method, path, token, body string) (http.Header, []byte) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, devcloud.InProcessURL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Auth-Token", token)
	r.Header.Set("Content-Type", "application/json")
	answer, err := c.inside.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode/100 != 2 {
		t.Fatalf("%s %s: status %d, %v: %s", method, path, answer.StatusCode, err, text)
	}
	return answer.Header, text
}
