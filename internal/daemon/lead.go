package daemon

import (
	"context"
	"time"

	"profilesync/internal/daemon/status"
	"profilesync/internal/diff"
	"profilesync/internal/lease"
)

// The names of a target's two leases.
//
// Whoever serves a target holds the first one for as long as it does: replicas
// share the targets and take over from each other. The second one is held while
// a pass writes, and by a single apply too, which so need not wait for the
// daemon to go away.
func serving(t Target) string { return Serving + t.Key }

// Serving begins the name of each lease for serving a target.
const Serving = "serve/"

// Writing is the name of the lease that whoever carries out a plan holds. It is
// that of what is written to, whatever a configuration calls it.
func Writing(plan diff.Plan) string {
	return "write/" + plan.Region + "/" + plan.Project + "/" + plan.Owner
}

const (
	holderEvery   = 5 * time.Second // how often somebody who waits looks who has the lease
	againAfter    = time.Second     // when it could not be asked for
	releaseWithin = 5 * time.Second
)

// campaign waits until the target is ours to serve. Without leases it always is.
func (w *worker) campaign(ctx context.Context) (lease.Held, bool) {
	leases := w.daemon.options.Leases
	if leases == nil {
		return nil, ctx.Err() == nil
	}
	waiting, stop := context.WithCancel(ctx)
	defer stop()
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		w.watch(waiting)
	}()
	for ctx.Err() == nil {
		target, _ := w.current()
		held, err := leases.Acquire(ctx, serving(target))
		if err == nil {
			stop()
			<-watched // or it tells what was so before
			w.tellLease(status.Lease{Held: true, Holder: w.daemon.options.Instance})
			return held, true
		}
		if ctx.Err() == nil {
			w.tellLease(status.Lease{Problem: err.Error()})
			w.sleep(ctx, againAfter)
		}
	}
	return nil, false
}

// watch tells who serves the target while we wait for it.
func (w *worker) watch(ctx context.Context) {
	for ctx.Err() == nil {
		target, _ := w.current()
		holder, known, err := w.daemon.options.Leases.Holder(ctx, serving(target))
		w.beat(w.daemon.now())
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			w.tellLease(status.Lease{Problem: err.Error()})
		case known:
			w.tellLease(status.Lease{Holder: holder.Instance})
		default:
			w.tellLease(status.Lease{})
		}
		timer := time.NewTimer(holderEvery)
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
		timer.Stop()
	}
}

// resign gives the target back.
func (w *worker) resign(ctx context.Context, held lease.Held) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseWithin)
	defer cancel()
	if err := held.Release(ctx); err != nil {
		w.daemon.options.Log.Warn("lease not given back", "target", w.name, "error", err)
	}
	w.tellLease(status.Lease{})
}
