package metrics

import (
	"errors"
	"time"

	"profilesync/internal/daemon/status"
	"profilesync/internal/diff"
	"profilesync/internal/live"
)

// now is the moment of every scrape.
func now() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

func ago(d time.Duration) time.Time { return now().Add(-d) }

// aWorld has a target in each state: served here, served by another, suspended,
// and not seen yet.
func aWorld() status.Daemon {
	return status.Daemon{
		Instance: "host-1/4711", Owner: "team-web", Started: ago(time.Hour), Now: now(),
		Problems: []status.Problem{{Kind: status.ConfigProblem}, {Kind: status.NotifyProblem}, {Kind: status.NotifyProblem}},
		Targets: []status.Target{
			prod(),
			{
				Name: "standby", Cloud: "north", Region: "n1", Mode: status.Apply, StaleAfter: 15 * time.Minute,
				Lease:       status.Lease{Kind: "etcd", Holder: "host-2/311"},
				LastAttempt: ago(time.Hour), LastSuccess: ago(time.Hour), Failures: 3, Plan: prod().Plan, Next: now(),
			},
			{
				Name: "asleep", Cloud: "south", Mode: status.Suspended, Window: status.Window{Open: true},
				Plan: &status.Plan{At: ago(time.Hour), Was: diff.Summary{Create: 4}}, // carried out since
			},
			{Name: "new", Cloud: "east", Mode: status.Report, Lease: status.Lease{Kind: "file", Held: true, Problem: "lock directory: no space"}},
		},
	}
}

func prod() status.Target {
	return status.Target{
		Name: "prod", Cloud: "prod", Region: "RegionOne", Mode: status.Apply, StaleAfter: 15 * time.Minute,
		Window:      status.Window{Has: true},
		Lease:       status.Lease{Kind: "etcd", Held: true, Holder: "host-1/4711"},
		Running:     &status.Running{Trigger: status.Push, Began: ago(1500 * time.Millisecond)},
		LastAttempt: ago(time.Minute), LastSuccess: ago(6 * time.Minute), Failures: 1,
		Next: now().Add(4 * time.Minute), Retry: now().Add(30 * time.Second),
		Revision: status.Revision{ID: "0123456789abcdef0123456789abcdef01234567", When: ago(48 * time.Hour)},
		Plan: &status.Plan{
			At: ago(6 * time.Minute), Open: true,
			Was: diff.Summary{Create: 4, Update: 3, Recreate: 2, Delete: 1, Blocked: 4, Kept: 2, Unchanged: 9},
			Plan: diff.Plan{Desired: 20, Owned: 18, Changes: []diff.Change{
				{Action: diff.Delete, Name: "a", Block: diff.InUse},
				{Action: diff.Delete, Name: "b", Block: diff.InUse},
				{Action: diff.Delete, Name: "c", Block: diff.PruneOff},
				{Action: diff.Recreate, Name: "d", Block: diff.OwnedBy("team \"db\"\n")},
				{Action: diff.Recreate, Name: "e", Block: "of a later version"},
				superseded("f", ago(96*time.Hour), ago(24*time.Hour)),
				superseded("g", ago(72*time.Hour), time.Time{}),
				{Action: diff.Delete, Name: "h", Reason: diff.Superseded, Before: &live.Profile{Created: ago(999 * time.Hour)}},
			}},
		},
	}
}

func superseded(name string, created, updated time.Time) diff.Change {
	return diff.Change{
		Action: diff.NoOp, Name: name, Reason: diff.Superseded,
		Before: &live.Profile{ID: name, Created: created, Updated: updated},
	}
}

// happen makes one of everything that is counted.
func happen(m *Metrics) {
	m.Passed(status.Pass{
		Target: "prod", Trigger: status.Push, Outcome: status.Applied, Took: 1500 * time.Millisecond,
		Counts: status.Counts{Created: 1, Updated: 2, Recreated: 3, Deleted: 4, InSync: 5, Pending: 6, Failed: 7},
	})
	m.Passed(status.Pass{Target: "prod", Trigger: status.Schedule, Outcome: status.InSync, Took: 20 * time.Millisecond})
	m.Request("prod", "GET", 200, 30*time.Millisecond)
	m.Request("prod", "PATCH", 0, 61*time.Second)
	m.GitRead(false, nil)
	m.GitRead(true, nil)
	m.GitRead(true, errors.New("no route to host"))
	m.Hook("github", "accepted")
	m.Hook("github", "denied")
}
