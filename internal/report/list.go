package report

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"profilesync/internal/live"
	"profilesync/internal/profile"
)

// Row is one live profile and who holds on to it.
type Row struct {
	live.Profile
	Users []live.User
}

// listGap is the space between two columns.
const listGap = "  "

// ListText writes profiles as a table, in their order. On a terminal that is
// too narrow the date gives way first, then the type. The error is
// that of w.
func ListText(w io.Writer, rows []Row, style Style) error {
	p := newPrinter(w, style)
	if len(rows) == 0 {
		p.print("No profiles.")
		return p.flush()
	}
	cells := [][]string{{"NAME", "TYPE", "OWNER", "GENERATION", "USED BY", "CREATED", "ID"}}
	for _, row := range rows {
		cells = append(cells, row.cells())
	}
	if style.Width > 0 {
		for _, column := range []int{5, 1, 2} { // created, type, then generation
			if tableWidth(cells) > style.Width && !style.Verbose {
				drop(cells, column)
			}
		}
	}
	widths := columnWidths(cells)
	for i, row := range cells {
		var text strings.Builder
		for column, cell := range row {
			if column == len(row)-1 {
				text.WriteString(cell)
				break
			}
			text.WriteString(pad(cell, widths[column]) + listGap)
		}
		if i == 0 {
			p.print(p.paint(bold, text.String()))
			continue
		}
		p.print(text.String())
	}
	return p.flush()
}

func (r Row) cells() []string {
	marks := r.Marks()
	return []string{
		label(short(r.Name, 60)), Clean(short(r.Spec.TypeName(), 40)), Clean(orDash(short(marks.Owner, 30))),
		short(generationOf(marks), 40), usedBy(r.Users), day(r.Created), Clean(r.ID),
	}
}

// generationOf says whether a profile is the current one of its name.
func generationOf(marks profile.Marks) string {
	switch {
	case marks.Superseded != "":
		return "superseded of " + label(marks.Superseded)
	case marks.Owner != "":
		return "current"
	}
	return "-"
}

func usedBy(users []live.User) string {
	switch len(users) {
	case 0:
		return "-"
	case 1:
		return short(userText(live.User{Kind: users[0].Kind, ID: users[0].ID, Name: users[0].Name}), 32)
	}
	counts := map[live.Kind]int{}
	for _, user := range users {
		counts[user.Kind]++
	}
	var parts []string
	for _, kind := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, plural(counts[kind], Clean(string(kind))))
	}
	return strings.Join(parts, ", ")
}

func day(at time.Time) string {
	if at.IsZero() {
		return "-"
	}
	return at.UTC().Format(time.DateOnly)
}

func columnWidths(cells [][]string) []int {
	widths := make([]int, len(cells[0]))
	for _, row := range cells {
		for i, cell := range row {
			widths[i] = max(widths[i], columns(cell))
		}
	}
	return widths
}

func tableWidth(cells [][]string) int {
	total := 0
	for _, width := range columnWidths(cells) {
		total += width + len(listGap)
	}
	return total - len(listGap)
}

func drop(cells [][]string, column int) {
	for i := range cells {
		cells[i] = slices.Delete(cells[i], column, column+1)
	}
}

// ListMarkdown writes the same table as a block of code, of at most limit bytes
// (0 means [DefaultMarkdownLimit]): what does not fit is counted. The error is
// that of w.
func ListMarkdown(w io.Writer, rows []Row, limit int) error {
	var table strings.Builder
	if err := ListText(&table, rows, Style{}); err != nil {
		return err
	}
	return writeBlock(w, table.String(), limit, "profile")
}

// writeBlock writes a text as a block of code of at most limit bytes; what does
// not fit is counted in nouns.
func writeBlock(w io.Writer, text string, limit int, noun string) error {
	if limit <= 0 {
		limit = DefaultMarkdownLimit
	}
	lines := strings.SplitAfter(strings.TrimSuffix(text, "\n"), "\n")
	_, err := io.WriteString(w, fitting(lines, limit, noun))
	return err
}

// fitting puts as many lines into a block as limit allows, and counts the rest.
func fitting(lines []string, limit int, noun string) string {
	used := 0
	for _, l := range lines {
		used += len(l)
	}
	fence := 2*max(3, longestRun(strings.Join(lines, ""))+1) + len("\n\n\n")
	note := ""
	for n := len(lines); n > 0; n-- {
		if left := len(lines) - n; left > 0 {
			used -= len(lines[n])
			note = fmt.Sprintf("\n_%s left out here._\n", plural(left, "more "+noun))
		}
		if used+fence+len(note) <= limit {
			return block("", strings.Join(lines[:n], "")) + note
		}
	}
	return ""
}
