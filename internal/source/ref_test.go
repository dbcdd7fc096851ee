package source

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"profilesync/internal/source/gittest"
)

// named is a repository with a reference of every kind, and the commit each should lead to.
func named(t *testing.T) (r *gittest.Repo, commits map[string]string) {
	t.Helper()
	r = gittest.New(t)
	commits = map[string]string{}
	commit := func(name string) string {
		r.Write(map[string]string{"web.yaml": "name: " + name + "\n"})
		commits[name] = r.Commit(name)
		return commits[name]
	}
	first := commit("first")
	r.Git("branch", "old")
	r.Git("branch", "feature/x", first)
	r.Git("tag", "light")
	commit("second")
	r.Git("tag", "-a", "-m", "annotated", "annotated")
	r.Git("tag", "-a", "-m", "a tag of a tag", "twice", "annotated")
	r.Git("tag", "-m", "a tree", "tree", "HEAD^{tree}")
	r.Git("branch", "both")
	r.Git("tag", "both", first)
	r.Git("branch", "abc1234", first)
	r.Git("symbolic-ref", "refs/heads/alias", "refs/heads/old")
	commit("middle")
	commit("tip")
	return r, commits
}

func TestRevisions(t *testing.T) {
	r, commits := named(t)
	server := r.Serve(nil)
	r.Git("branch", "-m", "main", "trunk") // the default branch is called anything
	r.Git("symbolic-ref", "HEAD", "refs/heads/trunk")
	found := map[string]string{
		"": "tip", "HEAD": "tip", "trunk": "tip", "refs/heads/trunk": "tip",
		"old": "first", "feature/x": "first", "alias": "first",
		"light": "first", "annotated": "second", "twice": "second", "refs/tags/annotated": "second",
		"refs/heads/both": "second", "refs/tags/both": "first",
		"abc1234":                           "first", // a branch, though it looks like a commit
		commits["tip"]:                      "tip",
		commits["middle"]:                   "middle", // which no branch or tag points to
		commits["middle"][:7]:               "middle",
		commits["middle"][:39]:              "middle",
		strings.ToUpper(commits["tip"][:8]): "tip",
	}
	missing := map[string]string{
		"main": `no branch, tag or commit "main" (the default branch is "trunk")`, "v9": "v9", "refs/heads/v9": "refs/heads/v9", "beef": "beef",
		"0123456789012345678901234567890123456789": "0123456789012345678901234567890123456789",
		"both": "is both refs/heads/both and refs/tags/both", "tree": "tree, not a commit",
		"trunk~1": "is not the name", "trunk^{tree}": "is not the name", "trunk:web.yaml": "is not the name", "a..b": "is not the name",
		"-x": "is not the name", "x y": "is not the name", "../../etc": "is not the name", "abc": "abc", "refs": "refs", "refs/heads": "refs/heads",
	}
	address := server.URL + "/" + r.Name()
	for where, git := range map[string]Git{"on disk": {URL: r.Dir}, "over HTTP": {URL: address}, "kept": {URL: address, Cache: t.TempDir()}} {
		for ref, name := range found {
			t.Run(where+" "+ref, func(t *testing.T) {
				git.Ref = ref
				s, err := git.Read(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if s.Revision != commits[name] || s.Subject != name {
					t.Errorf("revision %s %q, want %s %q", s.Revision, s.Subject, commits[name], name)
				}
				same(t, contents(t, s.Files), map[string]string{"web.yaml": "name: " + name + "\n"})
			})
		}
		for ref, says := range missing {
			t.Run(where+" no "+ref, func(t *testing.T) {
				git.Ref = ref
				_, err := git.Read(t.Context())
				fails(t, err, ErrNoRevision, says)
			})
		}
	}
}

func TestACommitIsAskedForByItselfFirst(t *testing.T) {
	r, commits := named(t)
	for _, row := range []struct {
		name    string
		refuses bool
		posts   int
	}{{"a server that hands it out", false, 1}, {"a server that does not", true, 2}} {
		t.Run(row.name, func(t *testing.T) {
			posts := 0
			server := r.In(t).Serve(func(h http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
					if req.Method == http.MethodPost {
						if posts++; posts == 1 && row.refuses {
							w.Header().Set("Content-Type", "application/x-git-upload-pack-result")
							fmt.Fprint(w, pktLine("ERR upload-pack: not our ref "+commits["middle"]+"\n"))
							return
						}
					}
					h.ServeHTTP(w, req)
				})
			})
			for _, cache := range []string{"", t.TempDir()} {
				posts = 0
				s, err := Git{URL: server.URL + "/" + r.Name(), Ref: commits["middle"], Cache: cache}.Read(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if s.Revision != commits["middle"] || posts != row.posts {
					t.Errorf("revision %s after %d POST, want %s after %d", s.Revision, posts, commits["middle"], row.posts)
				}
			}
		})
	}
}

func TestAShortCommitThatIsNotUnique(t *testing.T) {
	r := gittest.New(t)
	var stream strings.Builder
	for i := range 2000 { // some of them share four digits
		fmt.Fprintf(&stream, "commit refs/heads/main\ncommitter Ada <ada@example.com> %d +0000\ndata 1\nx\n", 1767323045+i)
	}
	r.Input(stream.String(), "fast-import", "--quiet")
	ids := strings.Fields(r.Git("rev-list", "main"))
	slices.Sort(ids)
	short := ""
	for i := range ids[1:] {
		if ids[i][:4] == ids[i+1][:4] {
			short = ids[i][:4]
		}
	}
	server := r.Serve(nil)
	for _, url := range []string{r.Dir, server.URL + "/" + r.Name()} {
		_, err := Git{URL: url, Ref: short}.Read(t.Context())
		fails(t, err, ErrNoRevision, "short for several commits")
	}
}

func TestAnEmptyRepository(t *testing.T) {
	r := gittest.New(t)
	server := r.Serve(nil)
	cache := t.TempDir()
	for _, url := range []string{r.Dir, server.URL + "/" + r.Name()} {
		for _, ref := range []string{"", "main", "abc1234"} {
			_, err := Git{URL: url, Ref: ref, Cache: cache}.Read(t.Context())
			fails(t, err, ErrEmpty, "no commits")
		}
	}
	r.Commit("First")
	r.Git("symbolic-ref", "HEAD", "refs/heads/unborn")
	for _, url := range []string{r.Dir, server.URL + "/" + r.Name()} {
		_, err := Git{URL: url}.Read(t.Context())
		fails(t, err, ErrNoRevision, "say which branch")
	}
}

func TestABranchThatMovedIsReadAsItIsNow(t *testing.T) {
	r, _ := named(t)
	server := r.Serve(nil)
	want := map[string]string{}
	for range 3 {
		r.Git("reset", "-q", "--hard", "HEAD~1") // as a force-push does
		want[r.Git("rev-parse", "HEAD")] = ""
		got := map[string]string{}
		for _, url := range []string{r.Dir, server.URL + "/" + r.Name()} {
			s, err := Git{URL: url, Ref: "main"}.Read(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			got[s.Revision] = ""
		}
		if !maps.Equal(got, map[string]string{r.Git("rev-parse", "HEAD"): ""}) {
			t.Errorf("read %v", got)
		}
	}
}
