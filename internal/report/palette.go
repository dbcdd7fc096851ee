package report

import "profilesync/internal/diff"

// ink is an SGR code of a terminal.
type ink string

const (
	plain  ink = ""
	bold   ink = "1"
	dim    ink = "2"
	red    ink = "31"
	green  ink = "32"
	yellow ink = "33"
)

// palette colours text, or does not.
type palette bool

func (p palette) paint(ink ink, text string) string {
	if !p || ink == plain || text == "" {
		return text
	}
	return "\x1b[" + string(ink) + "m" + text + "\x1b[0m"
}

// inkOf is the colour of an action: what comes is green, what goes is red, what
// changes is yellow.
func inkOf(action diff.Action) ink {
	switch action {
	case diff.Create:
		return green
	case diff.Update, diff.Recreate:
		return yellow
	case diff.Delete:
		return red
	}
	return dim
}

func (m mark) ink() ink {
	switch m {
	case added:
		return green
	case removed, failure:
		return red
	case changed:
		return yellow
	case context, place, advice:
		return dim
	}
	return plain
}
