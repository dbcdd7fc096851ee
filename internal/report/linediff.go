package report

import (
	"fmt"
	"strings"

	"github.com/aymanbagabas/go-udiff"
)

const (
	// diffContext is the number of unchanged lines around those that differ.
	diffContext = 2
	// maxDiffText is the size in bytes up to which two texts are compared line by
	// line: finding the place of an edit reads the text from its start.
	maxDiffText = 256 << 10
)

// textLines shows a text of several lines: in full or its beginning when it
// comes or goes, else the lines that differ.
func textLines(sign mark, path, before, after string, room layout) []line {
	switch sign {
	case added:
		return wholeText(sign, path, after, room)
	case removed:
		return wholeText(sign, path, before, room)
	}
	if len(before) > maxDiffText || len(after) > maxDiffText {
		return []line{{changed, 0, fmt.Sprintf("%s: %s → %s, too long to compare line by line", path, size(before), size(after))}}
	}
	unified, err := udiff.ToUnifiedDiff("", "", before, udiff.Lines(before, after), diffContext)
	if err != nil { // the edits are from these very texts
		return []line{{changed, 0, fmt.Sprintf("%s: %s → %s", path, size(before), size(after))}}
	}
	lines, counts := hunkLines(unified, room)
	head := line{changed, 0, fmt.Sprintf("%s: %s added, %d removed", path, plural(counts[udiff.Insert], "line"), counts[udiff.Delete])}
	return append([]line{head}, limited(lines, fewDiffLines, room)...)
}

func hunkLines(unified udiff.UnifiedDiff, room layout) ([]line, map[udiff.OpKind]int) {
	marks := map[udiff.OpKind]mark{udiff.Delete: removed, udiff.Insert: added, udiff.Equal: context}
	counts := map[udiff.OpKind]int{}
	var lines []line
	for _, hunk := range unified.Hunks {
		lines = append(lines, line{place, 1, fmt.Sprintf("@@ line %d @@", hunk.FromLine)})
		for _, l := range hunk.Lines {
			counts[l.Kind]++
			text, ends := strings.CutSuffix(l.Content, "\n")
			lines = append(lines, line{marks[l.Kind], 1, textLine(text, room)})
			if !ends && l.Kind != udiff.Equal {
				lines = append(lines, line{place, 1, `\ no newline at the end`})
			}
		}
	}
	return lines, counts
}

func wholeText(sign mark, path, text string, room layout) []line {
	var lines []line
	for l := range strings.SplitSeq(strings.TrimSuffix(text, "\n"), "\n") {
		lines = append(lines, line{sign, 1, textLine(l, room)})
	}
	head := line{sign, 0, path + ": " + plural(len(lines), "line")}
	return append([]line{head}, limited(lines, fewTextLines, room)...)
}

// limited cuts lines to limit and says how many are left out.
func limited(lines []line, limit int, room layout) []line {
	if room.verbose || len(lines) <= limit+1 {
		return lines
	}
	rest := len(lines) - limit
	return append(lines[:limit:limit], line{place, 1, "… " + plural(rest, "more line")})
}

func textLine(text string, room layout) string {
	if room.verbose {
		return cleanLine(text)
	}
	limit := room.atLeast(room.width - len("  + "))
	if columns(text) <= limit {
		return cleanLine(text)
	}
	head, left := cut(text, limit-noteWidth)
	return Clean(head) + "…" + leftOut(left)
}

func size(text string) string {
	return plural(strings.Count(text, "\n")+1, "line")
}
