package repository

import (
	"strings"
	"unicode"
)

// maxText bounds what is shown of another's text, in runes.
const maxText = 200

// Printable makes one harmless line of text that somebody else wrote: no
// control characters (which a terminal would obey), no invalid UTF-8, no novel.
func Printable(s string) string {
	clean := strings.Map(func(c rune) rune {
		if unicode.IsPrint(c) {
			return c
		}
		return ' '
	}, strings.ToValidUTF8(s, "?"))
	clean = strings.Join(strings.Fields(clean), " ")
	if short := []rune(clean); len(short) > maxText {
		return string(short[:maxText]) + "…"
	}
	return clean
}

// Trimmed is an error whose text, which a server may have written, is cut to one line.
func Trimmed(err error) error { return trimmed{err} }

type trimmed struct{ err error }

func (t trimmed) Error() string { return Printable(t.err.Error()) }
func (t trimmed) Unwrap() error { return t.err }
