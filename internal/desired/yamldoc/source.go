package yamldoc

import (
	"bytes"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

// source is the text of a document, for the few questions that its nodes do
// not answer. Each is asked only when the text could hold what it is about.
type source struct {
	text   []byte
	bang   bool // there may be a tag "!"
	escape bool // there may be an escape \'
	header bool // there may be a comment right behind a "|" or ">"

	runes []rune // of the text, once somebody asked
	lines []int  // where each line begins in runes
}

var tightComment = regexp.MustCompile(`[|>][-+0-9]{0,2}#`)

func newSource(text []byte) source {
	return source{
		text:   text,
		bang:   bytes.IndexByte(text, '!') >= 0,
		escape: bytes.Contains(text, []byte(`\'`)),
		header: bytes.IndexByte(text, '#') >= 0 && tightComment.Match(text),
	}
}

// at is the text from a node on, without its anchor.
func (s *source) at(n *yaml.Node) []rune {
	if s.runes == nil {
		s.runes = []rune(string(s.text))
		s.lines = []int{0}
		for i, r := range s.runes {
			if r == '\n' {
				s.lines = append(s.lines, i+1)
			}
		}
	}
	if n.Line > len(s.lines) {
		return nil
	}
	start := min(s.lines[n.Line-1]+n.Column-1, len(s.runes))
	text := s.runes[start:]
	if n.Anchor == "" || len(text) == 0 || text[0] != '&' {
		return text
	}
	text = text[min(len([]rune("&"+n.Anchor)), len(text)):]
	for comment := false; len(text) > 0; text = text[1:] {
		switch {
		case text[0] == '\n':
			comment = false
		case text[0] == '#':
			comment = true
		case !comment && !strings.ContainsRune(" \r", text[0]):
			return text
		}
	}
	return nil
}

// quotedAlike refuses what the library takes in a quoted or block text and
// PyYAML does not.
func (w *walk) quotedAlike(n *yaml.Node) bool {
	switch {
	case n.Style&yaml.DoubleQuotedStyle != 0 && w.source.escape:
		if escapesQuote(w.source.at(n)) {
			w.problem(n, `an escape \' in double quotes`, "write ' alone")
			return false
		}
	case n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 && w.source.header:
		text := w.source.at(n)
		for len(text) > 0 && strings.ContainsRune("|>+-0123456789", text[0]) {
			text = text[1:]
		}
		if len(text) > 0 && text[0] == '#' {
			w.problem(n, "a comment right behind a block text's mark", "write a blank between")
			return false
		}
	}
	return true
}

// escapesQuote reports whether a text in double quotes, which begins here,
// holds \'.
func escapesQuote(text []rune) bool {
	for i := 1; i < len(text) && text[i] != '"'; i++ {
		if text[i] == '\\' {
			if i++; i < len(text) && text[i] == '\'' {
				return true
			}
		}
	}
	return false
}
