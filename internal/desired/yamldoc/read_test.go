package yamldoc_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"profilesync/internal/desired/yamldoc"
)

// Bytes that an archive of text files could not hold.
func TestBytesThatAreRefused(t *testing.T) {
	for _, one := range []struct{ name, text, want string }{
		{"UTF-16, little end first", "\xff\xfea\x00", "1:1 the file is UTF-16: save it as UTF-8"},
		{"UTF-16, big end first", "\xfe\xff\x00a", "1:1 the file is UTF-16: save it as UTF-8"},
		{"Latin-1", "a: 1\nb: caf\xe9\n", "2:7 the file is not valid UTF-8: save it as UTF-8"},
		{"half a surrogate pair", "a: \xed\xa0\x80", "1:4 the file is not valid UTF-8: save it as UTF-8"},
		{"a NUL", "a: \x00", `1:4 the character U+0000 is not allowed in YAML: write \u0000 in double quotes`},
		{"an escape character", "é: \x1b[1m", `1:4 the character U+001B is not allowed in YAML: write \u001B in double quotes`},
		{"a delete character", "a: \x7f", `1:4 the character U+007F is not allowed in YAML: write \u007F in double quotes`},
		{"a C1 control character", "a: \u009b", `1:4 the character U+009B is not allowed in YAML: write \u009B in double quotes`},
		{"a second byte order mark", "a: 1\n---\n\ufeffb: 2\n", `3:1 the character U+FEFF is not allowed in YAML: write \uFEFF in double quotes`},
		{"line ends of old", "a: 1\rb: 2\r", "1:5 a carriage return without a line feed: save the file with LF line ends"},
		{"a next-line character", "a: x\u0085y", `1:5 U+0085 ends a line for some readers only: write \u0085 in double quotes`},
		{"a line separator", "a: x\u2028y", `1:5 U+2028 ends a line for some readers only: write \u2028 in double quotes`},
	} {
		t.Run(one.name, func(t *testing.T) {
			if got := read(one.text); got != one.want {
				t.Errorf("got %q, want %q", got, one.want)
			}
		})
	}
}

// read gives the problems of a text, one a line.
func read(text string) string {
	_, problems := new(yamldoc.Reader).Read([]byte(text))
	lines := make([]string, len(problems))
	for i, problem := range problems {
		lines[i] = fmt.Sprintf("%d:%d %s: %s", problem.Line, problem.Column, problem.What, problem.Fix)
	}
	return strings.Join(lines, "\n")
}

func TestBytesThatAreTaken(t *testing.T) {
	for _, one := range []struct {
		name, text string
		want       any
	}{
		{"a byte order mark", "\ufeffa: x\n", "x"},
		{"CRLF line ends", "a: |\r\n  x\r\n  y\r\nb: z\r\n", "x\ny\n"},
		{"no line end", "a: x", "x"},
		{"every plane", "a: é服\U0001F600", "é服\U0001F600"},
		{"an escaped NUL", `a: "\0"`, "\x00"},
		{"a tab inside quotes", "a: \"x\ty\"", "x\ty"},
	} {
		t.Run(one.name, func(t *testing.T) {
			documents, problems := new(yamldoc.Reader).Read([]byte(one.text))
			if len(problems) > 0 || len(documents) != 1 {
				t.Fatal(documents, problems)
			}
			if got := documents[0].Fields[0].Node.Value; got != one.want {
				t.Errorf("got %q, want %q", got, one.want)
			}
		})
	}
}

func TestPlaces(t *testing.T) {
	documents, problems := new(yamldoc.Reader).Read([]byte("\ufeff# é\n---\n\"é\": x\nb: [1, {c: d}]\n---\n# none\n---\r\n- &a e\r\n- *a\r\n"))
	if len(problems) > 0 || len(documents) != 3 || documents[1] != nil {
		t.Fatal(documents, problems)
	}
	first, last := documents[0], documents[2]
	for _, one := range []struct {
		name string
		got  yamldoc.Place
		want yamldoc.Place
	}{
		{"a document", first.Place, yamldoc.Place{Line: 3, Column: 1}},
		{"a value behind an umlaut", first.Fields[0].Node.Place, yamldoc.Place{Line: 3, Column: 6}},
		{"a key", first.Fields[1].Place, yamldoc.Place{Line: 4, Column: 1}},
		{"an item", first.Fields[1].Node.Items[1].Place, yamldoc.Place{Line: 4, Column: 8}},
		{"a nested key", first.Fields[1].Node.Items[1].Fields[0].Place, yamldoc.Place{Line: 4, Column: 9}},
		{"a later document", last.Place, yamldoc.Place{Line: 8, Column: 1}},
		{"an alias is where its anchor is", last.Items[1].Place, yamldoc.Place{Line: 8, Column: 3}},
	} {
		t.Run(one.name, func(t *testing.T) {
			if one.got != one.want {
				t.Errorf("%v, want %v", one.got, one.want)
			}
		})
	}
}

// Texts made to cost a reader its time or memory end in one problem, soon.
func TestTextsThatWouldCostTooMuch(t *testing.T) {
	laughs := "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
	for i := 1; i < 12; i++ {
		laughs += fmt.Sprintf("a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 10), ", "))
	}
	loop := "a: &a\n" + strings.Repeat("- *a\n", 1000)
	for _, one := range []struct{ name, text, want string }{
		{"a file of more than 1 MiB", strings.Repeat("#", yamldoc.MaxSize+1), "larger than 1048576 bytes"},
		{"a billion laughs", laughs, "more than 100000 values"},
		{"a thousand loops", loop, "an alias inside the value it stands for"},
		{"101 levels", strings.Repeat("- ", 101) + "x", "nested deeper than 100 levels"},
		{"a hundred thousand brackets", strings.Repeat("[", 100_000), "nested too deeply"},
		{"half a million brackets that close", strings.Repeat("[", 500_000) + strings.Repeat("]", 500_000), "nested too deeply"},
		{"half a million dashes", strings.Repeat("- ", 500_000), "nested"},
		{"half a million question marks", strings.Repeat("? ", 500_000), "nested"},
		{"half a million items", strings.Repeat("-\n", 500_000), "more than 100000 values"},
		{"a flow list of numbers", "[" + strings.Repeat("1,", 500_000) + "]", "more than 100000 values"},
		{"a flow list of numbers with a tag somewhere", "[" + strings.Repeat("1,", 49_000) + "! 1]", "a tag"},
		{"one key again and again", strings.Repeat("a: 1\n", 40_000), "written twice"},
		{"two thousand documents", strings.Repeat("--- {a: 1}\n", 2000), "more than 1000 documents"},
		{"a thousand broken documents", strings.Repeat("---\na: [\nb: 'x\nc: 1\n", 1000), "a quote is not closed"},
		{"a quote that never closes", "a: \"" + strings.Repeat("x\n ", 300_000), "a quote is not closed"},
		{"a tab on every line", strings.Repeat("a: 'x\ty'\n", 300) + "b:\tc\n", "a tab outside"},
		{"a tab behind every value", "a: [" + strings.Repeat("1,\t", 300_000) + "]", "a tab outside of a quoted or block text, here or further down"},
		{"anchors in front of nothing", strings.Repeat("- &a\n", 50_000), "an anchor that is set twice"},
		{"a megabyte of digits", "a: " + strings.Repeat("9", 1_000_000), "not the same to PyYAML"},
		{"a megabyte of comments", strings.Repeat("#\n", 500_000) + "a: [", "a value is expected here"},
		{"comments between items", "a:\n" + strings.Repeat("- x # y\n# z\n", 30_000) + "-b", "a key without"},
	} {
		t.Run(one.name, func(t *testing.T) {
			began := time.Now()
			got := read(one.text)
			if !strings.Contains(got, one.want) {
				t.Errorf("got %.200q, want %q", got, one.want)
			}
			if took := time.Since(began); took > 30*time.Second {
				t.Errorf("took %v", took)
			} else {
				t.Log(took)
			}
		})
	}
}
