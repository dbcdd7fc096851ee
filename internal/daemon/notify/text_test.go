package notify

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"profilesync/internal/daemon/status"
)

func TestMessages(t *testing.T) {
	lasting := failed("prod")
	lasting.failures = 12
	recovered := event{kind: Recovered, pass: pass("prod", 41*time.Minute, status.InSync), failures: 3, since: noon()}
	applied := event{kind: Applied, pass: changing(pass("prod", 0, status.Applied))}
	held := event{kind: Blocked, pass: holding(pass("prod", 0, status.Blocked), "web")}
	for name, row := range map[string]struct {
		events      []event
		title, text string
	}{
		"a failure": {
			[]event{failed("prod")},
			"profilesync: failed: prod",
			"failed: prod\n  read the source: connection refused\n  is the Git server up?\n  at 0123456789ab Say hello",
		},
		"a failure that lasts": {
			[]event{lasting},
			"profilesync: failed: prod",
			"failed: prod\n  read the source: connection refused\n  is the Git server up?\n  12 passes in a row, since 2026-03-28 12:00 UTC\n  at 0123456789ab Say hello",
		},
		"an end": {[]event{recovered}, "profilesync: recovered: prod", "recovered: prod\n  3 failed passes after 41m0s"},
		"a change": {
			[]event{applied},
			"profilesync: applied: prod",
			"applied: prod\n  1 created at 0123456789ab Say hello\n    create web",
		},
		"a block": {[]event{held}, "profilesync: blocked: prod", "blocked: prod\n  1 change\n    delete web: in use"},
		"several, the worst first": {
			[]event{applied, failed("test"), failed("b")},
			"profilesync: failed: 2 targets: test, b, and 1 more",
			"failed: 2 targets: test, b\n  read the source: connection refused\n  is the Git server up?\n  at 0123456789ab Say hello\n\n" +
				"applied: prod\n  1 created at 0123456789ab Say hello\n    create web",
		},
		"all changes of a target": {
			[]event{applied, applied},
			"profilesync: applied: prod",
			"applied: prod\n  1 created at 0123456789ab Say hello\n    create web\n  1 created at 0123456789ab Say hello\n    create web",
		},
		"the last of a target's failures": {
			[]event{failed("prod"), lasting},
			"profilesync: failed: prod",
			"failed: prod\n  read the source: connection refused\n  is the Git server up?\n  12 passes in a row, since 2026-03-28 12:00 UTC\n  at 0123456789ab Say hello",
		},
	} {
		t.Run(name, func(t *testing.T) {
			title, text := message(row.events, "https://status.example.org/")
			if want := row.text + "\n\nhttps://status.example.org/"; title != row.title || text != want {
				t.Errorf("got %q\n%s\nwant %q\n%s", title, text, row.title, want)
			}
		})
	}
}

func TestForeignTextStaysOneLine(t *testing.T) {
	e := event{kind: Blocked, pass: holding(pass("prod", 0, status.Blocked), "w\x1b[31meb\nfailed: all")}
	e.pass.Changes[0].Block = "in use\r\n\u202eby a cluster"
	_, text := message([]event{e}, "")
	if strings.ContainsAny(text, "\x1b\r\u202e") || strings.Contains(text, "\nfailed") {
		t.Errorf("got %q", text)
	}
}

func TestAMessageIsBounded(t *testing.T) {
	var events []event
	for i := range maxQueued {
		e := failed(strings.Repeat("ä", 60+i))
		e.pass.Error = strings.Repeat("é", 4000-i)
		events = append(events, e)
	}
	title, text := message(events, "https://status.example.org/")
	if len(title) > 160 || len(text) > maxMessage+40 || !utf8.ValidString(title+text) || !strings.HasSuffix(text, "\n\nhttps://status.example.org/") {
		t.Errorf("%d and %d bytes:\n%s", len(title), len(text), text)
	}
}
