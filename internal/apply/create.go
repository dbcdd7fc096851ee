package apply

import (
	"context"
	"errors"
	"fmt"
	"time"

	"profilesync/internal/diff"
	"profilesync/internal/live"
	"profilesync/internal/profile"
)

// create makes a profile that is missing. If the server refuses it for good,
// the newest earlier generation gets its name back.
func (r *run) create(ctx context.Context, change diff.Change) (string, error) {
	err := r.target.Validate(ctx, change.After.Spec)
	if err != nil {
		err = fmt.Errorf("validation by the server: %w", err)
	} else {
		var id string
		if id, err = r.post(ctx, *change.After); err == nil {
			return id, nil
		}
	}
	if refused(err) && change.Earlier != nil {
		marks := change.Earlier.Marks()
		marks.Superseded = ""
		err = r.giveBack(ctx, change.Earlier, change.Name, marks.On(change.Earlier.Metadata), err)
	}
	return "", err
}

// refused reports whether asking again would be refused again.
func refused(err error) bool {
	return errors.Is(err, profile.ErrInvalid) || errors.Is(err, profile.ErrDenied)
}

// lookDelays are the pauses before each look for a profile whose create got no
// reply: a server may still be at it. A variable number of looks would not
// help, since a real Senlin may carry the request out minutes later; then the
// next pass finds a duplicate and deletes it.
func lookDelays() []time.Duration {
	return []time.Duration{0, 500 * time.Millisecond, 2 * time.Second}
}

// post creates a profile, exactly once in effect: when the reply to the first
// request is lost, it looks for the profile before it sends a second, and it
// never sends a third.
func (r *run) post(ctx context.Context, want profile.Profile) (string, error) {
	created, err := r.target.Create(ctx, want)
	if !errors.Is(err, profile.ErrInDoubt) {
		return created.ID, err
	}
	found, lookErr := r.await(ctx, want)
	if found != nil {
		return found.ID, nil
	}
	if lookErr != nil { // never a second request blindly
		return "", errors.Join(err, lookErr)
	}
	created, again := r.target.Create(ctx, want)
	if again == nil {
		return created.ID, nil
	}
	// Refused or lost again: with unique names the first one may be why.
	found, lookErr = r.await(ctx, want)
	if found != nil {
		return found.ID, nil
	}
	if !refused(again) { // then the first one may still be carried out
		again = errors.Join(err, again)
	}
	return "", errors.Join(again, lookErr)
}

// await looks a few times for the profile that a create may have made.
func (r *run) await(ctx context.Context, want profile.Profile) (*live.Profile, error) {
	for _, delay := range lookDelays() {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(delay):
		}
		found, err := r.namesake(ctx, want)
		if found != nil || err != nil {
			return found, err
		}
	}
	return nil, nil
}
