package architecture

import (
	"fmt"
	"go/ast"
	"slices"
	"strings"
	"testing"
)

// initFunctions also looks at tests: what runs by being imported is found by
// nobody.
func initFunctions(house tree) []string {
	var broken []string
	house.functions(house.files, func(_ file, function *ast.FuncDecl) {
		if function.Name.Name == "init" && function.Recv == nil {
			broken = append(broken, house.at(function)+": an init function")
		}
	})
	return broken
}

// processAccess finds what ends the process, or reads its arguments, its
// environment or the directories that follow from it, outside cmd/profilesync.
// There such a value is read once and handed on.
func processAccess(house tree) []string {
	ofProcess := strings.Fields(`os.Exit os.Args os.Getenv os.LookupEnv os.Environ os.ExpandEnv os.Setenv os.Unsetenv os.Clearenv
		os.UserHomeDir os.UserConfigDir os.UserCacheDir os/signal.Notify os/signal.NotifyContext log.Fatal log.Fatalf log.Fatalln`)
	var broken []string
	for _, f := range house.program() {
		if isBelow(f.dir(), "cmd/profilesync") {
			continue
		}
		ast.Inspect(f.syntax, func(node ast.Node) bool {
			selector, is := node.(*ast.SelectorExpr)
			if is && slices.Contains(ofProcess, qualified(f, selector)) {
				broken = append(broken, fmt.Sprintf("%s: %s belongs to cmd/profilesync", house.at(node), qualified(f, selector)))
			}
			return true
		})
	}
	return broken
}

func TestAccessToTheProcessIsFound(t *testing.T) {
	exit := "import \"os\"\nfunc f() { os.Exit(1) }\n"
	show(t, processAccess, []example{
		{"the end", source("internal/a/a.go", "package a\n"+exit), "internal/a/a.go:3: os.Exit belongs to cmd/profilesync"},
		{"a variable", source("internal/a/a.go", "package a\nimport sys \"os\"\nvar home = sys.Getenv(\"HOME\")\n"), "os.Getenv"},
		{"an end in disguise", source("internal/a/a.go", "package a\nimport \"log\"\nfunc f() { log.Fatal(1) }\n"), "log.Fatal"},
		{"the command may", source("cmd/profilesync/main.go", "package main\n"+exit), ""},
		{"a test may", source("internal/a/a_test.go", "package a\n"+exit), ""},
		{"a namesake", source("internal/a/a.go", "package a\nimport \"example.org/os\"\nfunc f() { os.Exit(1) }\n"), ""},
	})
	show(t, initFunctions, []example{
		{"an init function", source("a/a.go", "package a\nfunc init() {}\n"), "a/a.go:2: an init function"},
		{"in a test too", source("a/a_test.go", "package a\nfunc init() {}\n"), "an init function"},
		{"a method of that name", source("a/a.go", "package a\ntype t int\nfunc (t) init() {}\n"), ""},
	})
}
