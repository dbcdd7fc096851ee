package source

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"profilesync/internal/source/gittest"
)

// treeOf makes a commit whose tree has the given lines of git mktree and a
// document ok.yaml. In a line, BLOB and TREE stand for a document and a
// directory with one.
func treeOf(r *gittest.Repo, lines ...string) {
	blob := r.Input("name: x\n", "hash-object", "-w", "--stdin")
	tree := r.Input("100644 blob "+blob+"\tinner.yaml\n", "mktree")
	for i, line := range lines {
		lines[i] = strings.NewReplacer("BLOB", blob, "TREE", tree).Replace(line)
	}
	root := r.Input(strings.Join(append(lines, "100644 blob "+blob+"\tok.yaml"), "\x00")+"\x00", "mktree", "-z", "--missing")
	r.Git("update-ref", "refs/heads/main", r.Git("commit-tree", "-m", "tree", root))
}

func link(r *gittest.Repo, name, target string) string {
	return fmt.Sprintf("120000 blob %s\t%s", r.Input(target, "hash-object", "-w", "--stdin"), name)
}

const nowhere = "160000 commit 0123456789012345678901234567890123456789\t"

func TestWhatMayStandForADocumentIsNeverPassedOver(t *testing.T) {
	lfs := "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n"
	rows := []struct {
		name    string
		lines   func(*gittest.Repo) []string
		says    []string // nothing: it is read
		notes   []string
		without string // a pattern that lets the rest be read
	}{
		{
			name:  "a link named like a document",
			lines: func(r *gittest.Repo) []string { return []string{link(r, "web.yaml", "ok.yaml")} },
			says:  []string{`"web.yaml"`, `a symbolic link to "ok.yaml", which is not followed`}, without: "web.yaml",
		},
		{
			name:  "a link to a directory",
			lines: func(r *gittest.Repo) []string { return []string{"040000 tree TREE\teu", link(r, "us", "eu")} },
			says:  []string{`"us"`, `a symbolic link to "eu"`}, without: "us",
		},
		{
			name:  "a link that leads out of the repository",
			lines: func(r *gittest.Repo) []string { return []string{link(r, "us", "../../etc")} },
			says:  []string{`"us"`}, without: "us",
		},
		{
			name:  "an absolute link",
			lines: func(r *gittest.Repo) []string { return []string{link(r, "us", "/ok.yaml")} },
			says:  []string{`"us"`}, without: "us",
		},
		{
			name:  "a link to nothing",
			lines: func(r *gittest.Repo) []string { return []string{link(r, "us", "gone")} },
			says:  []string{`"us"`}, without: "us",
		},
		{
			name: "a link to a link",
			lines: func(r *gittest.Repo) []string {
				return []string{link(r, "LICENSE", "COPYING"), link(r, "COPYING", "ok.yaml")}
			},
			says: []string{`"LICENSE"`}, without: "LICENSE",
		},
		{
			name:  "a link to a file, named like no document",
			lines: func(r *gittest.Repo) []string { return []string{link(r, "LICENSE", "./ok.yaml")} },
			notes: []string{`"LICENSE": a symbolic link to "./ok.yaml", which is not followed`},
		},
		{
			name:  "a submodule",
			lines: func(*gittest.Repo) []string { return []string{nowhere + "vendor"} },
			says:  []string{`"vendor"`, "a submodule"}, without: "vendor/",
		},
		{
			name:  "a hidden submodule",
			lines: func(*gittest.Repo) []string { return []string{nowhere + ".vendor"} },
		},
		{
			name:  "a name in capitals",
			lines: func(*gittest.Repo) []string { return []string{"100644 blob BLOB\tweb.YAML"} },
			says:  []string{`"web.YAML"`, "ends in .yaml or .yml"}, without: "*.YAML",
		},
		{
			name: "a document in Git LFS",
			lines: func(r *gittest.Repo) []string {
				return []string{"100644 blob " + r.Input(lfs, "hash-object", "-w", "--stdin") + "\tweb.yaml"}
			},
			says: []string{`"web.yaml"`, "Git LFS"}, without: "web.yaml",
		},
		{
			name:  "a name that is not UTF-8",
			lines: func(*gittest.Repo) []string { return []string{"100644 blob BLOB\tw\xe9b.yaml"} },
			says:  []string{`"w\xe9b.yaml"`, "not UTF-8"}, without: "w*.yaml",
		},
		{
			name:  "a directory that is not UTF-8",
			lines: func(*gittest.Repo) []string { return []string{"040000 tree TREE\td\xe9"} },
			says:  []string{`"d\xe9/inner.yaml"`}, without: "d*/",
		},
		{
			name:  "a control character",
			lines: func(*gittest.Repo) []string { return []string{"100644 blob BLOB\tw\x1b[2Jb.yaml"} },
			says:  []string{`"w\x1b[2Jb.yaml"`, "control character"}, without: "w*.yaml",
		},
		{
			name:  "a backslash",
			lines: func(*gittest.Repo) []string { return []string{"100644 blob BLOB\ta\\b.yaml"} },
			says:  []string{"backslash"}, without: "a*",
		},
		{
			name: "other files may be called what they like",
			lines: func(*gittest.Repo) []string {
				return []string{"100644 blob BLOB\tIcon\r", "100644 blob BLOB\t\xe9.txt"}
			},
		},
		{
			name:  "an executable document is a document",
			lines: func(*gittest.Repo) []string { return []string{"100755 blob BLOB\trun.yaml"} },
		},
		{
			name:  "an ignore file that is a link",
			lines: func(r *gittest.Repo) []string { return []string{link(r, ".profilesyncignore", "ok.yaml")} },
			says:  []string{`".profilesyncignore"`, "regular file"},
		},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			r := gittest.New(t)
			treeOf(r, row.lines(r)...)
			s, err := Git{URL: r.Dir}.Read(t.Context())
			if len(row.says) > 0 {
				fails(t, err, ErrRefused, row.says...)
			} else if err != nil {
				t.Fatal(err)
			} else {
				same(t, contents(t, s.Files), listed(r, "main", ""))
			}
			var notes []string
			for _, n := range s.Notes {
				notes = append(notes, n.String())
			}
			if !slices.Equal(notes, row.notes) {
				t.Errorf("notes %q, want %q", notes, row.notes)
			}
			if row.without == "" {
				return
			}
			patterns := r.Input(row.without, "hash-object", "-w", "--stdin")
			treeOf(r, append(row.lines(r), "100644 blob "+patterns+"\t.profilesyncignore")...)
			if s, err = (Git{URL: r.Dir}).Read(t.Context()); err != nil {
				t.Errorf("ignored, it still fails: %v", err)
			} else if _, ok := contents(t, s.Files)["ok.yaml"]; !ok {
				t.Error("the rest is not read")
			}
		})
	}
}

func TestEveryRefusalIsNamedAtOnce(t *testing.T) {
	r := gittest.New(t)
	var lines []string
	for i := range 30 {
		lines = append(lines, fmt.Sprintf("%sm%02d", nowhere, i))
	}
	treeOf(r, lines...)
	_, err := Git{URL: r.Dir}.Read(t.Context())
	fails(t, err, ErrRefused, `"m00"`, `; "m09"`, "and 20 more")
}

func TestAnUnreadableDirectoryElsewhereDoesNotMatter(t *testing.T) {
	r := gittest.New(t)
	treeOf(r, "040000 tree 0123456789012345678901234567890123456789\tother", "040000 tree TREE\tprofiles")
	s, err := Git{URL: r.Dir, Path: "profiles"}.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	same(t, contents(t, s.Files), map[string]string{"inner.yaml": "name: x\n"})
	_, err = Git{URL: r.Dir}.Read(t.Context())
	fails(t, err, ErrDamaged, "other")
}

func TestPathsAreRefusedWithTheReason(t *testing.T) {
	r := gittest.New(t)
	treeOf(r, "040000 tree TREE\tprofiles", link(r, "linked", "profiles"), nowhere+"module")
	r.Git("reset", "-q", "--hard")
	rows := []struct{ path, says string }{
		{"nope", `"nope"`},
		{"profiles/nope/deeper", `"profiles/nope"`},
		{"/profiles", "without the first slash"},
		{"../profiles", "leads out"},
		{"profiles/../../x", "leads out"},
		{"ok.yaml", `"ok.yaml" is`},
		{"ok.yaml/x", `"ok.yaml" is`},
		{"linked", "symbolic link"},
		{"linked/inner", "symbolic link"},
	}
	for _, row := range rows {
		t.Run(row.path, func(t *testing.T) {
			_, err := Git{URL: r.Dir, Path: row.path}.Read(t.Context())
			fails(t, err, ErrNoPath, row.says)
			_, err = Directory{Dir: r.Dir, Path: row.path}.Read(t.Context())
			fails(t, err, ErrNoPath, row.says)
		})
	}
	_, err := Git{URL: r.Dir, Path: "module"}.Read(t.Context())
	fails(t, err, ErrNoPath, `"module" is a submodule`)
	for _, same := range []string{"profiles", "profiles/", "./profiles", "x/../profiles", "profiles//"} {
		if s, err := (Git{URL: r.Dir, Path: same}).Read(t.Context()); err != nil || len(contents(t, s.Files)) != 1 {
			t.Errorf("%q: %v", same, err)
		}
	}
}

func TestLimits(t *testing.T) {
	r := gittest.New(t)
	files := map[string]string{"deep/" + strings.Repeat("d/", maxDepth+1) + "x.yaml": "name: x\n"}
	for i := range 20 {
		files[fmt.Sprintf("many/%d.yaml", i)] = strings.Repeat("#", 100)
	}
	r.Write(files)
	r.Commit("Add much")
	rows := []struct {
		name, path string
		limits     Limits
		says       string
	}{
		{"files", "many", Limits{Files: 19}, "19"},
		{"one document", "many", Limits{FileBytes: 99}, "99"},
		{"all documents", "many", Limits{TotalBytes: 1999}, "1999"},
		{"depth", "deep", Limits{}, "directories deep"},
	}
	packed := t.TempDir() + "/packed"
	r.Git("clone", "-q", "--bare", "--no-local", r.Dir, packed)
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			_, err := Git{URL: r.Dir, Path: row.path, Limits: row.limits}.Read(t.Context())
			fails(t, err, ErrLimit, row.says)
			_, err = Git{URL: packed, Path: row.path, Limits: row.limits}.Read(t.Context())
			fails(t, err, ErrLimit, row.says)
			_, err = Directory{Dir: r.Dir, Path: row.path, Limits: row.limits}.Read(t.Context())
			fails(t, err, ErrLimit, row.says)
		})
	}
	just := Limits{Files: 20, FileBytes: 100, TotalBytes: 2000}
	if _, err := (Git{URL: r.Dir, Path: "many", Limits: just}).Read(t.Context()); err != nil {
		t.Errorf("just within the limits: %v", err)
	}
	if _, err := (Directory{Dir: r.Dir, Path: "many", Limits: just}).Read(t.Context()); err != nil {
		t.Errorf("just within the limits, on disk: %v", err)
	}
}
