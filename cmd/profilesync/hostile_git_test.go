package main

import (
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"profilesync/internal/source/gittest"
)

// pit is what is expensive to make and shared by all inputs: a repository with
// a branch for each tree that nobody would commit, made by git itself. It is
// small on disk.
type pit struct{ *gittest.Repo }

// treeEntry is one entry of a tree object.
type treeEntry struct{ mode, name, id string }

func newPit(t *testing.T) *pit {
	p := &pit{gittest.New(t)}
	document := p.Input(goodDocument, "hash-object", "-w", "--stdin")
	zeros := p.Input(strings.Repeat("\x00", 100_000_000), "hash-object", "-w", "--stdin")
	file := func(name string) treeEntry { return treeEntry{"100644", name, document} }
	one := p.tree(file("web.yaml"))
	many := make([]treeEntry, 1_000_000)
	for i := range many {
		many[i] = file(fmt.Sprintf("%06d.yaml", i))
	}
	million := p.tree(many...)
	for i := range 1000 { // what is no document is not even read
		many[i] = file(fmt.Sprintf("%06d.txt", i))
	}
	thousand := p.tree(many[:1000]...)
	for range 3 { // a thousand directories which are all the same one, three times over
		same := make([]treeEntry, 1000)
		for i := range same {
			same[i] = treeEntry{"40000", fmt.Sprintf("%03d", i), thousand}
		}
		thousand = p.tree(same...)
	}
	link := func(target string) string { return p.Input(target, "hash-object", "-w", "--stdin") }
	p.branch("million", treeEntry{"40000", "docs", one}, treeEntry{"40000", "many", million})
	p.branch("same", treeEntry{"40000", "docs", one}, treeEntry{"40000", "many", thousand})
	p.branch("large", treeEntry{"100644", "web.yaml", zeros})
	p.branch("large-elsewhere", treeEntry{"40000", "docs", one}, treeEntry{"100644", "large.bin", zeros})
	for name, entry := range map[string]treeEntry{
		"up": file(".."), "dot": file("."), "git": {"40000", ".git", one}, "slash": file("../../etc/x.yaml"), "odd": {"123456", "x.yaml", document},
		"out":    {"120000", "web.yaml", link("../../etc/passwd")},
		"device": {"120000", "us", link("/dev/zero")},
		"long":   {"120000", "us", link(strings.Repeat("a/", 50_000))},
		"module": {"160000", "us", strings.Repeat("01", 20)},
		"gone":   {"40000", "us", strings.Repeat("01", 20)},
		"escape": file("\x1b[2J.yaml"),
		"latin":  file("caf\xe9.yaml"),
		"lfs":    {"100644", "web.yaml", link("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n")},
	} {
		p.branch(name, entry)
	}
	p.branch("twice", file("a.yaml"), file("a.yaml"))
	p.branch("disorder", file("b.yaml"), file("a.yaml"))
	p.branch("case", file("WEB.yaml"), file("web.yaml"))
	return p
}

// tree writes a tree object as it is, whatever git would say of it.
func (p *pit) tree(entries ...treeEntry) string {
	var raw strings.Builder
	for _, e := range entries {
		id, _ := hex.DecodeString(e.id)
		raw.WriteString(e.mode + " " + e.name + "\x00" + string(id))
	}
	return p.Input(raw.String(), "hash-object", "-t", "tree", "-w", "--stdin", "--literally")
}

func (p *pit) branch(name string, entries ...treeEntry) {
	p.Git("update-ref", "refs/heads/"+name, p.Git("commit-tree", "-m", name, p.tree(entries...)))
}

func hostileRepositories() []hostile {
	row := func(name, branch, path, says, hint string) hostile {
		h := hostile{name: "repository: " + name, says: says, hint: hint, make: func(d *den) []string {
			return []string{"validate", "--source", d.shared.Dir, "--ref", branch, "--path", path}
		}}
		if says == "^$" {
			h.status, h.shows = harmless, "Valid: 1 profile in 1 file"
		}
		return h
	}
	return []hostile{
		row("a million files elsewhere", "million", "docs", "^$", ""),
		row("a million files", "million", "", `"many".*more than 33554432`, "--path narrows"),
		row("10^12 files which are all the same", "same", "", "more than 100000 files and directories", "--path narrows"),
		row("10^12 files elsewhere", "same", "docs", "^$", ""),
		row("a document of 100 MB", "large", "", `"web.yaml".*100000000 bytes, more than 1048576`, "--path narrows"),
		row("100 MB that are no document", "large-elsewhere", "", "^$", ""),
		row("an entry that leads up", "up", "", `named ".."`, "git fsck"),
		row("an entry that leads nowhere", "dot", "", `named "."`, "git fsck"),
		row("an entry .git", "git", "", `named ".git"`, "git fsck"),
		row("an entry with slashes", "slash", "", `named "../../etc/x.yaml"`, "git fsck"),
		row("an entry of no kind", "odd", "", `mode "123456"`, "git fsck"),
		row("an entry that is there twice", "twice", "", "twice", "git fsck"),
		row("entries out of order", "disorder", "", "out of order", "git fsck"),
		row("a link out of the tree", "out", "", "symbolic link to .*etc/passwd", "plain file"),
		row("a link to a device", "device", "", "symbolic link to .*/dev/zero", "plain file"),
		row("a link of 100 KB", "long", "", "limit exceeded", "--path"),
		row("a submodule", "module", "", "a submodule", "plain file"),
		row("a directory that is missing", "gone", "", "object not found", "git fsck"),
		row("a name with an escape sequence", "escape", "", "control character", "plain file"),
		row("a name that is no UTF-8", "latin", "", "not UTF-8", "plain file"),
		row("a pointer of Git LFS", "lfs", "", "Git LFS", "plain file"),
		row("names that differ in case", "case", "", "differs only in case", ""),
		row("a path that leads out", "million", "../..", "leads out of the repository", "--path"),
		row("a reference that is an option", "--upload-pack=id", "", "is not the name of a branch", "--ref"),
		row("a reference with an escape sequence", "\x1b[2J", "", `\\x1b|\\u001b`, "--ref"),
	}
}
