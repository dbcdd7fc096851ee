package report

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"profilesync/internal/diff"
)

// fleet is a plan of n changes of every kind; at i a change has a field of
// that many bytes.
func fleet(n int, long map[int]int) diff.Plan {
	plan := planOf()
	for i := range n {
		name := fmt.Sprintf("web-%06d", i)
		change := diff.Change{
			Action: diff.Recreate, Reason: diff.SpecDiffers, Name: name, Before: liveNamed(name, fmt.Sprintf("%08d", i)),
			Fields: []diff.Field{{Path: "/spec/properties/flavor", Old: "m1.small", New: "m1.large"}},
		}
		for j := range long[i] / 100 {
			change.Fields = append(change.Fields, diff.Field{Path: fmt.Sprintf("/metadata/k%d", j), New: strings.Repeat("v", 80)})
		}
		plan.Changes = append(plan.Changes, change)
	}
	return plan
}

func comment(t *testing.T, plan diff.Plan, limit int) string {
	t.Helper()
	text := written(t, func(w io.Writer) error { return Markdown(w, []Target{{Plan: &plan}}, limit) })
	if len(text) > limit {
		t.Errorf("%d bytes, limit %d", len(text), limit)
	}
	return text
}

func TestACommentThatIsTooLong(t *testing.T) {
	t.Run("loses its longest body first", func(t *testing.T) {
		text := comment(t, fleet(10, map[int]int{3: 4000}), 5000)
		if got := strings.Count(text, "<details>"); got != 9 {
			t.Errorf("%d folds, want 9 of 10:\n%s", got, text)
		}
		if !strings.Contains(text, "- `± web-000003") || !strings.Contains(text, "details of the longest changes are left out") {
			t.Errorf("the change without its body, or the note, is missing:\n%s", text)
		}
	})
	t.Run("then keeps a line for each change", func(t *testing.T) {
		text := comment(t, fleet(100, nil), 5000)
		folds, lines := strings.Count(text, "<details>"), strings.Count(text, "\n- `±")
		if lines < 90 || folds+lines != 100 {
			t.Errorf("%d folds and %d lines, want 100 together, most of them lines:\n%s", folds, lines, text)
		}
	})
	t.Run("then cuts the list and counts the rest", func(t *testing.T) {
		text := comment(t, fleet(500, nil), 5000)
		shown := strings.Count(text, "\n- `±")
		if shown < 50 || !strings.Contains(text, fmt.Sprintf("_%d more changes left out here", 500-shown)) {
			t.Errorf("%d of 500 shown:\n%s", shown, text)
		}
		if !strings.Contains(text, "500 to recreate") {
			t.Errorf("the heading lost its counts:\n%s", text)
		}
	})
	t.Run("has nothing but the marker when the heading does not fit", func(t *testing.T) {
		if text := comment(t, fleet(1, nil), 40); text != PlanMarker+"\n" {
			t.Errorf("got %q", text)
		}
	})
	t.Run("a mass of targets is cut too", func(t *testing.T) {
		var targets []Target
		for i := range 2000 {
			targets = append(targets, Target{Name: fmt.Sprint("target-", i), Err: io.ErrUnexpectedEOF})
		}
		text := written(t, func(w io.Writer) error { return Markdown(w, targets, 0) })
		if len(text) > DefaultMarkdownLimit || !strings.Contains(text, "2000 targets failed") {
			t.Errorf("%d bytes, heading %.100q", len(text), text)
		}
	})
}

func TestTextsTooLongToCompareAreOnlyMeasured(t *testing.T) {
	old := strings.Repeat("a line\n", 50_000)
	plan := planOf(diff.Change{
		Action: diff.Recreate, Reason: diff.SpecDiffers, Name: "web", Before: liveNamed("web", "aa"),
		Fields: []diff.Field{{Path: "/spec/properties/template", Old: old, New: old + "x"}},
	})
	text := written(t, func(w io.Writer) error { return Text(w, []Target{{Plan: &plan}}, Style{}) })
	if !strings.Contains(text, "50001 lines → 50001 lines, too long to compare") {
		t.Errorf("got %s", text)
	}
}

func TestHintsAreGivenOnce(t *testing.T) {
	plan := everyBlock()
	text := written(t, func(w io.Writer) error { return Text(w, []Target{{Plan: &plan}}, Style{}) })
	if got := strings.Count(text, "--prune=true"); got != 1 {
		t.Errorf("the hint is given %d times", got)
	}
}

func BenchmarkOutputs(b *testing.B) {
	for _, n := range []int{1_000, 10_000, 100_000} {
		plan := fleet(n, nil)
		targets := []Target{{Plan: &plan}}
		for name, write := range map[string]func(io.Writer) error{
			"text":     func(w io.Writer) error { return Text(w, targets, Style{Color: true}) },
			"json":     func(w io.Writer) error { return JSON(w, targets) },
			"markdown": func(w io.Writer) error { return Markdown(w, targets, 0) },
			"file":     func(w io.Writer) error { return WritePlan(w, planned(plan)) },
			"stale":    func(w io.Writer) error { return Stale(w, plan, planOf(), Style{}) },
		} {
			b.Run(fmt.Sprintf("%s/%d", name, n), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if err := write(io.Discard); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
