package apply

import (
	"context"
	"errors"
	"fmt"

	"profilesync/internal/diff"
	"profilesync/internal/live"
	"profilesync/internal/profile"
)

// update relabels a profile that is still as planned.
func (r *run) update(ctx context.Context, before *live.Profile, name string, metadata map[string]any) error {
	if err := r.asPlanned(ctx, before); err != nil {
		return err
	}
	return r.relabel(ctx, before.ID, name, metadata)
}

// relabel sends one PATCH. When its reply is lost, the profile itself tells
// whether it was carried out.
func (r *run) relabel(ctx context.Context, id, name string, metadata map[string]any) error {
	_, err := r.target.Update(ctx, id, name, metadata)
	switch {
	case err == nil, errors.Is(err, profile.ErrUnchanged): // somebody else made it so
		return nil
	case errors.Is(err, profile.ErrInDoubt):
		now, lookErr := r.look.Profile(ctx, id)
		if lookErr == nil && now.Name == name && sameMetadata(now.Metadata, metadata) {
			return nil
		}
		return errors.Join(err, lookErr)
	}
	return err
}

// recreate puts a new profile, or an earlier generation that has the wanted
// spec, in the place of an old one. It returns the id of what is current now.
// The old one is left aside for collect.
func (r *run) recreate(ctx context.Context, change diff.Change) (string, error) {
	restored := change.Reason == diff.Restores
	if restored {
		if err := r.asPlanned(ctx, change.Earlier); err != nil {
			return "", err
		}
	} else if err := r.target.Validate(ctx, change.After.Spec); err != nil {
		return "", fmt.Errorf("validation by the server: %w", err)
	}
	old := change.Before
	aside := old.Aside(old.ID, r.plan.Owner)
	if err := r.update(ctx, old, aside.Name, aside.Metadata); err != nil {
		return "", fmt.Errorf("set aside: %w", err)
	}
	var id string
	var err error
	if restored {
		id = change.Earlier.ID
		err = r.relabel(ctx, id, change.After.Name, change.After.Metadata)
	} else {
		id, err = r.post(ctx, *change.After)
	}
	switch {
	case err == nil:
		return id, nil
	case refused(err):
		left := *old
		left.Profile = aside
		return "", r.giveBack(ctx, &left, old.Name, old.Metadata, err)
	}
	return "", fmt.Errorf("earlier generation is aside as %q, its successor: %w", aside.Name, err)
}

// giveBack returns its name to an earlier generation, because the server has
// refused its successor for good. It does so only if that is still as it was
// left and no other profile bears the name by now, and returns the cause with
// what became of it.
func (r *run) giveBack(ctx context.Context, earlier *live.Profile, name string, metadata map[string]any, cause error) error {
	id := earlier.ID
	free, err := r.nameIsFree(ctx, name)
	if err == nil && !free {
		return fmt.Errorf("%w (the earlier generation %q stays aside: its name %q is taken)", cause, id, name)
	}
	if err == nil {
		err = r.update(ctx, earlier, name, metadata)
	}
	if err != nil {
		// Only the cause is to be branched on.
		return fmt.Errorf("%w (name %q not given back to the earlier generation %q: %v)", cause, name, id, err)
	}
	return fmt.Errorf("%w (the earlier generation %q bears the name again)", cause, id)
}
