package metrics

import (
	"time"

	"profilesync/internal/daemon/status"
	"profilesync/internal/diff"
)

// planned is what the last plan says. All of it is absent before the first.
func planned() []gauge[target] {
	return []gauge[target]{
		planGauge("plan_timestamp_seconds", "When the cloud was read for the last plan.",
			func(p status.Plan, set set) { at(p.At, set) }),
		planGauge("desired_profiles", "Profiles that the documents ask for.",
			func(p status.Plan, set set) { set(float64(p.Plan.Desired)) }),
		planGauge("owned_profiles", "Profiles that are ours, earlier generations left out.",
			func(p status.Plan, set set) { set(float64(p.Plan.Owned)) }),
		planGauge("pending_changes", "Drift: changes of the last plan that are still to be carried out, by action.",
			pendingByAction, "action"),
		planGauge("blocked_changes", "Changes that were asked for and are held up, by what blocks them.",
			blockedByBlock, "block"),
		planGauge("superseded_profiles", "Earlier generations that are kept because something still uses them.",
			func(p status.Plan, set set) { set(float64(len(kept(p.Plan)))) }),
		planGauge("superseded_oldest_timestamp_seconds", "Since when the oldest of the earlier generations has been set aside. Absent when there is none.",
			func(p status.Plan, set set) { at(oldest(kept(p.Plan)), set) }),
	}
}

func planGauge(name, help string, read func(status.Plan, set), labels ...string) gauge[target] {
	return targetGauge(name, help, func(t target, set set) {
		if t.Plan != nil {
			read(*t.Plan, set)
		}
	}, labels...)
}

func pendingByAction(p status.Plan, set set) {
	var open diff.Summary
	if p.Open {
		open = p.Was
	}
	set(float64(open.Create), "create")
	set(float64(open.Update), "update")
	set(float64(open.Recreate), "recreate")
	set(float64(open.Delete), "delete")
}

func blockedByBlock(p status.Plan, set set) {
	count := map[string]int{}
	for _, block := range blocks() {
		count[block] = 0
	}
	for _, change := range p.Plan.Changes {
		if change.Blocked() {
			count[blockWord(change.Block)]++
		}
	}
	for block, n := range count {
		set(float64(n), block)
	}
}

func kept(plan diff.Plan) []diff.Change {
	var kept []diff.Change
	for _, change := range plan.Changes {
		if change.Kept() {
			kept = append(kept, change)
		}
	}
	return kept
}

// oldest is when the first of the changes' profiles was set aside, which was
// the last change of its labels; zero when there is none.
func oldest(changes []diff.Change) time.Time {
	var first time.Time
	for _, change := range changes {
		if change.Before == nil {
			continue
		}
		aside := change.Before.Updated
		if aside.IsZero() {
			aside = change.Before.Created
		}
		if first.IsZero() || aside.Before(first) {
			first = aside
		}
	}
	return first
}
