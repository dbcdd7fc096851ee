package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"

	"profilesync/internal/apply"
	"profilesync/internal/desired"
	"profilesync/internal/diff"
	"profilesync/internal/live"
	"profilesync/internal/profile"
)

// foreign draws text that somebody else chose, often to do harm.
func foreign() *rapid.Generator[string] {
	return rapid.OneOf(
		rapid.StringMatching(`[a-z]{1,8}`),
		rapid.String(),
		rapid.SampledFrom([]string{
			evil, "", "`", "``` ```", "</details>", "<!--", "-->", "@octocat", "|", "\x1b]0;x\x07", "\u009b2J", "a\nb\r\n", " x ",
			"\u202etxt", strings.Repeat("`", 70), strings.Repeat("long ", 400), "\xff\xfe", "#1", "- x", "\n\n</code></summary>\n", "![](x)",
			"error: x",
		}),
	)
}

func value(depth int) *rapid.Generator[any] {
	leaves := []*rapid.Generator[any]{
		rapid.Just[any](nil), rapid.Just[any](true), foreign().AsAny(),
		rapid.Map(rapid.Int64(), func(n int64) any { return json.Number(fmt.Sprint(n)) }),
		rapid.Just[any](json.Number("12345678901234567890.50")),
	}
	if depth == 0 {
		return rapid.OneOf(leaves...)
	}
	return rapid.OneOf(append(leaves,
		rapid.SliceOfN(value(depth-1), 0, 3).AsAny(),
		rapid.MapOfN(foreign(), value(depth-1), 0, 3).AsAny(),
	)...)
}

func change() *rapid.Generator[diff.Change] {
	return rapid.Custom(func(t *rapid.T) diff.Change {
		c := diff.Change{
			Action: rapid.SampledFrom([]diff.Action{diff.NoOp, diff.Create, diff.Update, diff.Recreate, diff.Delete}).Draw(t, "action"),
			Name:   foreign().Draw(t, "name"),
			Reason: rapid.SampledFrom([]diff.Reason{
				diff.InSync, diff.Missing, diff.LabelsDiffer, diff.SpecDiffers, diff.Restores,
				diff.Renamed, diff.Adopted, diff.TakenOver, diff.Duplicate, diff.NotDesired, diff.Superseded,
			}).Draw(t, "reason"),
			Block: rapid.SampledFrom([]diff.Block{
				"", "", "", diff.InUse, diff.Protected, diff.PruneOff, diff.NotOurs, diff.Ambiguous, diff.OwnedBy(evil),
			}).Draw(t, "block"),
			File: foreign().Draw(t, "file"), Line: rapid.IntRange(0, 99).Draw(t, "line"),
		}
		for range rapid.IntRange(0, 3).Draw(t, "fields") {
			c.Fields = append(c.Fields, diff.Field{
				Path: "/metadata/" + foreign().Draw(t, "path"), Old: value(2).Draw(t, "old"), New: value(2).Draw(t, "new"),
			})
		}
		for range rapid.IntRange(0, 3).Draw(t, "users") {
			c.Users = append(c.Users, live.User{Kind: live.Cluster, ID: foreign().Draw(t, "user"), Name: foreign().Draw(t, "user name"), Status: foreign().Draw(t, "status")})
		}
		if c.Action != diff.Create && rapid.Bool().Draw(t, "live") {
			c.Earlier = rapid.SampledFrom([]*live.Profile{nil, liveNamed("web~0a1b2c3d", "0a1b2c3d")}).Draw(t, "earlier")
			c.Before = &live.Profile{ID: foreign().Draw(t, "id"), Profile: profile.Profile{Name: foreign().Draw(t, "before")}}
		}
		return c
	})
}

func targetsOf(t *rapid.T) []Target {
	var targets []Target
	for range rapid.IntRange(0, 3).Draw(t, "targets") {
		plan := diff.Plan{
			Target: foreign().Draw(t, "target"), Cloud: foreign().Draw(t, "cloud"), Region: foreign().Draw(t, "region"),
			Project: foreign().Draw(t, "project"), Revision: foreign().Draw(t, "revision"), Owner: foreign().Draw(t, "owner"),
			Changes: rapid.SliceOfN(change(), 0, 6).Draw(t, "changes"),
		}
		target := Target{Name: plan.Target, Plan: &plan}
		if rapid.IntRange(0, 4).Draw(t, "err") == 0 {
			target.Err = errors.New(foreign().Draw(t, "error"))
		}
		switch rapid.IntRange(0, 3).Draw(t, "kind") {
		case 0:
			target.Plan, target.Err = nil, errors.New(foreign().Draw(t, "error"))
		case 1:
			target.Result = resultOf(t, plan)
		}
		targets = append(targets, target)
	}
	return targets
}

func resultOf(t *rapid.T, plan diff.Plan) *apply.Result {
	result := &apply.Result{Plan: plan}
	for _, c := range plan.Changes {
		o := apply.Outcome{Change: c, Took: time.Duration(rapid.IntRange(0, 1e6).Draw(t, "took")) * time.Microsecond, Kept: rapid.Bool().Draw(t, "kept")}
		o.Status = rapid.SampledFrom([]apply.Status{apply.Done, apply.Unchanged, apply.Blocked, apply.Skipped, apply.Failed}).Draw(t, "status")
		if o.Status == apply.Failed || o.Status == apply.Skipped {
			o.Err = errors.Join(errors.New(foreign().Draw(t, "why")), errors.New(foreign().Draw(t, "and")))
		}
		o.NewID = foreign().Draw(t, "new id")
		result.Outcomes = append(result.Outcomes, o)
	}
	return result
}

func written(t interface{ Fatal(args ...any) }, write func(io.Writer) error) string {
	var out bytes.Buffer
	if err := write(&out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

var ownColours = regexp.MustCompile("\x1b\\[(0|1|2|31|32|33)m")

func TestTextCannotDriveATerminal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		targets := targetsOf(t)
		style := Style{Width: rapid.IntRange(0, 150).Draw(t, "width"), Verbose: rapid.Bool().Draw(t, "verbose")}
		bare := written(t, func(w io.Writer) error { return Text(w, targets, style) })
		style.Color = true
		coloured := written(t, func(w io.Writer) error { return Text(w, targets, style) })
		if stripped := ownColours.ReplaceAllString(coloured, ""); trimLines(stripped) != trimLines(bare) {
			t.Fatalf("colour changes the text:\n%q\n%q", stripped, bare)
		}
		mustBeHarmless(t, bare)
	})
}

func TestOtherTextCannotDriveATerminal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := live.Profile{ID: foreign().Draw(t, "id"), Profile: profile.Profile{
			Name:     foreign().Draw(t, "name"),
			Metadata: rapid.MapOfN(foreign(), value(2), 0, 3).Draw(t, "metadata"),
			Spec:     profile.Spec{Type: foreign().Draw(t, "type"), Version: foreign().Draw(t, "version"), Properties: rapid.MapOfN(foreign(), value(2), 0, 3).Draw(t, "properties")},
		}}
		p.Metadata[profile.OwnerKey], p.Metadata[profile.SupersededKey] = foreign().Draw(t, "owner"), foreign().Draw(t, "superseded")
		rows := []Row{{Profile: p, Users: change().Draw(t, "c").Users}}
		style := Style{Width: rapid.IntRange(0, 150).Draw(t, "width")}
		a := diff.Plan{Revision: foreign().Draw(t, "revision"), Changes: rapid.SliceOfN(change(), 0, 3).Draw(t, "approved")}
		b := diff.Plan{Revision: foreign().Draw(t, "revision now"), Changes: rapid.SliceOfN(change(), 0, 3).Draw(t, "now")}
		for _, write := range []func(io.Writer) error{
			func(w io.Writer) error { return ListText(w, rows, style) },
			func(w io.Writer) error { return ShowText(w, rows, style) },
			func(w io.Writer) error { return ListJSON(w, rows) },
			func(w io.Writer) error { return ShowJSON(w, rows) },
			func(w io.Writer) error { return JSON(w, []Target{{Plan: &a}}) },
			func(w io.Writer) error { return Stale(w, a, b, style) },
		} {
			mustBeHarmless(t, written(t, write))
		}
		limit := rapid.IntRange(1, 3000).Draw(t, "limit")
		for _, write := range []func(io.Writer) error{
			func(w io.Writer) error { return ListMarkdown(w, rows, limit) },
			func(w io.Writer) error { return ShowMarkdown(w, rows, limit) },
		} {
			mustBeWhole(t, written(t, write), limit)
		}
	})
}

func trimLines(text string) string {
	return regexp.MustCompile(` +\n`).ReplaceAllString(text, "\n")
}

func mustBeHarmless(t *rapid.T, text string) {
	if !utf8.ValidString(text) {
		t.Fatalf("not UTF-8: %q", text)
	}
	for _, r := range text {
		if r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029') {
			t.Fatalf("%U in the text: %q", r, text)
		}
	}
}

func TestMarkdownIsWholeAndBounded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		targets := targetsOf(t)
		limit := rapid.OneOf(rapid.IntRange(1, 300), rapid.IntRange(300, 9000), rapid.Just(DefaultMarkdownLimit)).Draw(t, "limit")
		mustBeWhole(t, written(t, func(w io.Writer) error { return Markdown(w, targets, limit) }), limit)
	})
}

// mustBeWhole reads Markdown line by line as GitHub would: what is not code may
// hold nothing foreign, and every fold and fence is closed.
func mustBeWhole(t *rapid.T, text string, limit int) {
	if len(text) > limit {
		t.Fatalf("%d bytes, limit %d", len(text), limit)
	}
	mustBeHarmless(t, text)
	fence, folds, inHTML := "", 0, false
	for line := range strings.SplitSeq(text, "\n") {
		switch {
		case fence != "":
			if line == fence {
				fence = ""
			} else if run := strings.Repeat("`", longestRun(line)); len(run) >= len(fence) {
				t.Fatalf("a line of code closes its fence: %q", line)
			}
		case strings.HasPrefix(line, "```"):
			if inHTML {
				t.Fatalf("fence inside of HTML: %q", text)
			}
			fence = line[:longestRun(line)]
		case line == "<details>", line == "<details open>":
			folds, inHTML = folds+1, true
		case line == "</details>":
			folds, inHTML = folds-1, true
		case line == "":
			inHTML = false
		case inHTML:
			inner, ok := strings.CutPrefix(line, "<summary><code>")
			inner, closes := strings.CutSuffix(inner, "</code></summary>")
			if !ok || !closes || strings.ContainsAny(inner, "<>") {
				t.Fatalf("HTML holds %q", line)
			}
		case !proseOnly(line):
			t.Fatalf("foreign text outside of code: %q", line)
		}
	}
	if fence != "" || folds != 0 {
		t.Fatalf("fence %q, %d folds are open at the end of %q", fence, folds, text)
	}
}

// proseOnly reports whether nothing but our own words is left of a line once
// its code spans are gone.
func proseOnly(line string) bool {
	for {
		start := strings.IndexByte(line, '`')
		if start < 0 {
			return regexp.MustCompile(`^(<!-- profilesync:(plan|apply) -->|[-#*_ ·a-z0-9.,;:()IT']*)$`).MatchString(strings.ReplaceAll(line, "job's", ""))
		}
		run := len(line[start:]) - len(strings.TrimLeft(line[start:], "`"))
		rest := line[start+run:]
		end := -1
		for i := 0; i < len(rest); {
			n := len(rest[i:]) - len(strings.TrimLeft(rest[i:], "`"))
			if n == run {
				end = i
				break
			}
			i += max(n, 1)
		}
		if end < 0 {
			return false
		}
		line = line[:start] + rest[end+run:]
	}
}

// TestNoOutputHoldsASecret plants one secret wherever a spec may hold one,
// lets package diff decide, and reads everything this package writes.
func TestNoOutputHoldsASecret(t *testing.T) {
	const secret = "s3cr3t-Zx9"
	secrets := func() *rapid.Generator[any] {
		return rapid.SampledFrom([]any{
			secret, []any{secret}, map[string]any{"k": secret}, "line\n" + secret + "\n", []any{map[string]any{secret: "x"}}, nil,
		})
	}
	properties := rapid.Custom(func(t *rapid.T) profile.Properties {
		p := profile.Properties{"flavor": rapid.SampledFrom([]string{"a", "b"}).Draw(t, "flavor")}
		for _, key := range []string{"admin_pass", "user_data", "personality", "parameters", "files", "environment"} {
			if rapid.Bool().Draw(t, key) {
				p[key] = secrets().Draw(t, "secret")
			}
		}
		p["context"] = rapid.SampledFrom([]any{
			nil, "none",
			map[string]any{"auth_token": secret},
			[]any{map[string]any{"password": secret}},
			map[string]any{"deep": map[string]any{"auth_token_info": map[string]any{"x": secret}}},
		}).Draw(t, "context")
		return p
	})
	rapid.Check(t, func(t *rapid.T) {
		spec := func(label string) profile.Spec {
			return profile.Spec{Type: "os.nova.server", Version: "1.0", Properties: properties.Draw(t, label)}
		}
		var set desired.Set
		snapshot := live.Snapshot{Scope: live.Scope{Project: "p"}, UsersRead: true}
		for i, name := range []string{"a", "b", "c"} {
			if rapid.Bool().Draw(t, "wanted") {
				set.Items = append(set.Items, desired.Item{Profile: profile.Profile{Name: name, Spec: spec("wanted spec")}})
			}
			if rapid.Bool().Draw(t, "live") {
				p := liveNamed(name, fmt.Sprint(i))
				p.Spec = spec("live spec")
				snapshot.Profiles = append(snapshot.Profiles, *p)
			}
		}
		plan := diff.Compare(set, snapshot, diff.Options{Owner: "git", Prune: true})
		targets := []Target{{Plan: &plan}, {Result: resultOf(t, plan)}}
		var rows []Row
		for _, p := range snapshot.Profiles {
			rows = append(rows, Row{Profile: p})
		}
		for name, write := range map[string]func(io.Writer) error{
			"text":      func(w io.Writer) error { return Text(w, targets, Style{Verbose: true}) },
			"json":      func(w io.Writer) error { return JSON(w, targets) },
			"markdown":  func(w io.Writer) error { return Markdown(w, targets, 0) },
			"list":      func(w io.Writer) error { return ListJSON(w, rows) },
			"show":      func(w io.Writer) error { return ShowText(w, rows, Style{Verbose: true}) },
			"show json": func(w io.Writer) error { return ShowJSON(w, rows) },
			"stale":     func(w io.Writer) error { return Stale(w, diff.Plan{}, plan, Style{Verbose: true}) },
			"plan file": func(w io.Writer) error { return WritePlan(w, planned(plan)) },
		} {
			if text := written(t, write); strings.Contains(text, secret) {
				t.Fatalf("%s holds the secret:\n%s", name, text)
			}
		}
	})
}
