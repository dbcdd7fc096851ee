package clustering

import (
	"context"
	"sync"
	"time"

	"profilesync/internal/devcloud/store"
)

// engine carries out actions. An action goes through a few steps, each one transaction that leaves its status behind
// as the only record of how far it has come; between two steps its time passes. So whatever ends the process, the
// next one goes on with the step that is due.
type engine struct {
	api   *API
	owner string // how actions name this engine while it has them

	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu       sync.Mutex
	stopped  bool
	running  int
	idle     chan struct{} // closed while nothing runs
	settlers int           // how many wait for that
	hurry    chan struct{} // closed when one begins to
}

func newEngine(a *API) *engine {
	e := &engine{api: a, owner: newUUID(), idle: make(chan struct{}), hurry: make(chan struct{})}
	close(e.idle)
	e.ctx, e.cancel = context.WithCancel(context.Background())
	return e
}

// resume takes up what a former process left unfinished.
func (e *engine) resume() error {
	var open []string
	err := e.api.o.Store.View(func(tx *store.Tx) error {
		open = actionsWith(tx, openRef)
		return nil
	})
	for _, id := range open {
		e.start(id)
	}
	return err
}

// start carries out an action in its own goroutine. After stop it does nothing: the action waits in the store.
func (e *engine) start(id string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.stopped {
		return
	}
	if e.running == 0 {
		e.idle = make(chan struct{})
	}
	e.running++
	e.wg.Go(func() {
		defer e.ended()
		e.run(id)
	})
}

func (e *engine) ended() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.running--
	if e.running == 0 {
		close(e.idle)
	}
}

// run takes an action through its steps. An error can only come from the store; the action is then left to the next
// process.
func (e *engine) run(id string) {
	for {
		var more bool
		err := e.api.o.Store.Update(func(tx *store.Tx) (err error) {
			more, err = e.step(tx, id)
			return err
		})
		if err != nil || !more || !e.pause() {
			return
		}
	}
}

// pause lets an action's time pass. It is false when the engine stops.
func (e *engine) pause() bool {
	e.mu.Lock()
	hurry, settlers := e.hurry, e.settlers
	e.mu.Unlock()
	if settlers > 0 {
		return e.ctx.Err() == nil
	}
	timer := time.NewTimer(e.api.o.ActionTime)
	defer timer.Stop()
	select {
	case <-e.ctx.Done():
		return false
	case <-timer.C:
	case <-hurry:
	}
	return true
}

func (e *engine) stop() {
	e.mu.Lock()
	e.stopped = true
	e.mu.Unlock()
	e.cancel()
	e.wg.Wait()
}

// settle lets no time pass for anybody until nothing runs.
func (e *engine) settle(ctx context.Context) error {
	e.mu.Lock()
	e.settlers++
	if e.settlers == 1 {
		close(e.hurry)
	}
	idle := e.idle
	e.mu.Unlock()
	defer func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.settlers--
		if e.settlers == 0 {
			e.hurry = make(chan struct{})
		}
	}()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-idle:
		return nil
	}
}
