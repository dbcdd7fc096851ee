package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"profilesync/internal/apply"
)

// DefaultMarkdownLimit is the default length of a comment in bytes. GitHub
// takes 65,536 characters; the rest is room for what a job adds.
const DefaultMarkdownLimit = 60_000

// The markers by which a job finds its earlier comment.
const (
	PlanMarker  = "<!-- profilesync:plan -->"
	ApplyMarker = "<!-- profilesync:apply -->"
)

const (
	markdownWidth = 160 // of a line in a fold
	maxTitle      = 200 // characters of a change's headline
	maxError      = 4000
)

// Markdown writes targets for a comment on a pull request: a marker, the
// counts, then a fold for each change. It never has more than limit bytes (0
// means [DefaultMarkdownLimit]): first the longest folds lose their bodies,
// then the list is cut, and both are said. The markup is whole at any length;
// a limit too small for the heading leaves the marker or nothing. The error is
// that of w.
func Markdown(w io.Writer, targets []Target, limit int) error {
	if limit <= 0 {
		limit = DefaultMarkdownLimit
	}
	_, err := io.WriteString(w, markdown(targets, limit))
	return err
}

func markdown(targets []Target, limit int) string {
	head := markdownHead(targets)
	if len(head) > limit {
		if marker, _, _ := strings.Cut(head, "\n"); len(marker)+1 <= limit {
			return marker + "\n"
		}
		return ""
	}
	room := limit - len(head)
	chunks, rest := shortChunks(targets, room)
	if rest == 0 {
		if text, ok := withBodies(chunks, room); ok {
			return head + text
		}
	}
	return head + cutList(chunks, rest, room)
}

func markdownHead(targets []Target) string {
	var total tally
	marker, broken := PlanMarker, 0
	for _, target := range targets {
		total = total.plus(count(target))
		if target.Err != nil {
			broken++
		}
	}
	if total.carriedOut {
		marker = ApplyMarker
	}
	title := strings.ToLower(total.word()) + " " + total.String()
	switch {
	case total.quiet() && broken > 0:
		title = "nothing was planned."
	case total.quiet():
		title = "in sync, " + plural(total.unchanged, "profile") + " unchanged"
		if total.kept > 0 {
			title += ", " + plural(total.kept, "earlier generation") + " kept"
		}
		title += "."
	}
	if broken > 0 {
		title += fmt.Sprintf(" %s failed.", plural(broken, "target"))
	}
	return marker + "\n### profilesync " + title + "\n"
}

// chunk is a piece of a comment that is written whole or not at all.
type chunk struct {
	short   string
	outcome *apply.Outcome // nil for the head of a target
	full    string         // with its body; empty when it has none
}

// shortChunks lists the pieces in their short form while they fit, and counts
// the changes that do not.
func shortChunks(targets []Target, room int) ([]chunk, int) {
	var chunks []chunk
	used, rest := 0, 0
	add := func(c chunk) {
		if used += len(c.short); used <= room && rest == 0 {
			chunks = append(chunks, c)
		} else if c.outcome != nil {
			rest++
		} else {
			rest = max(rest, 1)
		}
	}
	for _, target := range targets {
		add(chunk{short: markdownTarget(target)})
		for o := range target.outcomes() {
			if !inSync(o.Change) {
				add(chunk{short: "- " + span(title(o)) + "\n", outcome: &o})
			}
		}
	}
	return chunks, rest
}

// title is a change's glyph, name and headline.
func title(o apply.Outcome) string {
	glyph, _ := glyphOf(o)
	return short(glyph+" "+label(o.Name)+"  "+headline(o), maxTitle)
}

func markdownTarget(target Target) string {
	text := "\n**" + span(orDash(short(target.name(), 100))) + "**"
	if target.plan() != nil {
		for _, part := range where(target) {
			word, value, _ := strings.Cut(part, " ")
			text += " · " + word + " " + span(value)
		}
		if line := target.Commit.line(); line != "" {
			text += "\n" + span(line)
		}
	}
	text += "\n\n"
	if target.Err != nil {
		message, left := cut(target.Err.Error(), maxError)
		var lines strings.Builder
		for l := range strings.SplitSeq(strings.TrimSpace(message), "\n") {
			lines.WriteString("error: " + Clean(l) + "\n")
		}
		text += block("", lines.String()+leftOut(left)) + "\n"
	} else if t := count(target); t.quiet() && t.kept == 0 {
		text += "In sync.\n"
	}
	return text
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

// withBodies writes the chunks with as many bodies as fit; the longest ones go
// first. It reports false when not even the short forms and the note fit.
func withBodies(chunks []chunk, room int) (string, bool) {
	total := 0
	for i, c := range chunks {
		chunks[i].full = fold(c)
		total += max(len(chunks[i].full), len(c.short))
	}
	note := ""
	if total > room {
		note = "\n_The details of the longest changes are left out here._\n"
		room -= len(note)
	}
	order := slices.SortedFunc(indexes(chunks), func(a, b int) int {
		return cmp.Or(cmp.Compare(len(chunks[b].full), len(chunks[a].full)), cmp.Compare(b, a))
	})
	for _, i := range order {
		if total <= room {
			break
		}
		if chunks[i].full != "" {
			total -= len(chunks[i].full) - len(chunks[i].short)
			chunks[i].full = ""
		}
	}
	if total > room {
		return "", false
	}
	var text strings.Builder
	for _, c := range chunks {
		text.WriteString(cmp.Or(c.full, c.short))
	}
	return text.String() + note, true
}

func indexes(chunks []chunk) func(func(int) bool) {
	return func(yield func(int) bool) {
		for i := range chunks {
			if !yield(i) {
				return
			}
		}
	}
}

// fold is a change that can be opened, or "" when there is nothing inside. One
// that went wrong is open.
func fold(c chunk) string {
	if c.outcome == nil {
		return ""
	}
	body := markdownBody(*c.outcome)
	if body == "" {
		return ""
	}
	open := ""
	if c.outcome.Err != nil {
		open = " open"
	}
	return "<details" + open + ">\n<summary>" + tagged(title(*c.outcome)) + "</summary>\n\n" +
		block("diff", body) + "\n</details>\n\n"
}

// markdownBody writes the lines of a change so that a diff block colours them.
func markdownBody(o apply.Outcome) string {
	var text strings.Builder
	for _, l := range details(o, layout{width: markdownWidth, pairs: true}) {
		switch l.mark {
		case added, removed, context:
			text.WriteString(string(rune(l.mark)) + " " + l.text)
		case changed:
			text.WriteString("! " + l.text)
		case place:
			text.WriteString(l.text)
		case failure:
			text.WriteString("- " + l.text)
		case advice:
			text.WriteString("# → " + l.text)
		default:
			text.WriteString("# " + l.text)
		}
		text.WriteByte('\n')
	}
	if o.Change.Kept() {
		return text.String()
	}
	if o.File != "" {
		fmt.Fprintf(&text, "# %s:%d\n", Clean(short(o.File, 200)), o.Line)
	}
	if o.ID() != "" {
		fmt.Fprintf(&text, "# live profile %s\n", Clean(short(o.ID(), 60)))
	}
	return text.String()
}

// cutList writes the short forms that fit beside the count of the others; rest
// is how many changes are left out already.
func cutList(chunks []chunk, rest, room int) string {
	used := 0
	for _, c := range chunks {
		used += len(c.short)
	}
	for {
		note := fmt.Sprintf("\n_%s left out here: the whole plan is in the job's output._\n", plural(rest, "more change"))
		if rest == 0 {
			note = ""
		}
		if used+len(note) <= room {
			var text strings.Builder
			for _, c := range chunks {
				text.WriteString(c.short)
			}
			return text.String() + note
		}
		if len(chunks) == 0 {
			return ""
		}
		last := chunks[len(chunks)-1]
		chunks, used = chunks[:len(chunks)-1], used-len(last.short)
		if last.outcome != nil {
			rest++
		}
	}
}
