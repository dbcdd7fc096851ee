package source

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"profilesync/internal/source/gittest"
)

// untracked returns the documents git finds in a work tree once it has applied
// the .profilesyncignore files, which it can be told to use in place of
// .gitignore.
func untracked(r *gittest.Repo) []string {
	var names []string
	for name := range strings.SplitSeq(r.Git("ls-files", "-z", "--others", "--exclude-per-directory="+ignoreFile), "\x00") {
		hidden := strings.HasPrefix(name, ".") || strings.Contains(name, "/.")
		if path.Ext(name) == ".yaml" && !hidden {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func TestIgnoreFilesLeaveOutWhatGitWouldLeaveOut(t *testing.T) {
	r := gittest.New(t)
	documents := map[string]string{}
	for _, name := range []string{"web.yaml", "db.yaml", "eu/web.yaml", "eu/db.yaml", "eu/west/web.yaml", "eu/west/db.yaml", "us/web.yaml", "us/eu/west/db.yaml", "us/eu/x.yaml"} {
		documents[name] = "name: x\n"
	}
	r.Write(documents)
	pattern := rapid.SampledFrom([]string{"web.yaml", "*.yaml", "/eu", "eu/", "west", "eu/west", "**/west/", "*", "!db.yaml", "!eu/", "!*/", "!web.yaml", "/us/**", "!/us/eu", "#x", "", "d?.yaml", "[!w]*"})
	file := rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(pattern, 0, 4).Draw(t, "patterns"), "\n")
	})
	rapid.Check(t, func(t *rapid.T) {
		written := map[string]string{}
		for _, dir := range []string{"", "eu/", "us/", "us/eu/"} {
			written[dir+ignoreFile] = file.Draw(t, dir)
		}
		r.Write(written)
		s, err := Directory{Dir: r.Dir}.Read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if got, want := s.Files.(*files).sorted(), untracked(r); !slices.Equal(got, want) {
			t.Fatalf("with %q read %q, git lists %q", written, got, want)
		}
	})
}

func TestIgnoreFilesAboveThePathSayNothing(t *testing.T) {
	r := gittest.New(t)
	r.Write(map[string]string{
		ignoreFile: "*\n", "profiles/" + ignoreFile: "/drafts\n/eu/*.yml\n",
		"profiles/web.yaml": "name: web\n", "profiles/drafts/x.yaml": "x\n", "profiles/eu/drafts/y.yaml": "name: y\n", "profiles/eu/z.yml": "z\n",
	})
	r.Commit("Add profiles")
	want := map[string]string{"web.yaml": "name: web\n", "eu/drafts/y.yaml": "name: y\n"}
	for _, read := range []func() (Snapshot, error){
		func() (Snapshot, error) { return Git{URL: r.Dir, Path: "profiles"}.Read(t.Context()) },
		func() (Snapshot, error) { return Directory{Dir: r.Dir, Path: "profiles"}.Read(t.Context()) },
	} {
		s, err := read()
		if err != nil {
			t.Fatal(err)
		}
		same(t, contents(t, s.Files), want)
	}
}

// TestAnyTreeIsReadAsGitListsIt reads random commits from disk, over HTTP and
// from a checkout: the same documents each time, and those git lists.
func TestAnyTreeIsReadAsGitListsIt(t *testing.T) {
	r := gittest.New(t)
	server := r.Serve(nil)
	part := rapid.SampledFrom([]string{"a", "b", "a-b", "a.b", "ab", "web", "ä", "x y", ".h", "a.yaml", "A"})
	ending := rapid.SampledFrom([]string{".yaml", ".yml", ".yaml", ".md", "", ".yaml.bak"})
	name := rapid.Custom(func(t *rapid.T) string {
		dirs := rapid.SliceOfN(part, 0, 4).Draw(t, "directories")
		return path.Join(append(dirs, part.Draw(t, "name")+ending.Draw(t, "ending"))...)
	})
	rapid.Check(t, func(t *rapid.T) {
		var stream strings.Builder
		stream.WriteString("commit refs/heads/main\ncommitter Ada <ada@example.com> 1767323045 +0000\ndata 1\nx\ndeleteall\n")
		for i, n := range rapid.SliceOfN(name, 0, 30).Draw(t, "names") {
			content := fmt.Sprintf("name: %d\n", i)
			fmt.Fprintf(&stream, "M %s inline %q\ndata %d\n%s\n", rapid.SampledFrom([]string{"100644", "100755"}).Draw(t, "mode"), n, len(content), content)
		}
		r.Input(strings.ReplaceAll(stream.String(), "ä", `\303\244`), "fast-import", "--quiet", "--force")
		r.Git("reset", "-q", "--hard")
		r.Git("clean", "-qfdx")
		want := listed(r, "main", "")
		reads := []func(context.Context) (Snapshot, error){Git{URL: r.Dir}.Read, Directory{Dir: r.Dir}.Read}
		if rapid.IntRange(0, 3).Draw(t, "over HTTP") == 0 { // it takes git's server three processes
			reads = append(reads, Git{URL: server.URL + "/" + r.Name()}.Read)
		}
		for _, read := range reads {
			s, err := read(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			same(t, contents(t, s.Files), want)
		}
	})
}
