package schedule

import "time"

// The steps of the wall clock that are reported. What is smaller changes no
// schedule that anybody would notice; going back is reported sooner, since it
// makes a scheduled moment come twice.
const (
	forwardStep  = time.Minute
	backwardStep = 5 * time.Second
)

// Clock finds out when somebody sets the wall clock, or when the machine was
// asleep. The zero Clock is ready. It may not be used by two goroutines at once.
type Clock struct{ last time.Time }

// See takes the time as time.Now gave it, and is how far the wall clock jumped
// since the last time, 0 when it did not. It has to be called now and then: a
// clock that is slewed for hours between two calls looks as if it had been set.
func (c *Clock) See(now time.Time) (jump time.Duration) {
	last := c.last
	c.last = now
	if last.IsZero() {
		return 0
	}
	return Jump(now.Round(0).Sub(last.Round(0)), now.Sub(last))
}

// Jump is how far the wall clock was set while it went on by wall and the
// monotonic clock by elapsed: more than 0 when it was put forward, less when it
// was put back. It is 0 when the two differ by less than a minute ahead or five
// seconds behind, for a clock that is being corrected runs a little fast or
// slow all the time.
func Jump(wall, elapsed time.Duration) time.Duration {
	if jump := wall - elapsed; jump >= forwardStep || jump <= -backwardStep {
		return jump
	}
	return 0
}
