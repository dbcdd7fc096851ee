package diff_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"profilesync/internal/diff"
	"profilesync/internal/live"
	"profilesync/internal/profile"
)

// Law: whatever would be done otherwise gives another digest, blocked changes
// included.
func TestTheDigestChangesWithEveryChange(t *testing.T) {
	edits := map[string]func(*diff.Change){
		"action":  otherAction,
		"name":    func(c *diff.Change) { c.Name += "x" },
		"reason":  func(c *diff.Change) { c.Reason += "x" },
		"block":   func(c *diff.Change) { c.Block += "x" },
		"id":      func(c *diff.Change) { c.Before = &live.Profile{ID: c.ID() + "x"} },
		"earlier": func(c *diff.Change) { c.Earlier = &live.Profile{ID: "x"} },
		"a field more": func(c *diff.Change) {
			c.Fields = append(slices.Clone(c.Fields), diff.Field{Path: "/x"})
		},
		"a field's path":  editField(func(f *diff.Field) { f.Path += "x" }),
		"a field's value": editField(func(f *diff.Field) { f.New = "x" }),
		"an old value":    editField(func(f *diff.Field) { f.Old = "x" }),
	}
	forAll(t, func(t *rapid.T, _ world, plan diff.Plan) {
		digest := plan.Digest()
		for i, c := range plan.Changes {
			if c.Action == diff.NoOp && c.Block == "" {
				continue
			}
			for name, edit := range edits {
				other := plan
				other.Changes = slices.Clone(plan.Changes)
				edit(&other.Changes[i])
				if other.Digest() == digest {
					t.Errorf("another %s, the same digest", name)
				}
			}
			other := plan
			other.Changes = slices.Delete(slices.Clone(plan.Changes), i, i+1)
			if other.Digest() == digest {
				t.Error("one change less, the same digest")
			}
		}
	})
}

func otherAction(c *diff.Change) {
	if c.Action == diff.Create {
		c.Action = diff.Delete
		return
	}
	c.Action = diff.Create
}

func editField(edit func(*diff.Field)) func(*diff.Change) {
	return func(c *diff.Change) {
		if len(c.Fields) == 0 {
			c.Fields = []diff.Field{{Path: "/x"}}
			return
		}
		c.Fields = slices.Clone(c.Fields)
		edit(&c.Fields[len(c.Fields)-1])
	}
}

func TestTheDigestIsOfOneTargetOwnerAndRevision(t *testing.T) {
	plan := diff.Plan{Target: "prod", Project: project, Revision: "r1", Owner: "us"}
	digest := plan.Digest()
	for name, edit := range map[string]func(*diff.Plan){
		"target":   func(p *diff.Plan) { p.Target = "test" },
		"project":  func(p *diff.Plan) { p.Project = "p2" },
		"revision": func(p *diff.Plan) { p.Revision = "r2" },
		"owner":    func(p *diff.Plan) { p.Owner = "them" },
		"a boundary moved": func(p *diff.Plan) {
			p.Target, p.Project = "pro", "d"+project
		},
	} {
		other := plan
		edit(&other)
		if other.Digest() == digest {
			t.Errorf("another %s, the same digest", name)
		}
	}
}

// What is in sync, and who uses what, may change between approval and apply.
func TestTheDigestLeavesOutWhatIsNotDone(t *testing.T) {
	change := diff.Change{Action: diff.Recreate, Name: "web", Reason: diff.SpecDiffers, Before: &live.Profile{ID: "a"}}
	plan := diff.Plan{Changes: []diff.Change{change}}
	digest := plan.Digest()
	change.Users = []live.User{{ID: "c"}}
	plan.Changes = []diff.Change{
		{Action: diff.NoOp, Name: "api", Reason: diff.InSync},
		change,
		{Action: diff.NoOp, Name: "web~0", Reason: diff.Superseded},
	}
	if plan.Digest() != digest {
		t.Error("another digest")
	}
}

// Law: a plan read back from JSON has the digest it had.
func TestTheDigestSurvivesAFile(t *testing.T) {
	forAll(t, func(t *rapid.T, _ world, plan diff.Plan) {
		text, err := json.Marshal(plan)
		if err != nil {
			t.Fatal(err)
		}
		decoder := json.NewDecoder(bytes.NewReader(text))
		decoder.UseNumber()
		var back diff.Plan
		if err := decoder.Decode(&back); err != nil {
			t.Fatal(err)
		}
		if back.Digest() != plan.Digest() {
			t.Error("another digest")
		}
	})
}

// The digests of approved plans lie in files: this one changes only together
// with diff.FormatVersion.
func TestTheDigestOfOneFixedPlan(t *testing.T) {
	plan := diff.Plan{
		Target: "prod", Cloud: "north", Region: "here", Project: project, Revision: "r1", Owner: "us",
		Changes: []diff.Change{
			{Action: diff.Create, Name: "web", Reason: diff.Missing, Fields: []diff.Field{
				{Path: "/metadata/n", New: json.Number("12345678901234567891")},
				{Path: "/spec/properties/user_data", New: profile.Redacted, Sensitive: true},
			}},
			{Action: diff.Delete, Name: "db", Reason: diff.NotDesired, Block: diff.InUse, Before: &live.Profile{ID: "aaaaaaaa-1"}},
		},
	}
	const want = "sha256:bbf739ab70fc3003e7821150b21d370c2aa2d99dc9c167ebf95419a32bd21ea3"
	if got := plan.Digest(); got != want {
		t.Errorf("the digest of format version %d is %s", diff.FormatVersion, got)
	}
}
