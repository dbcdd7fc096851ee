package daemon

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"profilesync/internal/daemon/status"
	"profilesync/internal/lease"
)

// tell is the target's state now.
func (w *worker) tell(now time.Time) status.Target {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	told := w.state
	told.Window = status.Window{
		Has: !w.target.Windows.IsZero(), Open: w.target.Windows.Open(now), Change: w.target.Windows.Change(now),
	}
	if w.target.Mode == status.Suspended || told.Lease.Kind != "" && !told.Lease.Held {
		told.Next, told.Retry = time.Time{}, time.Time{}
	}
	return told
}

func (w *worker) tellTimes() {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.state.Next, w.state.Retry, w.state.Failures = w.table.begins, w.table.retry, w.table.failures
}

// tellLease replaces what is known of the lease.
func (w *worker) tellLease(told status.Lease) {
	w.mutex.Lock()
	told.Kind = w.daemon.options.LeaseKind
	w.state.Lease = told
	w.mutex.Unlock()
	w.daemon.decide(status.LeaseProblem, told.Problem)
}

// release gives the lease for writing back.
func (w *worker) release(ctx context.Context, held lease.Held) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseWithin)
	defer cancel()
	if err := held.Release(ctx); err != nil {
		w.daemon.options.Log.Warn("lease for writing not given back", "target", w.name, "error", err)
	}
}

func (w *worker) begin(r request) {
	now := w.daemon.now()
	w.beat(now)
	w.mutex.Lock()
	w.state.Running = &status.Running{Trigger: r.trigger, Began: now}
	w.mutex.Unlock()
	if r.trigger == status.Override {
		w.daemon.options.Log.Warn("plans are carried out whether a window is open or not", "target", w.name, "by", r.by)
	}
}

// forget drops a pass that was ended before there was anything to tell of it.
func (w *worker) forget() {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.state.Running = nil
}

// end keeps a pass and tells everybody of it. Keeping may fail: the pass counts
// all the same.
func (w *worker) end(e ending) {
	d := w.daemon
	if d.options.Journal != nil {
		kept, err := d.options.Journal.Append(e.pass)
		e.pass = kept
		if err != nil {
			d.note(status.HistoryProblem, "passes are not kept: "+err.Error())
		} else {
			d.solved(status.HistoryProblem)
		}
	}
	if e.read {
		d.decide(status.CacheProblem, e.warning)
	}
	now := w.daemon.now()
	w.mutex.Lock()
	previous := w.state.Last
	w.state.Running = nil
	w.state.LastAttempt, w.state.Last = now, &e.pass
	if e.pass.Outcome != status.Failed {
		w.state.LastSuccess = now
	}
	if e.pass.Revision.ID != "" {
		w.state.Revision = e.pass.Revision
	}
	if e.plan != nil {
		w.state.Plan, w.state.Region = e.plan, e.region
	}
	w.mutex.Unlock()
	w.tellTimes()
	w.log(e.pass, previous != nil && previous.Outcome == e.pass.Outcome)
	if d.options.Passed != nil {
		d.options.Passed(previous, e.pass)
	}
}

// log tells of a pass. same says that the one before ended alike.
func (w *worker) log(pass status.Pass, same bool) {
	c := pass.Counts
	attributes := []any{
		"target", pass.Target, "trigger", string(pass.Trigger), "outcome", string(pass.Outcome),
		"revision", short(pass.Revision.ID), "took", pass.Took.Round(time.Millisecond),
	}
	for _, n := range []struct {
		name  string
		count int
	}{
		{"created", c.Created},
		{"updated", c.Updated},
		{"recreated", c.Recreated},
		{"deleted", c.Deleted},
		{"pending", c.Pending},
		{"failed", c.Failed},
		{"blocked", c.Blocked},
		{"superseded", c.Superseded},
	} {
		if n.count > 0 {
			attributes = append(attributes, n.name, n.count)
		}
	}
	level := slog.LevelInfo
	switch {
	case pass.Outcome == status.InSync && pass.Trigger == status.Schedule && same:
		level = slog.LevelDebug // nothing that anybody would want to read every five minutes
	case pass.Outcome == status.Failed:
		level = slog.LevelError
		attributes = append(attributes, "error", pass.Error, "hint", pass.Hint)
	}
	w.daemon.options.Log.Log(context.Background(), level, "pass", attributes...)
}

// short is as much of a revision as tells it from others: a commit whole, of a
// directory's digest the beginning.
func short(revision string) string {
	if kind, digest, found := strings.Cut(revision, ":sha256:"); found {
		return kind + ":" + digest[:min(len(digest), 7)]
	}
	return revision
}
