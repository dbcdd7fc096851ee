package schedule

import (
	"strings"
	"testing"
	"time"
)

func TestWhatIsNoWindowIsRefusedInWords(t *testing.T) {
	tests := []struct {
		name, opens string
		length      time.Duration
		want        string
	}{
		{"no expression", "sometimes", time.Hour, `window: schedule "sometimes": want five fields`},
		{"no length", "0 22 * * *", 0, "0s is out of range: want between 1m0s and 168h"},
		{"too short", "0 22 * * *", 59 * time.Second, "59s is out of range"},
		{"too long", "0 22 * * *", 7*24*time.Hour + 1, "out of range"},
		{"backwards", "0 22 * * *", -time.Hour, "-1h0m0s is out of range"},
		{"never shut", "* * * * *", time.Hour, "it opens every 1m0s for 1h0m0s, and so is never shut"},
		{"day upon day", "0 0 * * *", 24 * time.Hour, "never shut"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if window, err := ParseWindow(test.opens, test.length, ""); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v %q, want an error that says %q", err, window, test.want)
			}
		})
	}
}

func TestWindowsOpenAndShut(t *testing.T) {
	nights := window(t, "0 22 * * 1-5", 4*time.Hour, "Europe/Berlin")
	tests := []struct {
		name        string
		windows     Windows
		now         string
		want        bool
		wantChanges string
	}{
		{"none", nil, "2026-11-23T12:00:00Z", true, ""},
		{"before", Windows{nights}, "2026-11-23T20:59:59.999Z", false, "2026-11-23T21:00:00Z"},
		{"as it opens", Windows{nights}, "2026-11-23T21:00:00Z", true, "2026-11-24T01:00:00Z"},
		{"after midnight", Windows{nights}, "2026-11-24T00:59:59.999Z", true, "2026-11-24T01:00:00Z"},
		{"as it shuts", Windows{nights}, "2026-11-24T01:00:00Z", false, "2026-11-24T21:00:00Z"},
		{"Friday night lasts into Saturday", Windows{nights}, "2026-11-28T00:00:00Z", true, "2026-11-28T01:00:00Z"},
		{"no Saturday night", Windows{nights}, "2026-11-28T22:00:00Z", false, "2026-11-30T21:00:00Z"},
		{"four hours, though the clock goes forward", Windows{window(t, "0 0 * * 0", 4*time.Hour, "Europe/Berlin")}, "2026-03-28T23:30:00Z", true, "2026-03-29T03:00:00Z"},
		{"four hours, though the clock goes back", Windows{window(t, "0 0 * * 0", 4*time.Hour, "Europe/Berlin")}, "2026-10-24T22:30:00Z", true, "2026-10-25T02:00:00Z"},
		{"opens when its time is skipped", Windows{window(t, "30 2 * * *", time.Hour, "Europe/Berlin")}, "2026-03-29T01:00:00Z", true, "2026-03-29T02:00:00Z"},
		{"opens the first time round only", Windows{window(t, "30 2 * * *", time.Hour, "Europe/Berlin")}, "2026-10-25T01:30:00Z", false, "2026-10-26T01:30:00Z"},
		{"two that overlap are one", Windows{nights, window(t, "0 23 * * *", 5*time.Hour, "UTC")}, "2026-11-23T22:00:00Z", true, "2026-11-24T04:00:00Z"},
		{"two that touch are one", Windows{nights, window(t, "0 1 * * *", time.Hour, "UTC")}, "2026-11-23T22:00:00Z", true, "2026-11-24T02:00:00Z"},
		{"the short one within the long one", Windows{nights, window(t, "0 22 * * *", time.Minute, "UTC")}, "2026-11-23T22:00:00Z", true, "2026-11-24T01:00:00Z"},
		{"one that opens again and again", Windows{window(t, "* 8-18 * * *", time.Minute, "UTC")}, "2026-11-23T08:00:00Z", true, "2026-11-23T19:00:00Z"},
		{"one upon the other for ever", Windows{window(t, "0 0 * * 1-5", 24*time.Hour, "UTC"), window(t, "0 0 * * 0,6", 24*time.Hour, "UTC")}, "2026-11-23T08:00:00Z", true, ""},
		{"a week", Windows{window(t, "0 0 1 * *", LongestWindow, "UTC")}, "2026-11-07T23:59:59Z", true, "2026-11-08T00:00:00Z"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			now := moment(test.now)
			if got := test.windows.Open(now); got != test.want {
				t.Errorf("open is %t", got)
			}
			var want time.Time
			if test.wantChanges != "" {
				want = moment(test.wantChanges)
			}
			if got := test.windows.Change(now); !got.Equal(want) {
				t.Errorf("changes at %s, want %s", got, want)
			}
		})
	}
}

func TestAWindowIsShownAsConfigured(t *testing.T) {
	if got := window(t, "0 22 * * 1-5", 4*time.Hour, "Europe/Berlin").String(); got != "0 22 * * 1-5 (Europe/Berlin) for 4h0m0s" {
		t.Error(got)
	}
}

func window(t *testing.T, opens string, length time.Duration, zone string) Window {
	t.Helper()
	window, err := ParseWindow(opens, length, zone)
	if err != nil {
		t.Fatal(err)
	}
	return window
}
