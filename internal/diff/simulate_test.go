package diff_test

import (
	"fmt"
	"slices"
	"time"

	"profilesync/internal/diff"
	"profilesync/internal/live"
	"profilesync/internal/profile"
)

// simulate is what a cloud holds after a plan was carried out and nothing went
// wrong.
func simulate(plan diff.Plan, before live.Snapshot) live.Snapshot {
	cloud := simulation{after: before, plan: plan}
	cloud.after.Profiles = slices.Clone(before.Profiles)
	for _, change := range plan.Changes {
		if change.Pending() {
			cloud.carryOut(change)
		}
	}
	return cloud.after
}

type simulation struct {
	after live.Snapshot
	plan  diff.Plan
	made  int
}

func (s *simulation) carryOut(c diff.Change) {
	switch c.Action {
	case diff.Create:
		s.create(*c.After)
	case diff.Update:
		s.relabel(c.Before.ID, *c.After)
	case diff.Delete:
		s.remove(c.Before.ID)
	case diff.Recreate:
		s.relabel(c.Before.ID, c.Before.Aside(c.Before.ID, s.plan.Owner))
		if c.Reason == diff.Restores {
			s.relabel(c.Earlier.ID, *c.After)
		} else {
			s.create(*c.After)
		}
		if len(s.after.Users[c.Before.ID]) == 0 {
			s.remove(c.Before.ID)
		}
	}
}

// create makes a profile younger than all others.
func (s *simulation) create(p profile.Profile) {
	s.made++
	s.after.Profiles = append(s.after.Profiles, live.Profile{
		Profile: p, ID: fmt.Sprintf("%08d-%d-made", s.made, len(s.after.Profiles)), Project: s.plan.Project,
		Created: time.Unix(int64(1000+s.made), 0),
	})
}

// relabel changes what can be changed: a spec cannot.
func (s *simulation) relabel(id string, as profile.Profile) {
	i := s.index(id)
	s.after.Profiles[i].Name, s.after.Profiles[i].Metadata = as.Name, as.Metadata
}

func (s *simulation) remove(id string) {
	i := s.index(id)
	s.after.Profiles = slices.Delete(s.after.Profiles, i, i+1)
}

func (s *simulation) index(id string) int {
	i := slices.IndexFunc(s.after.Profiles, func(p live.Profile) bool { return p.ID == id })
	if i < 0 {
		panic("the plan changes a profile that is gone: " + id)
	}
	return i
}
