package report

import (
	"encoding/json"
	"io"
	"slices"
	"strings"

	"profilesync/internal/apply"
	"profilesync/internal/diff"
)

// Difference is one change in which two plans differ. Approved is nil for one
// that is new, Now for one that is gone.
type Difference struct {
	Approved, Now *diff.Change
}

// Differences compares what an approved plan would do with what a plan would do
// now, change by change: those with the same name and id belong together. It
// looks at what a digest covers.
func Differences(approved, now diff.Plan) []Difference {
	type key struct{ name, id string }
	was := map[key][]*diff.Change{}
	counts := func(c diff.Change) bool { return c.Action != diff.NoOp || c.Block != "" }
	for i, c := range approved.Changes {
		if counts(c) {
			k := key{c.Name, c.ID()}
			was[k] = append(was[k], &approved.Changes[i])
		}
	}
	var differences []Difference
	for i, c := range now.Changes {
		if !counts(c) {
			continue
		}
		k := key{c.Name, c.ID()}
		if len(was[k]) == 0 {
			differences = append(differences, Difference{Now: &now.Changes[i]})
			continue
		}
		before := was[k][0]
		was[k] = was[k][1:]
		if !same(*before, c) {
			differences = append(differences, Difference{Approved: before, Now: &now.Changes[i]})
		}
	}
	for i, c := range approved.Changes {
		if slices.Contains(was[key{c.Name, c.ID()}], &approved.Changes[i]) {
			differences = append(differences, Difference{Approved: &approved.Changes[i]})
		}
	}
	slices.SortStableFunc(differences, func(a, b Difference) int {
		return strings.Compare(a.change().Name, b.change().Name)
	})
	return differences
}

func (d Difference) change() *diff.Change {
	if d.Now != nil {
		return d.Now
	}
	return d.Approved
}

func same(a, b diff.Change) bool {
	return a.Action == b.Action && a.Reason == b.Reason && a.Block == b.Block && earlierID(a) == earlierID(b) &&
		slices.EqualFunc(a.Fields, b.Fields, sameField)
}

func earlierID(c diff.Change) string {
	if c.Earlier == nil {
		return ""
	}
	return c.Earlier.ID
}

// sameField compares what is written of two fields, as a digest does.
func sameField(a, b diff.Field) bool {
	return fieldText(a) == fieldText(b)
}

func fieldText(field diff.Field) string {
	text, err := json.Marshal(field)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// Stale says how a plan that would be carried out now differs from the one that
// was approved. The error is that of w.
func Stale(w io.Writer, approved, now diff.Plan, style Style) error {
	p := newPrinter(w, style)
	p.print(p.paint(bold, "The approved plan is stale.") + " Since it was made:")
	p.print("")
	listed := p.heads(approved, now)
	differences := Differences(approved, now)
	for _, d := range differences {
		p.difference(d)
	}
	if !listed && len(differences) == 0 {
		p.print("  the same changes are made in another order")
	}
	return p.flush()
}

// heads shows what differs between the heads of two plans.
func (p *printer) heads(approved, now diff.Plan) bool {
	listed := false
	for _, part := range []struct{ word, was, is string }{
		{"target", approved.Target, now.Target},
		{"project", approved.Project, now.Project},
		{"owner", approved.Owner, now.Owner},
		{"revision", approved.Revision, now.Revision},
	} {
		if part.was != part.is {
			p.print("  " + p.paint(yellow, "~") + " " + part.word + ": " + shortLabel(part.was) + " → " + shortLabel(part.is))
			listed = true
		}
	}
	return listed
}

// shortLabel is label for something that may be a revision.
func shortLabel(text string) string {
	if short := shortRevision(text); len(short) < len(text) {
		return short
	}
	return label(text)
}

func (p *printer) difference(d Difference) {
	room := layout{width: p.width - detailIndent - len("~ ") - len("approved  "), verbose: p.style.Verbose}
	switch {
	case d.Approved == nil:
		p.staleLine("new", *d.Now)
		p.staleFields("", d.Now.Fields, room)
	case d.Now == nil:
		p.staleLine("gone", *d.Approved)
	default:
		p.staleLine("changed", *d.Now)
		if was := d.Approved; was.Action != d.Now.Action || was.Reason != d.Now.Reason || was.Block != d.Now.Block {
			p.print("      " + p.paint(dim, "approved  ") + headline(apply.Outcome{Change: *was}))
		}
		if was, is := earlierID(*d.Approved), earlierID(*d.Now); was != is {
			p.print("      earlier generation: " + orDash(Clean(was)) + " → " + orDash(Clean(is)))
		}
		p.staleFields("approved  ", without(d.Approved.Fields, d.Now.Fields), room)
		p.staleFields("now       ", without(d.Now.Fields, d.Approved.Fields), room)
	}
}

func (p *printer) staleLine(what string, c diff.Change) {
	o := apply.Outcome{Change: c}
	glyph, ink := glyphOf(o)
	p.print("  " + pad(what, len("changed")) + "  " + p.paint(ink, glyph) + " " + p.paint(bold, label(c.Name)) + "  " + headline(o))
}

func (p *printer) staleFields(prefix string, list []diff.Field, room layout) {
	for _, l := range fields(list, room) {
		p.detail(line{note, l.depth, p.paint(dim, prefix) + p.paint(l.mark.ink(), string(rune(l.mark))) + " " + l.text})
	}
}

// without returns the fields of list that other does not have.
func without(list, other []diff.Field) []diff.Field {
	have := make(map[string]bool, len(other))
	for _, field := range other {
		have[fieldText(field)] = true
	}
	var rest []diff.Field
	for _, field := range list {
		if !have[fieldText(field)] {
			rest = append(rest, field)
		}
	}
	return rest
}
