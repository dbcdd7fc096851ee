// Package daemon repeats passes, for months and unattended: on a schedule, when
// something was pushed, when a failed one is due again, or when somebody asks.
//
//	schedule, push, retry, request ──▶ worker ──▶ pass ──▶ status, history, notifications
//	                                      │         │
//	                          lease "serve/…"     lease "write/…"
//
// A [Daemon] has one worker for each target. A worker serves its target as long
// as it holds the target's lease, makes one pass at a time, and never waits for
// another worker except for a free slot. Read worker.go for the loop and pass.go
// for what one pass does here beyond [reconcile.Pass].
//
// The package decides when a pass is made and whether it may write. It decides
// nothing about a profile, and knows neither Git nor HTTP nor etcd: the sources,
// clouds, leases and the history are given to it.
package daemon

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"profilesync/internal/daemon/history"
	"profilesync/internal/daemon/schedule"
	"profilesync/internal/daemon/status"
	"profilesync/internal/lease"
	"profilesync/internal/reconcile"
)

// Options are what a daemon has for its whole life.
type Options struct {
	Version   string
	Instance  string             // who this process is for other instances: "host-1/4711"
	Leases    Leases             // nil: nobody else can serve the targets
	LeaseKind string             // "etcd" or "file", as it is told; "" without Leases
	Journal   Journal            // where passes are kept
	Hint      func(error) string // the next step after an error, "" when there is none; may be nil
	Log       *slog.Logger       // may be nil
	Now       func() time.Time   // the wall clock; nil is the system's

	// Passed is called after each pass, one at a time for a target, with the one
	// before it, nil when there was none. It must not block, and may be nil.
	Passed func(previous *status.Pass, pass status.Pass)
}

// Leases say who serves a target, and who writes to it; [lease.Sharing] does.
type Leases interface {
	// Acquire waits until the lease is ours or ctx ends.
	Acquire(ctx context.Context, name string) (lease.Held, error)
	// Holder tells who has the lease, if anybody.
	Holder(ctx context.Context, name string) (lease.Holder, bool, error)
}

// Journal keeps passes over restarts.
type Journal interface {
	// Append keeps a pass and gives it its ID. The pass comes back in any case.
	Append(status.Pass) (status.Pass, error)
	// Passes are the last ones before an ID, the newest first; no target means all, 0 the newest.
	Passes(target string, before uint64, limit int) ([]status.Pass, error)
	// Last is what there is to know of a target after a restart.
	Last(target string) (history.Last, error)
}

// Config is what a reload replaces.
type Config struct {
	Owner      string
	Source     string // for people
	Documents  reconcile.Source
	Targets    []Target // names differ
	SideBySide int      // passes at once; at least 1
}

// Target is one target as it is configured.
type Target struct {
	Name, Cloud string
	Key         string // of the lease for serving it: the same in every process that may
	Mode        status.Mode
	Schedule    schedule.Schedule
	Windows     schedule.Windows
	Jitter      time.Duration // a scheduled pass begins up to this much later
	Deadline    time.Duration // of one pass; the change in hand is finished
	StaleAfter  time.Duration
	Backoff     schedule.Backoff
	Pass        reconcile.Pass // all but its Cloud

	// Connect logs in. The client lets fence decide on each write. It is kept for
	// many passes.
	Connect func(ctx context.Context, fence lease.Fence) (Cloud, error)
	// Approve may refuse a plan before it is carried out; nil refuses none.
	Approve func(ctx context.Context, planned reconcile.Planned) error
}

// Cloud is a client that is kept between passes.
type Cloud interface {
	reconcile.Cloud
	// Close closes connections that are not in use.
	Close()
}

// What can be wrong with a request for a pass.
var (
	ErrNoTarget  = errors.New("no such target")
	ErrSuspended = errors.New("target is suspended")
	ErrElsewhere = errors.New("target is served by another instance")
	ErrNoApply   = errors.New("target is only reported on")
)

// Daemon is all targets and what they share.
type Daemon struct {
	options Options
	started time.Time

	mutex     sync.Mutex
	wall      time.Time // the wall clock when it was looked at last
	looked    time.Time // when that was, by the monotonic clock
	back      int       // times that the wall clock has gone back
	config    Config
	documents *documents
	slots     chan struct{}
	workers   []*worker // in the configuration's order
	leaving   []*worker // no longer configured, ending
	running   context.Context
	ended     bool
	group     sync.WaitGroup
	problems  map[string]status.Problem // by kind
}

// New makes a daemon that does nothing until Run.
func New(options Options, config Config) *Daemon {
	if options.Hint == nil {
		options.Hint = func(error) string { return "" }
	}
	if options.Log == nil {
		options.Log = slog.New(slog.DiscardHandler)
	}
	if options.Now == nil {
		options.Now = time.Now
	}
	d := &Daemon{
		options: options, started: options.Now(), problems: map[string]status.Problem{},
	}
	d.Reload(config)
	return d
}

// Run serves the targets until ctx ends. Then no further change is begun, those
// in hand are finished, and the leases are given back.
func (d *Daemon) Run(ctx context.Context) {
	d.mutex.Lock()
	d.running = ctx
	for _, w := range d.workers {
		d.start(w)
	}
	d.mutex.Unlock()
	<-ctx.Done()
	d.mutex.Lock()
	d.ended = true // no reload starts a worker any more
	d.mutex.Unlock()
	d.group.Wait()
}

// start lets a worker run. The mutex is held.
func (d *Daemon) start(w *worker) {
	if d.running == nil || d.ended {
		return
	}
	ctx, cancel := context.WithCancel(d.running)
	w.cancel = cancel
	d.group.Go(func() {
		defer cancel()
		w.run(ctx)
		d.forget(w)
	})
}

// Reload replaces the configuration. A target that was there before keeps its
// lease and its state, and makes a pass as it is configured now; one that is
// gone ends its pass in hand.
func (d *Daemon) Reload(config Config) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	delete(d.problems, status.ConfigProblem)
	d.config, d.documents = config, newDocuments(config.Documents)
	d.slots = make(chan struct{}, max(config.SideBySide, 1))
	before := d.workers
	d.workers = nil
	for _, target := range config.Targets {
		shared := shared{daemon: d, documents: d.documents, slots: d.slots}
		at := slices.IndexFunc(before, func(w *worker) bool { return w.name == target.Name })
		if at < 0 {
			w := newWorker(target, shared)
			d.workers = append(d.workers, w)
			d.start(w)
			continue
		}
		before[at].configure(target, shared)
		d.workers = append(d.workers, before[at])
		before = slices.Delete(before, at, at+1)
	}
	for _, w := range before {
		if w.cancel != nil {
			w.cancel()
			d.leaving = append(d.leaving, w)
		}
	}
}

// forget drops a worker that has ended.
func (d *Daemon) forget(w *worker) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	d.leaving = slices.DeleteFunc(d.leaving, func(other *worker) bool { return other == w })
}

// Refused notes a configuration that could not be used: the old one goes on.
func (d *Daemon) Refused(err error) {
	d.note(status.ConfigProblem, "the configuration on disk is refused, the one before goes on: "+err.Error())
}

// Push makes a pass of every target at once, as soon as none is under way. It
// does not wait: any number of pushes during a pass make one more.
func (d *Daemon) Push(by string) {
	for _, w := range d.all() {
		w.ask(request{trigger: status.Push, by: by})
	}
}

// Ask makes a pass of a target. With trigger Override its plan is carried out
// though no window is open. The error is one of this package's.
func (d *Daemon) Ask(target string, trigger status.Trigger, by string) error {
	workers := d.all()
	at := slices.IndexFunc(workers, func(w *worker) bool { return w.name == target })
	if at < 0 {
		return ErrNoTarget
	}
	if err := workers[at].accepts(trigger); err != nil {
		return err
	}
	workers[at].ask(request{trigger: trigger, by: by})
	return nil
}

// Passes are those that history keeps.
func (d *Daemon) Passes(target string, before uint64, limit int) ([]status.Pass, error) {
	return d.options.Journal.Passes(target, before, limit)
}

// Status is how everything is doing now.
func (d *Daemon) Status() status.Daemon {
	d.mutex.Lock()
	now := d.now()
	told := status.Daemon{
		Version: d.options.Version, Instance: d.options.Instance, Owner: d.config.Owner, Source: d.config.Source,
		Started: d.started, Now: now, Problems: d.known(now),
	}
	workers := slices.Clone(d.workers)
	d.mutex.Unlock()
	for _, w := range workers {
		told.Targets = append(told.Targets, w.tell(now))
	}
	return told
}

// Stuck names the targets whose worker has not moved for longer than a pass may
// take: something in this process hangs that nothing should be able to hang.
func (d *Daemon) Stuck() []string {
	var stuck []string
	for _, w := range d.all() {
		if w.isStuck(d.now()) {
			stuck = append(stuck, w.name)
		}
	}
	return stuck
}

func (d *Daemon) now() time.Time { return d.options.Now() }

func (d *Daemon) all() []*worker {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	return slices.Clone(d.workers)
}
