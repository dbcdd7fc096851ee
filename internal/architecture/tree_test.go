package architecture

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// module is the path of this module, as go.mod has it.
const module = "profilesync"

// file is one Go file of the module.
type file struct {
	path   string // slash-separated, from the module's root
	lines  int
	syntax *ast.File
	isTest bool // by its name, or in a package that is made for tests: one that imports testing
}

// tree is every Go file of the module, by path.
type tree struct {
	positions *token.FileSet
	files     []file
}

func (f file) dir() string { return path.Dir(f.path) }

// at is the place of a node, as every rule reports it.
func (t tree) at(node ast.Node) string {
	position := t.positions.Position(node.Pos())
	return fmt.Sprintf("%s:%d", position.Filename, position.Line)
}

// span is the number of lines that a node takes.
func (t tree) span(node ast.Node) int {
	return t.positions.Position(node.End()).Line - t.positions.Position(node.Pos()).Line + 1
}

// program leaves the tests out.
func (t tree) program() []file {
	return slices.DeleteFunc(slices.Clone(t.files), func(f file) bool { return f.isTest })
}

// packages are the given files by directory.
func packages(files []file) map[string][]file {
	byDir := map[string][]file{}
	for _, f := range files {
		byDir[f.dir()] = append(byDir[f.dir()], f)
	}
	return byDir
}

// imports are the paths that a file imports.
func (f file) imports() []string {
	var paths []string
	for _, spec := range f.syntax.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			continue // the parser lets no such literal through
		}
		paths = append(paths, imported)
	}
	return paths
}

// importedAs is the path that a file imports under a name, "" when there is
// none. Without a name in the import it is the last element of the path, which
// holds for the standard library.
func (f file) importedAs(name string) string {
	for i, spec := range f.syntax.Imports {
		imported := f.imports()[i]
		if spec.Name != nil && spec.Name.Name == name || spec.Name == nil && path.Base(imported) == name {
			return imported
		}
	}
	return ""
}

// parse makes a tree of sources by path. A source that is no Go is the test's
// own mistake.
func parse(t *testing.T, sources map[string]string) tree {
	t.Helper()
	house := tree{positions: token.NewFileSet()}
	for name, source := range sources {
		syntax, err := parser.ParseFile(house.positions, name, source, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		house.files = append(house.files, file{path: name, lines: strings.Count(source, "\n"), syntax: syntax})
	}
	slices.SortFunc(house.files, func(a, b file) int { return strings.Compare(a.path, b.path) })

	forTests := map[string]bool{}
	for _, f := range house.files {
		if !strings.HasSuffix(f.path, "_test.go") && slices.Contains(f.imports(), "testing") {
			forTests[f.dir()] = true
		}
	}
	for i, f := range house.files {
		house.files[i].isTest = forTests[f.dir()] || strings.HasSuffix(f.path, "_test.go")
	}
	return house
}

// wholeModule reads every Go file below go.mod, whatever its build tags are;
// test data and other modules are not its own.
func wholeModule(t *testing.T) tree {
	t.Helper()
	root := os.DirFS(filepath.Join("..", ".."))
	sources := map[string]string{}
	err := fs.WalkDir(root, ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && name != "." && isForeign(root, name):
			return fs.SkipDir
		case entry.IsDir() || path.Ext(name) != ".go":
			return nil
		}
		text, err := fs.ReadFile(root, name)
		sources[name] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, found := sources["internal/architecture/doc.go"]; !found {
		t.Fatal("the tests do not see their own package, so they look in the wrong place")
	}
	return parse(t, sources)
}

// isForeign tells the directories that the go command leaves out of a module.
func isForeign(root fs.FS, dir string) bool {
	base := path.Base(dir)
	if base == "testdata" || strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") {
		return true
	}
	_, err := fs.Stat(root, path.Join(dir, "go.mod"))
	return err == nil
}
