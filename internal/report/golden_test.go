package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"profilesync/internal/apply"
	"profilesync/internal/diff"
	"profilesync/internal/live"
	"profilesync/internal/profile"
)

var update = flag.Bool("update", false, "write the golden files anew")

func golden(t *testing.T, name string, write func(io.Writer) error) {
	t.Helper()
	var got bytes.Buffer
	if err := write(&got); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Errorf("%s differs; run the test with -update and look at the change.\ngot:\n%s", path, got.String())
	}
}

func TestEveryOutputLooksAsReviewed(t *testing.T) {
	plan := func(plan diff.Plan) []Target { return []Target{{Name: plan.Target, Plan: &plan}} }
	staging := planOf(inSyncChanges(1)...)
	staging.Target, staging.Region = "staging", ""
	many := append(plan(everything()),
		Target{Name: "staging", Plan: &staging},
		Target{Name: "broken", Err: errors.New("cloud \"x\": connection refused")},
		Target{Name: "refused", Plan: &diff.Plan{Target: "refused", Cloud: "refused", Revision: "dir:0123456789abcdef"}, Err: errors.New("the documents ask for no profile at all")})
	kept := planOf(append(inSyncChanges(2), everything().Changes[11])...)
	for name, targets := range map[string][]Target{
		"everything": plan(everything()),
		"signed": {{Name: "prod", Plan: &staging, Commit: &Commit{
			Subject: "Resize the web tier", Author: "Ada", When: time.Date(2026, 3, 1, 8, 30, 0, 0, time.UTC), Signer: "ada@example.com",
		}}},
		"blocks":     plan(everyBlock()),
		"in-sync":    plan(planOf(inSyncChanges(12)...)),
		"only-kept":  plan(kept),
		"empty":      plan(planOf()),
		"nothing":    nil,
		"many":       many,
		"hostile":    {{Plan: new(hostile()), Commit: &Commit{Subject: "\x1b[2J`x` \u202e" + strings.Repeat("long ", 40), Author: "Eve\n"}}},
		"long":       plan(longValues()),
		"wide-names": plan(wideNames()),
		"result":     {{Name: "prod", Result: everyStatus()}},
	} {
		t.Run(name, func(t *testing.T) {
			golden(t, name+".txt", func(w io.Writer) error { return Text(w, targets, Style{}) })
			golden(t, name+".colour.txt", func(w io.Writer) error { return Text(w, targets, Style{Color: true, Width: 80}) })
			golden(t, name+".verbose.txt", func(w io.Writer) error { return Text(w, targets, Style{Verbose: true}) })
			golden(t, name+".json", func(w io.Writer) error { return JSON(w, targets) })
			golden(t, name+".md", func(w io.Writer) error { return Markdown(w, targets, 0) })
		})
	}
}

func longValues() diff.Plan {
	long := strings.Repeat("abcdefghij", 60)
	script := strings.Repeat("echo a line of a long script\n", 40)
	var fields []diff.Field
	for i := range 60 {
		fields = append(fields, diff.Field{Path: fmt.Sprintf("/metadata/k%02d", i), New: "v"})
	}
	return planOf(
		diff.Change{Action: diff.Create, Reason: diff.Missing, Name: "many-fields", Fields: fields},
		diff.Change{Action: diff.Recreate, Reason: diff.SpecDiffers, Name: "values", Before: liveNamed("values", "aa"), Fields: []diff.Field{
			{Path: "/metadata/moderate", Old: strings.Repeat("old", 15), New: strings.Repeat("new", 15)},
			{Path: "/spec/properties/created", New: script},
			{Path: "/spec/properties/end", Old: long + "x", New: long + "y"},
			{Path: "/spec/properties/list", Old: []any{long, long}, New: "short"},
			{Path: "/spec/properties/newline", Old: "one\ntwo", New: "one\ntwo\n"},
			{Path: "/spec/properties/spaces", Old: "one \n\ttwo\n", New: "one\n\ttwo\t\n"},
			{Path: "/spec/properties/rewritten", Old: script, New: strings.ReplaceAll(script, "long", "short")},
			{Path: "/spec/properties/gone", Old: "one\ntwo\n"},
			{Path: "/spec/properties/null"},
			{Path: "/spec/properties/cleared", Old: "one\ntwo\n", New: ""},
		}},
	)
}

func wideNames() diff.Plan {
	return planOf(
		diff.Change{Action: diff.Delete, Reason: diff.NotDesired, Name: "前端", Before: liveNamed("前端", "e0")},
		diff.Change{Action: diff.Create, Reason: diff.Missing, Name: "a-name-that-is-longer-than-the-column-of-names"},
		diff.Change{Action: diff.Create, Reason: diff.Missing, Name: "web tier"},
		diff.Change{Action: diff.Create, Reason: diff.Missing, Name: ""},
	)
}

func TestStalePlanIsExplained(t *testing.T) {
	approved, now := everything(), everything()
	now.Revision = "aaaa9c1be07d3355aa10c2b47c9b1d0e8f6a7b21"
	now.Changes = append(now.Changes[:1:1], now.Changes[2:]...)                 // gone
	now.Changes[3].Fields = append([]diff.Field(nil), now.Changes[3].Fields...) // another value
	now.Changes[3].Fields[2].New = "platform"                                   //
	now.Changes[7].Block = diff.InUse                                           // blocked by now
	now.Changes[1].Earlier = liveNamed("back~bbbbbbbb", "bbbbbbbb")             // another generation
	now.Changes = append(now.Changes, diff.Change{Action: diff.Create, Reason: diff.Missing, Name: "zebra", Fields: []diff.Field{{Path: "/spec/type", New: "x"}}})
	golden(t, "stale.txt", func(w io.Writer) error { return Stale(w, approved, now, Style{}) })
	golden(t, "stale-same.txt", func(w io.Writer) error { return Stale(w, approved, approved, Style{}) })
	golden(t, "stale-hostile.txt", func(w io.Writer) error { return Stale(w, hostile(), everyBlock(), Style{}) })
}

func rows() []Row {
	web := liveNamed("web", "1a2b3c4d")
	web.Updated = web.Created.Add(time.Hour)
	web.Metadata = profile.Marks{Owner: "git", Source: "profiles/web.yaml", Revision: testRevision, Protected: true}.On(map[string]any{"team": "web", "on call": []any{"a", "b"}, "none": nil, "empty": map[string]any{}})
	web.Spec = profile.Spec{Type: "os.nova.server", Version: "1.0", Properties: profile.Properties{
		"flavor": "m1.small", "admin_pass": "hunter2", "networks": []any{map[string]any{"network": "private"}},
		"context": map[string]any{"auth_token": "hunter2"}, "note": "two\nlines\n", "size": json.Number("12345678901234567890"),
	}}
	old := liveNamed("web~77aa00bb", "77aa00bb")
	old.Metadata = profile.Marks{Owner: "git", Superseded: "web"}.On(nil)
	old.Spec = web.Spec
	foreign := liveNamed(evil, "ee")
	foreign.Metadata = nil
	foreign.Spec = profile.Spec{Type: "os.heat.stack" + evil, Version: "1.0"}
	return []Row{
		{Profile: *web, Users: []live.User{clusterUser("web-asg", "ACTIVE"), {Kind: live.Node, ID: liveID("d1"), Name: "n1"}, {Kind: live.Node, ID: liveID("d2"), Name: "n2"}}},
		{Profile: *old, Users: []live.User{clusterUser("web-asg", "ACTIVE")}},
		{Profile: *foreign},
	}
}

func TestLiveProfilesLookAsReviewed(t *testing.T) {
	golden(t, "list.txt", func(w io.Writer) error { return ListText(w, rows()[:2], Style{}) })
	golden(t, "list.narrow.txt", func(w io.Writer) error { return ListText(w, rows()[:2], Style{Width: 100, Color: true}) })
	golden(t, "list.hostile.txt", func(w io.Writer) error { return ListText(w, rows(), Style{}) })
	golden(t, "list.empty.txt", func(w io.Writer) error { return ListText(w, nil, Style{}) })
	golden(t, "list.json", func(w io.Writer) error { return ListJSON(w, rows()) })
	golden(t, "list.md", func(w io.Writer) error { return ListMarkdown(w, rows(), 0) })
	golden(t, "list.cut.md", func(w io.Writer) error { return ListMarkdown(w, rows(), 300) })
	golden(t, "show.txt", func(w io.Writer) error { return ShowText(w, rows(), Style{}) })
	golden(t, "show.json", func(w io.Writer) error { return ShowJSON(w, rows()) })
	golden(t, "show.md", func(w io.Writer) error { return ShowMarkdown(w, rows()[:1], 0) })
}

func TestWhatIsInDoubtIsNotCalledUndone(t *testing.T) {
	result := apply.Result{Outcomes: []apply.Outcome{{
		Change: diff.Change{Action: diff.Create, Reason: diff.Missing, Name: "web"},
		Status: apply.Failed, Err: fmt.Errorf("create profile: %w", profile.ErrInDoubt),
	}}}
	targets := []Target{{Name: "prod", Result: &result}}
	for name, write := range map[string]func(io.Writer) error{
		"perhaps created, in doubt: missing": func(w io.Writer) error { return Text(w, targets, Style{}) },
		"perhaps created, in doubt":          func(w io.Writer) error { return Markdown(w, targets, 0) },
		`"in_doubt":true`:                    func(w io.Writer) error { return JSON(w, targets) },
	} {
		var got bytes.Buffer
		if err := write(&got); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(got.String(), name) || strings.Contains(got.String(), "not created") {
			t.Errorf("does not say %q:\n%s", name, &got)
		}
	}
}
