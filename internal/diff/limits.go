package diff

import (
	"errors"
	"fmt"
)

// The default limits. Up to a few are always permitted; more only up to a share
// of what we own. A recreate keeps what is used, so it may be a larger share.
const (
	freeDeletes     = 1
	deletePercent   = 30
	freeRecreates   = 10
	recreatePercent = 50
)

// Limits are the guards against a mass change. The zero value is the default.
type Limits struct {
	Deletes    Limit // default: one, or 30 % of what we own
	Recreates  Limit // default: ten, or 50 % of what we own
	AllowEmpty bool  // permit documents that ask for nothing at all
}

// Limit bounds how many profiles one pass may delete, or recreate.
type Limit struct {
	Percent *int // of what we own; nil is the default share
	Count   *int // never more than this many; nil is no such bound
	Waiver  *int // one-shot: up to this many, whatever else is said
}

// allows is how many the limit permits.
func (l Limit) allows(owned, free, percent int) int {
	if l.Waiver != nil {
		return *l.Waiver
	}
	if l.Percent != nil {
		percent = *l.Percent
	}
	allowed := max(free, owned*percent/100)
	if l.Count != nil {
		allowed = min(allowed, *l.Count)
	}
	return allowed
}

// LimitError refuses a whole plan. Nothing of it may be carried out.
type LimitError struct {
	Empty   bool     // the documents ask for nothing
	Action  Action   // Delete or Recreate
	Changes []Change // every change of this action that the plan would make
	Owned   int      // profiles we own
	Allowed int      // changes the limit permits
}

func (e *LimitError) Error() string {
	if e.Empty {
		return fmt.Sprintf("the documents ask for no profile at all, and %d of ours are live", e.Owned)
	}
	done := "deleted"
	if e.Action == Recreate {
		done = "recreated"
	}
	return fmt.Sprintf("%d of our %d profiles would be %s, at most %d may be", len(e.Changes), e.Owned, done, e.Allowed)
}

// Check refuses a plan that looks like an accident: an empty desired set, or
// more deletes or recreates than the limits permit. It returns nil, or every
// refusal as a [*LimitError] that lists what would go.
//
// Counted are deletes of what is not desired and of duplicates. An earlier
// generation that has lost its last user is not: its successor was approved.
func (p Plan) Check(limits Limits) error {
	deletes := p.pending(Delete)
	if p.Desired == 0 && !limits.AllowEmpty {
		return &LimitError{Empty: true, Action: Delete, Changes: deletes, Owned: p.Owned}
	}
	return errors.Join(
		p.within(deletes, Delete, limits.Deletes.allows(p.Owned, freeDeletes, deletePercent)),
		p.within(p.pending(Recreate), Recreate, limits.Recreates.allows(p.Owned, freeRecreates, recreatePercent)),
	)
}

func (p Plan) within(changes []Change, action Action, allowed int) error {
	if len(changes) <= allowed {
		return nil
	}
	return &LimitError{Action: action, Changes: changes, Owned: p.Owned, Allowed: allowed}
}

// pending are the changes of an action that would be made, superseded
// generations left out.
func (p Plan) pending(action Action) []Change {
	var pending []Change
	for _, c := range p.Changes {
		if c.Action == action && c.Pending() && c.Reason != Superseded {
			pending = append(pending, c)
		}
	}
	return pending
}
