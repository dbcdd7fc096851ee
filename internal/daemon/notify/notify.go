// Package notify tells people and programs what happened to a target: that its
// passes fail, that they are good again, that something was applied, that
// something is held up.
//
//	pass ──▶ Story: what is news? ──▶ a queue for each receiver ──▶ webhook: one CloudEvent each
//	                                                          └──▶ chat, mail: gathered, one message
//
// What is news is a function of the passes of a target; see [Story]. A failure
// that lasts is told again less and less often, and twenty targets that fail
// for one reason make one message.
//
// The package never holds a pass up: queues are bounded and lose their oldest
// entry, every delivery has a deadline, and a receiver that does not answer is
// given up and told of by [Notifier.Problems]. Where messages go to may be a
// secret in all its parts; no error, log or problem repeats any of it.
package notify

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"profilesync/internal/daemon/status"
)

// Receiver is somebody who wants to know: either a webhook or a service.
type Receiver struct {
	Webhook string // http or https URL that takes CloudEvents
	Token   string // sent to it as "Authorization: Bearer ..."; "" sends none
	Secret  string // signs what is sent to it; "" signs nothing
	Service string // shoutrrr URL: "slack://...", "matrix://...", "smtp://..."
	On      []Kind // what is told; empty means everything
}

// Options are what a notifier has for its whole life.
type Options struct {
	Receivers []Receiver
	Source    string // of the events, a URI reference: "profilesync/team-web"
	Link      string // to the status page, for people; may be ""
	Log       *slog.Logger
}

// Notifier tells receivers of passes. It is safe for concurrent use.
type Notifier struct {
	options Options
	workers []*worker
	closing chan struct{}
	running sync.WaitGroup

	mutex   sync.Mutex
	closed  bool
	stories map[string]Story // by target
}

// New makes a notifier that sends nothing until Run. The error says which
// receiver cannot be one, by its number, and repeats nothing of its URL.
func New(o Options) (*Notifier, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Source == "" {
		o.Source = "profilesync"
	}
	n := &Notifier{options: o, closing: make(chan struct{}), stories: map[string]Story{}}
	for i, r := range o.Receivers {
		w, err := newWorker(r, o)
		if err != nil {
			return nil, fmt.Errorf("receiver %d of notifications: %w", i+1, err)
		}
		n.workers = append(n.workers, w)
	}
	return n, nil
}

// Pass takes note of a pass and returns at once. The passes of a target come in
// their order. previous is the one before, as history knows it; it counts for
// the first pass of a target only, and may be nil.
func (n *Notifier) Pass(previous *status.Pass, now status.Pass) {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	story, known := n.stories[now.Target]
	if !known && previous != nil {
		story = After(*previous)
	}
	was := story
	story, kinds := story.Next(now)
	n.stories[now.Target] = story
	for _, kind := range kinds {
		e := event{kind: kind, pass: now, failures: story.Failures, since: story.Since}
		if kind == Recovered {
			e.failures, e.since = was.Failures, was.Since
		}
		for _, w := range n.workers {
			w.add(e)
		}
	}
}

// lastWords is how long deliveries may take after the end has come.
const lastWords = 5 * time.Second

// Run delivers until ctx ends or Close is called. What is queued by then is
// tried once more, for some seconds.
func (n *Notifier) Run(ctx context.Context) {
	if !n.begin() {
		return
	}
	defer n.running.Done()
	soft, stop := context.WithCancel(ctx)
	defer stop()
	hard, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	go func() {
		select {
		case <-n.closing:
			stop()
		case <-soft.Done():
		}
	}()
	defer context.AfterFunc(soft, func() { time.AfterFunc(lastWords, end) })()
	var group sync.WaitGroup
	for _, w := range n.workers {
		group.Go(func() { w.run(soft, hard) })
	}
	group.Wait()
}

// begin reports false after Close, which waits for those that began before it.
func (n *Notifier) begin() bool {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	if !n.closed {
		n.running.Add(1)
	}
	return !n.closed
}

// Close ends Run, and waits for it no longer than last words take.
func (n *Notifier) Close() {
	n.mutex.Lock()
	if !n.closed {
		n.closed = true
		close(n.closing)
	}
	n.mutex.Unlock()
	ended := make(chan struct{})
	go func() {
		n.running.Wait()
		close(ended)
	}()
	timer := time.NewTimer(lastWords + time.Second)
	defer timer.Stop()
	select {
	case <-ended:
	case <-timer.C:
	}
}

// Problems are the receivers that take nothing at present.
func (n *Notifier) Problems() []status.Problem {
	var problems []status.Problem
	for _, w := range n.workers {
		if p, is := w.problem(); is {
			problems = append(problems, p)
		}
	}
	return problems
}

// event is a piece of news of one target.
type event struct {
	kind     Kind
	pass     status.Pass
	failures int       // in a row, with this one; for Recovered those before
	since    time.Time // when the first of them ended
}

func (e event) ended() time.Time { return e.pass.Began.Add(e.pass.Took) }

func wants(r Receiver, kind Kind) bool { return len(r.On) == 0 || slices.Contains(r.On, kind) }
