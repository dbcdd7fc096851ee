package schedule

import (
	"encoding/binary"
	"hash/fnv"
	"time"
)

// Jitter is how much later than its scheduled moment a target's pass begins, at
// least 0 and less than most. It is the same whenever it is asked for, and
// differs between targets and from one moment to the next, so that many targets
// of one schedule do not ask the cloud at once. The most has to be less than
// half of the schedule's Shortest.
func Jitter(name string, tick time.Time, most time.Duration) time.Duration {
	if most <= 0 {
		return 0
	}
	hash := fnv.New64a()
	var moment [8]byte
	binary.BigEndian.PutUint64(moment[:], uint64(tick.Unix()))
	hash.Write(moment[:])
	hash.Write([]byte(name))
	return time.Duration(mixed(hash.Sum64()) % uint64(most))
}

// mixed lets every bit of a hash depend on all of them: two names that differ
// in their last letter differ in the low bits only.
func mixed(hash uint64) uint64 {
	hash = (hash ^ hash>>33) * 0xff51afd7ed558ccd
	hash = (hash ^ hash>>33) * 0xc4ceb9fe1a85ec53
	return hash ^ hash>>33
}

// Backoff is how long to wait before what failed is tried again: First after
// one failure, twice as long after each further one, and no longer than Most.
type Backoff struct{ First, Most time.Duration }

// After is the wait after a number of failures one after the other, none for
// none. A random number of at least 0 and less than 1 spreads it by a tenth to
// either side, Most too: what failed together is not to come back together.
func (b Backoff) After(failures int, random float64) time.Duration {
	if failures <= 0 || b.First <= 0 {
		return 0
	}
	wait := min(b.First, b.Most)
	for range failures - 1 {
		if wait > b.Most/2 {
			wait = b.Most
			break
		}
		wait *= 2
	}
	return wait - wait/10 + time.Duration(random*float64(wait/5))
}
