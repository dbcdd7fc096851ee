package report

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"profilesync/internal/apply"
	"profilesync/internal/diff"
)

// line is one line below a change's headline. Its text is clean.
type line struct {
	mark  mark
	depth int // further indentation
	text  string
}

// mark says what a line is; how that looks is up to the output.
type mark byte

const (
	added   mark = '+'
	removed mark = '-'
	changed mark = '~'
	context mark = ' ' // an unchanged line around others
	place   mark = '@' // where in a text the next lines are
	note    mark = '.'
	advice  mark = '>' // the next step
	failure mark = '!'
)

// layout is how much room the lines of a change have.
type layout struct {
	width   int  // columns for one line
	verbose bool // nothing is cut
	pairs   bool // old and new always on lines of their own
}

// Without Verbose, a change shows this many fields, and a text this many lines.
const (
	fewFields    = 40
	fewDiffLines = 60
	fewTextLines = 10
)

// details are the lines below a headline: what differs while it is planned,
// what went wrong once it was tried, who holds on to the profile, and the next
// step. A blocked change comes with its hint.
func details(o apply.Outcome, room layout) []line {
	var lines []line
	if o.Status == "" {
		lines = fields(o.Fields, room)
	}
	if o.Err != nil {
		word := "error: "
		if o.Status == apply.Skipped {
			word = "left alone: "
		}
		for text := range strings.SplitSeq(strings.TrimSpace(o.Err.Error()), "\n") {
			lines = append(lines, line{failure, 0, word + Clean(text)})
		}
	}
	if o.Change.Kept() {
		return lines // the headline has it all
	}
	if len(o.Users) > 0 {
		lines = append(lines, line{note, 0, inUseBy(o.Users, room.atLeast(room.width))})
	}
	if text := stays(o); text != "" {
		lines = append(lines, line{note, 0, text})
	}
	if text := hint(o.Change); text != "" {
		lines = append(lines, line{advice, 0, text})
	}
	if room.verbose && o.File != "" {
		lines = append(lines, line{note, 0, fmt.Sprintf("%s:%d", Clean(o.File), o.Line)})
	}
	return lines
}

func fields(all []diff.Field, room layout) []line {
	shown := all
	if !room.verbose && len(all) > fewFields {
		shown = all[:fewFields]
	}
	var lines []line
	for _, field := range shown {
		lines = append(lines, fieldLines(field, room)...)
	}
	if rest := len(all) - len(shown); rest > 0 {
		lines = append(lines, line{note, 0, "… " + plural(rest, "more field")})
	}
	return lines
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// fieldLines shows one field: on one line where it fits, else the old and the
// new value below each other; a text of several lines as a line diff.
func fieldLines(field diff.Field, room layout) []line {
	path := Clean(field.Path)
	sign := signOf(field)
	if sensitive(field) {
		return []line{{sign, 0, path + ": " + hiddenValue}}
	}
	before, after := redacted(field)
	if before == nil && after == nil {
		return []line{{sign, 0, path + ": null, where one side has nothing"}}
	}
	if before, after, ok := texts(before, after); ok {
		return textLines(sign, path, before, after, room)
	}
	limit := room.width - columns(path) - len(": ")
	if sign != changed {
		value := before
		if sign == added {
			value = after
		}
		return []line{{sign, 0, path + ": " + valueText(value, 0, room.atLeast(limit))}}
	}
	from := firstDifference(before, after)
	whole := valueText(before, 0, 0) + " → " + valueText(after, 0, 0)
	if !room.pairs && columns(whole) <= limit {
		return []line{{changed, 0, path + ": " + whole}}
	}
	if room.pairs {
		return []line{
			{removed, 0, path + ": " + valueText(before, from, room.atLeast(limit))},
			{added, 0, path + ": " + valueText(after, from, room.atLeast(limit))},
		}
	}
	limit = room.width - len("  - ")
	return []line{
		{changed, 0, path + ":"},
		{removed, 1, valueText(before, from, room.atLeast(limit))},
		{added, 1, valueText(after, from, room.atLeast(limit))},
	}
}

// atLeast is the limit for a value, or 0 for none.
func (room layout) atLeast(limit int) int {
	if room.verbose {
		return 0
	}
	return max(limit, noteWidth+16)
}

func signOf(field diff.Field) mark {
	switch {
	case field.Old == nil && field.New == nil:
		return changed
	case field.Old == nil:
		return added
	case field.New == nil:
		return removed
	}
	return changed
}

// texts returns both sides as texts when that is what they are and at least
// one has several lines; an absent side is the empty text.
func texts(before, after any) (string, string, bool) {
	a, aIsText := before.(string)
	b, bIsText := after.(string)
	if !aIsText && before != nil || !bIsText && after != nil {
		return "", "", false
	}
	return a, b, strings.Contains(a+b, "\n")
}

// firstDifference is the character at which two texts begin to differ.
func firstDifference(before, after any) int {
	a, _ := before.(string)
	b, _ := after.(string)
	n := 0
	for len(a) > 0 && len(b) > 0 {
		r, size := utf8.DecodeRuneInString(a)
		other, _ := utf8.DecodeRuneInString(b)
		if r != other {
			break
		}
		a, b = a[size:], b[min(size, len(b)):]
		n++
	}
	return n
}
