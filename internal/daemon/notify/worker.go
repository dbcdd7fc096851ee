package notify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"

	"profilesync/internal/daemon/status"
)

// The bounds of one receiver.
const (
	maxQueued = 200              // events; the oldest go first
	perTry    = 15 * time.Second // for one answer
	maxTries  = 5
	within    = 10 * time.Minute // all tries of one message

	gathering = 10 * time.Second // what comes together goes into one message
	between   = time.Minute      // messages of a service
	burst     = 20               // events that a webhook gets at once, and after them
	refill    = time.Second      // one for each of these
)

// sender is how a receiver is reached. An error is cause's, so that it may be
// shown; a permanent one is not tried again.
type sender interface {
	send(ctx context.Context, events []event) error
	close()
}

// worker delivers to one receiver.
type worker struct {
	receiver Receiver
	name     string // for people, without secrets
	sender   sender
	gathers  bool // many events make one message
	log      *slog.Logger
	wake     chan struct{}

	mutex   sync.Mutex
	queue   []event
	lost    int // events that were given up or had no room, since since
	trouble string
	since   time.Time
}

func newWorker(r Receiver, o Options) (*worker, error) {
	w := &worker{receiver: r, log: o.Log, wake: make(chan struct{}, 1)}
	var err error
	switch {
	case (r.Webhook == "") == (r.Service == ""):
		return nil, errors.New("it needs either a webhook or a service")
	case r.Webhook != "":
		w.sender, w.name, err = newWebhook(r, o)
	default:
		w.sender, w.name, err = newService(r, o)
		w.gathers = true
	}
	for _, kind := range r.On {
		if err == nil && !isKind(kind) {
			err = fmt.Errorf("there is no kind %q: there are %q", kind, Kinds())
		}
	}
	return w, err
}

func isKind(kind Kind) bool {
	for _, known := range Kinds() {
		if kind == known {
			return true
		}
	}
	return false
}

func (w *worker) add(e event) {
	if !wants(w.receiver, e.kind) {
		return
	}
	w.mutex.Lock()
	w.queue = append(w.queue, e)
	if len(w.queue) > maxQueued {
		w.queue = append([]event(nil), w.queue[1:]...)
		w.lose(e.ended(), 1, "the queue is full")
	}
	w.mutex.Unlock()
	select {
	case w.wake <- struct{}{}:
	default: // it looks anyway
	}
}

// lose counts events that the receiver will not get. The mutex is held.
func (w *worker) lose(now time.Time, events int, why string) {
	if w.trouble == "" {
		w.since = now
	}
	w.trouble = why
	w.lost += events
}

// take is what goes out next: everything, or for a webhook one event.
func (w *worker) take() []event {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	n := len(w.queue)
	if !w.gathers {
		n = min(n, 1)
	}
	taken := w.queue[:n:n]
	w.queue = w.queue[n:]
	return taken
}

func (w *worker) isIdle() bool {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	return len(w.queue) == 0
}

// run delivers until soft ends, and then tries what is left once, until hard
// ends.
func (w *worker) run(soft, hard context.Context) {
	defer w.sender.close()
	var pace pace
	for soft.Err() == nil {
		if w.isIdle() {
			select {
			case <-w.wake:
			case <-soft.Done():
			}
			continue
		}
		if w.gathers {
			rest(soft, gathering)
		}
		rest(soft, pace.wait(time.Now(), w.gathers))
		if events := w.take(); len(events) > 0 {
			w.deliver(soft, hard, events)
		}
	}
	for events := w.take(); len(events) > 0 && hard.Err() == nil; events = w.take() {
		w.deliver(soft, hard, events)
	}
}

func rest(ctx context.Context, wait time.Duration) {
	if wait <= 0 {
		return
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// deliver tries until it works, or until the receiver is given up.
func (w *worker) deliver(soft, hard context.Context, events []event) {
	var last error
	try := func() (struct{}, error) {
		ctx, cancel := context.WithTimeout(hard, perTry)
		defer cancel()
		last = w.sender.send(ctx, events)
		w.tell(last)
		return struct{}{}, last
	}
	_, err := backoff.Retry(soft, try, backoff.WithMaxTries(maxTries), backoff.WithMaxElapsedTime(within), backoff.WithBackOff(steps()))
	var permanent *backoff.PermanentError
	if err != nil && soft.Err() != nil && hard.Err() == nil && !errors.As(last, &permanent) {
		_, err = try() // it waited for another try when the end came
	}
	if err == nil {
		return
	}
	w.mutex.Lock()
	w.lose(time.Now(), len(events), last.Error())
	w.mutex.Unlock()
	w.log.Warn("notification given up", "receiver", w.name, "events", len(events), "error", last)
}

// steps are the times between tries: 5 s, 20 s, 80 s, 3 min, each give or take a
// fifth.
func steps() backoff.BackOff {
	return &backoff.ExponentialBackOff{
		InitialInterval: 5 * time.Second, Multiplier: 4, MaxInterval: 3 * time.Minute, RandomizationFactor: 0.2,
	}
}

// tell takes note of how a try went. One that works ends the trouble.
func (w *worker) tell(err error) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if err == nil {
		w.trouble, w.since, w.lost = "", time.Time{}, 0
		return
	}
	w.lose(time.Now(), 0, err.Error())
}

func (w *worker) problem() (status.Problem, bool) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if w.trouble == "" {
		return status.Problem{}, false
	}
	text := w.name + ": " + w.trouble
	if w.lost > 0 {
		text += fmt.Sprintf("; notifications lost: %d", w.lost)
	}
	return status.Problem{Kind: status.NotifyProblem, Text: text, Since: w.since}, true
}

// pace is how often a receiver is written to. The zero value has written nothing
// yet.
type pace struct {
	last  time.Time
	spent float64 // of a burst
}

// wait takes the next turn, and says how long it is until then.
func (p *pace) wait(now time.Time, gathers bool) time.Duration {
	if gathers {
		due := now
		if !p.last.IsZero() {
			due = later(now, p.last.Add(between))
		}
		p.last = due
		return due.Sub(now)
	}
	if !p.last.IsZero() {
		p.spent = max(p.spent-float64(now.Sub(p.last))/float64(refill), 0)
	}
	p.last = now
	p.spent++
	return max(time.Duration((p.spent-burst)*float64(refill)), 0)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
