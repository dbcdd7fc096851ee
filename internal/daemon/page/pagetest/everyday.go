package pagetest

import (
	"fmt"
	"strings"
	"time"

	"profilesync/internal/daemon/status"
	"profilesync/internal/diff"
	"profilesync/internal/live"
	"profilesync/internal/profile"
)

const project = "9d1f0c6b3c1e4f6f8a0f0f6f2a7f1c55"

// id is a UUID that begins with the digits.
func id(digits string) string { return (digits + "00000000")[:8] + "-6b3c-4e4f-8a0f-0f6f2a7f1c55" }

func existing(name, digits string) *live.Profile {
	return &live.Profile{ID: id(digits), Project: project, Profile: profile.Profile{Name: name}}
}

// Everyday is a daemon with something of everything: drift that waits for its
// window, a blocked delete, an earlier generation that is held on to, a target
// that fails, one served elsewhere and one suspended.
func Everyday(now time.Time) status.Daemon {
	passes := Passes(now)
	last := func(target string) *status.Pass {
		for _, p := range passes {
			if p.Target == target {
				return &p
			}
		}
		return nil
	}
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	head := Revision(now)
	return status.Daemon{
		Version: "1.4.0", Instance: "sync-1/4711", Owner: "team-web", Source: "https://git.example.org/web/profiles.git main",
		Started: ago(51 * time.Hour), Now: now,
		Problems: []status.Problem{{Kind: status.NotifyProblem, Text: "webhook https://chat.example.org: connection refused, 3 notifications wait", Since: ago(12 * time.Minute)}},
		Targets: []status.Target{
			{
				Name: "prod", Cloud: "north", Region: "RegionOne", Mode: status.Apply, Window: status.Window{Has: true, Change: now.Add(8 * time.Hour)},
				Schedule: "*/5 * * * *", Next: now.Add(110 * time.Second), Lease: status.Lease{Kind: "etcd", Held: true, Holder: "sync-1/4711"},
				LastAttempt: ago(190 * time.Second), LastSuccess: ago(190 * time.Second), StaleAfter: 15 * time.Minute, Revision: head,
				Plan: &status.Plan{At: ago(192 * time.Second), Plan: Plan(), Was: diff.Summary{Create: 1, Recreate: 1, Blocked: 1, Kept: 1, Unchanged: 12}, Open: true},
				Last: last("prod"),
			},
			{
				Name: "staging", Cloud: "south", Region: "RegionTwo", Mode: status.Apply, Schedule: "@every 5m", Next: now.Add(4 * time.Minute),
				Lease: status.Lease{Kind: "etcd", Held: true, Holder: "sync-1/4711"}, LastAttempt: ago(time.Minute), LastSuccess: ago(time.Minute),
				StaleAfter: 15 * time.Minute, Revision: head, Running: &status.Running{Trigger: status.Push, Began: ago(2 * time.Second)},
				Plan: &status.Plan{At: ago(62 * time.Second), Plan: diff.Plan{Revision: head.ID, Project: project}, Was: diff.Summary{Unchanged: 14}},
				Last: last("staging"),
			},
			{
				Name: "edge", Cloud: "edge", Mode: status.Report, Schedule: "*/5 * * * *", Next: now.Add(110 * time.Second), Retry: now.Add(6 * time.Minute), Failures: 5,
				Lease: status.Lease{Kind: "etcd", Held: true, Holder: "sync-1/4711"}, LastAttempt: ago(90 * time.Second), LastSuccess: ago(41 * time.Minute),
				StaleAfter: 15 * time.Minute, Revision: head, Last: last("edge"),
			},
			{
				Name: "recovery", Cloud: "north-2", Mode: status.Apply, Schedule: "*/5 * * * *", Lease: status.Lease{Kind: "etcd", Holder: "sync-2/311"},
				StaleAfter: 15 * time.Minute,
			},
			{Name: "lab", Cloud: "lab", Mode: status.Suspended, Schedule: "*/5 * * * *", StaleAfter: 15 * time.Minute},
		},
	}
}

// Revision is a signed commit.
func Revision(now time.Time) status.Revision {
	return status.Revision{
		ID: "4f2a9c1be07d3355aa10c2b47c9b1d0e8f6a7b21", Subject: "Resize the web tier", Author: "Operator", When: now.Add(-26 * time.Hour), Signer: "operator@example.org",
	}
}

// Plan has a change of each kind.
func Plan() diff.Plan {
	asg := live.User{Kind: live.Cluster, ID: id("c1"), Name: "web-asg", Project: project, Status: "ACTIVE"}
	before := "#!/bin/sh\nset -e\napt-get install -y nginx\nsystemctl start nginx\n"
	return diff.Plan{
		Target: "prod", Cloud: "north", Region: "RegionOne", Project: project, Revision: "4f2a9c1be07d3355aa10c2b47c9b1d0e8f6a7b21", Owner: "team-web",
		Changes: []diff.Change{
			{
				Action: diff.Delete, Reason: diff.NotDesired, Block: diff.InUse, Name: "legacy-api", Before: existing("legacy-api", "e0a1"),
				Users: []live.User{
					{Kind: live.Cluster, ID: id("c2"), Name: "legacy-asg", Project: project, Status: "WARNING"},
					{Kind: live.Node, ID: id("d1"), Name: "legacy-node-1", Project: project, Status: "ACTIVE"},
				},
			},
			{
				Action: diff.Recreate, Reason: diff.SpecDiffers, Name: "web", Before: existing("web", "1a2b3c4d"), Users: []live.User{asg},
				Fields: []diff.Field{
					{Path: "/spec/properties/flavor", Old: "m1.small", New: "m1.large"},
					{Path: "/spec/properties/networks/1/network", New: "storage"},
					{Path: "/spec/properties/setup", Old: before, New: strings.Replace(before, "nginx\n", "nginx-full\n", 1)},
					{Path: "/spec/properties/user_data", Old: profile.Redacted, New: profile.Redacted, Sensitive: true},
				},
				File: "profiles/web.yaml", Line: 1,
			},
			{Action: diff.NoOp, Reason: diff.Superseded, Name: "web~77aa00bb", Before: existing("web~77aa00bb", "77aa00bb"), Users: []live.User{asg}},
			{
				Action: diff.Create, Reason: diff.Missing, Name: "worker", File: "profiles/worker.yaml", Line: 12,
				Fields: []diff.Field{
					{Path: "/metadata/team", New: "web"},
					{Path: "/spec/type", New: "os.nova.server"},
					{Path: "/spec/version", New: "1.0"},
					{Path: "/spec/properties/flavor", New: "m1.medium"},
					{Path: "/spec/properties/admin_pass", New: profile.Redacted, Sensitive: true},
				},
			},
		},
	}
}

// Passes are the passes of some hours, the newest first.
func Passes(now time.Time) []status.Pass {
	var passes []status.Pass
	for i := range 30 {
		began := now.Add(-time.Duration(i)*5*time.Minute - 3*time.Minute)
		passes = append(passes, passOf(i, "staging", began.Add(2*time.Minute)), passOf(i, "edge", began.Add(90*time.Second)), passOf(i, "prod", began.Add(-12*time.Second)))
	}
	for i := range passes {
		passes[i].ID = uint64(len(passes) - i)
	}
	return passes
}

func passOf(i int, target string, began time.Time) status.Pass {
	p := status.Pass{
		Target: target, Instance: "sync-1/4711", Trigger: status.Schedule, Began: began, Took: time.Duration(740+37*i%400) * time.Millisecond,
		Revision: Revision(began), Outcome: status.InSync, Counts: status.Counts{InSync: 14},
	}
	switch {
	case target == "prod" && i < 3:
		p.Outcome, p.Counts = status.Drift, status.Counts{InSync: 12, Pending: 2, Blocked: 1, Superseded: 1}
		p.Changes = []status.Change{
			{Action: "delete", Name: "legacy-api", ID: id("e0a1"), Reason: "not desired", Block: "in use", Status: "blocked"},
			{Action: "recreate", Name: "web", ID: id("1a2b3c4d"), Reason: "spec differs", Status: "pending"},
			{Action: "create", Name: "worker", Reason: "missing", Status: "pending"},
		}
	case target == "edge" && i < 5:
		p.Outcome, p.Counts, p.Trigger, p.Took = status.Failed, status.Counts{}, status.Retry, 8200*time.Millisecond
		p.Error = "cloud \"edge\": list of profiles: connection to 192.0.2.7:8778 refused"
		p.Hint = "is Senlin reachable from here? openstack --os-cloud edge cluster profile list"
	case target == "staging" && i == 1:
		p.Outcome, p.Counts = status.Applied, status.Counts{InSync: 13, Updated: 1}
		p.Trigger, p.By, p.Took = status.Push, "web/profiles, branch main, by operator", 1900*time.Millisecond
		p.Changes = []status.Change{{Action: "update", Name: "db", ID: id("db"), Reason: "metadata differs", Status: "done"}}
	case target == "staging" && i == 7:
		p.Trigger, p.By = status.Manual, fmt.Sprintf("operator: try %d", i)
	}
	return p
}
