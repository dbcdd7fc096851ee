package daemon

import (
	"math/rand/v2"
	"time"

	"profilesync/internal/daemon/schedule"
	"profilesync/internal/daemon/status"
)

// timetable says when a target's next pass is due. It reads no clock.
//
// Scheduled passes keep to the schedule's own moments, however long a pass or
// its jitter takes. After a failed pass the retry counts instead: until then, a
// scheduled moment is used only to see whether the source has something new.
type timetable struct {
	tick     time.Time // next scheduled moment; zero before the first pass
	begins   time.Time // tick and its jitter
	retry    time.Time // of a failed pass; zero when the last one was good
	failures int       // one after the other
	failed   string    // revision that failed last; "" when none could be read
}

// passed is called as a pass begins, scheduled or not: moments that have gone
// by are not made up for.
func (t *timetable) passed(now time.Time, target Target) {
	if t.tick.IsZero() || !t.begins.After(now) {
		t.reset(now, target)
	}
}

// reset makes the next scheduled moment the first one after now. A window that
// opens before it is one as well: what has waited for it shall not wait longer.
func (t *timetable) reset(now time.Time, target Target) {
	t.tick = target.Schedule.Next(now)
	if !target.Windows.Open(now) {
		if opens := target.Windows.Change(now); opens.Before(t.tick) {
			t.tick = opens
		}
	}
	t.begins = t.tick.Add(schedule.Jitter(target.Name, t.tick, target.Jitter))
}

// rewind takes into account that the wall clock has gone back to now.
func (t *timetable) rewind(now time.Time, target Target) {
	t.reset(now, target)
	if latest := now.Add(target.Backoff.Most); t.retry.After(latest) {
		t.retry = latest
	}
}

// ended takes a pass's outcome into account.
func (t *timetable) ended(now time.Time, target Target, pass status.Pass) {
	if pass.Outcome != status.Failed {
		t.retry, t.failures, t.failed = time.Time{}, 0, ""
		return
	}
	if pass.Revision.ID != t.failed {
		t.failures = 0
	}
	t.failures++
	t.failed = pass.Revision.ID
	t.retry = now.Add(target.Backoff.After(t.failures, rand.Float64()))
}

// due is the trigger of the pass that is due now, "" when none is. A scheduled
// moment is reported once.
func (t *timetable) due(now time.Time, target Target) status.Trigger {
	switch {
	case target.Mode == status.Suspended:
		return ""
	case !t.retry.IsZero() && !now.Before(t.retry):
		return status.Retry
	case !now.Before(t.begins):
		t.reset(now, target)
		return status.Schedule
	}
	return ""
}

// next is when due has to be asked again; zero means that only somebody's
// request brings a pass.
func (t *timetable) next(target Target) time.Time {
	switch {
	case target.Mode == status.Suspended:
		return time.Time{}
	case !t.retry.IsZero() && t.retry.Before(t.begins):
		return t.retry
	}
	return t.begins
}
