package architecture

import (
	"strings"
	"testing"
)

// rule is one rule of the house: a name in plain words, and a function that
// names each place that breaks it.
type rule struct {
	name  string
	check func(tree) []string
}

// rules returns all of them.
func rules() []rule {
	return []rule{
		{"every internal package is a room of the table", unknownRooms},
		{"no room imports what it must not know", forbiddenImports},
		{"a dependency stays in the rooms that it is for", strayDependencies},
		{"the rooms that a dependency is for use it", emptyHomes},
		{"what is made for tests stays out of the program", testsInTheProgram},
		{"files and functions stay short", tooLong},
		{"an interface has few methods", wideInterfaces},
		{"nothing at package level changes", mutableGlobals},
		{"no package has an init function", initFunctions},
		{"only the command knows the process it runs in", processAccess},
		{"every package says what it is", undocumentedPackages},
		{"every exported name says what it is", undocumentedNames},
	}
}

func TestTheHouseKeepsItsRules(t *testing.T) {
	house := wholeModule(t)
	for _, rule := range rules() {
		t.Run(rule.name, func(t *testing.T) {
			for _, broken := range rule.check(house) {
				t.Error(broken)
			}
		})
	}
}

// example is a small tree that a rule must refuse, naming the place and the
// reason, or, where want is empty, let through.
type example struct {
	name  string
	files map[string]string
	want  string
}

// source is a tree of one file.
func source(name, text string) map[string]string { return map[string]string{name: text} }

// show runs one rule on examples.
func show(t *testing.T, check func(tree) []string, examples []example) {
	t.Helper()
	for _, example := range examples {
		t.Run(example.name, func(t *testing.T) {
			broken := strings.Join(check(parse(t, example.files)), "\n")
			switch {
			case example.want == "" && broken != "":
				t.Errorf("refused without need: %s", broken)
			case !strings.Contains(broken, example.want):
				t.Errorf("got %q, want a line that says %q", broken, example.want)
			}
		})
	}
}
