package daemon

import (
	"maps"
	"slices"
	"time"

	"profilesync/internal/daemon/schedule"
	"profilesync/internal/daemon/status"
)

// clockMemory is for how long a jump of the wall clock is told.
const clockMemory = 10 * time.Minute

// note remembers a problem of the process as a whole; one that is known keeps
// its beginning.
func (d *Daemon) note(kind, text string) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	since := d.now()
	if known, ok := d.problems[kind]; ok && kind != status.ClockProblem {
		since = known.Since
	} else {
		d.options.Log.Warn("problem", "kind", kind, "what", text)
	}
	d.problems[kind] = status.Problem{Kind: kind, Text: text, Since: since}
}

// solved forgets a problem.
func (d *Daemon) solved(kind string) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	if _, known := d.problems[kind]; known {
		d.options.Log.Info("problem is over", "kind", kind)
		delete(d.problems, kind)
	}
}

// decide notes a problem or, when there is no text, that it is over.
func (d *Daemon) decide(kind, text string) {
	if text == "" {
		d.solved(kind)
		return
	}
	d.note(kind, text)
}

// known are the problems there are, by kind. The mutex is held.
func (d *Daemon) known(now time.Time) []status.Problem {
	if jump, ok := d.problems[status.ClockProblem]; ok && now.Sub(jump.Since) > clockMemory {
		delete(d.problems, status.ClockProblem)
	}
	problems := slices.Collect(maps.Values(d.problems))
	slices.SortFunc(problems, func(a, b status.Problem) int {
		if a.Kind < b.Kind {
			return -1
		}
		return 1
	})
	return problems
}

// Problem notes what another part of the process has to tell, such as the
// receiver of notifications; an empty text means that it is over.
func (d *Daemon) Problem(kind, text string) { d.decide(kind, text) }

// see looks at the clock, and returns how often the wall clock has gone back so
// far. When it goes forward, what was due meanwhile is simply due.
func (d *Daemon) see(now time.Time) (back int) {
	d.mutex.Lock()
	var jump time.Duration
	if !d.looked.IsZero() {
		jump = schedule.Jump(now.Round(0).Sub(d.wall), time.Since(d.looked))
	}
	d.wall, d.looked = now.Round(0), time.Now()
	if jump < 0 {
		d.back++
	}
	back = d.back
	d.mutex.Unlock()
	switch {
	case jump > 0:
		d.note(status.ClockProblem, "the wall clock went forward by "+jump.Round(time.Second).String()+"; the schedule goes by the new time")
	case jump < 0:
		d.note(status.ClockProblem, "the wall clock went back by "+(-jump).Round(time.Second).String()+"; the schedule goes by the new time")
	}
	return back
}
