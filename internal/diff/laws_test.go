package diff_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"profilesync/internal/desired"
	"profilesync/internal/diff"
	"profilesync/internal/live"
)

// forAll checks a law on many worlds.
func forAll(t *testing.T, law func(t *rapid.T, w world, plan diff.Plan)) {
	generator := worlds()
	for range 10 { // each check draws a hundred
		rapid.Check(t, func(t *rapid.T) {
			w := generator.Draw(t, "world")
			law(t, w, w.plan())
		})
	}
}

func TestTheOrderOfTheInputDoesNotMatter(t *testing.T) {
	forAll(t, func(t *rapid.T, w world, plan diff.Plan) {
		other := w
		other.want.Items = rapid.Permutation(w.want.Items).Draw(t, "items")
		other.have.Profiles = rapid.Permutation(w.have.Profiles).Draw(t, "profiles")
		order := ids(other.have.Profiles)
		shuffled := other.plan()
		if !reflect.DeepEqual(shuffled, plan) || shuffled.Digest() != plan.Digest() {
			t.Errorf("shuffled, the plan is\n%s\nand not\n%s", render(shuffled), render(plan))
		}
		if !slices.Equal(ids(other.have.Profiles), order) {
			t.Error("the input was reordered")
		}
	})
}

func TestTheInputIsOnlyRead(t *testing.T) {
	forAll(t, func(t *rapid.T, w world, plan diff.Plan) {
		before := fmt.Sprintf("%+v %+v", w.want, w.have)
		again := w.plan()
		_ = again.Digest()
		_ = again.Check(diff.Limits{})
		if fmt.Sprintf("%+v %+v", w.want, w.have) != before {
			t.Error("the input was written to")
		}
		if !reflect.DeepEqual(again, plan) {
			t.Error("the same input gives another plan")
		}
	})
}

// What is not ours changes only by being adopted: under a desired name, when it
// is the only one, and never while another owner manages it.
func TestForeignProfilesAreLeftAlone(t *testing.T) {
	forAll(t, func(t *rapid.T, w world, plan diff.Plan) {
		for _, c := range plan.Changes {
			if c.Earlier != nil && c.Earlier.Marks().Owner != "us" {
				t.Errorf("a foreign profile takes part in %s", c.Name)
			}
			if c.Before == nil || c.Before.Marks().Owner == "us" {
				continue
			}
			if c.Reason != diff.Adopted && c.Reason != diff.TakenOver || !isDesired(w, c.Before.Name) {
				t.Errorf("foreign %q: %s", c.Before.Name, c.Reason)
			}
			free := c.Before.Marks().Owner == ""
			if c.Pending() && (!free || c.Reason == diff.TakenOver && !w.opts.Adopt) {
				t.Errorf("foreign %q is changed: %s", c.Before.Name, c.Reason)
			}
		}
	})
}

func TestNothingUsedIsDeleted(t *testing.T) {
	forAll(t, func(t *rapid.T, w world, plan diff.Plan) {
		for _, c := range plan.Changes {
			if c.Action == diff.Delete && c.Pending() && len(w.have.Users[c.Before.ID]) > 0 {
				t.Errorf("%q is used and deleted", c.Before.Name)
			}
		}
		used := 0
		for _, p := range simulate(plan, w.have).Profiles {
			used += len(w.have.Users[p.ID])
		}
		if total := len(w.have.Users); used != total {
			t.Errorf("of %d used profiles %d are left", total, used)
		}
	})
}

// The mark protects a name: what bears it is deleted only when the name lives
// on with another profile.
// Protection belongs to a name: its profiles may change places, but one stays.
func TestAProtectedNameNeverVanishes(t *testing.T) {
	forAll(t, func(t *rapid.T, w world, plan diff.Plan) {
		left := map[string]bool{}
		for _, p := range simulate(plan, w.have).Profiles {
			left[p.ID] = true
		}
		stays, protected := map[string]bool{}, map[string]bool{}
		for _, p := range w.have.Profiles {
			marks := p.Marks()
			if marks.Owner != "us" {
				continue
			}
			name := cmp.Or(marks.Superseded, p.Name)
			stays[name] = stays[name] || left[p.ID]
			protected[name] = protected[name] || marks.Protected
		}
		for name := range protected {
			if newestProtected(w, name) && !stays[name] && !isDesired(w, name) {
				t.Errorf("%q is protected and gone", name)
			}
		}
	})
}

// newestProtected reports whether what counts as the current profile of a name
// is protected.
func newestProtected(w world, name string) bool {
	var current, earlier []live.Profile
	for _, p := range slices.SortedFunc(slices.Values(w.have.Profiles), live.Older) {
		switch marks := p.Marks(); {
		case marks.Owner != "us":
		case marks.Superseded == name:
			earlier = append(earlier, p)
		case marks.Superseded == "" && p.Name == name:
			current = append(current, p)
		}
	}
	if len(current) > 0 {
		return slices.ContainsFunc(current, func(p live.Profile) bool { return p.Marks().Protected })
	}
	return len(earlier) > 0 && earlier[len(earlier)-1].Marks().Protected
}

func TestWithoutPruneWhatIsNotDesiredStays(t *testing.T) {
	forAll(t, func(t *rapid.T, w world, plan diff.Plan) {
		for _, c := range plan.Changes {
			if !w.opts.Prune && c.Pending() && (c.Reason == diff.NotDesired || c.Reason == diff.Renamed) {
				t.Errorf("%q goes: %s", c.Before.Name, c.Reason)
			}
		}
	})
}

// What was in the way is collected by the pass after; all else is done at once.
func TestAppliedOnceNothingIsLeftToDo(t *testing.T) {
	forAll(t, func(t *rapid.T, w world, plan diff.Plan) {
		aside := map[string]bool{}
		for _, c := range plan.Changes {
			aside[c.ID()] = c.Reason == diff.AsideAgain
		}
		w.have = simulate(plan, w.have)
		second := w.plan()
		for _, c := range second.Changes {
			if c.Pending() && (c.Action != diff.Delete || !aside[c.ID()]) {
				t.Errorf("after\n%s\nthe next plan is\n%s", render(plan), render(second))
			}
		}
		w.have = simulate(second, w.have)
		if third := w.plan(); third.Summary().Pending() != 0 {
			t.Errorf("after\n%s\nthe next plan is\n%s", render(second), render(third))
		}
		for _, c := range second.Changes {
			if c.File != "" && c.Block == "" && c.Reason != diff.InSync {
				t.Errorf("%q is not in sync: %s", c.Name, c.Reason)
			}
		}
	})
}

// A server may want names to be unique, and compares them without regard to
// case: whatever somebody called an earlier generation, it ends in nobody's way.
func TestNoEarlierGenerationStaysInTheWay(t *testing.T) {
	forAll(t, func(t *rapid.T, w world, plan diff.Plan) {
		taken := map[string]bool{}
		for _, item := range w.want.Items {
			taken[strings.ToLower(item.Name)] = true
		}
		after := simulate(plan, w.have).Profiles
		for _, p := range after {
			if marks := p.Marks(); marks.Owner == "us" && marks.Superseded == "" {
				taken[strings.ToLower(p.Name)] = true
			}
		}
		for _, p := range after {
			if marks := p.Marks(); marks.Owner == "us" && marks.Superseded != "" && taken[strings.ToLower(p.Name)] {
				t.Errorf("%q, an earlier generation, bears the name %q after\n%s", p.ID, p.Name, render(plan))
			}
		}
	})
}

func TestEveryDesiredNameHasOneChange(t *testing.T) {
	forAll(t, func(t *rapid.T, w world, plan diff.Plan) {
		asked := map[string]int{}
		for _, c := range plan.Changes {
			if (c.File == "") != (c.Line == 0) {
				t.Errorf("%q is asked for by %q:%d", c.Name, c.File, c.Line)
			}
			if c.File != "" {
				asked[c.Name]++
			}
		}
		for _, item := range w.want.Items {
			if asked[item.Name] != 1 {
				t.Errorf("%q has %d changes", item.Name, asked[item.Name])
			}
		}
		if len(asked) != len(w.want.Items) || plan.Desired != len(w.want.Items) {
			t.Errorf("%d names have changes, %d are desired", len(asked), len(w.want.Items))
		}
	})
}

func TestEveryProfileOfOursIsInOneChange(t *testing.T) {
	forAll(t, func(t *rapid.T, w world, plan diff.Plan) {
		seen := map[string]int{}
		for _, c := range plan.Changes {
			seen[c.ID()]++
			if c.Action == diff.Recreate && c.Reason == diff.Restores {
				seen[c.Earlier.ID]++
			}
		}
		owned := 0
		names := map[string]bool{} // true when something is current, or asked for
		for _, p := range w.have.Profiles {
			marks := p.Marks()
			if marks.Owner != "us" {
				continue
			}
			if seen[p.ID] != 1 {
				t.Errorf("%q is in %d changes", p.ID, seen[p.ID])
			}
			if marks.Superseded == "" {
				owned++
			}
			name := cmp.Or(marks.Superseded, p.Name)
			names[name] = names[name] || marks.Superseded == "" || isDesired(w, name)
		}
		for _, current := range names {
			if !current {
				owned++ // the last generation counts as the current one
			}
		}
		if plan.Owned != owned {
			t.Errorf("owned is %d, not %d", plan.Owned, owned)
		}
	})
}

func TestTheSummaryCountsEveryChangeOnce(t *testing.T) {
	forAll(t, func(t *rapid.T, _ world, plan diff.Plan) {
		s := plan.Summary()
		if total := s.Pending() + s.Blocked + s.Kept + s.Unchanged; total != len(plan.Changes) {
			t.Errorf("counted %d of %d changes", total, len(plan.Changes))
		}
		pending, held := 0, 0
		for _, c := range plan.Changes {
			if c.Pending() {
				pending++
			}
			if c.Blocked() {
				held++
			}
		}
		if s.Pending() != pending || plan.Held() != held || held > s.Blocked {
			t.Errorf("pending %d of %d, held %d of %d", s.Pending(), pending, plan.Held(), held)
		}
	})
}

// A plan made without users knows when they matter: one that does not ask for
// them is the plan that would have been made with them.
func TestUsersAreAskedForWhenTheyMatter(t *testing.T) {
	forAll(t, func(t *rapid.T, w world, plan diff.Plan) {
		if plan.NeedsUsers {
			t.Error("users were read, and are asked for")
		}
		w.have.Users, w.have.UsersRead = nil, false
		blind := w.plan()
		for _, c := range blind.Changes {
			if !blind.NeedsUsers && c.Pending() && (c.Action == diff.Delete || c.Action == diff.Recreate) {
				t.Errorf("%s %q does not ask for users", c.Action, c.Name)
			}
		}
		if !blind.NeedsUsers && !reflect.DeepEqual(blind, plan) {
			t.Errorf("without users the plan is\n%s\nand with them\n%s", render(blind), render(plan))
		}
	})
}

func TestNoSecretIsInAPlan(t *testing.T) {
	forAll(t, func(t *rapid.T, _ world, plan diff.Plan) {
		text, err := json.Marshal(plan)
		if err != nil {
			t.Fatal(err)
		}
		all := string(text)
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
			all += fmt.Sprintf(verb, plan)
			for _, c := range plan.Changes {
				all += fmt.Sprintf(verb, c.Before) + fmt.Sprintf(verb, c.After) + fmt.Sprintf(verb, c.Fields)
			}
		}
		if strings.Contains(all, planted) {
			t.Error("a secret is in the plan")
		}
	})
}

func isDesired(w world, name string) bool {
	return slices.ContainsFunc(w.want.Items, func(item desired.Item) bool { return item.Name == name })
}

func ids(profiles []live.Profile) []string {
	var all []string
	for _, p := range profiles {
		all = append(all, p.ID)
	}
	return all
}
