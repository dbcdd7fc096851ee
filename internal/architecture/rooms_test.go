package architecture

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// room is a directory below internal/, with what it must never import and why.
// The row holds for the directories in it as well. What it names forbids that
// path and everything below it: "net" is net and net/http, "internal" every
// other room, and "dependencies" everything that is neither this module nor the
// standard library.
type room struct {
	dir   string
	never []string
	why   string
}

// rooms is the last column of the table of rooms in ARCHITECTURE.md.
func rooms() []room {
	const goGit, gophercloud = "github.com/go-git", "github.com/gophercloud"
	return []room{
		{
			"profile",
			[]string{"dependencies", "internal", "context", "log", "net", "os", "time"},
			"the noun is a value that every room shares, so it depends on none of them",
		},
		{
			"desired",
			[]string{
				goGit, gophercloud, "context", "log", "net", "os", "time", "internal/live", "internal/diff", "internal/apply",
				"internal/report", "internal/source", "internal/senlin",
			},
			"what is wanted follows from the files alone, wherever they come from and whatever is live",
		},
		{
			"live",
			[]string{
				goGit, gophercloud, "log", "net", "os", "internal/desired", "internal/diff", "internal/apply", "internal/report",
				"internal/source", "internal/senlin",
			},
			"a snapshot says what is there, whichever client reads it, and judges nothing",
		},
		{
			"diff",
			[]string{
				goGit, gophercloud, "context", "log", "math/rand", "crypto/rand", "net", "os", "time", "internal/apply",
				"internal/report", "internal/source", "internal/senlin", "internal/reconcile", "internal/devcloud", "internal/daemon",
			},
			"a plan is a function of desired and live: the same values give the same plan at any time, on any machine",
		},
		{
			"apply",
			[]string{goGit, gophercloud, "net", "os", "internal/desired", "internal/report", "internal/source", "internal/senlin"},
			"the order of the writes is proven against any target, so it knows none",
		},
		{
			"report",
			[]string{goGit, gophercloud, "context", "net", "os", "internal/source", "internal/senlin", "internal/reconcile"},
			"a report is a function of the result; where it is written to is the command's choice",
		},
		{
			"source",
			[]string{"internal", gophercloud},
			"a revision and its files mean nothing yet",
		},
		{
			"senlin",
			[]string{goGit, "internal/desired", "internal/diff", "internal/apply", "internal/report", "internal/source"},
			"it translates between the wire and a profile, and decides nothing",
		},
		{
			"reconcile",
			[]string{goGit, gophercloud, "net/http", "os"},
			"one pass is the page to read first; the edges are given to it",
		},
		{
			"devcloud",
			[]string{
				goGit, "internal/desired", "internal/diff", "internal/apply", "internal/live", "internal/report", "internal/source",
				"internal/senlin", "internal/reconcile",
			},
			"a double that shared the program's thinking would share its mistakes",
		},
		{
			"daemon",
			[]string{goGit, gophercloud},
			"it repeats passes, and each pass reaches its edges by itself",
		},
		{
			"lease",
			[]string{"internal", goGit, gophercloud},
			"who may write is asked by the daemon and by a single apply alike, whatever they write",
		},
		{
			"architecture",
			[]string{"dependencies", "internal"},
			"the rules read the house from outside",
		},
	}
}

// roomOf is the name of the room that a directory is in, "" for the command and
// for tests beside the rooms.
func roomOf(dir string) string {
	inside, found := strings.CutPrefix(dir, "internal/")
	if !found {
		return ""
	}
	name, _, _ := strings.Cut(inside, "/")
	return name
}

func unknownRooms(house tree) []string {
	var broken []string
	for dir := range packages(house.files) {
		name := roomOf(dir)
		known := slices.ContainsFunc(rooms(), func(r room) bool { return r.dir == name })
		if name != "" && !known {
			broken = append(broken, fmt.Sprintf("%s: no row of rooms() names the room %q", dir, name))
		}
	}
	slices.Sort(broken)
	return broken
}

func forbiddenImports(house tree) []string {
	var broken []string
	for _, f := range house.program() {
		at := slices.IndexFunc(rooms(), func(r room) bool { return r.dir == roomOf(f.dir()) })
		if at < 0 {
			continue
		}
		row := rooms()[at]
		for _, imported := range f.imports() {
			imported = strings.TrimPrefix(imported, module+"/")
			for _, never := range row.never {
				if matches(never, imported, "internal/"+row.dir) {
					broken = append(broken, fmt.Sprintf("%s: imports %s, but %s", f.path, imported, row.why))
				}
			}
		}
	}
	slices.Sort(broken)
	return slices.Compact(broken)
}

// matches tells whether an import, relative to the module where it is this
// module's, is what a row forbids. A room's own directories are its own
// business.
func matches(pattern, imported, own string) bool {
	if pattern == "dependencies" {
		return isDependency(imported)
	}
	return isBelow(imported, pattern) && !isBelow(imported, own)
}

func isBelow(name, dir string) bool { return name == dir || strings.HasPrefix(name, dir+"/") }

// isDependency tells the paths of other modules: as for the go command, only
// they have a dot in their first element.
func isDependency(imported string) bool {
	first, _, _ := strings.Cut(imported, "/")
	return strings.Contains(first, ".")
}

func TestTheTableOfRoomsFindsWhatItForbids(t *testing.T) {
	show(t, forbiddenImports, []example{
		{"a forbidden package", source("internal/profile/a.go", "package profile\nimport _ \"os\"\n"), "internal/profile/a.go: imports os"},
		{"one below it", source("internal/diff/a.go", "package diff\nimport _ \"net/http\"\n"), "imports net/http"},
		{"under another name", source("internal/diff/a.go", "package diff\nimport clock \"time\"\n"), "imports time"},
		{"another room", source("internal/desired/a.go", "package desired\nimport _ \"profilesync/internal/live\"\n"), "imports internal/live"},
		{"any other room", source("internal/source/a.go", "package source\nimport _ \"profilesync/internal/profile\"\n"), "imports internal/profile"},
		{"a dependency", source("internal/profile/a.go", "package profile\nimport _ \"example.org/x\"\n"), "imports example.org/x"},
		{"in a directory of the room", source("internal/diff/x/a.go", "package x\nimport _ \"os\"\n"), "internal/diff/x/a.go: imports os"},
		{"a package that only begins alike", source("internal/diff/a.go", "package diff\nimport _ \"network\"\n"), ""},
		{"its own directory", source("internal/source/a.go", "package source\nimport _ \"profilesync/internal/source/walk\"\n"), ""},
		{"a test may", source("internal/diff/a_test.go", "package diff\nimport _ \"os\"\n"), ""},
		{"the command may", source("cmd/profilesync/a.go", "package main\nimport _ \"os\"\n"), ""},
	})
	show(t, unknownRooms, []example{
		{"a new room", source("internal/util/a.go", "package util\n"), `internal/util: no row of rooms() names the room "util"`},
		{"of tests only", source("internal/util/a_test.go", "package util\n"), "internal/util"},
		{"a directory of a known room", source("internal/devcloud/store/a.go", "package store\n"), ""},
	})
}
