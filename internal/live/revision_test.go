package live_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"profilesync/internal/live"
	"profilesync/internal/profile"
)

// written is a profile that was created and updated at some seconds, 0 for never updated.
func written(created, updated int64, marks profile.Marks) live.Profile {
	p := at(fmt.Sprintf("%d-%d-%s", created, updated, marks.Revision), "mine", created)
	if updated > 0 {
		p.Updated = time.Unix(updated, 0)
	}
	p.Metadata = marks.On(nil)
	return p
}

func TestTheLastRevisionIsThatOfTheLastWrite(t *testing.T) {
	by := func(revision string) profile.Marks { return profile.Marks{Owner: "us", Revision: revision} }
	aside := func(revision string) profile.Marks {
		return profile.Marks{Owner: "us", Revision: revision, Superseded: "web"}
	}
	for _, row := range []struct {
		name     string
		profiles []live.Profile
		want     []string
	}{
		{"nothing", nil, nil},
		{"one", []live.Profile{written(1, 0, by("a"))}, []string{"a"}},
		{"the newest", []live.Profile{written(1, 0, by("a")), written(3, 0, by("c")), written(2, 0, by("b"))}, []string{"c"}},
		{"an old one that was updated", []live.Profile{written(1, 9, by("a")), written(3, 0, by("c"))}, []string{"a"}},
		{"one that was updated before another was made", []live.Profile{written(1, 2, by("a")), written(3, 0, by("c"))}, []string{"c"}},
		{"many of one revision", []live.Profile{written(3, 0, by("a")), written(3, 0, by("a")), written(1, 3, by("a"))}, []string{"a"}},
		{"two of one second", []live.Profile{written(3, 0, by("b")), written(1, 3, by("a")), written(2, 0, by("z"))}, []string{"a", "b"}},
		{"another owner's", []live.Profile{written(1, 0, by("a")), written(5, 0, profile.Marks{Owner: "them", Revision: "x"})}, []string{"a"}},
		{"nobody's", []live.Profile{written(1, 0, profile.Marks{Revision: "x"})}, nil},
		{"without a revision", []live.Profile{written(1, 0, by("a")), written(5, 0, by(""))}, []string{"a"}},
		{"set aside since", []live.Profile{written(1, 9, aside("a")), written(3, 0, by("c"))}, []string{"c"}},
		{"set aside, and no other", []live.Profile{written(1, 9, aside("a")), written(2, 8, aside("b"))}, []string{"a"}},
		{"of a directory", []live.Profile{written(1, 0, by("worktree:sha256:00"))}, []string{"worktree:sha256:00"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := live.LastRevisions(row.profiles, "us"); !slices.Equal(got, row.want) {
				t.Errorf("%q, want %q", got, row.want)
			}
		})
	}
}

// Law: the order of a list means nothing, and what a pass writes last is found again.
func TestAPassFindsTheRevisionOfThePassBefore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var profiles []live.Profile
		for i := range rapid.IntRange(0, 8).Draw(t, "profiles") {
			marks := profile.Marks{Owner: rapid.SampledFrom([]string{"us", "them"}).Draw(t, "owner"), Revision: fmt.Sprint("old", i%3)}
			profiles = append(profiles, written(rapid.Int64Range(1, 5).Draw(t, "created"), rapid.Int64Range(0, 5).Draw(t, "updated"), marks))
		}
		before := live.LastRevisions(profiles, "us")
		profiles = rapid.Permutation(profiles).Draw(t, "order")
		if again := live.LastRevisions(profiles, "us"); !slices.Equal(before, again) {
			t.Errorf("%q, and in another order %q", before, again)
		}
		profiles = append(profiles, written(6, 0, profile.Marks{Owner: "us", Revision: "new"}))
		if got := live.LastRevisions(profiles, "us"); !slices.Equal(got, []string{"new"}) {
			t.Errorf("%q", got)
		}
	})
}
