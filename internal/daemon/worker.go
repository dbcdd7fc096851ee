package daemon

import (
	"context"
	"sync"
	"time"

	"profilesync/internal/daemon/status"
	"profilesync/internal/lease"
)

// worker serves one target: it holds the target's lease, waits until a pass is
// due, and makes it.
type worker struct {
	name   string
	daemon *Daemon
	cancel context.CancelFunc // ends run; nil before it
	wake   chan struct{}      // something in asked or target is new
	gate   lease.Gate

	// Touched by run only.
	table  timetable
	back   int   // times that the wall clock had gone back when the table was made
	client Cloud // kept between passes, nil when there is none
	of     int   // the configuration that the client belongs to

	mutex  sync.Mutex
	shared shared
	target Target
	turn   int      // counts configurations
	asked  *request // a pass that somebody wants, nil when nobody does
	state  status.Target
	moved  time.Time // when run last came by
}

// shared is what workers have in common under one configuration.
type shared struct {
	daemon    *Daemon
	documents *documents
	slots     chan struct{}
}

// request is a pass to be made.
type request struct {
	trigger status.Trigger
	by      string
}

func newWorker(target Target, shared shared) *worker {
	w := &worker{name: target.Name, daemon: shared.daemon, wake: make(chan struct{}, 1), moved: shared.daemon.now()}
	w.configure(target, shared)
	w.remember()
	return w
}

// remember takes up what history knows of the target.
func (w *worker) remember() {
	if w.daemon.options.Journal == nil {
		return
	}
	last, err := w.daemon.options.Journal.Last(w.name)
	if err != nil {
		return // history tells of its trouble when a pass is kept
	}
	w.state.Last, w.state.LastAttempt, w.state.LastSuccess, w.state.Revision = last.Pass, last.Attempt, last.Success, last.Revision
}

// configure gives the worker another configuration, which holds from the next
// pass on; that pass is made soon.
func (w *worker) configure(target Target, shared shared) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.target, w.shared, w.turn = target, shared, w.turn+1
	w.state.Name, w.state.Cloud, w.state.Mode = target.Name, target.Cloud, target.Mode
	w.state.Schedule, w.state.StaleAfter = target.Schedule.String(), target.StaleAfter
	w.want(request{trigger: status.Start})
}

// run serves the target, as often as its lease is ours, until ctx ends.
func (w *worker) run(ctx context.Context) {
	defer w.disconnect()
	for {
		held, ours := w.campaign(ctx)
		if !ours {
			return
		}
		w.serve(ctx, held)
		if held != nil {
			w.resign(ctx, held)
		}
	}
}

// serve makes passes until ctx ends or the lease is lost.
func (w *worker) serve(ctx context.Context, held lease.Held) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if held != nil {
		go func() {
			select {
			case <-held.Lost():
				if ctx.Err() == nil { // before anything else: another instance may have it by now
					w.tellLease(status.Lease{})
				}
				cancel(lease.ErrLost)
			case <-ctx.Done():
			}
		}()
	}
	next, wanted := w.take()
	if !wanted {
		next = request{trigger: status.Start}
	}
	for more := true; more; next, more = w.wait(ctx) {
		w.once(ctx, next)
	}
}

// wait returns the next pass that is due, or false when there is none any more.
func (w *worker) wait(ctx context.Context) (request, bool) {
	for {
		now := w.daemon.now()
		w.beat(now)
		target, _ := w.current()
		if back := w.daemon.see(now); back != w.back {
			w.back = back
			w.table.rewind(now, target)
		}
		if r, wanted := w.take(); wanted {
			return r, ctx.Err() == nil
		}
		switch due := w.table.due(now, target); {
		case ctx.Err() != nil:
			return request{}, false
		case due == status.Retry:
			return request{trigger: due}, true
		case due == status.Schedule && (w.table.failures == 0 || w.isNew(ctx)):
			return request{trigger: due}, true
		}
		w.tellTimes()
		wait := longestSleep
		if next := w.table.next(target); !next.IsZero() {
			wait = next.Sub(now)
		}
		w.sleep(ctx, wait)
	}
}

// longestSleep lets a worker notice a jump of the wall clock, which timers do
// not follow.
const longestSleep = 30 * time.Second

// sleep ends with the time, a wake or ctx.
func (w *worker) sleep(ctx context.Context, wait time.Duration) {
	timer := time.NewTimer(min(max(wait, 0), longestSleep))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-w.wake:
	case <-ctx.Done():
	}
}

// isNew reports, while a failed pass waits for its retry, whether the source has
// another revision than the one that failed. It costs a look at the source and
// asks nothing of the cloud.
func (w *worker) isNew(ctx context.Context) bool {
	_, shared := w.current()
	_, tree, err := shared.documents.read(ctx)
	return tree.Revision != "" && tree.Revision != w.table.failed || err == nil && w.table.failed == ""
}

// once makes one pass, when a slot is free.
func (w *worker) once(ctx context.Context, r request) {
	target, shared := w.current()
	w.table.passed(w.daemon.now(), target)
	if target.Mode == status.Suspended {
		return
	}
	select {
	case shared.slots <- struct{}{}:
		defer func() { <-shared.slots }()
	case <-ctx.Done():
		return
	}
	w.begin(r)
	ctx, cancel := context.WithTimeoutCause(ctx, target.Deadline, errDeadline)
	defer cancel()
	end := w.pass(ctx, target, shared.documents, r)
	if end.nothing {
		w.forget()
		return
	}
	w.table.ended(w.daemon.now(), target, end.pass)
	w.end(end)
}

// ask wants a pass; of several before the next one, the strongest is made.
func (w *worker) ask(r request) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.want(r)
}

// want is ask with the mutex held.
func (w *worker) want(r request) {
	if w.asked == nil || strength(r.trigger) >= strength(w.asked.trigger) {
		w.asked = &r
	}
	select {
	case w.wake <- struct{}{}:
	default: // it is about to look anyway
	}
}

func strength(trigger status.Trigger) int {
	switch trigger {
	case status.Override:
		return 3
	case status.Manual:
		return 2
	case status.Push:
		return 1
	}
	return 0
}

func (w *worker) take() (request, bool) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if w.asked == nil {
		return request{}, false
	}
	r := *w.asked
	w.asked = nil
	return r, true
}

func (w *worker) current() (Target, shared) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	return w.target, w.shared
}

// accepts says why somebody's request for a pass cannot be met, if so.
func (w *worker) accepts(trigger status.Trigger) error {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	switch {
	case w.target.Mode == status.Suspended:
		return ErrSuspended
	case trigger == status.Override && w.target.Mode != status.Apply:
		return ErrNoApply
	case w.state.Lease.Kind != "" && !w.state.Lease.Held:
		return ErrElsewhere
	}
	return nil
}

// isStuck reports whether the worker should have come by long ago. A pass ends
// with its deadline and the change in hand.
func (w *worker) isStuck(now time.Time) bool {
	const grace = 10 * time.Minute
	w.mutex.Lock()
	defer w.mutex.Unlock()
	return now.Sub(w.moved) > w.target.Deadline+grace
}

func (w *worker) beat(now time.Time) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.moved = now
}
