package report

import (
	"fmt"
	"iter"
	"strings"
	"time"

	"profilesync/internal/apply"
	"profilesync/internal/diff"
)

// Target is all there is to say about one target of a pass. A target that was
// only planned has no Result; one that failed before it had a plan has neither
// and an Err; a plan that was refused has a Plan and an Err.
type Target struct {
	Name   string
	Plan   *diff.Plan    // nil when none could be made
	Result *apply.Result // nil unless the plan was carried out; its plan is then the one shown
	Err    error         // why there is no plan, or why it was not carried out
	Commit *Commit       // the revision of the documents; nil when that is no commit
}

// Style is how text is laid out.
type Style struct {
	Color   bool // with SGR colour codes
	Width   int  // columns of the terminal; 0 when unknown
	Verbose bool // nothing is cut short, profiles in sync are listed
}

// plan is the plan to show, or nil.
func (t Target) plan() *diff.Plan {
	if t.Result != nil {
		return &t.Result.Plan
	}
	return t.Plan
}

func (t Target) name() string {
	if plan := t.plan(); t.Name == "" && plan != nil {
		return plan.Target
	}
	return t.Name
}

// outcomes are the changes of the target. Those of a plan that was not carried
// out have no status yet.
func (t Target) outcomes() iter.Seq[apply.Outcome] {
	return func(yield func(apply.Outcome) bool) {
		if t.Result != nil {
			for _, outcome := range t.Result.Outcomes {
				if !yield(outcome) {
					return
				}
			}
			return
		}
		if t.Plan == nil {
			return
		}
		for _, change := range t.Plan.Changes {
			if !yield(apply.Outcome{Change: change}) {
				return
			}
		}
	}
}

// inSync reports whether there is nothing to say about a change but that it is
// one of many for which nothing is to do.
func inSync(change diff.Change) bool {
	return change.Action == diff.NoOp && change.Block == "" && !change.Kept()
}

// tally counts changes, by what is to be done when they are planned and by what
// became of them when they were carried out.
type tally struct {
	create, update, recreate, remove int
	failed, skipped, blocked         int
	kept                             int // earlier generations that stay, also those of a recreate
	unchanged                        int
	carriedOut                       bool
	took                             time.Duration
}

func count(target Target) tally {
	var t tally
	for outcome := range target.outcomes() {
		t.add(outcome)
	}
	if target.Result != nil {
		t.carriedOut, t.took = true, target.Result.Ended.Sub(target.Result.Started)
	}
	return t
}

func (t *tally) add(o apply.Outcome) {
	switch {
	case o.Status == apply.Failed:
		t.failed++
	case o.Status == apply.Skipped:
		t.skipped++
	case o.Block != "":
		t.blocked++
	case o.Change.Kept():
		t.kept++
	case o.Action == diff.Create:
		t.create++
	case o.Action == diff.Update, setAside(o):
		t.update++
	case o.Action == diff.Recreate:
		t.recreate++
	case o.Action == diff.Delete:
		t.remove++
	default:
		t.unchanged++
	}
	if o.Kept && o.Status == apply.Done {
		t.kept++
	}
}

// setAside reports whether a duplicate that was to be deleted was relabelled,
// because something holds on to it after all.
func setAside(o apply.Outcome) bool {
	return o.Action == diff.Delete && o.Kept && o.Status == apply.Done
}

// plus joins the tallies of two targets; they were served one after the other.
func (t tally) plus(o tally) tally {
	return tally{
		create: t.create + o.create, update: t.update + o.update,
		recreate: t.recreate + o.recreate, remove: t.remove + o.remove,
		failed: t.failed + o.failed, skipped: t.skipped + o.skipped, blocked: t.blocked + o.blocked,
		kept: t.kept + o.kept, unchanged: t.unchanged + o.unchanged,
		carriedOut: t.carriedOut || o.carriedOut, took: t.took + o.took,
	}
}

// quiet reports whether nothing was to be done and nothing is held up.
func (t tally) quiet() bool {
	return t.create+t.update+t.recreate+t.remove+t.failed+t.skipped+t.blocked == 0
}

// word says what the tally is of.
func (t tally) word() string {
	if t.carriedOut {
		return "Applied:"
	}
	return "Plan:"
}

// String is the summary as one sentence: what is to be done or was done in
// full, of the rest only what there is.
func (t tally) String() string {
	rest := t.rest()
	if !t.carriedOut {
		text := fmt.Sprintf("%d to create, %d to update in place, %d to recreate, %d to delete.",
			t.create, t.update, t.recreate, t.remove)
		if rest != "" {
			text += " " + rest + "."
		}
		return text
	}
	text := fmt.Sprintf("%d created, %d updated, %d recreated, %d deleted", t.create, t.update, t.recreate, t.remove)
	if rest != "" {
		text += "; " + rest
	}
	return fmt.Sprintf("%s (%s).", text, seconds(t.took))
}

func (t tally) rest() string {
	var parts []string
	for _, part := range []struct {
		n    int
		word string
	}{
		{t.failed, "failed"},
		{t.skipped, "skipped"},
		{t.blocked, "blocked"},
		{t.kept, "kept"},
		{t.unchanged, "unchanged"},
	} {
		if part.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", part.n, part.word))
		}
	}
	return strings.Join(parts, ", ")
}

// allWell is the sentence for a target with nothing to do.
func allWell(t tally, revision string) string {
	var text string
	switch t.unchanged {
	case 0:
		text = fmt.Sprintf("In sync: revision %s asks for no profile, and none of ours is live.", revision)
		if t.kept > 0 {
			text = fmt.Sprintf("In sync: revision %s asks for no profile.", revision)
		}
	case 1:
		text = fmt.Sprintf("In sync: 1 profile matches revision %s.", revision)
	default:
		text = fmt.Sprintf("In sync: %d profiles match revision %s.", t.unchanged, revision)
	}
	if t.kept == 1 {
		return text + " 1 earlier generation is kept."
	}
	if t.kept > 1 {
		return fmt.Sprintf("%s %d earlier generations are kept.", text, t.kept)
	}
	return text
}

// seconds writes a duration as people read it: "0.4s", "12.0s", "3m5s".
func seconds(d time.Duration) string {
	if d < time.Minute {
		return fmt.Sprintf("%.1fs", d.Seconds())
	}
	return d.Round(time.Second).String()
}
