package schedule

import (
	"testing"
	"time"
)

func TestADayOfPassesIsAsLongAsTheDay(t *testing.T) {
	tests := []struct {
		name, zone, day string
		want            int
	}{
		{"clock put forward", "Europe/Berlin", "2026-03-29", 23 * 12},
		{"an ordinary day", "Europe/Berlin", "2026-03-30", 24 * 12},
		{"clock put back", "Europe/Berlin", "2026-10-25", 25 * 12},
		{"forward at midnight", "America/Sao_Paulo", "2018-11-04", 23 * 12},
		{"back at midnight", "America/Sao_Paulo", "2018-02-17", 25 * 12},
		{"forward by half an hour", "Australia/Lord_Howe", "2026-10-04", 23*12 + 6},
		{"back by half an hour", "Australia/Lord_Howe", "2026-04-05", 24*12 + 6},
		{"no summer time", "UTC", "2026-03-29", 24 * 12},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := parsed(t, "*/5 * * * *", test.zone)
			from, to := day(t, test.day, s.zone)
			runs := between(s, from, to)
			if len(runs) != test.want {
				t.Errorf("%d passes, want %d", len(runs), test.want)
			}
			for i, run := range runs {
				if want := from.Add(time.Duration(i) * 5 * time.Minute); !run.Equal(want) {
					t.Fatalf("pass %d is at %s, want %s", i, run.In(s.zone), want)
				}
			}
		})
	}
}

func TestANamedTimeComesOnceADay(t *testing.T) {
	tests := []struct {
		name, expression, zone, day string
		want                        []string // with their offsets, so that the first 02:30 differs from the second
	}{
		{"skipped", "30 2 * * *", "Europe/Berlin", "2026-03-29", []string{"03:00+02:00"}},
		{"skipped in part", "0,30 1-3 * * *", "Europe/Berlin", "2026-03-29", []string{"01:00+01:00", "01:30+01:00", "03:00+02:00", "03:30+02:00"}},
		{"skipped, and the next one later", "59 1,2,4 * * *", "Europe/Berlin", "2026-03-29", []string{"01:59+01:00", "03:00+02:00", "04:59+02:00"}},
		{"at the moment of the change", "0 3 * * *", "Europe/Berlin", "2026-03-29", []string{"03:00+02:00"}},
		{"twice", "30 2 * * *", "Europe/Berlin", "2026-10-25", []string{"02:30+02:00"}},
		{"at the start of what comes twice", "0 2 * * *", "Europe/Berlin", "2026-10-25", []string{"02:00+02:00"}},
		{"at its end", "0 3 * * *", "Europe/Berlin", "2026-10-25", []string{"03:00+01:00"}},
		{"some hours", "0 */2 * * *", "Europe/Berlin", "2026-10-25", []string{
			"00:00+02:00", "02:00+02:00", "04:00+01:00", "06:00+01:00", "08:00+01:00", "10:00+01:00",
			"12:00+01:00", "14:00+01:00", "16:00+01:00", "18:00+01:00", "20:00+01:00", "22:00+01:00",
		}},
		{"a midnight that is skipped", "0 0 * * *", "America/Sao_Paulo", "2018-11-04", []string{"01:00-02:00"}},
		{"a Sunday without its midnight", "0 0 * * 0", "America/Sao_Paulo", "2018-11-04", []string{"01:00-02:00"}},
		{"an hour before midnight, twice", "30 23 * * *", "America/Sao_Paulo", "2018-02-17", []string{"23:30-02:00"}},
		{"a day that was left out", "0 12 * * *", "Pacific/Apia", "2011-12-31", []string{"00:00+14:00", "12:00+14:00"}},
		{"every hour of its own accord", "30 * * * *", "Europe/Berlin", "2026-03-29", append([]string{"00:30+01:00", "01:30+01:00"}, hours(":30+02:00", 3, 23)...)},
		{"every hour, one twice", "30 * * * *", "Europe/Berlin", "2026-10-25", append([]string{"00:30+02:00", "01:30+02:00", "02:30+02:00"}, hours(":30+01:00", 2, 23)...)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := parsed(t, test.expression, test.zone)
			from, to := day(t, test.day, s.zone)
			var got []string
			for _, run := range between(s, from, to) {
				got = append(got, run.In(s.zone).Format("15:04-07:00"))
			}
			if len(got) != len(test.want) {
				t.Fatalf("got %v, want %v", got, test.want)
			}
			for i, want := range test.want {
				if got[i] != want {
					t.Errorf("run %d at %s, want %s", i, got[i], want)
				}
			}
		})
	}
}

// Twenty-four hours of a daemon across each change, its passes taking their
// time and begun a little late: the moments stay where they are.
func TestSlowPassesAndRestartsMoveNothing(t *testing.T) {
	for _, expression := range []string{"*/5 * * * *", "@every 5m"} {
		for _, start := range []string{"2026-03-28T12:00:00Z", "2026-10-24T12:00:00Z"} {
			s := parsed(t, expression, "Europe/Berlin")
			now, end, passes := moment(start), moment(start).Add(24*time.Hour), 0
			for tick := s.Next(now); !tick.After(end); tick = s.Next(now) {
				begins := tick.Add(Jitter("prod", tick, 30*time.Second))
				took := time.Duration(passes%7) * 40 * time.Second
				now = begins.Add(took)
				passes++
				if want := moment(start).Add(time.Duration(passes) * 5 * time.Minute); !tick.Equal(want) {
					t.Fatalf("%s: pass %d at %s, want %s", expression, passes, tick, want)
				}
				if passes%50 == 0 {
					s = parsed(t, expression, "Europe/Berlin") // a restart
				}
			}
			if passes != 288 {
				t.Errorf("%s: %d passes in 24 hours from %s, want 288", expression, passes, start)
			}
		}
	}
}

func TestARareDayIsFoundAcrossACentury(t *testing.T) {
	s := parsed(t, "0 0 29 2 *", "Europe/Berlin")
	if next := s.Next(moment("2096-03-01T00:00:00Z")); !next.Equal(moment("2104-02-28T23:00:00Z")) {
		t.Errorf("got %s", next)
	}
}

// The last day of a leap year is one for which the standard library gives wrong
// bounds of the zone.
func TestTheYearsGoOnAfter2037(t *testing.T) {
	s := parsed(t, "0 3 * * *", "Europe/Berlin")
	from := moment("2039-12-30T12:00:00Z")
	last := from
	for days := range 3 * 366 {
		run := s.Next(last)
		if shown := run.In(s.zone); shown.Format("15:04") != "03:00" {
			t.Fatalf("day %d: at %s", days, shown)
		}
		last = run
	}
	if want := from.AddDate(0, 0, 3*366); want.Sub(last) > 24*time.Hour {
		t.Errorf("after %d days it is %s, want one a day", 3*366, last)
	}
}

func TestTheIntervalIsTheLongestGap(t *testing.T) {
	tests := []struct {
		expression, zone  string
		shortest, longest time.Duration
	}{
		{"*/5 * * * *", "", 5 * time.Minute, 5 * time.Minute},
		{"@every 90s", "", 90 * time.Second, 90 * time.Second},
		{"*/7 * * * *", "", 4 * time.Minute, 7 * time.Minute},
		{"0 8-18 * * 1-5", "", time.Hour, 62 * time.Hour},
		{"*/5 8-18 * * *", "", 5 * time.Minute, 13*time.Hour + 5*time.Minute},
		{"0 3 * * 0", "", 7 * 24 * time.Hour, 7 * 24 * time.Hour},
		{"0 0 1 * *", "", 28 * 24 * time.Hour, 31 * 24 * time.Hour},
		{"0 0 * * *", "Europe/Berlin", 24 * time.Hour, 24 * time.Hour},
	}
	now := moment("2026-11-23T04:51:10Z")
	for _, test := range tests {
		s := parsed(t, test.expression, test.zone)
		if shortest, longest := s.Shortest(now), s.Interval(now); shortest != test.shortest || longest != test.longest {
			t.Errorf("%s: from %s to %s, want from %s to %s", s, shortest, longest, test.shortest, test.longest)
		}
	}
}

// day is a day of the calendar in a zone, from its first moment to the next
// day's.
func day(t *testing.T, date string, zone *time.Location) (from, to time.Time) {
	t.Helper()
	noon, err := time.ParseInLocation("2006-01-02 15:04", date+" 12:00", zone)
	if err != nil {
		t.Fatal(err)
	}
	first := func(noon time.Time) time.Time {
		at := noon
		for at.Day() == noon.Day() {
			at = at.Add(-30 * time.Minute)
		}
		return at.Add(30 * time.Minute)
	}
	return first(noon), first(noon.Add(24 * time.Hour))
}

func between(s Schedule, from, to time.Time) []time.Time {
	var runs []time.Time
	for run := s.Next(from.Add(-1)); run.Before(to); run = s.Next(run) {
		runs = append(runs, run)
	}
	return runs
}

func hours(rest string, from, to int) []string {
	var all []string
	for hour := from; hour <= to; hour++ {
		all = append(all, time.Date(2000, 1, 1, hour, 0, 0, 0, time.UTC).Format("15")+rest)
	}
	return all
}
