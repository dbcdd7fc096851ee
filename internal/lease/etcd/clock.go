package etcd

import "time"

// Moment is one reading of a machine's two clocks.
type Moment struct {
	Mono time.Duration // goes on evenly, and stands still while some machines are suspended
	Wall time.Time     // goes on over a suspension, and is set by people and NTP
}

// SystemClock reads the clocks of this machine.
func SystemClock() func() Moment {
	start := time.Now()
	return func() Moment {
		now := time.Now()
		return Moment{Mono: now.Sub(start), Wall: now.Round(0)}
	}
}

// term is how long a lease surely lasts, by both clocks. The zero term is over.
type term struct {
	mono time.Duration
	wall time.Time
}

// lasting is the term of what was asked for at a moment, and granted for a time
// that etcd began to count later. What etcd's clock may run ahead of ours in that
// time is taken off.
func lasting(asked Moment, granted time.Duration) term {
	safe := granted - margin(granted)
	return term{mono: asked.Mono + safe, wall: asked.Wall.Add(safe)}
}

// left is what remains of the term, by the clock that says less. A wall clock
// that is set forward ends it; one that is set back changes nothing.
func (t term) left(now Moment) time.Duration {
	return min(t.mono-now.Mono, t.wall.Sub(now.Wall))
}

// margin is what is taken off a term: ten per cent, for clocks that do not run
// evenly and for a write that is on its way when the term ends.
func margin(granted time.Duration) time.Duration {
	return max(granted/10, 500*time.Millisecond)
}
