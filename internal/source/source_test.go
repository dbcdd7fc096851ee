package source

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"profilesync/internal/source/gittest"
)

// contents returns every file of a tree.
func contents(t tester, fsys fs.FS) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := fs.ReadFile(fsys, name)
		found[name] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// listed returns what git itself finds in a commit, as Files should have it:
// documents under dir, without hidden files. It knows nothing of ignore files.
func listed(r *gittest.Repo, rev, dir string) map[string]string {
	var names, ids []string
	for line := range strings.SplitSeq(r.Git("ls-tree", "-r", "-z", rev), "\x00") {
		meta, name, ok := strings.Cut(line, "\t")
		if dir != "" && ok {
			name, ok = strings.CutPrefix(name, dir+"/")
		}
		hidden := strings.HasPrefix(name, ".") || strings.Contains(name, "/.")
		if ext := path.Ext(name); ok && strings.HasPrefix(meta, "100") && !hidden && (ext == ".yaml" || ext == ".yml") {
			names, ids = append(names, name), append(ids, strings.Fields(meta)[2])
		}
	}
	found := map[string]string{}
	rest := r.Input(strings.Join(ids, "\n"), "cat-file", "--batch=%(objectsize)") + "\n\n"
	for _, name := range names {
		size, content, _ := strings.Cut(rest, "\n")
		n, _ := strconv.Atoi(size)
		found[name], rest = content[:n], content[n+1:]
	}
	return found
}

func same(t tester, got, want map[string]string) {
	t.Helper()
	if maps.Equal(got, want) {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if content, ok := got[name]; !ok {
			t.Errorf("%q is missing", name)
		} else if content != want[name] {
			t.Errorf("%q is %q, want %q", name, content, want[name])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(got)) {
		if _, ok := want[name]; !ok {
			t.Errorf("%q should not be there", name)
		}
	}
}

// fails makes sure of a kind of error that says certain things, on one line.
func fails(t testing.TB, err, kind error, says ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want %q", kind)
	}
	if kind != nil && !errors.Is(err, kind) {
		t.Errorf("error %q, want %q", err, kind)
	}
	for _, s := range says {
		if !strings.Contains(err.Error(), s) {
			t.Errorf("error %q does not say %q", err, s)
		}
	}
	if len(says) > 0 && strings.Contains(err.Error(), "\n") {
		t.Errorf("error %q has more than one line", err)
	}
}

var mixed = map[string]string{
	"profiles/web.yaml":                  "name: web\n",
	"profiles/db.yml":                    "name: db\n",
	"profiles/eu/west/web.yaml":          "name: web-west\n",
	"profiles/eu/west/README.md":         "not a document\n",
	"profiles/eu/.hidden.yaml":           "hidden: true\n",
	"profiles/eu/.hidden/web.yaml":       "hidden: true\n",
	"profiles/empty.yaml":                "\n",
	"profiles/scripts/run.sh":            "#!/bin/sh\n",
	"profiles/Ünïcode ☃.yaml":            "name: snow\n",
	"profiles/web.yaml.bak":              "not a document\n",
	"profiles/yaml":                      "not a document\n",
	"elsewhere/other.yaml":               "name: other\n",
	"root.yaml":                          "name: root\n",
	".github/workflows/ci.yml":           "on: push\n",
	".gitlab-ci.yml":                     "stages: []\n",
	"elsewhere/very/deep/down/here.yaml": "name: deep\n",
}

func TestGitReadsTheDocumentsOfOneCommit(t *testing.T) {
	r := gittest.New(t)
	r.Write(mixed)
	hash := r.Commit("Add profiles")
	r.Write(map[string]string{"profiles/uncommitted.yaml": "name: no\n"})
	for _, dir := range []string{"", "profiles", "profiles/eu", "elsewhere/very/deep"} {
		t.Run("under "+dir, func(t *testing.T) {
			s, err := Git{URL: r.Dir, Path: dir}.Read(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			same(t, contents(t, s.Files), listed(r, "HEAD", dir))
			if s.Revision != hash {
				t.Errorf("revision %s, want %s", s.Revision, hash)
			}
		})
	}
	s, err := Git{URL: r.Dir}.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	if s.Subject != "Add profiles" || s.Author != "Ada" || !s.When.Equal(want) {
		t.Errorf("commit is %q by %q at %s", s.Subject, s.Author, s.When)
	}
}

func TestFilesAreAProperFileSystem(t *testing.T) {
	r := gittest.New(t)
	r.Write(mixed)
	r.Commit("Add profiles")
	s, err := Git{URL: r.Dir, Path: "profiles"}.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := fstest.TestFS(s.Files, "web.yaml", "eu/west/web.yaml", "Ünïcode ☃.yaml"); err != nil {
		t.Error(err)
	}
	if err := fstest.TestFS(newFiles()); err != nil {
		t.Errorf("empty: %v", err)
	}
	content, err := fs.ReadFile(s.Files, "web.yaml")
	if err != nil {
		t.Fatal(err)
	}
	content[0] = 'X'
	if again, _ := fs.ReadFile(s.Files, "web.yaml"); string(again) != "name: web\n" {
		t.Errorf("a caller changed the file to %q", again)
	}
	for name, want := range map[string]error{"eu": fs.ErrInvalid, "nope": fs.ErrNotExist, "../x": fs.ErrInvalid} {
		if _, err := fs.ReadFile(s.Files, name); !errors.Is(err, want) {
			t.Errorf("read %q: %v, want %v", name, err, want)
		}
	}
}

func TestADirectoryWithoutDocumentsHasNone(t *testing.T) {
	r := gittest.New(t)
	r.Write(mixed)
	r.Commit("Add profiles")
	s, err := Git{URL: r.Dir, Path: "profiles/scripts"}.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	same(t, contents(t, s.Files), nil)
}

func TestEveryRepositoryOnDiskIsRead(t *testing.T) {
	r := gittest.New(t)
	r.Write(mixed)
	r.Commit("Add profiles")
	want := listed(r, "HEAD", "")
	clone := func(r *gittest.Repo, args ...string) string {
		dir := t.TempDir() + "/copy"
		r.Git(slices.Concat([]string{"clone", "-q"}, args, []string{r.Dir, dir})...)
		return dir
	}
	rows := map[string]func(*gittest.Repo) string{
		"path":                func(r *gittest.Repo) string { return r.Dir },
		"path of .git":        func(r *gittest.Repo) string { return r.Dir + "/.git" },
		"file URL":            func(r *gittest.Repo) string { return "file://" + r.Dir },
		"file URL, localhost": func(r *gittest.Repo) string { return "file://localhost" + r.Dir },
		"bare":                func(r *gittest.Repo) string { return clone(r, "--bare") },
		"shallow":             func(r *gittest.Repo) string { return clone(r, "--depth=1", "--no-local") },
		"packed":              func(r *gittest.Repo) string { return then(r, clone(r), "gc", "-q") },
		"detached":            func(r *gittest.Repo) string { return then(r, clone(r), "checkout", "-q", "--detach") },
		"packed references":   func(r *gittest.Repo) string { return then(r, clone(r), "pack-refs", "--all") },
		"sparse checkout":     func(r *gittest.Repo) string { return then(r, clone(r), "sparse-checkout", "set", "profiles") },
		"linked work tree": func(r *gittest.Repo) string {
			dir := t.TempDir() + "/linked"
			r.Git("worktree", "add", "-q", "--detach", dir)
			return dir
		},
		"packs of git maintenance": func(r *gittest.Repo) string {
			dir := clone(r)
			for range 2 { // packs the loose objects, then removes them
				then(r, dir, "maintenance", "run", "--task=loose-objects")
			}
			if packs, _ := filepath.Glob(dir + "/.git/objects/pack/loose-*.pack"); len(packs) == 0 {
				t.Error("there is no such pack")
			}
			return dir
		},
		"borrowed objects":                   func(r *gittest.Repo) string { return clone(r, "--shared") },
		"borrowed objects, twice removed":    func(r *gittest.Repo) string { return clone(r.Sub(clone(r, "--shared")), "--shared") },
		"borrowed objects, by relative path": borrowRelative,
	}
	for name, dir := range rows {
		t.Run(name, func(t *testing.T) {
			s, err := Git{URL: dir(r.In(t))}.Read(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			same(t, contents(t, s.Files), want)
		})
	}
}

// then runs git in dir.
func then(r *gittest.Repo, dir string, args ...string) string {
	r.Git(append([]string{"-C", dir}, args...)...)
	return dir
}

// borrowRelative leaves a repository without any object of its own.
func borrowRelative(r *gittest.Repo) string {
	dir := filepath.Dir(r.Dir) + "/borrower"
	r.Git("clone", "-q", "--bare", r.Dir, dir)
	r.Git("clone", "-q", "--bare", r.Dir, dir+"/[lender]*")
	if err := os.RemoveAll(dir + "/objects"); err != nil {
		panic(err)
	}
	r.Sub(dir).Write(map[string]string{"objects/info/alternates": "# from a neighbour\n\n../[lender]*/objects\n"})
	return dir
}

func ExampleNote() {
	fmt.Println(Note{Path: "profiles/LICENSE", What: `a symbolic link to "../LICENSE", which is not followed`})
	// Output: "profiles/LICENSE": a symbolic link to "../LICENSE", which is not followed
}

// tester is what testing.TB and rapid.T have in common.
type tester interface {
	Helper()
	Errorf(format string, args ...any)
	Fatal(args ...any)
}
