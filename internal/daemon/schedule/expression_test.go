package schedule

import (
	"strings"
	"testing"
	"time"
)

func TestWhatIsNoScheduleIsRefusedInWords(t *testing.T) {
	tests := []struct{ name, expression, zone, want string }{
		{"nothing", "", "", `it is empty: want five fields such as "*/5 * * * *", or "@every 5m"`},
		{"blanks", " \t ", "", "it is empty"},
		{"six fields", "0 */5 * * * *", "", "seconds are not known"},
		{"four fields", "*/5 * * *", "", "want five fields: minute, hour,"},
		{"a sentence", "every five minutes", "", "want five fields"},
		{"a zone that panics in cron", "TZ=UTC", "", `set it apart, as in "time_zone: Europe/Berlin"`},
		{"another", "CRON_TZ=UTC", "", "set it apart"},
		{"an empty one", "TZ=", "", "set it apart"},
		{"a zone in its place for cron", "TZ=Europe/Berlin 0 3 * * *", "", "set it apart"},
		{"a zone in small letters", "cron_tz=UTC 0 3 * * *", "", "set it apart"},
		{"going backwards", "@every -1m", "", "-1m0s is out of range: want between 10s and 8784h"},
		{"all the time", "@every 0s", "", "0s is out of range"},
		{"too often", "@every 500ms", "", "500ms is out of range"},
		{"just too often", "@every 9999ms", "", "9.999s is out of range"},
		{"too fine", "@every 10s500ms", "", "10.5s is too fine: want whole seconds"},
		{"once in a lifetime", "@every 500000h", "", "out of range"},
		{"no duration", "@every day", "", `"day" is no duration: want one such as "@every 5m"`},
		{"no duration at all", "@every", "", `"" is no duration`},
		{"30 February", "0 0 30 2 *", "", "it never comes: no such day is in the calendar"},
		{"31 April and June", "0 0 31 4,6 *", "", "it never comes"},
		{"at boot", "@reboot", "", "there is a first pass at every start anyway"},
		{"an unknown word", "@often", "", "it is not known: want @yearly,"},
		{"capitals", "@Hourly", "", "it is not known"},
		{"minute 60", "60 * * * *", "", `minute "60": want *, 0-59, a range`},
		{"hour 24", "0 24 * * *", "", `hour "24": want *, 0-23, a range`},
		{"day 0", "0 0 0 * *", "", `day of the month "0": want *, 1-31, a range`},
		{"month 13", "0 0 1 13 *", "", `month "13": want *, 1-12 or JAN-DEC, a range`},
		{"another Sunday", "0 0 * * 7", "", "0-6 or SUN-SAT, Sunday being 0"},
		{"the last day", "0 0 L * *", "", `day of the month "L"`},
		{"a hash", "H * * * *", "", `minute "H"`},
		{"an empty list", ", * * * *", "", `minute ","`},
		{"a hole in a list", "1,,5 * * * *", "", `minute "1,,5"`},
		{"a star with an end, which cron takes for a star", "*-7 * * * *", "", `minute "*-7"`},
		{"a sign, which cron takes for none", "+5 * * * *", "", `minute "+5"`},
		{"a range that goes backwards", "0 22-6 * * *", "", `hour "22-6"`},
		{"a step of nothing", "*/0 * * * *", "", `minute "*/0"`},
		{"a step that is never taken, which cron takes for once an hour", "*/90 * * * *", "", `a step of 90 is never taken: want at most 59`},
		{"a zone that is none", "0 3 * * *", "Europe/Atlantis", `time zone "Europe/Atlantis" is not known: want a name such as "Europe/Berlin"`},
		{"the machine's zone", "0 3 * * *", "Local", `time zone "Local" is not known`},
		{"a path", "0 3 * * *", "../../etc/passwd", "is not known"},
		{"a zone that does not matter", "@every 5m", "Europe/Atlantis", "is not known"},
		{"a novel", strings.Repeat("1,", 200) + "1 * * * *", "", "it is longer than 256 characters"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s, err := Parse(test.expression, test.zone)
			if err == nil {
				t.Fatalf("taken as %q", s)
			}
			if !strings.HasPrefix(err.Error(), "schedule ") || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %q, want it to say %q", err, test.want)
			}
			if !s.IsZero() {
				t.Errorf("something came with the error: %q", s)
			}
		})
	}
}

func TestWhatIsAScheduleIsTaken(t *testing.T) {
	tests := []struct{ expression, zone, text, next string }{
		{"*/5 * * * *", "", "*/5 * * * *", "2026-11-23T04:55:00Z"},
		{"  */5  *\t* * * ", "UTC", "*/5 * * * *", "2026-11-23T04:55:00Z"},
		{"0 3 * * *", "Europe/Berlin", "0 3 * * * (Europe/Berlin)", "2026-11-24T02:00:00Z"},
		{"0 22 * * 1-5", "America/New_York", "0 22 * * 1-5 (America/New_York)", "2026-11-24T03:00:00Z"},
		{"0 22 * * MON-fri", "", "0 22 * * MON-fri", "2026-11-23T22:00:00Z"},
		{"10-50/20,5 4 ? nov *", "", "10-50/20,5 4 ? nov *", "2026-11-24T04:05:00Z"},
		{"@hourly", "", "@hourly", "2026-11-23T05:00:00Z"},
		{"@daily", "Asia/Kolkata", "@daily (Asia/Kolkata)", "2026-11-23T18:30:00Z"},
		{"@every 10s", "", "@every 10s", "2026-11-23T04:51:20Z"},
		{"@every 1h30m", "Europe/Berlin", "@every 1h30m", "2026-11-23T06:00:00Z"},
		{"0 0 29 2 *", "", "0 0 29 2 *", "2028-02-29T00:00:00Z"},
	}
	now := moment("2026-11-23T04:51:10.5Z")
	for _, test := range tests {
		t.Run(test.text, func(t *testing.T) {
			s := parsed(t, test.expression, test.zone)
			if s.String() != test.text {
				t.Errorf("shown as %q, want %q", s, test.text)
			}
			if next := s.Next(now); !next.Equal(moment(test.next)) || next.Location() != time.UTC {
				t.Errorf("next is %s, want %s", next, test.next)
			}
		})
	}
}

func TestTheZeroScheduleNeverComes(t *testing.T) {
	var s Schedule
	if !s.IsZero() || s.String() != "" || !s.Next(time.Now()).IsZero() || s.Interval(time.Now()) != 0 {
		t.Errorf("got %q, next %s", s, s.Next(time.Now()))
	}
}

// No text makes Parse panic, and what it takes comes again and again.
func FuzzParse(f *testing.F) {
	for _, expression := range []string{
		"*/5 * * * *", "TZ=UTC", "CRON_TZ=UTC", "TZ=", "TZ= ", "CRON_TZ=UTC 0 3 * * *", "@every 5m", "@every -1m", "@every 0s", "@every ", "@every",
		"0 0 30 2 *", "@reboot", "@hourly", "0 0 29 2 *", "59 23 31 12 ?", "1-5/2,7 * * JAN-MAR mon", "0 0 L * *", "* * * * 7", ", , , , ,", "99999999999999999999 * * * *",
	} {
		f.Add(expression, "Europe/Berlin")
	}
	f.Add("0 0 * * *", "America/Sao_Paulo")
	f.Add("0 0 * * *", "../etc")
	start := moment("2026-03-28T12:00:00Z")
	f.Fuzz(func(t *testing.T, expression, zone string) {
		s, err := Parse(expression, zone)
		if err != nil {
			return
		}
		at := start
		for range 5 {
			next := s.Next(at)
			if !next.After(at) {
				t.Fatalf("%q comes at %s, not after %s", s, next, at)
			}
			at = next
		}
		again, err := Parse(s.text, zone)
		if err != nil || again.String() != s.String() {
			t.Fatalf("%q is read back as %q: %v", s, again, err)
		}
	})
}

func parsed(t interface {
	Helper()
	Fatal(...any)
}, expression, zone string,
) Schedule {
	t.Helper()
	s, err := Parse(expression, zone)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func moment(text string) time.Time {
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		panic(err)
	}
	return at
}
