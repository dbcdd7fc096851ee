package diff_test

import (
	"testing"

	"profilesync/internal/diff"
)

func TestActionsHaveAGlyphAndAName(t *testing.T) {
	for action, want := range map[diff.Action]string{
		diff.NoOp: "= none", diff.Create: "+ create", diff.Update: "~ update", diff.Recreate: "± recreate", diff.Delete: "- delete",
	} {
		if got := string(action) + " " + action.String(); got != want {
			t.Errorf("%q is not %q", got, want)
		}
	}
}

func TestEachChangeIsCountedOnce(t *testing.T) {
	plan := diff.Plan{Changes: []diff.Change{
		{Action: diff.Create},
		{Action: diff.Update},
		{Action: diff.Update},
		{Action: diff.Recreate},
		{Action: diff.Recreate},
		{Action: diff.Recreate},
		{Action: diff.Delete},
		{Action: diff.Delete},
		{Action: diff.Delete},
		{Action: diff.Delete},
		{Action: diff.Delete, Block: diff.InUse},
		{Action: diff.Delete, Block: diff.PruneOff},
		{Action: diff.NoOp, Block: diff.Ambiguous},
		{Action: diff.NoOp, Reason: diff.Superseded},
		{Action: diff.NoOp, Reason: diff.Superseded},
		{Action: diff.NoOp, Reason: diff.InSync},
	}}
	want := diff.Summary{Create: 1, Update: 2, Recreate: 3, Delete: 4, Blocked: 3, Kept: 2, Unchanged: 1}
	if got := plan.Summary(); got != want || got.Pending() != 10 {
		t.Errorf("summary is %+v, pending %d", got, got.Pending())
	}
	if got := plan.Held(); got != 2 {
		t.Errorf("held are %d: what stays because prune is off was not asked for", got)
	}
}

func TestOwnedByNamesTheOwner(t *testing.T) {
	if got := diff.OwnedBy("team-b"); got != "owned by team-b" {
		t.Errorf("OwnedBy = %q", got)
	}
}
