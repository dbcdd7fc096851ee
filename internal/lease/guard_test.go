package lease_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"profilesync/internal/lease"
)

// gate is a fence that a test closes.
type gate struct {
	mutex sync.Mutex
	err   error
	lost  chan struct{}
}

func newGate() *gate { return &gate{lost: make(chan struct{})} }

func (g *gate) Check() error {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	return g.err
}

func (g *gate) Lost() <-chan struct{} { return g.lost }

// expire is the end of a lease that nobody was told of, as after a pause.
func (g *gate) expire() {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	g.err = fmt.Errorf("%w: expired", lease.ErrLost)
}

// server writes down what it is asked, each with its body, framing and protocol.
type server struct {
	*httptest.Server
	mutex sync.Mutex
	asked []string
	hang  chan struct{} // when not nil, nothing is answered before it is closed
}

func serve(t *testing.T, version int) *server {
	t.Helper()
	s := &server{}
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		s.mutex.Lock()
		s.asked = append(s.asked, fmt.Sprintf("%s %q %d %v", r.Method, body, r.ContentLength, r.TransferEncoding))
		s.mutex.Unlock()
		if err != nil {
			return
		}
		if s.hang != nil {
			<-s.hang
		}
		fmt.Fprint(w, "done")
	}))
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // connections are broken on purpose
	if version == 2 {
		s.EnableHTTP2 = true
		s.StartTLS()
	} else {
		s.Start()
	}
	t.Cleanup(s.Close)
	return s
}

func (s *server) requests() []string {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return slices.Clone(s.asked)
}

// slow takes its time to be closed, so that whoever closes it late has written
// to it by then.
type slow struct{ net.Conn }

func (s slow) Close() error {
	time.Sleep(10 * time.Millisecond)
	return s.Conn.Close()
}

// guard stands before the server; dialing is called as a connection is made.
func (s *server) guard(fence lease.Fence, dialing func()) lease.Guard {
	base := s.Client().Transport.(*http.Transport).Clone()
	base.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		connection, err := (&net.Dialer{}).DialContext(ctx, network, address)
		dialing()
		return slow{connection}, err
	}
	s.Config.RegisterOnShutdown(base.CloseIdleConnections)
	return lease.Guard{Base: base, Fence: fence, Writes: func(r *http.Request) bool { return r.Method != http.MethodGet }}
}

func request(t *testing.T, method, url, body string) *http.Request {
	t.Helper()
	var content io.Reader
	if body != "" {
		content = strings.NewReader(body)
	}
	// Its context never ends, so that whatever waits for that is left behind.
	req, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), method, url, content)
	if err != nil {
		t.Fatal(err)
	}
	return req
}

func send(t *testing.T, guard lease.Guard, req *http.Request) error {
	t.Helper()
	resp, err := guard.RoundTrip(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }() // it has been read
	body, err := io.ReadAll(resp.Body)
	if string(body) != "done" {
		t.Errorf("the answer is %q", body)
	}
	return err
}

func TestWhatTheFencePermitsIsSentAsItIs(t *testing.T) {
	for version, wants := range map[int][]string{
		1: {`GET "" 0 []`, `POST "text" 4 []`, `POST "" 0 []`, `PATCH "text" 4 []`, `DELETE "" 0 []`},
		2: {`GET "" 0 []`, `POST "text" 4 []`, `POST "" 0 []`, `PATCH "text" 4 []`, `DELETE "" 0 []`},
	} {
		t.Run(fmt.Sprintf("HTTP/%d", version), func(t *testing.T) {
			s := serve(t, version)
			guard := s.guard(newGate(), func() {})
			for _, what := range []struct{ method, body string }{{"GET", ""}, {"POST", "text"}, {"POST", ""}, {"PATCH", "text"}, {"DELETE", ""}} {
				if err := send(t, guard, request(t, what.method, s.URL, what.body)); err != nil {
					t.Error(err)
				}
			}
			if got := s.requests(); !slices.Equal(got, wants) {
				t.Errorf("sent was %q, want %q", got, wants)
			}
		})
	}
}

func TestNoWriteGoesOutOnceTheLeaseIsLost(t *testing.T) {
	for _, version := range []int{1, 2} {
		for _, what := range []struct {
			method, body string
			late         bool // the lease ends while the connection is being made
		}{
			{"POST", "text", false},
			{"DELETE", "", false},
			{"POST", "text", true},
			{"PATCH", strings.Repeat("long", 10000), true},
			{"DELETE", "", true},
		} {
			t.Run(fmt.Sprintf("HTTP/%d %s of %d bytes, late %t", version, what.method, len(what.body), what.late), func(t *testing.T) {
				s, fence := serve(t, version), newGate()
				if !what.late {
					fence.expire()
				}
				dialed := false
				guard := s.guard(fence, func() { dialed = true; fence.expire() })
				err := send(t, guard, request(t, what.method, s.URL+"/v1", what.body))
				var fenced *lease.FencedError
				if !errors.As(err, &fenced) || !errors.Is(err, lease.ErrLost) || !fenced.Unsent() {
					t.Errorf("got %v, unsent %t", err, fenced != nil && fenced.Unsent())
				}
				if dialed != what.late {
					t.Errorf("a connection was made: %t", dialed)
				}
				if want := what.method + " /v1 is refused: lease lost: expired"; err == nil || err.Error() != want {
					t.Errorf("says %q, want %q", err, want)
				}
				guard = s.guard(fence, func() {}) // a connection of its own: HTTP/2 would share the one that was closed
				if err := send(t, guard, request(t, "GET", s.URL, "")); err != nil {
					t.Errorf("a read was refused: %v", err)
				}
				s.Close()
				if got := s.requests(); !slices.Equal(got, []string{`GET "" 0 []`}) {
					t.Errorf("the server was asked %q", got)
				}
			})
		}
	}
}

func TestAWriteIsWaitedForNoLongerThanTheLeaseLasts(t *testing.T) {
	s, fence := serve(t, 1), newGate()
	s.hang = make(chan struct{})
	defer close(s.hang)
	done := make(chan error)
	go func() { done <- send(t, s.guard(fence, func() {}), request(t, "PATCH", s.URL, "text")) }()
	for len(s.requests()) == 0 {
		select {
		case err := <-done:
			t.Fatalf("ended with %v", err)
		default:
		}
	}
	fence.expire()
	close(fence.lost)
	err := <-done
	var fenced *lease.FencedError
	if !errors.As(err, &fenced) || !errors.Is(err, lease.ErrLost) || fenced.Unsent() {
		t.Errorf("got %v", err)
	}
}

func TestACallerWhoGivesUpIsNoLostLease(t *testing.T) {
	s := serve(t, 1)
	s.hang = make(chan struct{})
	defer close(s.hang)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	guard := s.guard(newGate(), func() {})
	go func() { done <- send(t, guard, request(t, "PATCH", s.URL, "text").WithContext(ctx)) }()
	for len(s.requests()) == 0 {
		select {
		case err := <-done:
			t.Fatalf("ended with %v", err)
		default:
		}
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) || errors.Is(err, lease.ErrLost) {
		t.Errorf("got %v", err)
	}
}
