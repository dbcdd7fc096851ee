package architecture

import (
	"fmt"
	"go/ast"
	"go/token"
	"slices"
	"strings"
	"testing"
)

// undocumentedPackages wants one comment per package, in a file that is no test
// where there is one.
func undocumentedPackages(house tree) []string {
	var broken []string
	for dir, files := range packages(house.files) {
		isTestFile := func(f file) bool { return strings.HasSuffix(f.path, "_test.go") }
		if others := slices.DeleteFunc(slices.Clone(files), isTestFile); len(others) > 0 {
			files = others
		}
		start := "Package " + files[0].syntax.Name.Name + " "
		if files[0].syntax.Name.Name == "main" {
			start = "Command "
		}
		if !slices.ContainsFunc(files, func(f file) bool { return strings.HasPrefix(f.syntax.Doc.Text(), start) }) {
			broken = append(broken, fmt.Sprintf("%s: no comment begins with %q", dir, start))
		}
	}
	slices.Sort(broken)
	return broken
}

// undocumentedNames looks at what is exported at package level, at methods of
// exported types, and at methods of exported interfaces. Constants and
// variables may share the comment of their group.
func undocumentedNames(house tree) []string {
	var broken []string
	report := func(name *ast.Ident, comments ...*ast.CommentGroup) {
		isDocumented := slices.ContainsFunc(comments, func(c *ast.CommentGroup) bool { return c.Text() != "" })
		if name.IsExported() && !isDocumented {
			broken = append(broken, fmt.Sprintf("%s: %s has no comment", house.at(name), name.Name))
		}
	}
	spoken := []string{"Error", "Unwrap", "String"} // methods whose meaning the standard library gives
	for _, f := range house.program() {
		for _, declaration := range f.syntax.Decls {
			switch declared := declaration.(type) {
			case *ast.FuncDecl:
				receiver := receiverType(declared)
				if receiver == nil || receiver.IsExported() && !slices.Contains(spoken, declared.Name.Name) {
					report(declared.Name, declared.Doc)
				}
			case *ast.GenDecl:
				names(declared, report)
			}
		}
	}
	return broken
}

// receiverType is the name of the type that a method belongs to, nil for a
// plain function.
func receiverType(function *ast.FuncDecl) *ast.Ident {
	if function.Recv == nil {
		return nil
	}
	return root(function.Recv.List[0].Type)
}

func names(group *ast.GenDecl, report func(*ast.Ident, ...*ast.CommentGroup)) {
	for _, spec := range group.Specs {
		switch spec := spec.(type) {
		case *ast.ValueSpec:
			for _, name := range spec.Names {
				report(name, group.Doc, spec.Doc, spec.Comment)
			}
		case *ast.TypeSpec:
			above := spec.Doc
			if group.Lparen == token.NoPos {
				above = group.Doc
			}
			report(spec.Name, above, spec.Comment)
			face, is := spec.Type.(*ast.InterfaceType)
			if !is || !spec.Name.IsExported() {
				continue
			}
			for _, method := range face.Methods.List {
				for _, name := range method.Names {
					report(name, method.Doc, method.Comment)
				}
			}
		}
	}
}

func TestAMissingCommentIsFound(t *testing.T) {
	show(t, undocumentedPackages, []example{
		{"none", source("a/a.go", "package a\n"), `a: no comment begins with "Package a "`},
		{"another package's", source("a/a.go", "// Package b is.\npackage a\n"), `"Package a "`},
		{"only in a test", map[string]string{"a/a.go": "package a\n", "a/a_test.go": "// Package a is.\npackage a\n"}, `"Package a "`},
		{"a command's", source("a/a.go", "// Package main is.\npackage main\n"), `"Command "`},
		{"in one of its files", map[string]string{"a/a.go": "package a\n", "a/b.go": "// Package a is.\npackage a\n"}, ""},
		{"of tests alone", source("a/a_test.go", "// Package a tests.\npackage a\n"), ""},
	})
	show(t, undocumentedNames, []example{
		{"a function", source("a/a.go", "package a\nfunc F() {}\n"), "a/a.go:2: F has no comment"},
		{"a type", source("a/a.go", "package a\ntype T int\n"), "T has no comment"},
		{"a type in a group", source("a/a.go", "package a\n// Types.\ntype (\n\tT int\n)\n"), "T has no comment"},
		{"a method", source("a/a.go", "package a\n// T is.\ntype T[V any] int\nfunc (*T[V]) M() {}\n"), "M has no comment"},
		{"a method of an interface", source("a/a.go", "package a\n// T is.\ntype T interface{ M() }\n"), "M has no comment"},
		{"a constant", source("a/a.go", "package a\nconst C = 1\n"), "C has no comment"},
		{"a constant in a group", source("a/a.go", "package a\n// All of them.\nconst (\n\tC = 1\n)\n"), ""},
		{"a comment behind", source("a/a.go", "package a\nconst C = 1 // one\n"), ""},
		{"an error's text", source("a/a.go", "package a\n// T is.\ntype T int\nfunc (T) Error() string { return \"\" }\n"), ""},
		{"a method of a hidden type", source("a/a.go", "package a\ntype t int\nfunc (t) M() {}\n"), ""},
		{"a hidden function", source("a/a.go", "package a\nfunc f() {}\n"), ""},
	})
}
