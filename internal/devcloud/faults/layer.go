// Package faults lets things go wrong between a client and a Senlin: broken
// connections, lost replies, error answers, hangs, and requests that are
// carried out long after the client has given up on them, as a real Senlin
// does with what waits in its broker.
//
// A [Layer] is a handler around another one. It works in one process (behind
// devcloud's InProcess) and on a socket, and with [Proxy] in front of a server
// elsewhere. It never decides what goes wrong: its [Plan] does.
package faults

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Plan says what goes wrong with the n-th request that is counted, from 1. It
// may be called from several goroutines at once.
type Plan func(n int, r *http.Request) Fault

// At is a plan in which one request goes wrong.
func At(k int, fault Fault) Plan {
	return func(n int, _ *http.Request) Fault {
		if n == k {
			return fault
		}
		return None
	}
}

// Options of New; all may be left out.
type Options struct {
	Plan Plan
	// Counts says which requests are counted and may go wrong. Default: all but
	// those to a Keystone (below /identity, or to /auth/tokens).
	Counts func(*http.Request) bool
	// LateBy is after how many more requests an abandoned one is carried out; 0
	// means on demand only ([Layer.Release]).
	LateBy int
	// Drip is how long a dripping answer takes. Default: five minutes.
	Drip time.Duration
}

const (
	bodyLimit   = 8 << 20 // of a request; Senlin takes 1 MiB
	dripPieces  = 16
	defaultDrip = 5 * time.Minute
)

// Layer is a handler that lets things go wrong. It is safe for concurrent use.
type Layer struct {
	next http.Handler
	o    Options

	mu    sync.Mutex
	count int
	late  []abandoned
}

// abandoned is a request that nobody waits for any more.
type abandoned struct {
	request *http.Request
	due     int // carried out before the request of this number; 0 for none
}

// New puts a layer around a handler.
func New(next http.Handler, o Options) *Layer {
	if o.Counts == nil {
		o.Counts = toSenlin
	}
	if o.Drip <= 0 {
		o.Drip = defaultDrip
	}
	return &Layer{next: next, o: o}
}

// Proxy passes requests on to a server elsewhere.
func Proxy(target *url.URL) http.Handler {
	return &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }}
}

func toSenlin(r *http.Request) bool {
	path := r.URL.Path
	return path != "/identity" && !strings.HasPrefix(path, "/identity/") && !strings.HasSuffix(path, "/auth/tokens")
}

// Requests is how many requests were counted so far.
func (l *Layer) Requests() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.count
}

// Release carries out what was abandoned, oldest first, and returns how many
// requests that were.
func (l *Layer) Release() int {
	l.mu.Lock()
	late := l.late
	l.late = nil
	l.mu.Unlock()
	l.carryOut(late)
	return len(late)
}

func (l *Layer) carryOut(late []abandoned) {
	for _, a := range late {
		l.next.ServeHTTP(httptest.NewRecorder(), a.request)
	}
}

// ServeHTTP serves a request, or lets it go wrong.
func (l *Layer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !l.o.Counts(r) {
		l.next.ServeHTTP(w, r)
		return
	}
	n, due := l.number()
	l.carryOut(due)
	fault := None
	if l.o.Plan != nil {
		fault = l.o.Plan(n, r)
	}
	if fault == None {
		l.next.ServeHTTP(w, r)
		return
	}
	// Read first: a server learns that its client is gone only after the body.
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, bodyLimit))
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	again := r.Clone(context.WithoutCancel(r.Context()))
	again.Body = io.NopCloser(bytes.NewReader(body))
	l.befall(w, r, again, fault, n)
}

// number counts a request and takes what is due before it.
func (l *Layer) number() (n int, due []abandoned) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.count++
	var waiting []abandoned
	for _, a := range l.late {
		if a.due > 0 && a.due <= l.count {
			due = append(due, a)
		} else {
			waiting = append(waiting, a)
		}
	}
	l.late = waiting
	return l.count, due
}

// befall lets a fault befall a request; again is the same request, which
// outlives its client.
func (l *Layer) befall(w http.ResponseWriter, r, again *http.Request, fault Fault, n int) {
	if fault.Late() {
		l.abandon(again, n)
	}
	switch fault {
	case DropBefore:
		panic(http.ErrAbortHandler)
	case DropAfter:
		l.next.ServeHTTP(httptest.NewRecorder(), again)
		panic(http.ErrAbortHandler)
	case Hang, HangLate:
		<-r.Context().Done()
		panic(http.ErrAbortHandler)
	case Truncated, Drip:
		served := httptest.NewRecorder()
		l.next.ServeHTTP(served, again)
		l.slice(w, r, served.Result(), served.Body.Bytes(), fault)
	default:
		if fault.Acts() && !fault.Late() {
			l.next.ServeHTTP(httptest.NewRecorder(), again)
		}
		say(w, fault.answer(), n)
	}
}

func (l *Layer) abandon(again *http.Request, n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	a := abandoned{request: again}
	if l.o.LateBy > 0 {
		a.due = n + l.o.LateBy
	}
	l.late = append(l.late, a)
}

// slice sends half of an answer, or all of it a piece at a time. An answer
// without a body has no half: its connection breaks.
func (l *Layer) slice(w http.ResponseWriter, r *http.Request, served *http.Response, body []byte, fault Fault) {
	if fault == Truncated && len(body) == 0 {
		panic(http.ErrAbortHandler)
	}
	for key, values := range served.Header {
		w.Header()[key] = values
	}
	if len(body) > 0 {
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	}
	if fault == Truncated {
		w.WriteHeader(served.StatusCode)
		_, _ = w.Write(body[:len(body)/2])
		panic(http.ErrAbortHandler)
	}
	out := http.NewResponseController(w)
	size := len(body)/dripPieces + 1
	for sent := 0; ; sent = min(sent+size, len(body)) {
		select {
		case <-r.Context().Done():
			panic(http.ErrAbortHandler)
		case <-time.After(l.o.Drip / dripPieces):
		}
		if sent == 0 {
			w.WriteHeader(served.StatusCode)
		}
		if sent == len(body) {
			return
		}
		_, _ = w.Write(body[sent:min(sent+size, len(body))])
		_ = out.Flush() // in one process there is nothing to flush to
	}
}

// say answers in the server's place.
func say(w http.ResponseWriter, a answer, n int) {
	kind, text := a.body()
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	for key, value := range a.header {
		w.Header().Set(key, value)
	}
	if kind != "text/html" { // a proxy knows nothing of Senlin's request ids
		w.Header().Set("X-Openstack-Request-Id", fmt.Sprintf("req-fa017000-0000-4000-8000-%012d", n))
	}
	w.WriteHeader(a.status)
	_, _ = io.WriteString(w, text) // a client that is gone is none of our business
}
