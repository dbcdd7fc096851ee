package yamldoc

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// searchBytes is how much of a file is read again, at most, to find the lines
// of its mistakes; after that the library's lines have to do.
const searchBytes = 4 << 20

var errMoreContent = errors.New("text behind the document's end")

// parse reads the one document of a chunk.
func parse(text []byte) (*yaml.Node, error) {
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var document yaml.Node
	if err := decoder.Decode(&document); err != nil {
		return nil, err
	}
	switch err := decoder.Decode(new(yaml.Node)); {
	case err == nil:
		return nil, errMoreContent
	case !errors.Is(err, io.EOF):
		return nil, err
	}
	return document.Content[0], nil
}

// complaints say in a reader's words what the library says in a parser's. An
// entry without words keeps the library's.
var complaints = []struct{ said, what, fix string }{
	{"mapping values are not allowed", `": " where no key can stand`, `quote the text, or check the indentation`},
	{"did not find expected key", "a key is expected here", "check the indentation and the quotes"},
	{"did not find expected '-' indicator", `a list item "- " is expected here`, "check the indentation"},
	{"did not find expected ',' or ']'", "a list is not closed", `write "," or "]"`},
	{"did not find expected ',' or '}'", "a map is not closed", `write "," or "}"`},
	{"found unexpected end of stream", "a quote is not closed", "close it"},
	{"found unexpected document separator", "a quote is not closed", "close it"},
	{"found character that cannot start any token", "a character that cannot begin a value", "quote the value"},
	{"found unknown escape character", "an unknown escape in double quotes", `write "\\" for a backslash, or use single quotes`},
	{"invalid Unicode character escape code", "an escape that is no character", "write the character itself"},
	{"did not find expected hexdecimal number", "an escape without its hexadecimal digits", `write "\\" for a backslash, or use single quotes`},
	{"could not find expected ':'", `a key without ":"`, `write "key: value"`},
	{"did not find expected alphabetic or numeric", "an anchor or alias without a name", `quote a value that begins with "*" or "&"`},
	{"did not find expected node content", "a value is expected here", `close every "[" and "{"`},
	{"did not find expected <document start>", "text behind the document's end", `begin the next document with "---"`},
	{"unknown anchor", "an alias without an anchor in this document", `quote a value that begins with "*"`},
	{"block sequence entries are not allowed", "a list item cannot stand here", "begin the list on its own line"},
	{"found a tab character", "a tab in the indentation", "indent with spaces"},
	{"found character that", "a character that cannot begin a value", "quote the value"},
	{"found undefined tag handle", "a tag", "remove it"},
	{"exceeded max depth", "the document is nested too deeply", ""},
	{"document's end", "text behind the document's end", `begin the next document with "---"`},
}

var libraryLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)

// syntaxProblem explains a library's error and finds its place in the chunk.
func (s *session) syntaxProblem(text []byte, err error) (line, column int, what, fix string) {
	said := err.Error()
	if match := libraryLine.FindStringSubmatch(said); match != nil {
		line, _ = strconv.Atoi(match[1]) // empty: no line
		said = said[len(match[0]):]
	}
	lines := bytes.SplitAfter(text, []byte("\n"))
	if found := s.brokenLine(text, lines); found > 0 {
		line = found
	}
	line = min(max(line, 1), len(lines))
	broken := string(lines[line-1])
	column = len(broken) - len(strings.TrimLeft(broken, " ")) + 1
	if strings.HasPrefix(broken[column-1:], "\t") {
		return line, column, "a tab in the indentation", "indent with spaces"
	}
	for _, complaint := range complaints {
		if strings.Contains(said, complaint.said) {
			return line, column, complaint.what, complaint.fix
		}
	}
	// The library's own words may hold a piece of the document, so they stay here.
	return line, column, "this is not YAML", "check the quotes, brackets and indentation"
}

// brokenLine finds the line at which the text stops being YAML: the one behind
// the longest run of lines that can be read. The library names the line where
// the broken map began, which may be the whole document's first. It gives 0
// when that would take too long.
func (s *session) brokenLine(text []byte, lines [][]byte) int {
	size := len(text)
	for count := len(lines) - 1; count > 0; count-- {
		size -= len(lines[count])
		if s.searched += size; s.searched > searchBytes {
			return 0
		}
		if _, err := parse(text[:size]); err == nil {
			return count + 1
		}
	}
	return 1
}

// strayTab finds a tab that is not part of a quoted or block text or of a
// comment. PyYAML refuses those, while this package's YAML library skips them.
// A tab is text when another character in its place stays text too. The place is
// exact unless finding it would take too long; then the tab is there or further
// down.
func (s *session) strayTab(text []byte, root *yaml.Node) (line, column int, exact, found bool) {
	if bytes.IndexByte(text, '\t') < 0 {
		return 0, 0, false, false
	}
	standIn := '\ue000'
	for bytes.ContainsRune(text, standIn) {
		standIn++
	}
	replaced := []byte(string(standIn))
	if sameButTabs(bytes.ReplaceAll(text, []byte("\t"), replaced), root, standIn) {
		return 0, 0, false, false
	}
	var tabs []int // where each is
	for i, c := range text {
		if c == '\t' {
			tabs = append(tabs, i)
		}
	}
	first, last := 0, len(tabs)-1 // the stray one is neither above nor below
	for first < last && s.searched+len(text) <= searchBytes {
		s.searched += len(text)
		middle := (first + last) / 2
		end := tabs[middle] + 1
		upToHere := append(bytes.ReplaceAll(text[:end], []byte("\t"), replaced), text[end:]...)
		if sameButTabs(upToHere, root, standIn) {
			first = middle + 1
		} else {
			last = middle
		}
	}
	before := text[:tabs[first]]
	begin := bytes.LastIndexByte(before, '\n') + 1
	return bytes.Count(before, []byte("\n")) + 1, utf8.RuneCount(before[begin:]) + 1, first == last, true
}

func sameButTabs(replaced []byte, root *yaml.Node, standIn rune) bool {
	other, err := parse(replaced)
	return err == nil && sameNode(root, other, standIn)
}

func sameNode(a, b *yaml.Node, standIn rune) bool {
	if a.Kind != b.Kind || a.Style != b.Style || len(a.Content) != len(b.Content) ||
		a.Value != strings.ReplaceAll(b.Value, string(standIn), "\t") ||
		isPlain(b) && strings.ContainsRune(b.Value, standIn) {
		return false
	}
	for i := range a.Content {
		if !sameNode(a.Content[i], b.Content[i], standIn) {
			return false
		}
	}
	return true
}

const quotedStyles = yaml.SingleQuotedStyle | yaml.DoubleQuotedStyle | yaml.LiteralStyle | yaml.FoldedStyle

// isPlain reports whether a value is written without quotes: only then its
// text decides what it is.
func isPlain(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && n.Style&quotedStyles == 0
}
