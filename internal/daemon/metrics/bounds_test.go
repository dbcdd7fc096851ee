package metrics

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"profilesync/internal/daemon/status"
	"profilesync/internal/diff"
)

func named(names ...string) status.Daemon {
	d := status.Daemon{Now: now()}
	for _, name := range names {
		d.Targets = append(d.Targets, status.Target{Name: name, Mode: status.Apply})
	}
	return d
}

func TestARemovedTargetVanishesWithItsCounts(t *testing.T) {
	daemon := named("stays", "goes")
	m := New("1.2.3", func() status.Daemon { return daemon })
	count := func() {
		for _, target := range []string{"stays", "goes"} {
			m.Passed(status.Pass{Target: target, Outcome: status.Applied, Trigger: status.Push, Counts: status.Counts{Created: 1, Failed: 1}})
			m.Request(target, "GET", 200, time.Second)
		}
	}
	count()
	if text := ours(t, m); !strings.Contains(text, `profilesync_passes_total{outcome="applied",target="goes"} 1`) {
		t.Fatalf("not counted:\n%s", text)
	}
	daemon = named("stays")
	count() // its last pass ends after the reload
	text := ours(t, m)
	if strings.Contains(text, "goes") {
		t.Errorf("still there:\n%s", text)
	}
	if !strings.Contains(text, `profilesync_passes_total{outcome="applied",target="stays"} 2`) {
		t.Errorf("the other one has lost its counts:\n%s", text)
	}
	daemon = named("stays", "goes")
	if text := ours(t, m); !strings.Contains(text, `profilesync_passes_total{outcome="applied",target="goes"} 0`) {
		t.Errorf("back again, it does not begin at zero:\n%s", text)
	}
}

func TestAFirstEventIsAnIncrease(t *testing.T) {
	m := New("1.2.3", func() status.Daemon { return named("prod") })
	before := ours(t, m)
	m.Passed(status.Pass{Target: "prod", Trigger: status.Start, Outcome: status.Failed, Counts: status.Counts{Failed: 1}})
	m.GitRead(false, fmt.Errorf("no answer"))
	m.Hook("gitea", "denied")
	for _, series := range []string{
		`profilesync_passes_total{outcome="failed",target="prod"}`,
		`profilesync_pass_triggers_total{target="prod",trigger="start"}`,
		`profilesync_change_failures_total{target="prod"}`,
		`profilesync_pass_duration_seconds_count{target="prod"}`,
		`profilesync_source_reads_total{result="failed"}`,
		`profilesync_hooks_total{result="denied",sender="gitea"}`,
	} {
		if after := ours(t, m); !strings.Contains(before, series+" 0\n") || !strings.Contains(after, series+" 1\n") {
			t.Errorf("%s does not go from 0 to 1", series)
		}
	}
}

func TestHostileNamesDoNotBreakAScrape(t *testing.T) {
	for _, hostile := range []struct{ name, word string }{
		{"a quote", `a"b`},
		{"a line's end", "a\nprofilesync_ready 1\n"},
		{"a backslash at the end", `a\`},
		{"broken UTF-8", "a\xff\xfe"},
		{"a NUL", "a\x00b"},
		{"braces", `{a="b"} 1`},
		{"a megabyte", strings.Repeat("ä", 1<<19)},
		{"nothing", ""},
	} {
		t.Run(hostile.name, func(t *testing.T) {
			word := hostile.word
			m := New(word, func() status.Daemon {
				d := named(word, word) // twice, as well
				d.Instance, d.Owner = word, word
				d.Problems = []status.Problem{{Kind: word}}
				at := &d.Targets[0]
				at.Cloud, at.Region, at.Mode = word, word, status.Mode(word)
				at.Lease = status.Lease{Kind: word, Held: true, Holder: word, Problem: word}
				at.Revision.ID = word
				at.Plan = &status.Plan{Plan: diff.Plan{Changes: []diff.Change{{Block: diff.Block(word)}, {Block: diff.OwnedBy(word)}}}}
				return d
			})
			m.Passed(status.Pass{Target: word, Trigger: status.Trigger(word), Outcome: status.Outcome(word), Took: -1, Counts: status.Counts{Created: -1, Failed: -1}})
			m.Request(word, word, -1, -1)
			m.Hook(word, word)
			text := ours(t, m)
			if !utf8.ValidString(text) || strings.Count(text, "\nprofilesync_ready ") != 1 || len(text) > 40_000 {
				t.Errorf("%d bytes:\n%.2000s", len(text), text)
			}
		})
	}
}

func TestALabelIsShortAndUTF8(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := string(rapid.SliceOfN(rapid.Byte(), 0, 2*longest).Draw(t, "name"))
		if rapid.Bool().Draw(t, "in UTF-8") {
			name = rapid.StringN(0, -1, 2*longest).Draw(t, "text")
		}
		got := clean(name)
		if !utf8.ValidString(got) || len(got) > longest+len("…") {
			t.Fatalf("%q became %q", name, got)
		}
		if utf8.ValidString(name) && len(name) <= longest && got != name {
			t.Fatalf("%q needed no cleaning and became %q", name, got)
		}
		if clean(clean(name)) != got && len(got) <= longest {
			t.Fatalf("%q is not clean yet", got)
		}
	})
}

func TestNobodyMakesTheSeriesGrow(t *testing.T) {
	m := New("1.2.3", func() status.Daemon { return named("prod") })
	for i := range 2000 {
		word := fmt.Sprint("word ", i)
		m.Request("prod", word, i, 0)
		m.Hook(word, word)
		m.Hook("github", word)
		m.Passed(status.Pass{Target: "prod", Trigger: status.Trigger(word), Outcome: status.Outcome(word)})
	}
	families, err := m.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	series := map[string]int{}
	for _, family := range families {
		series[family.GetName()] = len(family.GetMetric())
	}
	for name, most := range map[string]int{
		"profilesync_cloud_requests_total": 70,
		"profilesync_hooks_total":          16 + 2,
		"profilesync_passes_total":         5 + 1,
		"profilesync_pass_triggers_total":  6 + 1,
	} {
		if series[name] > most || series[name] < 2 {
			t.Errorf("%s has %d series, at most %d are wanted", name, series[name], most)
		}
	}
}

// Scrapes, events and reloads at once are for the race detector; that the
// counts are right at the end is for everybody.
func TestScrapesWhilePassesGoOn(t *testing.T) {
	const workers, rounds = 4, 50
	var mu sync.Mutex
	odd := false
	m := New("1.2.3", func() status.Daemon {
		mu.Lock()
		defer mu.Unlock()
		if odd = !odd; odd {
			return named("stays", "comes and goes")
		}
		return named("stays")
	})
	var all sync.WaitGroup
	for range workers {
		all.Go(func() {
			for range rounds {
				m.Passed(status.Pass{Target: "stays", Outcome: status.Applied, Counts: status.Counts{Created: 1}})
				m.Passed(status.Pass{Target: "comes and goes", Outcome: status.Applied})
				m.Request("comes and goes", "GET", 200, time.Millisecond)
				m.GitRead(true, nil)
				m.Hook("github", "accepted")
			}
		})
		all.Go(func() {
			for range rounds / 5 {
				if _, err := m.registry.Gather(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	want := fmt.Sprintf("profilesync_changes_total{action=\"create\",target=\"stays\"} %d\n", workers*rounds)
	if text := ours(t, m); !strings.Contains(text, want) {
		t.Errorf("no %q in\n%s", want, text)
	}
}

func BenchmarkScrapeOfTwentyTargets(b *testing.B) {
	daemon := status.Daemon{Now: now()}
	for i := range 20 {
		target := prod()
		target.Name = fmt.Sprint("prod-", i)
		daemon.Targets = append(daemon.Targets, target)
	}
	m := New("1.2.3", func() status.Daemon { return daemon })
	for b.Loop() {
		if _, err := m.registry.Gather(); err != nil {
			b.Fatal(err)
		}
	}
}
