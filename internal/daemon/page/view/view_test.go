package view

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"profilesync/internal/daemon/page/pagetest"
	"profilesync/internal/daemon/status"
	"profilesync/internal/diff"
)

var update = flag.Bool("update", false, "write the golden files anew")

// render gives the page of all targets, or of the one that is named.
func render(t interface{ Fatal(args ...any) }, data Data, name string) string {
	var out bytes.Buffer
	pages := New()
	err := errors.New("no such target")
	if name == "" {
		err = pages.Overview(&out, data)
	}
	at := slices.IndexFunc(data.Daemon.Targets, func(target status.Target) bool { return target.Name == name })
	if name != "" && at >= 0 {
		err = pages.Target(&out, data, data.Daemon.Targets[at])
	}
	if err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func of(passes []status.Pass, target string) []status.Pass {
	return slices.DeleteFunc(slices.Clone(passes), func(p status.Pass) bool { return p.Target != target })
}

func TestPagesLookAsReviewed(t *testing.T) {
	now := pagetest.Now(t)
	everyday, passes := pagetest.Everyday(now), pagetest.Passes(now)
	calm := everyday
	calm.Targets, calm.Problems = everyday.Targets[1:2], nil
	fresh := status.Daemon{Version: "1.4.0", Instance: "sync-1/1", Started: now, Now: now, Targets: []status.Target{{Name: "prod", Mode: status.Apply, StaleAfter: time.Minute}}}
	for name, row := range map[string]struct {
		data   Data
		target string
	}{
		"everyday":      {Data{Daemon: everyday, Passes: passes[:6]}, ""},
		"part":          {Data{Daemon: calm, Passes: of(passes, "staging")[:3], Part: true}, ""},
		"no-target":     {Data{Daemon: status.Daemon{Now: now, Started: now}}, ""},
		"just-started":  {Data{Daemon: fresh}, ""},
		"target":        {Data{Daemon: everyday, Passes: of(passes, "prod")[:4]}, "prod"},
		"target-failed": {Data{Daemon: everyday, Unread: true}, "edge"},
	} {
		t.Run(name, func(t *testing.T) {
			got := render(t, row.data, row.target)
			mustBeWellFormed(t, got)
			path := filepath.Join("testdata", name+".html")
			if *update {
				if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("%s differs; run the test with -update and look at the change.\ngot:\n%s", path, got)
			}
		})
	}
}

func TestWhatMattersIsOnThePage(t *testing.T) {
	now := pagetest.Now(t)
	data := Data{Daemon: pagetest.Everyday(now), Passes: pagetest.Passes(now)}
	for target, wanted := range map[string][]string{
		"": {
			"4 of 5 targets are ready", "webhook https://chat.example.org: connection refused", "legacy-asg", "WARNING", "c2000000-6b3c",
			"legacy-node-1", "not deleted: in use", "&#34;m1.small&#34; → &#34;m1.large&#34;", "(sensitive)", "web~77aa00bb", "signed by operator@example.org",
			"held by sync-2/311 (etcd)", "window closed, opens", "in 8 hours", "pass under way (push)", "the last 5 passes", "tried again",
			"connection to 192.0.2.7:8778 refused", "web/profiles, branch main, by operator", "Suspended"[1:], "profiles/worker.yaml:12",
		},
		"prod": {"prod: drift · profilesync", "legacy-asg", "It waits for the window, which opens", "apt-get install -y nginx-full"},
	} {
		got := render(t, data, target)
		for _, text := range wanted {
			if !strings.Contains(got, text) {
				t.Errorf("page %q does not say %q", target, text)
			}
		}
	}
}

// TestALargePlanIsBounded renders 5,000 changes, each with many users and fields.
func TestALargePlanIsBounded(t *testing.T) {
	now := pagetest.Now(t)
	everyday := pagetest.Everyday(now)
	one := pagetest.Plan().Changes
	var many []diff.Change
	for range 1250 {
		many = append(many, one...)
	}
	for range 10 {
		many[0].Users = append(many[0].Users, many[0].Users...)
		if len(many[0].Users) > 1000 {
			break
		}
	}
	plan := *everyday.Targets[0].Plan
	plan.Plan.Changes = many
	everyday.Targets[0].Plan = &plan
	for target, limit := range map[string]int{"": 200 << 10, "prod": 1200 << 10} {
		got := render(t, Data{Daemon: everyday}, target)
		if len(got) > limit {
			t.Errorf("page %q has %d bytes", target, len(got))
		}
		mustBeWellFormed(t, got)
		for _, want := range []string{"more. The plan as a whole", "… and 1004 more."} {
			if !strings.Contains(got, want) {
				t.Errorf("page %q does not say %q", target, want)
			}
		}
	}
}

func TestRelativeTimes(t *testing.T) {
	for since, want := range map[time.Duration]string{
		0: "just now", 9 * time.Second: "just now", -9 * time.Second: "in a moment", 10 * time.Second: "less than a minute ago", -59 * time.Second: "in less than a minute",
		time.Minute: "1 minute ago", 89 * time.Second: "1 minute ago", 90 * time.Second: "2 minutes ago", -59 * time.Minute: "in 59 minutes",
		59*time.Minute + 30*time.Second: "1 hour ago", -8*time.Hour + time.Second: "in 8 hours",
		47 * time.Hour: "47 hours ago", 48 * time.Hour: "2 days ago", -400 * 24 * time.Hour: "in 400 days",
	} {
		if got := relative(since); got != want {
			t.Errorf("%s: %q, want %q", since, got, want)
		}
	}
}

func TestAssetsAreThere(t *testing.T) {
	for _, name := range []string{"page.css", "page.js", "favicon.svg"} {
		if len(Asset(name)) == 0 {
			t.Errorf("%s is missing", name)
		}
	}
	if got := Asset("../view.go"); got != nil {
		t.Errorf("a file that is no asset: %d bytes", len(got))
	}
	css := string(Asset("page.css"))
	for _, foreign := range []string{"http:", "https:", "@import", "url("} {
		if strings.Contains(css, foreign) {
			t.Errorf("the style loads something: %s", foreign)
		}
	}
}

func TestAPageThatCannotBeWritten(t *testing.T) {
	if err := New().Overview(broken{}, Data{Daemon: pagetest.Everyday(pagetest.Now(t))}); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("got %v", err)
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }
