package report

import (
	"profilesync/internal/apply"
	"profilesync/internal/diff"
	"profilesync/internal/live"
)

// View is a planned change in the words that [Text] has for it, in parts, for a
// page that lays them out itself. All of it is clean and free of secrets; what
// means something in the page's own markup is the page's to escape.
type View struct {
	Sign     string      // as in a plan: "+", "~", "±", "-", "=", or "!" for what is held up
	Name     string      // quoted when it is made of unusual characters
	Headline string      // what is to happen and why, or why not
	Fields   []ViewLine  // what differs; long ones are cut and say so
	Users    []live.User // who holds on to the profile, all of them
	Stays    string      // what becomes of the profile that a recreate sets aside, or ""
	Hint     string      // the next step for what is held up, or ""
	File     string      // document that asks for it, or ""
	Line     int         // of the document, 0 without one
}

// ViewLine is one line of what differs.
type ViewLine struct {
	Kind  LineKind
	Depth int // further indentation: 1 within a text of several lines
	Text  string
}

// LineKind says what a line is, in a word.
type LineKind string

// The kinds of lines.
const (
	AddedLine   LineKind = "added"
	RemovedLine LineKind = "removed"
	ChangedLine LineKind = "changed"
	ContextLine LineKind = "context" // an unchanged line of a text
	PlaceLine   LineKind = "place"   // where in a text the next lines are, or how many are left out
)

// viewWidth is how many columns a line of a view has before it is cut.
const viewWidth = 110

// ViewOf is the view of one planned change.
func ViewOf(change diff.Change) View {
	planned := apply.Outcome{Change: change}
	sign, _ := glyphOf(planned)
	view := View{
		Sign: sign, Name: label(change.Name), Headline: headline(planned), Stays: stays(planned), Hint: hint(change),
		File: Clean(change.File), Line: change.Line,
	}
	for _, l := range fields(change.Fields, layout{width: viewWidth}) {
		view.Fields = append(view.Fields, ViewLine{kindOf(l.mark), l.depth, l.text})
	}
	for _, user := range change.Users {
		view.Users = append(view.Users, live.User{
			Kind: live.Kind(Clean(string(user.Kind))), ID: Clean(short(user.ID, 80)), Name: Clean(short(user.Name, 80)),
			Project: Clean(short(user.Project, 80)), Status: Clean(short(user.Status, 40)),
		})
	}
	return view
}

func kindOf(m mark) LineKind {
	switch m {
	case added:
		return AddedLine
	case removed:
		return RemovedLine
	case changed:
		return ChangedLine
	case context:
		return ContextLine
	}
	return PlaceLine
}

// Short is Clean for at most limit characters; an ellipsis says that there were
// more.
func Short(text string, limit int) string { return Clean(short(text, limit)) }

// ShortRevision is as much of a revision as people tell apart: seven digits of a
// hash, with its kind if it names one ("dir:0a1b2c3").
func ShortRevision(revision string) string { return shortRevision(revision) }

// Visible escapes in the text of a JSON document what JSON allows in clear but a
// terminal may act on. The document means the same.
func Visible(document string) string { return visible(document) }
