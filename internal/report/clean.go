package report

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Clean makes foreign text fit for one line of a terminal: everything that is
// not a visible character or a plain space (control characters, escape
// sequences, C1 codes, bidirectional overrides, broken UTF-8) is written as a
// Go escape.
func Clean(text string) string {
	if strings.IndexFunc(text, hidden) < 0 && utf8.ValidString(text) {
		return text
	}
	var b strings.Builder
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, text[i])
		case hidden(r):
			escaped := strconv.QuoteRune(r)
			b.WriteString(escaped[1 : len(escaped)-1])
		default:
			b.WriteRune(r)
		}
		i += size
	}
	return b.String()
}

func hidden(r rune) bool { return !strconv.IsPrint(r) }

// cleanLine is Clean for a line of a longer text. A tab keeps its place, and
// spaces at the end show, since they may be all that differs.
func cleanLine(text string) string {
	body := strings.TrimRight(text, " ")
	trailing := strings.Repeat("·", len(text)-len(body))
	return Clean(strings.ReplaceAll(body, "\t", "⇥   ")) + trailing
}

// label writes a name: bare when it is made of what names are made of, else
// quoted, so that it cannot pass for anything but a name.
func label(name string) string {
	odd := func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("_.-~", r)
	}
	if name == "" || !utf8.ValidString(name) || strings.ContainsFunc(name, odd) {
		return strconv.Quote(name)
	}
	return name
}

// cut shortens text to at most limit characters and says how many it left out.
func cut(text string, limit int) (string, int) {
	if len(text) <= limit {
		return text, 0
	}
	n := utf8.RuneCountInString(text)
	if n <= limit {
		return text, 0
	}
	at := 0
	for range limit {
		_, size := utf8.DecodeRuneInString(text[at:])
		at += size
	}
	return text[:at], n - limit
}

// short is cut for a place where only the beginning matters.
func short(text string, limit int) string {
	if head, left := cut(text, limit); left > 0 {
		return head + "…"
	}
	return text
}

// shortRevision is as much of a revision as people tell apart: seven digits of
// a hash, with its kind if it names one ("dir:0a1b2c3").
func shortRevision(revision string) string {
	kind, hash := "", revision
	if i := strings.LastIndexByte(revision, ':'); i >= 0 {
		kind, hash = revision[:i+1], revision[i+1:]
	}
	hex := strings.Trim(hash, "0123456789abcdef") == ""
	if hex && len(hash) > 12 {
		hash = hash[:7]
	}
	return Clean(short(kind+hash, 40))
}

// columns is the width of text on a terminal: East Asian wide characters take
// two columns, combining marks none.
func columns(text string) int {
	n := 0
	for _, r := range text {
		switch {
		case r < 0x300:
			n++
		case unicode.In(r, unicode.Mn, unicode.Me):
		case r >= 0x1100 && r <= 0x115F, r >= 0x2E80 && r <= 0xA4CF, r >= 0xAC00 && r <= 0xD7A3,
			r >= 0xF900 && r <= 0xFAFF, r >= 0xFE30 && r <= 0xFE6F, r >= 0xFF00 && r <= 0xFF60,
			r >= 0x1F300 && r <= 0x1FAFF, r >= 0x20000 && r <= 0x3FFFD:
			n += 2
		default:
			n++
		}
	}
	return n
}

// pad fills text with spaces up to a width in columns.
func pad(text string, width int) string {
	return text + strings.Repeat(" ", max(width-columns(text), 0))
}
