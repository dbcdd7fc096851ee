package schedule

import (
	"fmt"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestJitterSpreadsTargetsAndMoments(t *testing.T) {
	const most, targets, bins = 30 * time.Second, 3000, 10
	tick := moment("2026-11-23T05:00:00Z")
	spread := func(jitter func(i int) time.Duration) {
		t.Helper()
		var count [bins]int
		for i := range targets {
			wait := jitter(i)
			if wait < 0 || wait >= most {
				t.Fatalf("%d waits %s", i, wait)
			}
			count[wait*bins/most]++
		}
		for bin, n := range count {
			if n < targets/bins*3/4 || n > targets/bins*5/4 {
				t.Errorf("%d of %d in part %d of %d: %v", n, targets, bin, bins, count)
			}
		}
	}
	spread(func(i int) time.Duration { return Jitter(fmt.Sprintf("target-%d", i), tick, most) })
	spread(func(i int) time.Duration { return Jitter("prod", tick.Add(time.Duration(i)*5*time.Minute), most) })

	if Jitter("prod", tick, most) != Jitter("prod", tick.In(time.FixedZone("", 3600)), most) {
		t.Error("the same moment gives another jitter")
	}
	if Jitter("prod", tick, 0) != 0 || Jitter("prod", tick, -1) != 0 {
		t.Error("no jitter is no jitter")
	}
}

func TestBackoffDoublesUpToItsMost(t *testing.T) {
	b := Backoff{First: 30 * time.Second, Most: 15 * time.Minute}
	tests := []struct {
		failures int
		want     time.Duration
	}{
		{-1, 0},
		{0, 0},
		{1, 30 * time.Second},
		{2, time.Minute},
		{3, 2 * time.Minute},
		{5, 8 * time.Minute},
		{6, 15 * time.Minute},
		{7, 15 * time.Minute},
		{10_000, 15 * time.Minute},
		{math.MaxInt, 15 * time.Minute},
	}
	for _, test := range tests {
		if got := b.After(test.failures, 0.5); got != test.want {
			t.Errorf("after %d: %s, want %s", test.failures, got, test.want)
		}
	}
	if got := b.After(1, 0); got != 27*time.Second {
		t.Errorf("at the least %s", got)
	}
	if got := b.After(1, math.Nextafter(1, 0)); got < 33*time.Second-time.Microsecond || got > 33*time.Second {
		t.Errorf("at the most %s", got)
	}
	if got := (Backoff{First: time.Hour, Most: time.Minute}).After(1, 0.5); got != time.Minute {
		t.Errorf("a first wait above the most: %s", got)
	}
}

func TestBackoffNeverOverflows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := int64(math.MaxInt64) / 2
		b := Backoff{
			First: time.Duration(rapid.Int64Range(1, limit).Draw(t, "first")),
			Most:  time.Duration(rapid.Int64Range(1, limit).Draw(t, "most")),
		}
		failures := rapid.IntRange(1, 10_000).Draw(t, "failures")
		random := rapid.Float64Range(0, 0.999).Draw(t, "random")
		got, next := b.After(failures, random), b.After(failures+1, random)
		if got < 0 || got > b.Most+b.Most/10+1 || next < got {
			t.Fatalf("%+v: %s after %d, %s after one more", b, got, failures, next)
		}
	})
}
