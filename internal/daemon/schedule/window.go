package schedule

import (
	"fmt"
	"slices"
	"time"
)

// The lengths that a window may have.
const (
	ShortestWindow = time.Minute
	LongestWindow  = 7 * 24 * time.Hour
)

// Window is a time in which something is allowed, again and again. It is as
// long as it says in real time, over midnight and a change of the clock too.
type Window struct {
	opens  Schedule
	length time.Duration
}

// ParseWindow reads when a window opens, as Parse does, and how long it stays
// open. A window that opens again before it has ever been shut is refused: what
// is always allowed needs no window.
func ParseWindow(opens string, length time.Duration, zone string) (Window, error) {
	s, err := Parse(opens, zone)
	if err != nil {
		return Window{}, fmt.Errorf("window: %w", err)
	}
	if length < ShortestWindow || length > LongestWindow {
		const most = int(LongestWindow / time.Hour)
		return Window{}, fmt.Errorf("window %q: %s is out of range: want between %s and %dh", s, length, ShortestWindow, most)
	}
	if gap := s.Interval(time.Date(2024, time.January, 1, 0, 0, 0, 0, time.UTC)); gap <= length {
		return Window{}, fmt.Errorf("window %q: it opens every %s for %s, and so is never shut: leave the windows out, or make it shorter", s, gap, length)
	}
	return Window{opens: s, length: length}, nil
}

// String is the opening and the length: "0 22 * * 1-5 (Europe/Berlin) for 4h0m0s".
func (w Window) String() string { return w.opens.String() + " for " + w.length.String() }

// opening is the earliest opening of those after which the window is open at a
// moment, if it is open.
func (w Window) opening(at time.Time) (time.Time, bool) {
	opened := w.opens.Next(at.Add(-w.length))
	return opened, !opened.IsZero() && !opened.After(at)
}

// Windows are open whenever one of them is. Without any, everything is allowed
// at all times.
type Windows []Window

// IsZero reports whether there are none.
func (w Windows) IsZero() bool { return len(w) == 0 }

// Open reports whether a window is open, from the moment it opens until just
// before the moment it shuts; also when there are none.
func (w Windows) Open(now time.Time) bool {
	return w.IsZero() || slices.ContainsFunc(w, func(window Window) bool {
		_, isOpen := window.opening(now)
		return isOpen
	})
}

// changes bounds the windows that Change follows, each opening before the one
// before has shut.
const changes = 5000

// Change is when Open changes next, in UTC: strictly after now. It is zero when
// there are no windows, and when one follows upon the other for as long as
// Change looks ahead.
func (w Windows) Change(now time.Time) time.Time {
	if w.IsZero() {
		return time.Time{}
	}
	if !w.Open(now) {
		return w.nextOpening(now)
	}
	until := now
	for range changes {
		shuts := w.shuts(until)
		if shuts.IsZero() {
			return until.UTC()
		}
		until = shuts
	}
	return time.Time{}
}

func (w Windows) nextOpening(now time.Time) time.Time {
	var first time.Time
	for _, window := range w {
		if opens := window.opens.Next(now); first.IsZero() || opens.Before(first) {
			first = opens
		}
	}
	return first
}

// shuts is when the last of the windows that are open at a moment shuts; zero
// when none is open.
func (w Windows) shuts(at time.Time) time.Time {
	var last time.Time
	for _, window := range w {
		if opened, isOpen := window.opening(at); isOpen && opened.Add(window.length).After(last) {
			last = opened.Add(window.length)
		}
	}
	return last
}
