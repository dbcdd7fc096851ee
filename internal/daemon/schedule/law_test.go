package schedule

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// named is an expression together with what it names, so that a law can judge
// a minute without reading the expression.
type named struct {
	text   string
	minute map[int]bool
	hour   map[int]bool
	day    map[time.Weekday]bool
}

// anExpression draws minutes, hours and days of the week: enough for every way
// in which a clock that is set matters.
func anExpression(t *rapid.T) named {
	n := named{minute: map[int]bool{}, hour: map[int]bool{}, day: map[time.Weekday]bool{}}
	n.text = draw(t, "minute", 59, func(i int) { n.minute[i] = true }) + " " +
		draw(t, "hour", 23, func(i int) { n.hour[i] = true }) + " * * " +
		draw(t, "day", 6, func(i int) { n.day[time.Weekday(i)] = true })
	return n
}

func draw(t *rapid.T, name string, most int, add func(int)) string {
	step, from, to := 1, 0, most
	var text string
	switch rapid.IntRange(0, 3).Draw(t, name+" kind") {
	case 0:
		text = "*"
	case 1:
		step = rapid.IntRange(1, most).Draw(t, name+" step")
		text = fmt.Sprintf("*/%d", step)
	case 2:
		from = rapid.IntRange(0, most).Draw(t, name+" from")
		to = rapid.IntRange(from, most).Draw(t, name+" to")
		text = fmt.Sprintf("%d-%d", from, to)
	case 3:
		var list []string
		for _, i := range rapid.SliceOfNDistinct(rapid.IntRange(0, most), 1, 4, rapid.ID).Draw(t, name+" list") {
			list = append(list, fmt.Sprint(i))
			add(i)
		}
		return strings.Join(list, ",")
	}
	for i := from; i <= to; i += step {
		add(i)
	}
	return text
}

// reads reports whether the expression names what a clock shows.
func (n named) reads(clock time.Time) bool {
	return n.minute[clock.Minute()] && n.hour[clock.Hour()] && n.day[clock.Weekday()]
}

// comes reports whether the schedule runs in a minute, by looking at clocks
// only: what they show now, what they showed a minute and some hours ago.
func (n named) comes(minute time.Time, zone *time.Location) bool {
	now, before := reading(minute, zone), reading(minute.Add(-time.Minute), zone)
	if len(n.hour) == 24 {
		return n.reads(now)
	}
	for skipped := before.Add(time.Minute); skipped.Before(now); skipped = skipped.Add(time.Minute) {
		if n.reads(skipped) {
			return true
		}
	}
	if !n.reads(now) {
		return false
	}
	for ago := time.Minute; ago <= 3*time.Hour; ago += time.Minute {
		if reading(minute.Add(-ago), zone).Equal(now) {
			return false
		}
	}
	return true
}

// reading is what a clock on the wall shows, as a time in UTC.
func reading(at time.Time, zone *time.Location) time.Time {
	at = at.In(zone)
	return time.Date(at.Year(), at.Month(), at.Day(), at.Hour(), at.Minute(), 0, 0, time.UTC)
}

// aChange draws a zone and a moment close to a change of its clock, or anywhere.
func aChange(t *rapid.T) (zone string, near time.Time) {
	changes := []struct{ zone, at string }{
		{"UTC", "2026-06-01T00:00:00Z"},
		{"Europe/Berlin", "2026-03-29T01:00:00Z"},
		{"Europe/Berlin", "2026-10-25T01:00:00Z"},
		{"America/New_York", "2026-11-01T06:00:00Z"},
		{"America/Sao_Paulo", "2018-11-04T03:00:00Z"},
		{"America/Sao_Paulo", "2018-02-18T02:00:00Z"},
		{"Australia/Lord_Howe", "2026-10-03T15:30:00Z"},
		{"Australia/Lord_Howe", "2026-04-04T15:00:00Z"},
		{"Asia/Kathmandu", "2026-04-04T15:00:00Z"},
		{"Pacific/Apia", "2011-12-30T10:00:00Z"},
		{"Africa/Casablanca", "2026-02-15T02:00:00Z"},
		{"Antarctica/Troll", "2026-03-29T01:00:00Z"},
	}
	change := rapid.SampledFrom(changes).Draw(t, "change")
	around := rapid.IntRange(-1800, 1800).Draw(t, "minutes after it")
	return change.zone, moment(change.at).Add(time.Duration(around) * time.Minute)
}

func TestNextIsTheNextMinuteThatANaiveReaderFinds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		zone, at := aChange(t)
		n := anExpression(t)
		s := parsed(t, n.text, zone)
		at = at.Add(time.Duration(rapid.Int64Range(0, int64(time.Minute)-1).Draw(t, "into the minute")))
		next := s.Next(at)
		minute := at.Truncate(time.Minute)
		for range 2000 {
			minute = minute.Add(time.Minute)
			isNext := minute.Equal(next)
			if comes := n.comes(minute, s.zone); comes != isNext {
				t.Fatalf("%s, after %s: next is %s; at %s it comes: %t", s, at, next, minute, comes)
			}
			if isNext {
				return
			}
		}
		if next.Before(minute) {
			t.Fatalf("%s, after %s: next is %s", s, at, next)
		}
	})
}

func TestNextIsStrictlyAfterAndLeavesNothingOut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		zone, near := aChange(t)
		s := parsed(t, anExpression(t).text, zone)
		if rapid.Bool().Draw(t, "fixed distance") {
			s = parsed(t, fmt.Sprintf("@every %ds", rapid.IntRange(10, 100_000).Draw(t, "seconds")), zone)
		}
		if rapid.Bool().Draw(t, "any year") {
			near = time.Unix(rapid.Int64Range(-3e9, 1e10).Draw(t, "seconds since 1970"), 0)
		}
		next := s.Next(near)
		if !next.After(near) {
			t.Fatalf("%s: %s is not after %s", s, next, near)
		}
		between := near.Add(time.Duration(rapid.Int64Range(0, int64(next.Sub(near))-1).Draw(t, "later")))
		if again := s.Next(between); !again.Equal(next) {
			t.Fatalf("%s: next is %s from %s, and %s from %s", s, next, near, again, between)
		}
	})
}

func TestWindowsAreOpenWhenANaiveReaderSaysSo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		zone, from := aChange(t)
		var expressions []named
		var windows Windows
		for range rapid.IntRange(1, 2).Draw(t, "windows") {
			n := anExpression(t)
			length := time.Duration(rapid.IntRange(1, 36*60).Draw(t, "minutes")) * time.Minute
			window, err := ParseWindow(n.text, length, zone)
			if err != nil {
				t.Skip(err)
			}
			expressions, windows = append(expressions, n), append(windows, window)
		}
		const minutes = 300
		isOpen := make([]bool, minutes)
		for i, n := range expressions {
			length := int(windows[i].length / time.Minute)
			for opens := -length; opens < minutes; opens++ {
				if n.comes(from.Add(time.Duration(opens)*time.Minute), windows[i].opens.zone) {
					for open := max(opens, 0); open < min(opens+length, minutes); open++ {
						isOpen[open] = true
					}
				}
			}
		}
		for i, want := range isOpen {
			now := from.Add(time.Duration(i) * time.Minute)
			if windows.Open(now) != want || windows.Open(now.Add(time.Minute-1)) != want {
				t.Fatalf("%v at %s: open is %t, want %t", windows, now, windows.Open(now), want)
			}
		}
		changes := windows.Change(from)
		for i, open := range isOpen {
			now := from.Add(time.Duration(i) * time.Minute)
			if (open != isOpen[0]) && changes.After(now) {
				t.Fatalf("%v: changes by %s, not only at %s", windows, now, changes)
			}
		}
		if !changes.IsZero() && (!changes.After(from) || windows.Open(changes) == isOpen[0] || windows.Open(changes.Add(-1)) != isOpen[0]) {
			t.Fatalf("%v: nothing changes at %s", windows, changes)
		}
	})
}
