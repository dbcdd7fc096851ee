package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
)

// killer stands in front of a Senlin, counts its requests, and does something
// to the program at one of them.
type killer struct {
	cloud   http.Handler
	flights sync.WaitGroup // requests whose sender is dead

	mutex  sync.Mutex
	seen   int
	writes []write
	aim    aim
}

// aim says at which request what is done. The zero value is never.
type aim struct {
	at   int  // the request, from 1
	post bool // it is the first create instead
	way  way
	do   func(*http.Request)
}

// way is what becomes of the request that was aimed at.
type way int

const (
	unsent   way = iota // the program dies before the request arrives
	amid                // it dies while the cloud is at it, which goes on
	answered            // it dies when the request is carried out and before the answer arrives
	spared              // it lives, and the request is served after what is done
)

func (w way) String() string { return [...]string{"unsent", "under way", "answered", "spared"}[w] }

// deaths are the ways that kill.
func deaths() []way { return []way{unsent, amid, answered} }

// write is a request that asks for a change of a profile.
type write struct{ method, id string }

// take aims from the next request on.
func (k *killer) take(a aim) {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	k.seen, k.writes, k.aim = 0, nil, a
}

// count is how many requests there were since it last took aim.
func (k *killer) count() int {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	return k.seen
}

// written is what was asked for since it last took aim, also by the program's
// last request.
func (k *killer) written() []write {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	return k.writes
}

// next counts a request and returns what is done at it, or nothing.
func (k *killer) next(r *http.Request) aim {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	k.seen++
	if id, found := strings.CutPrefix(r.URL.Path, "/v1/profiles/"); found && r.Method != http.MethodGet && id != "validate" {
		k.writes = append(k.writes, write{r.Method, id})
	}
	hit := k.aim.at == k.seen
	if k.aim.post {
		hit = r.Method == http.MethodPost && r.URL.Path == "/v1/profiles"
	}
	if !hit {
		return aim{}
	}
	now := k.aim
	k.aim = aim{}
	return now
}

func (k *killer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !senlinRequest(r) {
		k.cloud.ServeHTTP(w, r)
		return
	}
	now := k.next(r)
	if now.do == nil {
		k.cloud.ServeHTTP(w, r)
		return
	}
	// Read first: a server learns that its client is gone only after the body.
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	switch now.way {
	case amid:
		orphan := r.Clone(context.WithoutCancel(r.Context()))
		k.flights.Go(func() { k.cloud.ServeHTTP(httptest.NewRecorder(), orphan) })
	case answered:
		k.cloud.ServeHTTP(httptest.NewRecorder(), r)
	}
	now.do(r)
	if now.way != spared {
		panic(http.ErrAbortHandler)
	}
	k.cloud.ServeHTTP(w, r)
}
