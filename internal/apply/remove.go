package apply

import (
	"context"
	"errors"
	"fmt"

	"profilesync/internal/diff"
	"profilesync/internal/profile"
)

// remove deletes a profile that is still as planned and that nobody holds on
// to. One that is gone already is as wanted; a used duplicate is set aside.
func (r *run) remove(ctx context.Context, outcome *Outcome) {
	id := outcome.Before.ID
	err := r.asPlanned(ctx, outcome.Before)
	if err == nil {
		outcome.Users, err = r.users.of(ctx, id)
	}
	if err == nil && len(outcome.Users) == 0 {
		err = r.target.Delete(ctx, id)
	}
	inUse := err == nil && len(outcome.Users) > 0 || errors.Is(err, profile.ErrInUse)
	switch {
	case inUse && outcome.After != nil: // a duplicate may not keep the name
		outcome.Kept = true
		outcome.end(r.relabel(ctx, id, outcome.After.Name, outcome.After.Metadata))
	case inUse:
		outcome.Status, outcome.Block = Blocked, diff.InUse
	case errors.Is(err, profile.ErrNotFound):
		outcome.Status = Done
	default:
		outcome.end(err)
	}
}

// collect deletes the old profile of a recreate, or keeps it while it is used
// or when somebody has changed it since it was set aside. The server's 409
// without a visible user keeps it too: the user may lie in a project the token
// cannot see.
func (r *run) collect(ctx context.Context, outcome *Outcome) {
	id := outcome.Before.ID
	aside := *outcome.Before
	aside.Profile = aside.Aside(id, r.plan.Owner)
	err := r.asPlanned(ctx, &aside)
	if err == nil {
		outcome.Users, err = r.users.of(ctx, id)
	}
	if err == nil && len(outcome.Users) == 0 {
		err = r.target.Delete(ctx, id)
	}
	switch {
	case err == nil && len(outcome.Users) > 0, errors.Is(err, profile.ErrInUse):
		outcome.Status, outcome.Kept = Done, true
	case err == nil, errors.Is(err, profile.ErrNotFound):
		outcome.Status = Done
	case errors.Is(err, ErrChanged):
		outcome.Status, outcome.Kept = Done, true
	default:
		outcome.end(fmt.Errorf("deletion of the earlier generation %q: %w", id, err))
	}
}
