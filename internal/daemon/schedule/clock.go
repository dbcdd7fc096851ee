package schedule

import "time"

// The steps of the wall clock that are reported. What is smaller changes no
// schedule that anybody would notice; going back is reported sooner, since it
// makes a scheduled moment come twice.
const (
	forwardStep  = time.Minute
	backwardStep = 5 * time.Second
)

// Jump is how far the wall clock was set while it went on by wall and the
// monotonic clock by elapsed: more than 0 when it was put forward or the machine
// was asleep, less when it was put back. It is 0 when the two differ by less
// than a minute ahead or five seconds behind, for a clock that is being
// corrected runs a little fast or slow all the time. They are to be compared
// every minute or so: over hours even that adds up.
func Jump(wall, elapsed time.Duration) time.Duration {
	if jump := wall - elapsed; jump >= forwardStep || jump <= -backwardStep {
		return jump
	}
	return 0
}
