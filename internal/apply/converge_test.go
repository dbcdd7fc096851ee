package apply_test

import (
	"context"
	"fmt"
	"reflect"
	"testing"
	"testing/synctest"

	"pgregory.net/rapid"

	"profilesync/internal/apply"
	"profilesync/internal/desired"
	"profilesync/internal/live"
	"profilesync/internal/profile"
)

// The promise of the whole program, on a cloud in memory: whatever is live,
// whatever is wanted, and whatever goes wrong at any request of a pass (a lost
// reply, a refusal, an outage, the death of the process), nothing that is used
// or not ours is ever lost, and once things go well again the passes converge.

// disaster draws what goes wrong: single faults, and a death after which no
// request arrives any more.
func disaster(t *rapid.T) func(int, string) fault {
	death := rapid.IntRange(0, 40).Draw(t, "death")
	odds := rapid.IntRange(0, 3).Draw(t, "odds")
	kinds := rapid.SliceOfN(rapid.IntRange(0, 9), 60, 60).Draw(t, "faults")
	return func(n int, op string) fault {
		reads := op == "get" || op == "list" || op == "users"
		switch {
		case n >= death && death > 0:
			return busy
		case odds == 0 || kinds[n%len(kinds)] >= odds:
			return none
		case reads:
			return busy
		}
		return []fault{lostAfter, lostFirst, refused, busy}[kinds[n%len(kinds)]%4]
	}
}

func drawCloud(t *rapid.T) *cloud {
	c := &cloud{hidden: map[string]bool{}, users: map[string][]live.User{}, unique: rapid.IntRange(0, 3).Draw(t, "unique") == 0}
	names := rapid.SampledFrom([]string{"web", "db", "api"})
	flavors := rapid.SampledFrom([]string{"small", "large", "huge"})
	for range rapid.IntRange(0, 6).Draw(t, "live") {
		name := names.Draw(t, "name")
		kind := rapid.IntRange(0, 7).Draw(t, "kind")
		if c.taken(name, "") {
			continue
		}
		p := c.own(name + "=" + flavors.Draw(t, "flavor"))
		last := &c.profiles[len(c.profiles)-1]
		switch kind {
		case 0:
			aside := p.Aside(p.ID, "us")
			last.Name, last.Metadata = aside.Name, aside.Metadata
		case 1:
			last.Metadata = nil // not ours
		case 2:
			last.Metadata = map[string]any{profile.OwnerKey: "them"}
		case 3:
			last.Metadata["drift"] = "x"
		case 4:
			last.Metadata[profile.ProtectedKey] = "true"
		case 5: // an earlier generation that somebody gave a name
			last.Metadata[profile.SupersededKey] = names.Draw(t, "superseded")
		}
		switch rapid.IntRange(0, 5).Draw(t, "use") {
		case 0:
			c.use(p.ID, live.Cluster)
		case 1:
			c.use(p.ID, live.Action)
		case 2:
			c.hidden[p.ID] = true
		}
	}
	return c
}

func drawSet(t *rapid.T) desired.Set {
	var items []string
	for _, name := range []string{"web", "db", "api"} {
		if flavor := rapid.SampledFrom([]string{"", "small", "large", "huge", "bad"}).Draw(t, name); flavor != "" {
			items = append(items, name+"="+flavor)
		}
	}
	return want(items...)
}

func TestEveryHistoryConverges(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		c, set := drawCloud(rt), drawSet(rt)
		befalls, parallel := disaster(rt), rapid.SampledFrom([]int{1, 4}).Draw(rt, "parallel")
		untouchable := c.untouchable(set)
		var problem string
		synctest.Test(t, func(t *testing.T) {
			c.fault = befalls
			c.pass(t, set, parallel)
			if problem = c.lost(untouchable); problem == "" {
				c.fault = nil
				for range 4 {
					c.pass(t, set, parallel)
				}
				problem = c.unconverged(t, set)
			}
			if problem == "" {
				problem = c.lost(untouchable)
			}
		})
		if problem != "" {
			rt.Fatalf("%s\ncalls: %q\nlive: %s", problem, c.calls, c.names())
		}
	})
}

func (c *cloud) pass(t testing.TB, set desired.Set, parallel int) {
	plan := c.plan(t, set)
	if _, err := apply.Run(context.Background(), plan, c, c, apply.Options{Parallel: parallel}); err != nil {
		t.Error(err)
	}
}

// untouchable are the profiles that must be there afterwards: used ones, and
// those that are not ours and were not taken over on purpose, unchanged.
func (c *cloud) untouchable(set desired.Set) map[string]*live.Profile {
	wanted := map[string]bool{}
	for _, item := range set.Items {
		wanted[item.Name] = true
	}
	keep := map[string]*live.Profile{}
	for _, p := range c.profiles {
		owner := p.Marks().Owner
		switch {
		case owner == "them", owner == "" && !wanted[p.Name]:
			keep[p.ID] = &p
		case owner == "", c.hidden[p.ID], len(c.users[p.ID]) > 0:
			keep[p.ID] = nil // must exist, may be relabelled
		}
	}
	return keep
}

func (c *cloud) lost(untouchable map[string]*live.Profile) string {
	for id, was := range untouchable {
		at := c.at(id)
		switch {
		case at < 0:
			return fmt.Sprintf("profile %s is lost", id)
		case was != nil && !reflect.DeepEqual(*was, c.profiles[at]):
			return fmt.Sprintf("profile %s is not ours and was changed", id)
		}
	}
	return ""
}

// unconverged says what a further pass would still do. A profile with a spec
// that the server refuses for good is all that may remain to be done.
func (c *cloud) unconverged(t testing.TB, set desired.Set) string {
	for _, item := range set.Items {
		bearers := 0
		for _, p := range c.profiles {
			if marks := p.Marks(); marks.Owner == "us" && marks.Superseded == "" && p.Name == item.Name {
				bearers++
			}
		}
		if bearers > 1 {
			return fmt.Sprintf("%d profiles of ours bear the desired name %q", bearers, item.Name)
		}
	}
	hopeless := map[string]bool{}
	for _, item := range set.Items {
		hopeless[item.Name] = item.Spec.Properties["flavor"] == "bad"
	}
	for _, change := range c.plan(t, set).Changes {
		held := change.Before != nil && c.hidden[change.Before.ID]
		waits := change.Before != nil && hopeless[change.Before.Marks().Superseded]
		if change.Pending() && !hopeless[change.Name] && !held && !waits {
			return fmt.Sprintf("a further pass would still %s %q (%s)", change.Action, change.Name, change.Reason)
		}
	}
	return ""
}
