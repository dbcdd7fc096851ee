package view

import (
	"fmt"
	"strings"
	"time"

	"profilesync/internal/report"
)

// Bounds of what foreign text may take.
const (
	maxText  = 300 // characters of a name or one line
	maxLines = 12  // of an error
)

// text makes foreign text fit for one place on the page.
func text(foreign string) string { return report.Short(foreign, maxText) }

// lines makes foreign text of several lines fit for the page.
func lines(foreign string) []string {
	foreign = strings.TrimSpace(foreign)
	if foreign == "" {
		return nil
	}
	var made []string
	for line := range strings.SplitSeq(foreign, "\n") {
		if len(made) == maxLines {
			return append(made, "…")
		}
		made = append(made, report.Short(strings.TrimRight(line, " \r"), 2*maxText))
	}
	return made
}

// relative says how long ago something was, or in how long it will be, to the
// nearest minute, hour or day. The script says the same as time goes on.
func relative(since time.Duration) string {
	seconds := int(since.Abs() / time.Second)
	minutes, hours, days := (seconds+30)/60, (seconds+1800)/3600, (seconds+43200)/86400
	var words string
	switch {
	case seconds < 10 && since < 0:
		return "in a moment"
	case seconds < 10:
		return "just now"
	case seconds < 60:
		words = "less than a minute"
	case minutes < 60:
		words = plural(minutes, "minute")
	case hours < 48:
		words = plural(hours, "hour")
	default:
		words = plural(days, "day")
	}
	if since < 0 {
		return "in " + words
	}
	return words + " ago"
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// took says how long something took.
func took(d time.Duration) string {
	switch {
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	return d.Round(time.Second).String()
}

// listed joins what there is of several numbers: "2 created, 1 blocked".
func listed(counts ...counted) string {
	var parts []string
	for _, c := range counts {
		if c.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", c.n, c.word))
		}
	}
	return strings.Join(parts, ", ")
}

type counted struct {
	n    int
	word string
}
