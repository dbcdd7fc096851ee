package desired

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// maxErrors is how many problems one run keeps; the rest is counted.
const maxErrors = 1000

// Error is one problem of one document. Its text may be shown to anyone: it
// never holds the value of a secret property.
type Error struct {
	File         string // slash-separated, relative to the source's path; empty: about the run
	Line, Column int    // from 1, the column in characters; zero: about the file as a whole
	What         string // what is wrong
	Fix          string // what to write instead, empty when that is not known
}

// Error gives "path:line:column: what: fix".
func (e Error) Error() string {
	var text strings.Builder
	if e.File != "" {
		text.WriteString(printable(e.File) + ":")
		if e.Line > 0 {
			fmt.Fprintf(&text, "%d:%d:", e.Line, e.Column)
		}
		text.WriteByte(' ')
	}
	text.WriteString(e.What)
	if e.Fix != "" {
		text.WriteString(": " + e.Fix)
	}
	return text.String()
}

// printable keeps a file's name from writing lines of its own.
func printable(name string) string {
	if strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return strconv.Quote(name)
	}
	return name
}

// Errors is every problem of every file, by file, line and column. Of more
// than 1,000 the first are kept, and the last entry says how many there were
// besides.
type Errors []Error

// Error gives one line per problem.
func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i, problem := range e {
		lines[i] = problem.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap gives the problems one by one.
func (e Errors) Unwrap() []error {
	problems := make([]error, len(e))
	for i, problem := range e {
		problems[i] = problem
	}
	return problems
}

// inOrder sorts the problems, drops repetitions (an anchor's problem is met
// once per alias) and bounds their number; omitted were dropped before.
func inOrder(problems []Error, omitted int) Errors {
	slices.SortFunc(problems, func(a, b Error) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line),
			cmp.Compare(a.Column, b.Column), cmp.Compare(a.What, b.What), cmp.Compare(a.Fix, b.Fix))
	})
	problems = slices.Compact(problems)
	if extra := len(problems) - maxErrors; extra > 0 {
		problems, omitted = problems[:maxErrors], omitted+extra
	}
	if omitted > 0 {
		problems = append(problems, Error{What: fmt.Sprintf("and %d more problems", omitted)})
	}
	return problems
}
