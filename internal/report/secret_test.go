package report

import (
	"io"
	"strings"
	"testing"

	"profilesync/internal/diff"
)

// Package diff redacts. A plan that did not come from there must not be a way
// around it.
func TestAPlanFromElsewhereShowsNoSecret(t *testing.T) {
	const secret = "hunter2"
	for name, field := range map[string]diff.Field{
		"marked, but not redacted":        {Path: "/spec/properties/x", Old: secret, New: secret + "3", Sensitive: true},
		"a path that holds secrets":       {Path: "/spec/properties/user_data", New: secret},
		"below a path that holds secrets": {Path: "/spec/properties/parameters/db/0", Old: secret},
		"a secret deep in a value":        {Path: "/spec/properties/context", Old: map[string]any{"a": []any{map[string]any{"password": secret}}}, New: "none"},
		"a text of several lines":         {Path: "/spec/properties/user_data", Old: "a\n" + secret, New: "b\n" + secret + "x"},
	} {
		t.Run(name, func(t *testing.T) {
			plan := planOf(diff.Change{Action: diff.Recreate, Reason: diff.SpecDiffers, Name: "web", Before: liveNamed("web", "aa"), Fields: []diff.Field{field}})
			targets := []Target{{Plan: &plan}}
			for _, write := range []func(io.Writer) error{
				func(w io.Writer) error { return Text(w, targets, Style{Verbose: true}) },
				func(w io.Writer) error { return JSON(w, targets) },
				func(w io.Writer) error { return Markdown(w, targets, 0) },
				func(w io.Writer) error { return Stale(w, planOf(), plan, Style{}) },
				func(w io.Writer) error { return Stale(w, plan, planOf(), Style{}) },
			} {
				if text := written(t, write); strings.Contains(text, secret) || !strings.Contains(text, "recreate") {
					t.Errorf("got %s", text)
				}
			}
		})
	}
}
