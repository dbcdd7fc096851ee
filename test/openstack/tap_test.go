//go:build openstack

package openstack

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sigs.k8s.io/yaml"
)

// tap is a proxy before one service of a cloud. It counts what passes, and can let something happen at a chosen request.
//
// A request is passed on to its end, also when the client has given up on it: a server that has read one does the same. Unlike the
// client, the tap learns of that end.
type tap struct {
	server *httptest.Server
	mu     sync.Mutex // held while something happens, so that no other request gets in between
	seen   map[string]int
	open   int // requests that the service has not answered
	aims   []aim
	delay  time.Duration // of every request
}

// aim is what happens at a request, "METHOD path", just before the service gets it.
type aim struct {
	request string
	nth     int // of those, from now on
	do      func(*http.Request)
	hold    <-chan struct{} // the service gets it once this is closed; nil for at once
	mute    bool            // its answer is kept from the client
}

func newTap(t *testing.T, service string) *tap {
	t.Helper()
	target, err := url.Parse(service)
	if err != nil {
		t.Fatal(err)
	}
	tapped := &tap{seen: map[string]int{}}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Host = r.In.Host // Keystone's links lead back to the tap
		},
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
	tapped.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		tapped.pass(w, r, proxy)
	}))
	t.Cleanup(tapped.server.Close)
	return tapped
}

func (p *tap) pass(w http.ResponseWriter, r *http.Request, proxy http.Handler) {
	now, delay := p.enter(r)
	defer func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.open--
	}()
	// Read first: a held request outlives its client.
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	time.Sleep(delay)
	if now.hold != nil {
		<-now.hold
	}
	through, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), 3*patience)
	defer cancel()
	if now.mute {
		proxy.ServeHTTP(httptest.NewRecorder(), r.WithContext(through))
		panic(http.ErrAbortHandler)
	}
	proxy.ServeHTTP(w, r.WithContext(through))
}

// enter counts a request and lets happen what is to happen at it.
func (p *tap) enter(r *http.Request) (now aim, delay time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open++
	request := r.Method + " " + r.URL.Path
	p.seen[request]++
	for i := range p.aims {
		one := &p.aims[i]
		if one.request != request {
			continue
		}
		if one.nth--; one.nth > 0 {
			continue
		}
		now = *one
		p.aims = slices.Delete(p.aims, i, i+1)
		break
	}
	if now.do != nil {
		now.do(r)
	}
	return now, p.delay
}

// at lets something happen at a request, once.
func (p *tap) at(request string, nth int, do func(*http.Request)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.aims = append(p.aims, aim{request: request, nth: nth, do: do})
}

// mute keeps the answer to a request from the client, whose connection is closed instead.
func (p *tap) mute(request string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.aims = append(p.aims, aim{request: request, nth: 1, mute: true})
}

// hold keeps a request from the service until it is released.
func (p *tap) hold(request string) (release func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	held := make(chan struct{})
	p.aims = append(p.aims, aim{request: request, nth: 1, hold: held})
	return sync.OnceFunc(func() { close(held) })
}

// slow makes every request take longer.
func (p *tap) slow(delay time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.delay = delay
}

// count is how many requests there were.
func (p *tap) count(request string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.seen[request]
}

// quiet reports whether the service has answered everything, given up or not.
func (p *tap) quiet() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.open == 0
}

// tapped is a login whose requests go through taps.
type tapped struct {
	login
	keystone, senlin *tap
}

// tapping writes a clouds.yaml of its own for an entry of another. Senlin's address is asked of the catalog once.
func tapping(t *testing.T, as login) tapped {
	t.Helper()
	file, err := cloudsFile(as.file).LoadCloudsYAML()
	if err != nil {
		t.Fatal(err)
	}
	entry := file[as.cloud]
	root, version, found := strings.Cut(entry.AuthInfo.AuthURL, "/v3")
	if !found || version != "" {
		t.Fatalf("auth_url of %q is %q, want one that ends in /v3", as.cloud, entry.AuthInfo.AuthURL)
	}
	through := tapped{keystone: newTap(t, root), senlin: newTap(t, as.senlin(t, "").Endpoint)}
	auth := *entry.AuthInfo
	auth.AuthURL = through.keystone.server.URL + "/v3"
	text, err := yaml.Marshal(map[string]any{"clouds": map[string]any{as.cloud: map[string]any{
		"auth": auth, "region_name": entry.RegionName, "clustering_endpoint_override": through.senlin.server.URL,
	}}})
	if err != nil {
		t.Fatal(err)
	}
	through.login = login{filepath.Join(t.TempDir(), "clouds.yaml"), as.cloud}
	if err := os.WriteFile(through.file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return through
}
