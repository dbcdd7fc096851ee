package daemon

import (
	"context"
	"errors"
	"fmt"
	"time"

	"profilesync/internal/apply"
	"profilesync/internal/daemon/status"
	"profilesync/internal/lease"
	"profilesync/internal/reconcile"
	"profilesync/internal/source"
)

// What ends a pass before it is through.
var (
	errDeadline = errors.New("pass reached its deadline")
	errWindow   = errors.New("window has closed")
)

// attempt is what became of a pass, as far as it came.
type attempt struct {
	tree    source.Snapshot
	planned *reconcile.Planned // nil when no plan could be made
	result  *apply.Result      // nil unless the plan was carried out
	cut     bool               // ended before everything was carried out, and nothing failed
	err     error
}

// pass is one pass of one target:
//
//	documents ──▶ plan ──▶ may it write? ──▶ lease ──▶ plan again ──▶ carry out
//
// Without something to do it ends at the plan: one look at the source, one list
// of the cloud. The second plan is made because whoever had the lease before may
// have written between the first one and now.
func (w *worker) pass(ctx context.Context, target Target, documents *documents, r request) ending {
	began := w.daemon.now()
	var a attempt
	a.err = w.try(ctx, target, documents, r, &a)
	switch cause := context.Cause(ctx); {
	case cause == nil:
	case !errors.Is(cause, errDeadline): // the process stops, or somebody else serves the target
		a.cut = true
		if isEnd(a.err) {
			a.err = nil
		}
	case isEnd(a.err):
		a.err = fmt.Errorf("%w: %w", cause, a.err)
	}
	if a.err != nil {
		if a.tree.Revision != "" && a.planned == nil {
			w.disconnect() // the next pass reads the credentials again, and logs in
		}
	}
	return w.judge(target, r, began, a)
}

func (w *worker) try(ctx context.Context, target Target, documents *documents, r request, a *attempt) error {
	set, tree, err := documents.read(ctx)
	a.tree = tree
	if err != nil {
		return err
	}
	if err := w.connect(ctx, target); err != nil {
		return err
	}
	pass := target.Pass
	pass.Cloud = w.client
	planned, err := pass.Plan(ctx, set)
	if err != nil {
		return err
	}
	a.planned = &planned
	if planned.Summary().Pending() == 0 || !mayWrite(target, r, w.daemon.now()) {
		return nil
	}
	if err := approve(ctx, target, planned); err != nil {
		return err
	}
	if closes := w.closes(target, r); !closes.IsZero() {
		return w.writeUntil(ctx, closes, target, pass, a)
	}
	return w.write(ctx, target, pass, a)
}

// closes is when a pass must not begin any further change; zero means never.
func (w *worker) closes(target Target, r request) time.Time {
	if r.trigger == status.Override {
		return time.Time{}
	}
	return target.Windows.Change(w.daemon.now())
}

// writeUntil is write within a window. What it leaves is drift, and no failure.
func (w *worker) writeUntil(ctx context.Context, closes time.Time, target Target, pass reconcile.Pass, a *attempt) error {
	ctx, cancel := context.WithTimeoutCause(ctx, closes.Sub(w.daemon.now()), errWindow)
	defer cancel()
	err := w.write(ctx, target, pass, a)
	a.cut = errors.Is(context.Cause(ctx), errWindow)
	if a.cut && isEnd(err) {
		return nil
	}
	return err
}

// isEnd tells the end of a context from all that may go wrong before it.
func isEnd(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, lease.ErrLost)
}

// mayWrite reports whether a pass may carry its plan out.
func mayWrite(target Target, r request, now time.Time) bool {
	return target.Mode == status.Apply && (r.trigger == status.Override || target.Windows.Open(now))
}

func approve(ctx context.Context, target Target, planned reconcile.Planned) error {
	if target.Approve == nil {
		return nil
	}
	return target.Approve(ctx, planned)
}

// write carries the plan out under the lease that whoever writes to the target
// holds.
func (w *worker) write(ctx context.Context, target Target, pass reconcile.Pass, a *attempt) error {
	leases := w.daemon.options.Leases
	if leases == nil {
		w.gate.Open(nil)
		defer w.gate.Shut()
		return carry(ctx, pass, a)
	}
	held, err := leases.Acquire(ctx, Writing(a.planned.Plan))
	if err != nil {
		return fmt.Errorf("lease for writing: %w", err)
	}
	w.gate.Open(held)
	defer func() {
		w.gate.Shut()
		w.release(ctx, held)
	}()
	again, err := pass.Plan(ctx, a.planned.Set)
	if err != nil {
		return err
	}
	a.planned = &again
	if err := approve(ctx, target, again); err != nil {
		return err
	}
	return carry(ctx, pass, a)
}

func carry(ctx context.Context, pass reconcile.Pass, a *attempt) error {
	if a.planned.Summary().Pending() == 0 {
		return nil
	}
	result, err := pass.Carry(ctx, *a.planned)
	if err != nil {
		return err
	}
	a.result = &result
	return nil
}

// connect logs in, unless the client of the last pass is still good.
func (w *worker) connect(ctx context.Context, target Target) error {
	w.mutex.Lock()
	turn := w.turn
	w.mutex.Unlock()
	if w.client != nil && w.of == turn {
		return nil
	}
	w.disconnect()
	client, err := target.Connect(ctx, &w.gate)
	if err != nil {
		return err
	}
	w.client, w.of = client, turn
	return nil
}

func (w *worker) disconnect() {
	if w.client != nil {
		w.client.Close()
		w.client = nil
	}
}

// stopped reports whether all that was not carried out was not even begun.
func stopped(result apply.Result) bool {
	for _, outcome := range result.Outcomes {
		if outcome.Status == apply.Failed || outcome.Status == apply.Skipped && !errors.Is(outcome.Err, apply.ErrStopped) {
			return false
		}
	}
	return true
}

// failures gathers what went wrong with single changes, for the line that a
// pass is told in.
func failures(result apply.Result) error {
	var first error
	failed := 0
	for _, outcome := range result.Outcomes {
		if outcome.Status != apply.Failed && outcome.Status != apply.Skipped {
			continue
		}
		failed++
		if first == nil || outcome.Status == apply.Failed && errors.Is(first, apply.ErrStopped) {
			first = fmt.Errorf("%s of %q: %w", outcome.Action, outcome.Name, outcome.Err)
		}
	}
	if failed > 1 {
		return fmt.Errorf("%d changes were not carried out, such as the %w", failed, first)
	}
	return first
}
