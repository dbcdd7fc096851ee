package notify

import (
	"maps"
	"slices"
	"time"

	"profilesync/internal/daemon/status"
)

// Kind is what a receiver may be told of.
type Kind string

// The kinds of news. A pass may be several at once, or none.
const (
	Failed    Kind = "failed"    // a pass failed, or the passes still do
	Recovered Kind = "recovered" // the first good pass after a failed one
	Applied   Kind = "applied"   // something was carried out, perhaps by a pass that failed later
	Blocked   Kind = "blocked"   // something is held up that was not before
)

// Kinds are all of them.
func Kinds() []Kind { return []Kind{Failed, Recovered, Applied, Blocked} }

// Story is what has been told of a target. The zero value is the beginning.
type Story struct {
	Failures int             // passes that failed, up to now, in a row
	Since    time.Time       // end of the first of them
	Told     time.Time       // when a failure was told last
	Blocked  map[string]bool // what is known to be held up; not to be changed
	Unlisted int             // of that, more than the pass listed
}

// After is the story after a pass that was told before this process began.
func After(p status.Pass) Story {
	s, _ := Story{}.Next(p)
	return s
}

// A failure that lasts is told again when it has lasted twice as long as when it
// was told last, with these bounds on the time between.
const (
	againFirst = time.Hour
	againMost  = 24 * time.Hour
)

// Next is the story with one more pass, and the kinds of news that the pass is.
func (s Story) Next(p status.Pass) (Story, []Kind) {
	var kinds []Kind
	ended := p.Began.Add(p.Took)
	if p.Outcome == status.Failed {
		s.Failures++
		if s.Failures == 1 {
			s.Since = ended
		}
		if s.Failures == 1 || s.isDue(ended) {
			s.Told = ended
			kinds = append(kinds, Failed)
		}
	} else {
		if s.Failures > 0 {
			kinds = append(kinds, Recovered)
		}
		s.Failures, s.Since, s.Told = 0, time.Time{}, time.Time{}
	}
	if p.Counts.Changed() > 0 {
		kinds = append(kinds, Applied)
	}
	held, unlisted := heldUp(p)
	if len(held) > 0 && !contains(s.Blocked, held) || unlisted > s.Unlisted {
		kinds = append(kinds, Blocked)
	}
	switch {
	case p.Outcome != status.Failed:
		s.Blocked, s.Unlisted = held, unlisted
	case len(held) > 0: // a pass that failed may not have seen everything
		all := maps.Clone(held)
		maps.Copy(all, s.Blocked)
		s.Blocked, s.Unlisted = all, max(unlisted, s.Unlisted)
	}
	return s, kinds
}

func (s Story) isDue(now time.Time) bool {
	wait := min(max(s.Told.Sub(s.Since), againFirst), againMost)
	return now.Sub(s.Told) >= wait
}

// heldUp is what a pass says is blocked, and how much more there is.
func heldUp(p status.Pass) (map[string]bool, int) {
	held := map[string]bool{}
	listed := blocked(p)
	for _, c := range listed {
		held[c.Action+"\x00"+c.Name+"\x00"+c.ID] = true
	}
	return held, max(p.Counts.Blocked-len(listed), 0)
}

func contains(all, some map[string]bool) bool {
	for name := range some {
		if !all[name] {
			return false
		}
	}
	return true
}

// blocked are the changes of a pass that are held up, carried out those that are
// done, as the pass lists them.
func blocked(p status.Pass) []status.Change { return with(p, "blocked") }

func carriedOut(p status.Pass) []status.Change { return with(p, "done") }

func with(p status.Pass, word string) []status.Change {
	return slices.DeleteFunc(slices.Clone(p.Changes), func(c status.Change) bool { return c.Status != word })
}
