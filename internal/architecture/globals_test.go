package architecture

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"path"
	"slices"
	"strings"
	"testing"
)

// mutableGlobals lets a package-level variable stand only for what Go has no
// constant for, never written again: an error sentinel (the only kind that may
// be exported, since anybody could assign to it), a compiled pattern, an
// unexported table, an embedded file.
func mutableGlobals(house tree) []string {
	var broken []string
	for _, files := range packages(house.program()) {
		for _, f := range files {
			for _, declaration := range f.syntax.Decls {
				if group, is := declaration.(*ast.GenDecl); is && group.Tok == token.VAR {
					broken = append(broken, variables(house, f, group)...)
				}
			}
		}
		broken = append(broken, writes(house, files)...)
	}
	slices.Sort(broken)
	return broken
}

func variables(house tree, f file, group *ast.GenDecl) []string {
	var broken []string
	for _, spec := range group.Specs {
		values := spec.(*ast.ValueSpec)
		for i, name := range values.Names {
			var value ast.Expr
			if i < len(values.Values) {
				value = values.Values[i]
			}
			isEmbedded := hasEmbed(group.Doc) || hasEmbed(values.Doc)
			switch {
			case name.Name == "_" || isEmbedded && !name.IsExported() || isSentinel(f, value):
			case name.IsExported():
				broken = append(broken, fmt.Sprintf("%s: %s is exported and no error, so anybody may assign to it", house.at(name), name.Name))
			case !isFixed(f, value):
				broken = append(broken, fmt.Sprintf("%s: %s is a variable at package level", house.at(name), name.Name))
			}
		}
	}
	return broken
}

func hasEmbed(comment *ast.CommentGroup) bool {
	return comment != nil && slices.ContainsFunc(comment.List, func(c *ast.Comment) bool {
		return strings.HasPrefix(c.Text, "//go:embed ")
	})
}

// isSentinel tells a new error, and another package's sentinel under a name of
// one's own.
func isSentinel(f file, value ast.Expr) bool {
	if call, is := value.(*ast.CallExpr); is {
		return slices.Contains([]string{"errors.New", "fmt.Errorf"}, qualified(f, call.Fun))
	}
	_, name, _ := strings.Cut(path.Base(qualified(f, value)), ".")
	return strings.HasPrefix(name, "Err")
}

// isFixed tells a value that never changes as long as nobody writes to the
// variable: a table, or what is made by one of the functions whose results have
// no state.
func isFixed(f file, value ast.Expr) bool {
	switch value := value.(type) {
	case *ast.CompositeLit:
		switch value.Type.(type) {
		case *ast.ArrayType, *ast.MapType:
			return true
		}
	case *ast.CallExpr:
		made := []string{"regexp.MustCompile", "strings.NewReplacer", "text/template.Must", "html/template.Must"}
		return slices.Contains(made, qualified(f, value.Fun))
	}
	return false
}

// qualified is an expression such as errors.New with the import path in place
// of the package's name, or "".
func qualified(f file, expression ast.Expr) string {
	selector, is := expression.(*ast.SelectorExpr)
	if !is {
		return ""
	}
	name, is := selector.X.(*ast.Ident)
	if !is || f.importedAs(name.Name) == "" {
		return ""
	}
	return f.importedAs(name.Name) + "." + selector.Sel.Name
}

// writes finds what writes to a variable of the package, or takes its address,
// within the package. Names are resolved by the type checker, for a local
// variable may bear the same one; what is imported stays unknown to it and its
// complaints about that are of no interest.
func writes(house tree, files []file) []string {
	uses := &types.Info{Uses: map[*ast.Ident]types.Object{}}
	check := types.Config{Error: func(error) {}}
	var syntax []*ast.File
	for _, f := range files {
		syntax = append(syntax, f.syntax)
	}
	scope, _ := check.Check(files[0].dir(), house.positions, syntax, uses)

	var broken []string
	report := func(target ast.Expr) {
		if name := root(target); name != nil {
			if variable, is := uses.Uses[name].(*types.Var); is && variable.Parent() == scope.Scope() {
				broken = append(broken, fmt.Sprintf("%s: writes to %s, a variable at package level", house.at(target), name.Name))
			}
		}
	}
	for _, f := range syntax {
		ast.Inspect(f, func(node ast.Node) bool {
			for _, target := range targets(node) {
				report(target)
			}
			return true
		})
	}
	return broken
}

// targets are the expressions that a node writes to, or may come to be written
// to by.
func targets(node ast.Node) []ast.Expr {
	switch node := node.(type) {
	case *ast.AssignStmt:
		if node.Tok != token.DEFINE {
			return node.Lhs
		}
	case *ast.IncDecStmt:
		return []ast.Expr{node.X}
	case *ast.RangeStmt:
		if node.Tok == token.ASSIGN {
			return []ast.Expr{node.Key, node.Value}
		}
	case *ast.UnaryExpr:
		if node.Op == token.AND {
			return []ast.Expr{node.X}
		}
	case *ast.CallExpr:
		builtin, is := node.Fun.(*ast.Ident)
		if is && len(node.Args) > 0 && slices.Contains([]string{"delete", "clear", "copy"}, builtin.Name) {
			return node.Args[:1]
		}
	}
	return nil
}

// root is the variable in an expression such as table[key].field.
func root(expression ast.Expr) *ast.Ident {
	switch inner := expression.(type) {
	case *ast.Ident:
		return inner
	case *ast.IndexExpr:
		return root(inner.X)
	case *ast.SliceExpr:
		return root(inner.X)
	case *ast.SelectorExpr:
		return root(inner.X)
	case *ast.StarExpr:
		return root(inner.X)
	case *ast.ParenExpr:
		return root(inner.X)
	}
	return nil
}

func TestAMutableGlobalIsFound(t *testing.T) {
	table := "package a\nvar table = map[string]int{\"a\": 1}\n"
	namesake := "package a\nimport \"example.org/regexp\"\nvar name = regexp.MustCompile(`a`)\n"
	show(t, mutableGlobals, []example{
		{"no value", source("a/a.go", "package a\nvar count int\n"), "a/a.go:2: count is a variable"},
		{"a plain value", source("a/a.go", "package a\nvar limit = 5\n"), "limit is a variable"},
		{"a lock", source("a/a.go", "package a\nimport \"sync\"\nvar lock = sync.Mutex{}\n"), "lock is a variable"},
		{"a pointer", source("a/a.go", "package a\ntype t struct{}\nvar it = &t{}\n"), "it is a variable"},
		{"an exported table", source("a/a.go", "package a\nvar Table = []int{1}\n"), "Table is exported"},
		{"an assignment", source("a/a.go", table+"func f() { table = nil }\n"), "a/a.go:3: writes to table"},
		{"an entry", source("a/a.go", table+"func f() { table[\"b\"] = 2 }\n"), "writes to table"},
		{"one more", source("a/a.go", table+"func f() { table[\"b\"]++ }\n"), "writes to table"},
		{"a deletion", source("a/a.go", table+"func f() { delete(table, \"a\") }\n"), "writes to table"},
		{"an address", source("a/a.go", table+"func f() any { return &table }\n"), "writes to table"},
		{"a loop", source("a/a.go", table+"func f() { for table[\"b\"] = range 3 {} }\n"), "writes to table"},
		{"in another file, among what is not known", map[string]string{
			"a/a.go": table,
			"a/b.go": "package a\nimport \"os\"\nfunc f() { os.Exit(g(func() { table[\"b\"] = 1 })) }\n",
		}, "a/b.go:3: writes to table"},
		{"a local of the same name", source("a/a.go", table+"func f() { table := map[string]int{}; table[\"b\"] = 2 }\n"), ""},
		{"read only", source("a/a.go", table+"func f() int { n := table[\"a\"]; n++; return n }\n"), ""},
		{"a sentinel", source("a/a.go", "package a\nimport \"errors\"\nvar ErrGone = errors.New(\"gone\")\n"), ""},
		{"another's sentinel", source("a/a.go", "package a\nimport \"io/fs\"\nvar ErrGone = fs.ErrNotExist\n"), ""},
		{"another's variable", source("a/a.go", "package a\nimport \"os\"\nvar Out = os.Stdout\n"), "Out is exported"},
		{"a pattern", source("a/a.go", "package a\nimport \"regexp\"\nvar name = regexp.MustCompile(`a`)\n"), ""},
		{"a namesake of regexp", source("a/a.go", namesake), "name is a variable"},
		{"an embedded file", source("a/a.go", "package a\nimport _ \"embed\"\n//go:embed x.html\nvar page string\n"), ""},
		{"a compile-time check", source("a/a.go", "package a\nvar _ interface{} = 1\n"), ""},
		{"a test may", source("a/a_test.go", "package a\nimport \"flag\"\nvar update = flag.Bool(\"update\", false, \"\")\n"), ""},
	})
}
