package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"profilesync/internal/apply"
	"profilesync/internal/diff"
	"profilesync/internal/live"
	"profilesync/internal/profile"
)

const (
	testRevision = "4f2a9c1be07d3355aa10c2b47c9b1d0e8f6a7b21"
	testProject  = "9d1f0c6b3c1e4f6f8a0f0f6f2a7f1c55"
)

// liveID is a UUID that begins with the digits.
func liveID(digits string) string {
	return (digits + "00000000")[:8] + "-6b3c-4e4f-8a0f-0f6f2a7f1c55"
}

func liveNamed(name, digits string) *live.Profile {
	return &live.Profile{
		ID: liveID(digits), Project: testProject, Created: time.Date(2026, 3, 1, 8, 30, 0, 0, time.UTC),
		Profile: profile.Profile{Name: name, Metadata: map[string]any{profile.OwnerKey: "git"}},
	}
}

func clusterUser(name, status string) live.User {
	return live.User{Kind: live.Cluster, ID: liveID("c1"), Name: name, Project: testProject, Status: status}
}

func planOf(changes ...diff.Change) diff.Plan {
	return diff.Plan{
		Target: "prod", Cloud: "north", Region: "RegionOne", Project: testProject,
		Revision: testRevision, Owner: "git", Desired: len(changes), Changes: changes,
	}
}

func inSyncChanges(n int) []diff.Change {
	changes := make([]diff.Change, n)
	for i := range changes {
		name := fmt.Sprintf("same-%02d", i+1)
		changes[i] = diff.Change{Action: diff.NoOp, Reason: diff.InSync, Name: name, Before: liveNamed(name, fmt.Sprint(i+1)), File: "profiles/same.yaml", Line: i + 1}
	}
	return changes
}

const oldTemplate = `heat_template_version: 2018-08-31
description: web tier
resources:
  config:
    type: OS::Heat::SoftwareConfig
    properties:
      group: script
      config: |
        #!/bin/bash
        set -e
        apt-get install -y nginx
        systemctl start nginx
  server:
    type: OS::Nova::Server
    properties:
      flavor: m1.small
      image: debian-12
`

var newTemplate = strings.NewReplacer(
	"apt-get install -y nginx\n", "apt-get update\n        apt-get install -y nginx-full\n",
	"image: debian-12\n", "image: debian-13\n").Replace(oldTemplate)

// everything is a plan with every action and every reason.
func everything() diff.Plan {
	webUsers := []live.User{clusterUser("web-asg", "ACTIVE"), {Kind: live.Node, ID: liveID("d1"), Name: "n1"}}
	return planOf(append([]diff.Change{
		{
			Action: diff.Update, Reason: diff.Adopted, Name: "adopted", Before: liveNamed("adopted", "a0"),
			File: "profiles/adopted.yaml", Line: 1,
		},
		{
			Action: diff.Delete, Reason: diff.Superseded, Name: "api~1b2c3d4e", Before: liveNamed("api~1b2c3d4e", "1b2c3d4e"),
		},
		{
			Action: diff.Recreate, Reason: diff.Restores, Name: "back", Before: liveNamed("back", "b0"), Earlier: liveNamed("back~0a1b2c3d", "0a1b2c3d"),
			Fields: []diff.Field{{Path: "/spec/properties/flavor", Old: "m1.large", New: "m1.small"}},
		},
		{Action: diff.Update, Reason: diff.Restores, Name: "back-again", Before: liveNamed("back-again~0a1b2c3d", "0a1b2c3d")},
		{
			Action: diff.Update, Reason: diff.LabelsDiffer, Name: "db", Before: liveNamed("db", "db"), File: "profiles/db.yaml", Line: 1,
			Fields: []diff.Field{
				{Path: "/lifecycle/protect", Old: false, New: true},
				{Path: "/metadata/cost~1centre", New: json.Number("12345678901234567890")},
				{Path: "/metadata/team", Old: "data", New: "storage"},
				{Path: "/metadata/tier", Old: []any{}},
			},
		},
		{Action: diff.Delete, Reason: diff.Duplicate, Name: "db", Before: liveNamed("db", "db2")},
		{
			Action: diff.Update, Reason: diff.Duplicate, Name: "db", Before: liveNamed("db", "db3"),
			After: &profile.Profile{Name: "db~db300000"}, Users: webUsers[:1],
			Fields: []diff.Field{{Path: "/name", Old: "db", New: "db~db300000"}},
		},
		{Action: diff.Update, Reason: diff.Renamed, Name: "frontend", Before: liveNamed("ui", "f0"), Fields: []diff.Field{{Path: "/name", Old: "ui", New: "frontend"}}},
		{Action: diff.Delete, Reason: diff.NotDesired, Name: "old", Before: liveNamed("old", "e0")},
		{
			Action: diff.Recreate, Reason: diff.TakenOver, Name: "taken", Before: liveNamed("taken", "aa"),
			Fields: []diff.Field{{Path: "/spec/version", Old: "1.0", New: "1.1"}},
		},
		{
			Action: diff.Recreate, Reason: diff.SpecDiffers, Name: "web", Before: liveNamed("web", "1a2b3c4d"), Users: webUsers,
			Fields: []diff.Field{
				{Path: "/spec/properties/flavor", Old: "m1.small", New: "m1.large"},
				{Path: "/spec/properties/networks/1/network", New: "storage"},
				{Path: "/spec/properties/template", Old: oldTemplate, New: newTemplate},
				{Path: "/spec/properties/user_data", Old: profile.Redacted, New: profile.Redacted, Sensitive: true},
			},
		},
		{Action: diff.NoOp, Reason: diff.Superseded, Name: "web~77aa00bb", Before: liveNamed("web~77aa00bb", "77aa00bb"), Users: webUsers[:1]},
		{
			Action: diff.Create, Reason: diff.Missing, Name: "worker", After: &profile.Profile{Name: "worker"}, File: "profiles/worker.yaml", Line: 12,
			Fields: []diff.Field{
				{Path: "/metadata/team", New: "web"},
				{Path: "/spec/type", New: "os.nova.server"},
				{Path: "/spec/version", New: "1.0"},
				{Path: "/spec/properties/admin_pass", New: profile.Redacted, Sensitive: true},
				{Path: "/spec/properties/scheduler_hints", New: map[string]any{}},
			},
		},
	}, inSyncChanges(12)...)...)
}

// everyBlock is a plan with every block.
func everyBlock() diff.Plan {
	many := make([]live.User, 7)
	for i := range many {
		many[i] = clusterUser(fmt.Sprintf("asg-%d", i+1), "ACTIVE")
	}
	plan := planOf(append([]diff.Change{
		{Action: diff.NoOp, Reason: diff.Missing, Name: "ambiguous", Block: diff.Ambiguous, File: "profiles/a.yaml", Line: 1},
		{
			Action: diff.Recreate, Reason: diff.TakenOver, Name: "foreign", Block: diff.NotOurs, Before: liveNamed("foreign", "f1"),
			Fields: []diff.Field{{Path: "/spec/properties/image", Old: "debian-12", New: "debian-13"}},
		},
		{Action: diff.Delete, Reason: diff.NotDesired, Name: "in-use", Block: diff.InUse, Before: liveNamed("in-use", "f2"), Users: many},
		{Action: diff.Delete, Reason: diff.NotDesired, Name: "kept-1", Block: diff.PruneOff, Before: liveNamed("kept-1", "f3")},
		{Action: diff.Delete, Reason: diff.NotDesired, Name: "kept-2", Block: diff.PruneOff, Before: liveNamed("kept-2", "f4")},
		{Action: diff.Update, Reason: diff.Adopted, Name: "owned", Block: diff.OwnedBy("platform"), Before: liveNamed("owned", "f5")},
		{Action: diff.Delete, Reason: diff.NotDesired, Name: "protected", Block: diff.Protected, Before: liveNamed("protected", "f6")},
		{Action: diff.Delete, Reason: diff.Superseded, Name: "web~0f0f0f0f", Block: diff.Protected, Before: liveNamed("web~0f0f0f0f", "0f0f0f0f")},
		{Action: diff.NoOp, Reason: diff.Superseded, Name: "web~1f1f1f1f", Before: liveNamed("web~1f1f1f1f", "1f1f1f1f")},
	}, inSyncChanges(3)...)...)
	return plan
}

// everyStatus is a result in which every status occurs.
func everyStatus() *apply.Result {
	plan := everything()
	result := apply.Result{Plan: plan, Started: time.Unix(1000, 0), Ended: time.Unix(1003, 200_000_000)}
	for _, change := range plan.Changes {
		o := apply.Outcome{Change: change, Status: apply.Done, Took: 400 * time.Millisecond}
		if change.Action == diff.Delete && change.Reason == diff.Duplicate {
			o.Kept, o.Users = true, []live.User{clusterUser("new-asg", "INIT")}
			o.After = &profile.Profile{Name: "db~db200000"}
		}
		switch change.Name {
		case "worker", "back":
			o.NewID = liveID("99")
		case "web":
			o.NewID, o.Kept = liveID("98"), true
		case "taken":
			o.NewID, o.Kept, o.Users = liveID("97"), true, nil
		case "frontend":
			o.Status = apply.Skipped
			o.Err = fmt.Errorf("metadata of profile %q %w", liveID("f0"), apply.ErrChanged)
		case "adopted":
			o.Status = apply.Failed
			o.Err = errors.Join(errors.New("update of profile: 500 internal server error"), errors.New("look at the profile: deadline exceeded"))
		case "old":
			o.Status, o.Block = apply.Blocked, diff.InUse
		}
		if change.Action == diff.NoOp {
			o.Status, o.Took = apply.Unchanged, 0
		}
		result.Outcomes = append(result.Outcomes, o)
	}
	return &result
}

const evil = "x\x1b[2J\u009b31m\u202egnp\r\n# pwned @octocat <img src=x onerror=alert(1)> `` ```\n</details> | a |\x7f\xff"

// hostile is a plan in which everything foreign tries something.
func hostile() diff.Plan {
	at := liveNamed(evil, "e1")
	at.ID = evil
	return diff.Plan{
		Target: "t" + evil, Cloud: "c" + evil, Region: "r" + evil, Project: "p" + evil, Revision: "v" + evil, Owner: evil,
		Changes: []diff.Change{
			{Action: diff.Delete, Reason: diff.NotDesired, Name: "del" + evil, Before: at},
			{
				Action: diff.Update, Reason: diff.Reason("because " + evil), Name: "up" + evil, Before: at, File: "f" + evil, Line: 1,
				Users: []live.User{{Kind: live.Kind(evil), ID: evil, Name: evil, Status: evil}},
				Fields: []diff.Field{
					{Path: "/metadata/" + evil, Old: evil, New: evil + evil},
					{Path: "/metadata/map", Old: map[string]any{evil: evil}, New: json.Number("1")},
					{Path: "/spec/properties/template", Old: "a\n```\n" + evil, New: "b\n" + evil},
				},
			},
			{Action: diff.Update, Reason: diff.Renamed, Name: "ren", Before: at, Block: diff.OwnedBy(evil)},
			{Action: diff.Delete, Reason: diff.NotDesired, Name: "blk", Before: at, Block: diff.Block(evil)},
			{Action: diff.NoOp, Reason: diff.Superseded, Name: evil, Before: at},
		},
	}
}

// planned are targets that were only planned.
func planned(plans ...diff.Plan) []Target {
	targets := make([]Target, len(plans))
	for i, plan := range plans {
		targets[i] = Target{Name: plan.Target, Plan: &plan}
	}
	return targets
}
