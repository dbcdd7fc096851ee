package schedule

import (
	"testing"
	"time"
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
