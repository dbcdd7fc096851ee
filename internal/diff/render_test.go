package diff_test

import (
	"encoding/json"
	"fmt"
	"strings"

	"profilesync/internal/diff"
	"profilesync/internal/profile"
)

// render writes all that a plan says, a line for each thing.
func render(plan diff.Plan) string {
	var text strings.Builder
	for _, change := range plan.Changes {
		renderChange(&text, change)
	}
	fmt.Fprintf(&text, "desired %d, owned %d: %s\n", plan.Desired, plan.Owned, counts(plan))
	if plan.NeedsUsers {
		text.WriteString("needs users\n")
	}
	return text.String()
}

func renderChange(text *strings.Builder, c diff.Change) {
	fmt.Fprintf(text, "%c %s", c.Action, c.Name)
	if c.ID() != "" {
		fmt.Fprintf(text, " [%s]", c.ID())
	}
	fmt.Fprintf(text, " %s\n", c.Reason)
	if c.Block != "" {
		fmt.Fprintf(text, "    block: %s\n", c.Block)
	}
	if c.Earlier != nil {
		fmt.Fprintf(text, "    earlier: %s [%s]\n", c.Earlier.Name, c.Earlier.ID)
	}
	for _, user := range c.Users {
		fmt.Fprintf(text, "    used by %s %s %s\n", user.Kind, user.Name, user.Status)
	}
	for _, field := range c.Fields {
		fmt.Fprintf(text, "    %s: %s → %s\n", field.Path, asJSON(field.Old), asJSON(field.New))
	}
	if c.After != nil {
		fmt.Fprintf(text, "    after: %s, %s\n", c.After.Name, marks(*c.After))
	}
	if c.File != "" {
		fmt.Fprintf(text, "    asked for by %s:%d\n", c.File, c.Line)
	}
}

func marks(p profile.Profile) string {
	var words []string
	add := func(name, value string) {
		if value != "" {
			words = append(words, name+" "+value)
		}
	}
	m := profile.MarksOf(p.Metadata)
	add("owner", m.Owner)
	add("superseded", m.Superseded)
	add("source", m.Source)
	add("revision", m.Revision)
	if m.Protected {
		words = append(words, "protected")
	}
	add("labels", asJSON(profile.Labels(p.Metadata)))
	return strings.Join(words, ", ")
}

func counts(plan diff.Plan) string {
	s := plan.Summary()
	var words []string
	for _, count := range []struct {
		name string
		n    int
	}{
		{"create", s.Create},
		{"update", s.Update},
		{"recreate", s.Recreate},
		{"delete", s.Delete},
		{"kept", s.Kept},
		{"unchanged", s.Unchanged},
		{"blocked", s.Blocked},
		{"held", plan.Held()},
	} {
		if count.n > 0 {
			words = append(words, fmt.Sprintf("%s %d", count.name, count.n))
		}
	}
	if words == nil {
		return "nothing"
	}
	return strings.Join(words, ", ")
}

func asJSON(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		return err.Error()
	}
	return string(text)
}
