package architecture

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// home says which directories may import a dependency. Elsewhere it would be a
// second way to do the same thing.
type home struct {
	dependency string
	dirs       []string
}

// homes names every dependency that the program imports. A new one needs a row
// here, and one in docs/adr/0001-dependencies.md that says why.
func homes() []home {
	return []home{
		{"github.com/ProtonMail/go-crypto", []string{"internal/source/trust"}},
		{"github.com/aymanbagabas/go-udiff", []string{"internal/report"}},
		{"github.com/cenkalti/backoff", []string{"internal/daemon/notify", "internal/senlin"}},
		{"github.com/coreos/go-systemd", []string{"cmd/profilesync"}},
		{"github.com/go-git", []string{"internal/source"}},
		{"github.com/gophercloud", []string{"internal/senlin"}},
		{"github.com/hiddeco/sshsig", []string{"internal/source/trust"}},
		{"github.com/lmittmann/tint", []string{"cmd/profilesync"}},
		{"github.com/nicholas-fedor/shoutrrr", []string{"internal/daemon/notify"}},
		{"github.com/prometheus", []string{"internal/daemon/metrics"}},
		{"github.com/robfig/cron", []string{"internal/daemon/schedule"}},
		{"github.com/skeema/knownhosts", []string{"internal/source/remote/hostkey"}},
		{"github.com/spf13", []string{"cmd/profilesync"}},
		{"go.etcd.io/bbolt", []string{"internal/daemon/history", "internal/devcloud"}},
		{"go.etcd.io/etcd", []string{"internal/lease/etcd"}},
		{"go.yaml.in/yaml", []string{"internal/desired", "internal/senlin"}},
		{"golang.org/x/crypto", []string{"internal/source"}},
		{"golang.org/x/sync", []string{"cmd/profilesync", "internal/apply", "internal/senlin"}},
		{"golang.org/x/sys", []string{"cmd/profilesync"}},
		{"golang.org/x/term", []string{"cmd/profilesync"}},
		{"sigs.k8s.io/yaml", []string{"internal/desired"}},
	}
}

func strayDependencies(house tree) []string {
	var broken []string
	for _, f := range house.program() {
		for _, imported := range f.imports() {
			if strings.HasPrefix(imported, module+"/") || !isDependency(imported) {
				continue
			}
			at := slices.IndexFunc(homes(), func(h home) bool { return isBelow(imported, h.dependency) })
			if at < 0 {
				broken = append(broken, fmt.Sprintf("%s: imports %s, which no row of homes() names", f.path, imported))
				continue
			}
			if !slices.ContainsFunc(homes()[at].dirs, func(dir string) bool { return isBelow(f.dir(), dir) }) {
				broken = append(broken, fmt.Sprintf("%s: imports %s, which belongs to %q", f.path, imported, homes()[at].dirs))
			}
		}
	}
	slices.Sort(broken)
	return broken
}

// emptyHomes finds the rows that a dependency has left behind.
func emptyHomes(house tree) []string {
	var broken []string
	for _, home := range homes() {
		for _, dir := range home.dirs {
			isUsed := slices.ContainsFunc(house.program(), func(f file) bool {
				return isBelow(f.dir(), dir) && slices.ContainsFunc(f.imports(), func(imported string) bool {
					return isBelow(imported, home.dependency)
				})
			})
			if !isUsed {
				broken = append(broken, fmt.Sprintf("homes(): nothing in %s imports %s", dir, home.dependency))
			}
		}
	}
	return broken
}

// testsInTheProgram finds what would link the tests into the binary.
func testsInTheProgram(house tree) []string {
	forTests := map[string]bool{}
	for _, f := range house.files {
		if f.isTest && !strings.HasSuffix(f.path, "_test.go") {
			forTests[module+"/"+f.dir()] = true
		}
	}
	var broken []string
	for _, f := range house.program() {
		for _, imported := range f.imports() {
			if forTests[imported] {
				broken = append(broken, fmt.Sprintf("%s: imports %s, which is made for tests", f.path, imported))
			}
		}
	}
	return broken
}

func TestAStrayDependencyIsFound(t *testing.T) {
	goGit := "package apply\nimport _ \"github.com/go-git/go-git/v5\"\n"
	show(t, strayDependencies, []example{
		{"unknown", source("cmd/profilesync/a.go", "package main\nimport _ \"example.org/x\"\n"), "imports example.org/x, which no row"},
		{"in another room", source("internal/apply/a.go", goGit), `belongs to ["internal/source"]`},
		{"at home", source("internal/source/a.go", "package source\nimport _ \"github.com/go-git/go-git/v5/plumbing\"\n"), ""},
		{"the module itself", source("cmd/profilesync/a.go", "package main\nimport _ \"profilesync/internal/profile\"\n"), ""},
		{"a test may", source("internal/apply/a_test.go", "package apply\nimport _ \"pgregory.net/rapid\"\n"), ""},
	})
	show(t, emptyHomes, []example{
		{"a row without a use", source("internal/source/a.go", "package source\nimport _ \"go.etcd.io/bbolt\"\n"), "nothing in internal/devcloud imports go.etcd.io/bbolt"},
	})
	testing := "package b\nimport _ \"testing\"\n"
	program := "package a\nimport _ \"profilesync/internal/b\"\n"
	show(t, testsInTheProgram, []example{
		{"a package for tests", map[string]string{"internal/a/a.go": program, "internal/b/b.go": testing}, "internal/a/a.go: imports profilesync/internal/b"},
		{"its own tests", map[string]string{"internal/a/a.go": program, "internal/b/b_test.go": testing, "internal/b/b.go": "package b\n"}, ""},
		{"used by a test", map[string]string{"internal/a/a_test.go": program, "internal/b/b.go": testing}, ""},
	})
}
