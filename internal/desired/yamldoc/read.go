package yamldoc

import (
	"bytes"
	"fmt"

	"go.yaml.in/yaml/v3"
)

// The limits of one text.
const (
	MaxSize      = 1 << 20
	maxDocuments = 1000
	maxDepth     = 100
	maxNodes     = 100_000 // aliases counted as often as they stand
)

// Reader reads texts one after the other. It remembers what unquoted texts
// mean from one to the next, so it serves one goroutine.
type Reader struct {
	// Secret tells the keys whose values no problem may quote, at any depth.
	Secret func(key string) bool

	known dictionary
}

// Read gives the documents of a text, and every problem of each. A document
// that is empty, or that cannot be read at all, is nil.
func (r *Reader) Read(text []byte) ([]*Node, []Problem) {
	if r.known == nil {
		r.known = make(dictionary)
	}
	s := &session{Reader: r}
	documents := s.read(text)
	return documents, s.problems
}

// session is the reading of one text.
type session struct {
	*Reader
	problems []Problem
	nodes    int // met so far
	searched int // bytes read again to find a mistake
}

func (s *session) report(line, column int, what, fix string) {
	s.problems = append(s.problems, Problem{Place: Place{line, column}, What: what, Fix: fix})
}

func (s *session) read(text []byte) []*Node {
	if len(text) > MaxSize {
		s.report(0, 0, fmt.Sprintf("the file is larger than %d bytes", MaxSize), "split it")
		return nil
	}
	text = bytes.TrimPrefix(text, []byte("\ufeff")) // a byte order mark: every reader skips it
	if !checkBytes(text, s.report) {
		return nil
	}
	chunks := split(text, s.report)
	if len(chunks) > maxDocuments {
		s.report(0, 0, fmt.Sprintf("more than %d documents in one file", maxDocuments), "split it")
		return nil
	}
	documents := make([]*Node, len(chunks))
	for i, chunk := range chunks {
		documents[i] = s.document(chunk)
	}
	return documents
}

// document reads one chunk.
func (s *session) document(text chunk) *Node {
	root, err := parse(text.text)
	if err != nil {
		line, column, what, fix := s.syntaxProblem(text.text, err)
		s.report(text.before+line, column, what, fix)
		return nil
	}
	if line, column, exact, stray := s.strayTab(text.text, root); stray {
		what := "a tab outside of a quoted or block text"
		if !exact {
			what += ", here or further down"
		}
		s.report(text.before+line, column, what, "write spaces")
		return nil
	}
	if isPlain(root) && root.Value == "" && root.Anchor == "" && root.Style&yaml.TaggedStyle == 0 {
		return nil
	}
	w := &walk{
		session: s, chunk: text, source: newSource(text.text),
		anchors: make(map[string]*yaml.Node), open: make(map[*yaml.Node]bool),
	}
	node := w.node(root, 1, false)
	return &node
}
