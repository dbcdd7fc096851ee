package apply

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"profilesync/internal/diff"
	"profilesync/internal/live"
	"profilesync/internal/profile"
)

// Target writes to a cloud. Its methods end within a deadline of their own and
// may be called from several goroutines at once. Their errors wrap the
// sentinels of package profile; ErrInDoubt means that the server may have
// carried the request out, or may do so later.
type Target interface {
	// Validate asks the server whether it would take the spec. Nothing is stored.
	Validate(ctx context.Context, spec profile.Spec) error
	// Create makes a profile with one request, never repeated once the server may
	// have seen it: names are not unique, so a second one would be a duplicate.
	Create(ctx context.Context, p profile.Profile) (live.Profile, error)
	// Update replaces a profile's name and all of its metadata. Changing nothing
	// is ErrUnchanged.
	Update(ctx context.Context, id, name string, metadata map[string]any) (live.Profile, error)
	// Delete removes a profile. One that is not there is ErrNotFound, one that a
	// cluster or node holds on to is ErrInUse.
	Delete(ctx context.Context, id string) error
}

// Looker reads a cloud just before something is changed.
type Looker interface {
	// Profile reads one profile by its full id. A profile that is merely named
	// like the id is ErrNotFound.
	Profile(ctx context.Context, id string) (live.Profile, error)
	live.Reader
}

// Options say how a plan is carried out.
type Options struct {
	Parallel int           // changes carried out side by side; at least 1
	Deadline time.Duration // of one change, also once the pass is stopped; 0 means 5 minutes
	Patience time.Duration // with a cloud that fails one change after the other: then no further is begun; 0 means 140 seconds
	Progress func(Outcome) // called as each change ends, one at a time; may be nil
}

const defaultDeadline = 5 * time.Minute

// ErrChanged says that the live profile is no longer as it was when the plan was made.
var ErrChanged = errors.New("changed since the plan was made")

// ErrStopped says that the pass was stopped before the change was begun.
var ErrStopped = errors.New("stopped before it was begun")

// Run carries out a plan: first what frees a name, then creates, updates and
// recreates, then deletes. When ctx is done, or the cloud has failed every change
// for too long, no further one is begun; those in hand are finished within their
// deadline. It returns an error only for a plan that must not be carried out at
// all; what became of each change is in the result.
func Run(ctx context.Context, plan diff.Plan, target Target, look Looker, opts Options) (Result, error) {
	if plan.NeedsUsers {
		return Result{}, errors.New("plan was made without knowing who uses what")
	}
	r := &run{
		plan: plan, target: target, look: look, opts: opts,
		outcomes: make([]Outcome, len(plan.Changes)),
		users:    users{read: look.Users, turn: make(chan struct{}, 1)},
		patience: newPatience(opts.Patience),
	}
	started := time.Now()
	for i, change := range plan.Changes {
		r.outcomes[i] = Outcome{Change: change, Status: settled(change)}
	}
	r.each(ctx, frees, r.carryOut)
	r.each(ctx, func(c diff.Change) bool { return !frees(c) && c.Action != diff.Delete }, r.carryOut)
	r.failed = r.failedNames()
	r.each(ctx, func(c diff.Change) bool { return c.Action == diff.Delete || c.Action == diff.Recreate }, r.clear)
	return Result{Plan: plan, Outcomes: r.outcomes, Started: started, Ended: time.Now()}, nil
}

// frees reports whether a change does nothing but give a name up, which another
// one may be about to take.
func frees(c diff.Change) bool { return c.Reason == diff.AsideAgain }

// settled is the status of a change for which nothing is to be done; a pending
// one has none yet.
func settled(change diff.Change) Status {
	switch {
	case change.Block != "":
		return Blocked
	case change.Action == diff.NoOp:
		return Unchanged
	}
	return ""
}

// run is one carrying out of one plan.
type run struct {
	plan     diff.Plan
	target   Target
	look     Looker
	opts     Options
	outcomes []Outcome // each written by one goroutine
	users    users
	patience *patience
	failed   map[string]bool // names whose current profile is not as planned
	progress sync.Mutex
}

// each does one step for every pending change that wants it.
func (r *run) each(ctx context.Context, wants func(diff.Change) bool, step func(context.Context, *Outcome)) {
	var group errgroup.Group
	group.SetLimit(max(r.opts.Parallel, 1))
	for i := range r.outcomes {
		outcome := &r.outcomes[i]
		if !outcome.Pending() || !wants(outcome.Change) || outcome.Status == Failed || outcome.Status == Skipped {
			continue
		}
		group.Go(func() error {
			r.one(ctx, outcome, step)
			return nil
		})
	}
	_ = group.Wait() // a step reports through its outcome
}

// one does a step under the change's deadline, whatever becomes of ctx once it
// has begun.
func (r *run) one(ctx context.Context, outcome *Outcome, step func(context.Context, *Outcome)) {
	begun := time.Now()
	why := r.patience.gone()
	if ctx.Err() != nil {
		why = ErrStopped
	}
	if why != nil {
		outcome.stop(why)
	} else {
		deadline := r.opts.Deadline
		if deadline <= 0 {
			deadline = defaultDeadline
		}
		own, cancel := context.WithTimeout(context.WithoutCancel(ctx), deadline)
		step(own, outcome)
		cancel()
		r.patience.note(outcome)
	}
	outcome.Took += time.Since(begun)
	if r.opts.Progress != nil && outcome.ended() {
		r.progress.Lock()
		defer r.progress.Unlock()
		r.opts.Progress(*outcome)
	}
}

// stop ends an outcome whose pass was stopped. A recreate whose new profile is
// in place is done; a later pass collects the old one.
func (o *Outcome) stop(why error) {
	if o.Status == replaced {
		o.Status, o.Kept = Done, true
		return
	}
	o.Status, o.Err = Skipped, why
}

// replaced is the status of a recreate between its two steps: the new profile
// is in place, the old one is yet to be deleted.
const replaced Status = "replaced"

func (o *Outcome) ended() bool { return o.Status != replaced }

// end notes how a change ended. An error that says the live profile has moved
// on means it was left alone.
func (o *Outcome) end(err error) {
	switch {
	case err == nil:
		o.Status = Done
	case errors.Is(err, ErrChanged):
		o.Status, o.Err = Skipped, err
	default:
		o.Status, o.Err = Failed, err
	}
}

// failedNames are the desired names whose profile could not be brought into
// place: their earlier generations are not to be collected.
func (r *run) failedNames() map[string]bool {
	failed := map[string]bool{}
	for _, outcome := range r.outcomes {
		if outcome.Status == Failed || outcome.Status == Skipped {
			failed[outcome.Name] = true
		}
	}
	return failed
}

// carryOut makes a create, an update, or the first part of a recreate.
func (r *run) carryOut(ctx context.Context, outcome *Outcome) {
	switch outcome.Action {
	case diff.Create:
		id, err := r.create(ctx, outcome.Change)
		outcome.NewID = id
		outcome.end(err)
	case diff.Update:
		outcome.end(r.update(ctx, outcome.Before, outcome.After.Name, outcome.After.Metadata))
	case diff.Recreate:
		id, err := r.recreate(ctx, outcome.Change)
		outcome.NewID = id
		outcome.end(err)
		if err == nil {
			outcome.Status = replaced
		}
	}
}

// clear deletes what is to go: an undesired profile, or the old one of a
// recreate.
func (r *run) clear(ctx context.Context, outcome *Outcome) {
	if outcome.Status == replaced {
		r.collect(ctx, outcome)
		return
	}
	if name := outcome.Before.Marks().Superseded; name != "" && r.failed[name] {
		outcome.Status = Skipped
		outcome.Err = fmt.Errorf("its successor %q is not in place", name)
		return
	}
	r.remove(ctx, outcome)
}
