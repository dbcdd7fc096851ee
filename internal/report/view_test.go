package report

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"profilesync/internal/diff"
	"profilesync/internal/live"
)

// viewText writes views as text, so that they can be reviewed and searched.
func viewText(changes []diff.Change) string {
	var out strings.Builder
	for _, change := range changes {
		v := ViewOf(change)
		_, _ = fmt.Fprintf(&out, "%s %s | %s | %s:%d\n", v.Sign, v.Name, v.Headline, v.File, v.Line)
		for _, l := range v.Fields {
			_, _ = fmt.Fprintf(&out, "  %-8s%s%s\n", l.Kind, strings.Repeat("  ", l.Depth), l.Text)
		}
		for _, user := range v.Users {
			_, _ = fmt.Fprintf(&out, "  user    %s %q %s %s %s\n", user.Kind, user.Name, user.ID, user.Status, user.Project)
		}
		if v.Stays != "" {
			_, _ = fmt.Fprintf(&out, "  stays   %s\n", v.Stays)
		}
		if v.Hint != "" {
			_, _ = fmt.Fprintf(&out, "  hint    %s\n", v.Hint)
		}
	}
	return out.String()
}

func TestViewsLookAsReviewed(t *testing.T) {
	golden(t, "view.txt", func(w io.Writer) error {
		_, err := io.WriteString(w, viewText(append(everything().Changes, everyBlock().Changes...)))
		return err
	})
}

func TestAViewSaysWhatTheTextSays(t *testing.T) {
	plan := planOf(append(everything().Changes, everyBlock().Changes...)...)
	text := written(t, func(w io.Writer) error { return Text(w, []Target{{Plan: &plan}}, Style{Width: 300}) })
	for _, change := range plan.Changes {
		v := ViewOf(change)
		if inSync(change) {
			continue
		}
		for _, said := range []string{v.Name, v.Headline, v.Stays, v.Hint} {
			if !strings.Contains(text, said) {
				t.Errorf("%q is said in the view of %q only", said, change.Name)
			}
		}
	}
}

func TestAViewIsCleanAndBounded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		changes := rapid.SliceOfN(change(), 1, 3).Draw(t, "changes")
		mustBeHarmless(t, viewText(changes))
	})
	long := strings.Repeat("x", 5000)
	v := ViewOf(diff.Change{
		Action: diff.Update, Name: "web", Fields: []diff.Field{{Path: "/spec/properties/a", Old: long, New: long + "y"}},
		Users: []live.User{{Kind: live.Cluster, ID: long, Name: long, Project: long, Status: long}},
	})
	if n := len(viewText([]diff.Change{{Action: diff.Update, Fields: make([]diff.Field, 1000)}})); n > 10_000 {
		t.Errorf("a thousand fields take %d bytes", n)
	}
	for _, l := range v.Fields {
		if columns(l.Text) > viewWidth+noteWidth {
			t.Errorf("a line has %d columns", columns(l.Text))
		}
	}
	if u := v.Users[0]; len(u.ID)+len(u.Name)+len(u.Project)+len(u.Status) > 300 {
		t.Errorf("a user has %d bytes", len(u.ID)+len(u.Name)+len(u.Project)+len(u.Status))
	}
}

func TestAViewShowsNoSecret(t *testing.T) {
	const secret = "hunter2"
	got := viewText([]diff.Change{{Action: diff.Recreate, Name: "web", Fields: []diff.Field{
		{Path: "/spec/properties/x", Old: secret, New: secret + "3", Sensitive: true},
		{Path: "/spec/properties/user_data", Old: "a\n" + secret, New: "b\n" + secret + "x"},
		{Path: "/spec/properties/context", Old: map[string]any{"password": secret}, New: "none"},
	}}})
	if strings.Contains(got, secret) {
		t.Errorf("the view holds the secret:\n%s", got)
	}
}
