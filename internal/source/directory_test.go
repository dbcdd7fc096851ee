package source

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"profilesync/internal/source/gittest"
)

func TestADirectoryIsReadAsItLies(t *testing.T) {
	r := gittest.New(t)
	r.Write(mixed)
	r.Commit("Add profiles")
	want := listed(r, "HEAD", "profiles")
	changed := map[string]string{"web.yaml": "name: changed\n", "new.yaml": "name: new\n", ".gitignore": "new.yaml\n"}
	for name, content := range changed {
		r.Write(map[string]string{"profiles/" + name: content})
	}
	if err := os.Remove(filepath.Join(r.Dir, "profiles/db.yml")); err != nil {
		t.Fatal(err)
	}
	want["web.yaml"], want["new.yaml"] = "name: changed\n", "name: new\n"
	delete(want, "db.yml")
	for name, d := range map[string]Directory{
		"from above": {Dir: r.Dir, Path: "profiles"}, "itself": {Dir: filepath.Join(r.Dir, "profiles")}, "with a slash": {Dir: r.Dir + "/", Path: "./profiles/"},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := d.Read(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			same(t, contents(t, s.Files), want)
			if s.Subject != "" || s.Author != "" || !s.When.IsZero() {
				t.Errorf("a directory has a commit: %+v", s)
			}
		})
	}
}

func TestTheRevisionOfADirectoryChangesWithItsDocumentsOnly(t *testing.T) {
	dir := t.TempDir()
	r := (&gittest.Repo{Dir: dir}).In(t)
	revision := func() string {
		s, err := Directory{Dir: dir}.Read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if hex, ok := strings.CutPrefix(s.Revision, "worktree:sha256:"); !ok || len(hex) != 64 {
			t.Fatalf("revision %q", s.Revision)
		}
		return s.Revision
	}
	r.Write(map[string]string{"a.yaml": "1", "b.yaml": "2"})
	first := revision()
	seen := map[string]string{first: "the first"}
	for _, step := range []struct {
		name  string
		files map[string]string
	}{
		{"content", map[string]string{"a.yaml": "12"}},
		{"content moved from one file to the next", map[string]string{"a.yaml": "1", "b.yaml": "22"}},
		{"a file more", map[string]string{"b.yaml": "2", "c.yaml": ""}},
		{"a file in a directory", map[string]string{"d/c.yaml": ""}},
	} {
		r.Write(step.files)
		now := revision()
		if other, ok := seen[now]; ok {
			t.Errorf("%s: the revision is that of %s", step.name, other)
		}
		seen[now] = step.name
	}
	os.Remove(filepath.Join(dir, "c.yaml"))
	os.RemoveAll(filepath.Join(dir, "d"))
	r.Write(map[string]string{"README.md": "text", ".hidden.yaml": "x", ignoreFile: "ignored.yaml\n", "ignored.yaml": "x"})
	if now := revision(); now != first {
		t.Errorf("revision %s with other files beside the documents, %s without", now, first)
	}
}

func TestNoTwoTreesHaveOneFingerprint(t *testing.T) {
	one, two := newFiles(), newFiles()
	one.add("a.yaml", []byte("1"))
	one.add("b.yaml", []byte("2"))
	two.add("a.yaml", []byte("1b.yaml2"))
	if fingerprint(one) == fingerprint(two) {
		t.Error("two files have the fingerprint of one")
	}
}

func TestADirectoryThatIsNotThere(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"/nowhere/at/all", file, ""} {
		_, err := Directory{Dir: dir}.Read(t.Context())
		fails(t, err, ErrNoPath, "no such directory")
	}
}

func TestEveryReadingStopsWhenItIsToldTo(t *testing.T) {
	r := gittest.New(t)
	r.Write(mixed)
	r.Commit("Add profiles")
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	for name, read := range map[string]func(context.Context, Limits) (Snapshot, error){
		"on disk": func(ctx context.Context, l Limits) (Snapshot, error) { return Git{URL: r.Dir, Limits: l}.Read(ctx) },
		"directory": func(ctx context.Context, l Limits) (Snapshot, error) {
			return Directory{Dir: r.Dir, Limits: l}.Read(ctx)
		},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := read(cancelled, Limits{}); !errors.Is(err, context.Canceled) {
				t.Errorf("cancelled: %v", err)
			}
			_, err := read(t.Context(), Limits{Time: time.Nanosecond})
			fails(t, err, context.DeadlineExceeded, "longer than 1ns")
		})
	}
}
