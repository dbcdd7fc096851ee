package apply

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"profilesync/internal/live"
	"profilesync/internal/profile"
)

// asPlanned looks at a profile once more and returns ErrChanged when its name,
// metadata, spec or project is not what the plan saw. When it is gone, the
// error is ErrNotFound as well.
func (r *run) asPlanned(ctx context.Context, planned *live.Profile) error {
	now, err := r.look.Profile(ctx, planned.ID)
	if errors.Is(err, profile.ErrNotFound) {
		return fmt.Errorf("profile %q (%w) %w", planned.ID, err, ErrChanged)
	}
	if err != nil {
		return fmt.Errorf("profile %q: %w", planned.ID, err)
	}
	if what := moved(*planned, now); what != "" {
		return fmt.Errorf("%s of profile %q %w", what, planned.ID, ErrChanged)
	}
	return nil
}

// moved names what differs between a profile as planned and as it is now.
func moved(planned, now live.Profile) string {
	switch {
	case planned.Project != now.Project:
		return "project"
	case planned.Name != now.Name:
		return "name"
	case !sameMetadata(planned.Metadata, now.Metadata):
		return "metadata"
	case !planned.Spec.Equal(now.Spec):
		return "spec"
	}
	return ""
}

func sameMetadata(a, b map[string]any) bool { return maps.EqualFunc(a, b, profile.Equal) }

// namesake finds our current profile of this name and spec, which a create
// whose reply was lost may have left. Absence is a nil profile.
func (r *run) namesake(ctx context.Context, want profile.Profile) (*live.Profile, error) {
	profiles, err := r.look.Profiles(ctx)
	if err != nil {
		return nil, fmt.Errorf("look for %q: %w", want.Name, err)
	}
	for _, p := range profiles {
		marks := p.Marks()
		if p.Project == r.plan.Project && p.Name == want.Name && marks.Owner == r.plan.Owner &&
			marks.Superseded == "" && p.Spec.Equal(want.Spec) {
			return &p, nil
		}
	}
	return nil, nil
}

// nameIsFree reports whether no profile of the project bears the name. Senlin's
// database compares names without regard to case.
func (r *run) nameIsFree(ctx context.Context, name string) (bool, error) {
	profiles, err := r.look.Profiles(ctx)
	if err != nil {
		return false, fmt.Errorf("look for %q: %w", name, err)
	}
	return !slices.ContainsFunc(profiles, func(p live.Profile) bool {
		return p.Project == r.plan.Project && strings.EqualFold(p.Name, name)
	}), nil
}

// usersAge is how old the answer to "who uses what" may be when something is
// deleted. Reading it costs three lists, so deletes made side by side share it.
const usersAge = time.Second

// users is the latest answer to "who uses what".
type users struct {
	read  func(context.Context) (map[string][]live.User, error)
	turn  chan struct{} // holds one while somebody reads or looks; a mutex could not be given up
	begun time.Time     // when the reading began
	byID  map[string][]live.User
}

// of returns who holds on to a profile, as of at most usersAge ago.
func (u *users) of(ctx context.Context, id string) ([]live.User, error) {
	select {
	case u.turn <- struct{}{}:
		defer func() { <-u.turn }()
	case <-ctx.Done():
		return nil, fmt.Errorf("users of profile %q: %w", id, ctx.Err())
	}
	if u.byID == nil || time.Since(u.begun) > usersAge {
		begun := time.Now()
		byID, err := u.read(ctx)
		if err != nil {
			return nil, fmt.Errorf("users of profile %q: %w", id, err)
		}
		u.begun, u.byID = begun, byID
	}
	return u.byID[id], nil
}
