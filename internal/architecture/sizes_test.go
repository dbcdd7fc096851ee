package architecture

import (
	"cmp"
	"fmt"
	"go/ast"
	"maps"
	"slices"
	"strings"
	"testing"
)

// The limits. A file of tests may be longer, and of a test function the longest
// literal does not count: a table of cases reads best in one piece. There is no
// exception for generated code, since there is none.
const (
	fileLines, testFileLines = 300, 400
	functionLines            = 60
	interfaceMethods         = 4
)

// functions calls visit with each declared function of the files. Its length is
// that of its text, without the comment above.
func (t tree) functions(files []file, visit func(file, *ast.FuncDecl)) {
	for _, f := range files {
		for _, declaration := range f.syntax.Decls {
			if function, is := declaration.(*ast.FuncDecl); is {
				visit(f, function)
			}
		}
	}
}

func tooLong(house tree) []string {
	var broken []string
	for _, f := range house.files {
		limit := fileLines
		if f.isTest {
			limit = testFileLines
		}
		if f.lines > limit {
			broken = append(broken, fmt.Sprintf("%s: %d lines, more than %d", f.path, f.lines, limit))
		}
	}
	house.functions(house.files, func(f file, function *ast.FuncDecl) {
		lines := house.span(function)
		if f.isTest {
			lines -= house.longestLiteral(function)
		}
		if lines > functionLines {
			name := function.Name.Name
			broken = append(broken, fmt.Sprintf("%s: %s has %d lines, more than %d", house.at(function), name, lines, functionLines))
		}
	})
	return broken
}

func (t tree) longestLiteral(node ast.Node) int {
	longest := 0
	ast.Inspect(node, func(inner ast.Node) bool {
		if literal, is := inner.(*ast.CompositeLit); is {
			longest = max(longest, t.span(literal))
		}
		return true
	})
	return longest
}

// wideInterfaces counts an embedded interface of the same package by its
// methods, and one of another package as one. What an interface says about
// types (~int | ~string) is not for calling.
func wideInterfaces(house tree) []string {
	var broken []string
	for _, files := range packages(house.files) {
		interfaces := map[string]*ast.InterfaceType{}
		for _, f := range files {
			ast.Inspect(f.syntax, func(node ast.Node) bool {
				if spec, is := node.(*ast.TypeSpec); is {
					if face, is := spec.Type.(*ast.InterfaceType); is {
						interfaces[spec.Name.Name] = face
					}
				}
				return true
			})
		}
		for name, face := range interfaces {
			if count := methods(face, interfaces); count > interfaceMethods {
				broken = append(broken, fmt.Sprintf("%s: %s has %d methods, more than %d", house.at(face), name, count, interfaceMethods))
			}
		}
	}
	slices.Sort(broken)
	return broken
}

func methods(face *ast.InterfaceType, known map[string]*ast.InterfaceType) int {
	count := 0
	for _, field := range face.Methods.List {
		switch embedded := field.Type.(type) {
		case *ast.FuncType:
			count += len(field.Names)
		case *ast.Ident:
			if inner, found := known[embedded.Name]; found && inner != face {
				count += methods(inner, known)
			}
		case *ast.SelectorExpr:
			count++
		}
	}
	return count
}

// TestFiguresOfTheHouse only tells: go test -v -run Figures
// ./internal/architecture
func TestFiguresOfTheHouse(t *testing.T) {
	house := wholeModule(t)
	var lengths []int
	house.functions(house.program(), func(_ file, function *ast.FuncDecl) { lengths = append(lengths, house.span(function)) })
	slices.Sort(lengths)
	t.Logf("%d functions, median %d lines, p90 %d, longest %d", len(lengths), lengths[len(lengths)/2],
		lengths[len(lengths)*9/10], lengths[len(lengths)-1])

	byDir := packages(house.program())
	lines := map[string]int{}
	for dir, files := range byDir {
		for _, f := range files {
			lines[dir] += f.lines
		}
	}
	for _, dir := range slices.SortedFunc(maps.Keys(lines), func(a, b string) int { return cmp.Compare(lines[b], lines[a]) }) {
		t.Logf("%5d lines in %2d files: %s", lines[dir], len(byDir[dir]), dir)
	}
}

func TestWhatIsTooLongIsFound(t *testing.T) {
	function := func(lines int) string { return "package a\nfunc f() {" + strings.Repeat("\n", lines-1) + "}\n" }
	table := "package a\nfunc f() []int {\nreturn []int{" + strings.Repeat("\n", 79) + "}\n}\n"
	show(t, tooLong, []example{
		{"a file", source("a/a.go", "package a\n"+strings.Repeat("\n", 300)), "a/a.go: 301 lines, more than 300"},
		{"a file at the limit", source("a/a.go", "package a\n"+strings.Repeat("\n", 299)), ""},
		{"a test file", source("a/a_test.go", "package a\n"+strings.Repeat("\n", 400)), "401 lines, more than 400"},
		{"a function", source("a/a.go", function(61)), "a/a.go:2: f has 61 lines, more than 60"},
		{"a function at the limit", source("a/a.go", function(60)), ""},
		{"a test function", source("a/a_test.go", function(61)), "f has 61 lines"},
		{"a test's table", source("a/a_test.go", table), ""},
		{"a program's table", source("a/a.go", table), "f has 82 lines"},
	})
	show(t, wideInterfaces, []example{
		{"five methods", source("a/a.go", "package a\ntype T interface { A(); B(); C(); D(); E() }\n"), "a/a.go:2: T has 5 methods"},
		{"four", source("a/a.go", "package a\ntype T interface { A(); B(); C(); D() }\n"), ""},
		{"embedded here", source("a/a.go", "package a\ntype S interface { A(); B(); C() }\ntype T interface { S; D(); E() }\n"), "T has 5"},
		{"embedded from elsewhere", source("a/a.go", "package a\nimport \"io\"\ntype T interface { io.Closer; A(); B(); C(); D() }\n"), "T has 5"},
		{"a constraint", source("a/a.go", "package a\ntype T interface { ~int | ~int8 | ~int16 | ~int32 | ~int64 }\n"), ""},
	})
}
