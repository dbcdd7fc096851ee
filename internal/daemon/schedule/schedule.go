// Package schedule says when: when the next pass is due, when a window opens
// and shuts, how long to wait after failures, and whether somebody has set the
// clock.
//
// Everything in it is a function of what it is given. The time is always passed
// in; nothing here reads a clock, sleeps or starts a goroutine, so that a day
// with a change to summer time takes a test a few milliseconds.
//
// Expressions are cron's, and cron is asked one question only: which reading of
// a clock on the wall comes next. When that clock shows it, and what becomes of
// a reading that is skipped or shown twice, is decided in Next.
package schedule

import (
	"time"

	"github.com/robfig/cron/v3"
)

// Schedule is a cron expression in its time zone, or a fixed distance. It is a
// plain value; the zero Schedule never comes.
type Schedule struct {
	text   string
	zone   *time.Location
	every  time.Duration // of "@every"; the rest is then empty
	wall   *cron.SpecSchedule
	hourly bool // every hour of the day is named
}

// String is the expression as it was configured, and its zone unless that is
// UTC: "0 3 * * * (Europe/Berlin)".
func (s Schedule) String() string {
	if s.every > 0 || s.zone == nil || s.zone == time.UTC {
		return s.text
	}
	return s.text + " (" + s.zone.String() + ")"
}

// IsZero reports whether this is no schedule at all.
func (s Schedule) IsZero() bool { return s.every == 0 && s.wall == nil }

// spans bounds the stretches of time between two changes of a zone's clock that
// Next looks through. Morocco has four a year, and 29 February is at most eight
// years away.
const spans = 200

// Next is the first run strictly after a moment, in UTC. It depends on that
// moment alone: a run that took long or a restart moves no later run. Only the
// zero Schedule has none, and then the result is zero.
//
// "@every 5m" runs at the multiples of 5 minutes since the beginning of year 1,
// so at :00, :05 and so on; the zone does not matter to it.
//
// In a zone with summer time, an expression that names hours ("30 2 * * *")
// runs once for each time that it names: at the moment the clock is put forward
// when the time is skipped, and the first time round when it comes twice. One
// that runs in every hour ("*/5 * * * *") keeps its distance in real time: it
// leaves out what is skipped, and runs again when an hour comes again.
func (s Schedule) Next(after time.Time) time.Time {
	switch {
	case s.every > 0:
		return after.UTC().Truncate(s.every).Add(s.every)
	case s.wall == nil:
		return time.Time{}
	}
	from := after.Round(0) // searched strictly after it
	span := from.In(s.zone)
	for range spans {
		start, end := bounds(span)
		offset := offsetOf(span)
		shown := nextShown(s.wall, from.Add(offset))
		if shown.IsZero() {
			return time.Time{}
		}
		next := shown.Add(-offset)
		switch {
		case end.IsZero() || next.Before(end):
			again := s.repeated(start, offset)
			if !next.Before(again) {
				return next.UTC()
			}
			from = again.Add(-1)
		case !s.hourly && next.Before(end.Add(offsetOf(end)-offset)):
			return end.UTC() // what is skipped is made up for at once
		default:
			from, span = end.Add(-1), end
		}
	}
	return time.Time{}
}

// bounds is the stretch around a moment in which a zone's clock is not changed.
// From 2038 on, where a zone goes by its rule, Go 1.26 lets a leap year end with
// its 365th day: on the last one, the end that it gives has gone by already.
func bounds(at time.Time) (start, end time.Time) {
	const day = 24 * time.Hour
	start, end = at.ZoneBounds()
	if !end.IsZero() && !end.After(at) {
		end = at.Truncate(day).Add(day)
	}
	return start, end
}

// repeated is when a clock that was put back at start shows what it has never
// shown before; zero when it need not be asked.
func (s Schedule) repeated(start time.Time, offset time.Duration) time.Time {
	if s.hourly || start.IsZero() {
		return time.Time{}
	}
	return start.Add(offsetOf(start.Add(-1)) - offset)
}

// offsetOf is how far a zone's clock is ahead of UTC at a moment.
func offsetOf(at time.Time) time.Duration {
	_, seconds := at.Zone()
	return time.Duration(seconds) * time.Second
}

// nextShown is the next reading that an expression names, as if the clock on
// the wall were in UTC. Cron gives up after five years, and 2100 has no
// 29 February.
func nextShown(wall *cron.SpecSchedule, after time.Time) time.Time {
	after = after.UTC()
	for range 3 {
		if next := wall.Next(after); !next.IsZero() {
			return next
		}
		after = after.AddDate(4, 0, 0)
	}
	return time.Time{}
}

// Interval is the longest time between two runs of the coming week, such as
// over a weekend, or of the coming five runs when they are rarer. A target
// without a good pass for much longer is stale.
func (s Schedule) Interval(after time.Time) time.Duration {
	_, longest := s.gaps(after)
	return longest
}

// Shortest is the shortest time between two runs of those that Interval looks
// at. Jitter has to stay below half of it.
func (s Schedule) Shortest(after time.Time) time.Duration {
	shortest, _ := s.gaps(after)
	return shortest
}

func (s Schedule) gaps(after time.Time) (shortest, longest time.Duration) {
	if s.every > 0 || s.IsZero() {
		return s.every, s.every
	}
	const atLeast, enough = 5, 8 * 24 * time.Hour
	last := s.Next(after)
	for count := 0; count < atLeast || last.Sub(after) < enough; count++ {
		next := s.Next(last)
		gap := next.Sub(last)
		if count == 0 {
			shortest = gap
		}
		shortest, longest = min(shortest, gap), max(longest, gap)
		last = next
	}
	return shortest, longest
}
