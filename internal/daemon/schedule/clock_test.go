package schedule

import (
	"testing"
	"time"
	"unsafe"
)

func TestOnlyAClockThatIsSetJumps(t *testing.T) {
	tests := []struct {
		name                string
		wall, elapsed, want time.Duration
	}{
		{"both go on", 30 * time.Second, 30 * time.Second, 0},
		{"corrected by NTP for an hour, fast", time.Hour + 1800*time.Millisecond, time.Hour, 0},
		{"corrected by NTP for an hour, slow", time.Hour - 1800*time.Millisecond, time.Hour, 0},
		{"corrected by chrony at its fastest", 27500 * time.Millisecond, 30 * time.Second, 0},
		{"a leap second", 29 * time.Second, 30 * time.Second, 0},
		{"forward, a little", 30*time.Second + 59*time.Second, 30 * time.Second, 0},
		{"forward", 90 * time.Second, 30 * time.Second, time.Minute},
		{"asleep for a night", 8 * time.Hour, 10 * time.Second, 8*time.Hour - 10*time.Second},
		{"back, a little", 26 * time.Second, 30 * time.Second, 0},
		{"back", 25 * time.Second, 30 * time.Second, -5 * time.Second},
		{"back by a day", -24 * time.Hour, 30 * time.Second, -24*time.Hour - 30*time.Second},
		{"seen out of order", -time.Millisecond, -time.Millisecond, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := Jump(test.wall, test.elapsed); got != test.want {
				t.Errorf("jump of %s, want %s", got, test.want)
			}
		})
	}
}

func TestAClockIsComparedWithItsLastReading(t *testing.T) {
	var clock Clock
	now := time.Now()
	steps := []struct {
		name       string
		set, after time.Duration
		want       time.Duration
	}{
		{"first", 0, 0, 0},
		{"an hour later", 0, time.Hour, 0},
		{"set forward", 5 * time.Minute, time.Minute, 5 * time.Minute},
		{"a minute later", 0, time.Minute, 0},
		{"set back", -10 * time.Second, time.Second, -10 * time.Second},
		{"a minute later again", 0, time.Minute, 0},
		{"set forward a little", 30 * time.Second, time.Minute, 0},
		{"and a little more", 40 * time.Second, time.Minute, 0},
	}
	for _, step := range steps {
		now = set(now.Add(step.after), step.set)
		if jump := clock.See(now); jump != step.want {
			t.Errorf("%s: jump of %s, want %s", step.name, jump, step.want)
		}
	}
	if jump := clock.See(now.Round(0).Add(time.Hour)); jump != 0 {
		t.Errorf("without a monotonic part there is nothing to compare with: jump of %s", jump)
	}
}

// set is what time.Now would give if the wall clock had just been set: the
// monotonic part, which is the second word of a time, stays behind. There is no
// other way to make such a time.
func set(now time.Time, by time.Duration) time.Time {
	now = now.Add(by)
	*(*int64)(unsafe.Add(unsafe.Pointer(&now), 8)) -= int64(by)
	return now
}
