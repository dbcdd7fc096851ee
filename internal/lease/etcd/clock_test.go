package etcd

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestATermEndsByTheClockThatSaysLess(t *testing.T) {
	asked := Moment{Mono: time.Hour, Wall: time.Date(2026, 3, 29, 0, 59, 50, 0, time.UTC)}
	after := func(mono, wall time.Duration) Moment {
		return Moment{Mono: asked.Mono + mono, Wall: asked.Wall.Add(wall)}
	}
	for name, story := range map[string]struct {
		now  Moment
		left time.Duration
	}{
		"at once":                              {asked, 13500 * time.Millisecond},
		"later":                                {after(10*time.Second, 10*time.Second), 3500 * time.Millisecond},
		"at its end":                           {after(13500*time.Millisecond, 13500*time.Millisecond), 0},
		"a machine that slept":                 {after(time.Second, time.Hour), 13500*time.Millisecond - time.Hour},
		"a wall clock that was set back":       {after(time.Second, -time.Hour), 12500 * time.Millisecond},
		"a wall clock that was set back, late": {after(time.Minute, -time.Hour), -46500 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			if got := lasting(asked, 15*time.Second).left(story.now); got != story.left {
				t.Errorf("left is %s, want %s", got, story.left)
			}
		})
	}
	if got := (term{}).left(asked); got > 0 {
		t.Errorf("of no term %s is left", got)
	}
}

func TestATermEndsAMarginBeforeEtcdEndsIt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ttl := time.Duration(rapid.IntRange(2, 600).Draw(t, "seconds")) * time.Second
		left := lasting(Moment{}, ttl).left(Moment{})
		if lead := ttl - left; lead < ttl/10 || lead < 500*time.Millisecond || left < ttl/2 {
			t.Errorf("of %s only %s is used", ttl, left)
		}
	})
}

func TestTheSystemsClocksGoOn(t *testing.T) {
	clock := SystemClock()
	first := clock()
	time.Sleep(time.Millisecond)
	second := clock()
	if second.Mono <= first.Mono || !second.Wall.After(first.Wall) {
		t.Errorf("%v, then %v", first, second)
	}
	if second.Wall != second.Wall.Round(0) {
		t.Error("the wall clock's reading has a monotonic one in it, by which it would be compared")
	}
}
