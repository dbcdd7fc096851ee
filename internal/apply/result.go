package apply

import (
	"time"

	"profilesync/internal/diff"
)

// Status says how a change ended.
type Status string

// The statuses.
const (
	Done      Status = "done"      // carried out
	Unchanged Status = "unchanged" // nothing to do: in sync, or an earlier generation that is kept
	Blocked   Status = "blocked"   // the plan said so, or the late look did
	Skipped   Status = "skipped"   // left alone: the live profile is no longer as planned, or the pass was stopped
	Failed    Status = "failed"    // the error says why; the next pass goes on from what is live
)

// Outcome is how one change ended.
type Outcome struct {
	diff.Change // as carried out: a late look may have added a Block and Users
	Status      Status
	Err         error         // why it failed or was skipped
	NewID       string        // id of the profile a create or recreate made
	Kept        bool          // a recreate whose old profile stays, because of Users
	Took        time.Duration // of its requests
}

// Result is how a plan was carried out: an outcome for each of its changes, in
// the plan's order.
type Result struct {
	Plan           diff.Plan
	Outcomes       []Outcome
	Started, Ended time.Time
}

// Count returns how many changes ended in each status.
func (r Result) Count() map[Status]int {
	count := map[Status]int{}
	for _, outcome := range r.Outcomes {
		count[outcome.Status]++
	}
	return count
}

// Failed reports whether something that was to be done was not, other than by
// a block.
func (r Result) Failed() bool {
	count := r.Count()
	return count[Failed]+count[Skipped] > 0
}

// Held is the number of outcomes that were asked for and are blocked; it leaves
// out what merely stays because prune is off.
func (r Result) Held() int {
	held := 0
	for _, outcome := range r.Outcomes {
		if outcome.Blocked() {
			held++
		}
	}
	return held
}
