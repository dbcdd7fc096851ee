package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"profilesync/internal/source/gittest"
)

// places serves a repository in every way that Descends asks in differently.
func places(t *testing.T, r *gittest.Repo) map[string]string {
	t.Helper()
	refusing := func(h http.Handler) http.Handler { // hands out what is advertised, and nothing else
		return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			body, _ := io.ReadAll(req.Body)
			wants := strings.Split(string(body), "want ")[1:]
			for _, want := range wants {
				if !strings.Contains(r.Git("show-ref", "--head", "--dereference"), want[:40]) {
					w.Header().Set("Content-Type", "application/x-git-upload-pack-result")
					fmt.Fprint(w, pktLine("ERR upload-pack: not our ref "+want[:40]+"\n"))
					return
				}
			}
			req.Body = io.NopCloser(strings.NewReader(string(body)))
			h.ServeHTTP(w, req)
		})
	}
	filtering := r.Sub(filepath.Join(t.TempDir(), "filtering"))
	r.Git("clone", "-q", "--mirror", r.Dir, filtering.Dir)
	filtering.Git("config", "uploadpack.allowFilter", "true")
	return map[string]string{
		"on disk": r.Dir, "over HTTP": r.Serve(nil).URL + "/" + r.Name(), "over HTTP, of what is advertised": r.Serve(refusing).URL + "/" + r.Name(),
		"over HTTP, commits only": filtering.Serve(nil).URL + "/filtering",
	}
}

func TestDescent(t *testing.T) {
	r := gittest.New(t)
	commit := func(name string) string {
		r.Write(map[string]string{name + ".yaml": "name: " + name + "\n"})
		return r.Commit(name)
	}
	g := r.Git
	first, second := commit("first"), commit("second")
	g("checkout", "-q", "-b", "side", first)
	side := commit("side")
	deep := commit("deep")
	g("checkout", "-q", "main")
	third := commit("third")
	g("merge", "-q", "--no-ff", "-m", "Merge", "side")
	merge := g("rev-parse", "HEAD")
	tip := commit("tip")
	g("tag", "-a", "-m", "Annotated", "v1", second)
	g("checkout", "-q", "-b", "forced", second)
	forced := commit("forced")
	g("checkout", "-q", "--orphan", "unrelated")
	unrelated := commit("unrelated")
	g("checkout", "-q", "--detach", third)
	tagged := commit("tagged")
	g("tag", "-a", "-m", "Of no branch", "v2")
	g("checkout", "-q", "main")
	g("replace", "--graft", unrelated, first) // as if it had a parent
	const nowhere = "1234567812345678123456781234567812345678"

	for where, url := range places(t, r) {
		t.Run(where, func(t *testing.T) {
			for _, row := range []struct {
				name, revision, before string
				says                   string // "" when it descends
			}{
				{"itself", tip, tip, ""},
				{"the next", second, first, ""},
				{"several later", tip, first, ""},
				{"its first parent's", merge, second, ""},
				{"its second parent", merge, deep, ""},
				{"its second parent's", tip, side, ""},
				{"what a tag leads to", tip, second, ""},
				{"what only a tag leads to", tagged, third, ""},
				{"what is not advertised, from the same", third, second, ""},
				{"a rollback", second, tip, "earlier revision"},
				{"a rollback to where a tag is", first, second, "earlier revision"},
				{"a branch written anew", forced, tip, "does not descend"},
				{"another branch", third, side, "does not descend"},
				{"another history", unrelated, tip, "does not descend"},
				{"a graft", unrelated, first, "does not descend"},
				{"back from another history", tip, unrelated, "does not descend"},
				{"what nobody has", tip, nowhere, "does not descend"},
			} {
				t.Run(row.name, func(t *testing.T) {
					err := Git{URL: url}.Descends(t.Context(), row.revision, row.before)
					if row.says == "" {
						if err != nil {
							t.Error(err)
						}
						return
					}
					if row.says == "earlier revision" && strings.Contains(where, "advertised") {
						row.says = "" // it cannot be told from one that the server has lost
					}
					fails(t, err, ErrNotDescended, row.says, row.revision[:12], row.before[:12])
				})
			}
		})
	}
}

func TestDescentFromWhatIsNoCommit(t *testing.T) {
	id := strings.Repeat("0a", 20)
	for _, row := range [][2]string{{"worktree:sha256:" + id, id}, {id, "worktree:sha256:" + id}, {id, id[:12]}, {id, ""}, {id, id + id[:24]}, {"main", id}} {
		err := Git{URL: t.TempDir()}.Descends(t.Context(), row[0], row[1])
		fails(t, err, ErrNotDescended, "is not a commit")
	}
}

// TestAnyHistoryDescendsAsGitSaysItDoes compares with git merge-base.
func TestAnyHistoryDescendsAsGitSaysItDoes(t *testing.T) {
	r := gittest.New(t)
	random := rand.New(rand.NewPCG(1, 2))
	var stream strings.Builder
	const commits = 40
	for i := range commits {
		fmt.Fprintf(&stream, "commit refs/heads/b%d\nmark :%d\ncommitter Ada <ada@example.com> %d +0000\ndata 1\nx\n", i, i+1, 1767323045+random.IntN(50)) // dates may lie
		for n, parents := 0, random.IntN(4); n < parents && i > 0; n++ {
			fmt.Fprintf(&stream, "%s :%d\n", []string{"from", "merge", "merge"}[n], i-random.IntN(min(i, 8)))
		}
		fmt.Fprintf(&stream, "M 644 inline web%d.yaml\ndata 1\nx\n", i%7)
	}
	r.Input(stream.String(), "fast-import", "--quiet", "--force")
	ids := make([]string, commits)
	for i := range ids {
		ids[i] = r.Git("rev-parse", fmt.Sprintf("b%d", i))
	}
	descended := 0
	for where, url := range places(t, r) {
		for pair := range 100 {
			revision, before := ids[random.IntN(commits)], ids[random.IntN(commits)]
			if where != "on disk" && pair > 15 {
				break
			}
			cmd := exec.Command("git", "merge-base", "--is-ancestor", before, revision)
			cmd.Dir = r.Dir
			want := cmd.Run() == nil
			err := Git{URL: url}.Descends(t.Context(), revision, before)
			if (err == nil) != want || err != nil && !errors.Is(err, ErrNotDescended) {
				t.Errorf("%s: %s from %s: %v, and git says %t", where, revision, before, err, want)
			}
			if want && revision != before {
				descended++
			}
		}
	}
	if descended < 10 {
		t.Errorf("only %d of them descended", descended)
	}
}

func TestDescentInAShallowClone(t *testing.T) {
	r := gittest.New(t)
	first, second, third := r.Commit("first"), r.Commit("second"), r.Commit("third")
	shallow := r.Sub(filepath.Join(t.TempDir(), "shallow"))
	r.Git("clone", "-q", "--depth", "2", "file://"+r.Dir, shallow.Dir)
	for where, url := range map[string]string{"on disk": shallow.Dir, "over HTTP": shallow.Serve(nil).URL + "/" + shallow.Name()} {
		t.Run(where, func(t *testing.T) {
			if err := (Git{URL: url}).Descends(t.Context(), third, second); err != nil {
				t.Error(err)
			}
			if err := (Git{URL: url}).Descends(t.Context(), third, first); err != nil { // its child names it
				t.Error(err)
			}
			if where == "on disk" {
				err := Git{URL: url}.Descends(t.Context(), third, strings.Repeat("0a", 20))
				fails(t, err, ErrNotDescended, "is it a shallow clone?")
			}
		})
	}
}

func TestDescentCostsWhatIsNew(t *testing.T) {
	r := gittest.New(t)
	var first, last string
	for i := range 30 {
		var large strings.Builder // 4 KiB that cannot be made smaller by much
		for range 300 {
			fmt.Fprintf(&large, "%016x\n", rand.Uint64())
		}
		r.Write(map[string]string{fmt.Sprintf("%d.yaml", i): large.String()})
		last = r.Commit(fmt.Sprint(i))
		if i == 27 {
			first = last
		}
	}
	address := r.Serve(nil).URL + "/" + r.Name()
	if err := (Git{URL: address, Limits: Limits{WireBytes: 16 << 10}}).Descends(t.Context(), last, first); err != nil {
		t.Error(err)
	}
	err := Git{URL: address, Limits: Limits{WireBytes: 16 << 10}}.Descends(t.Context(), last, r.Git("rev-parse", "HEAD~20"))
	fails(t, err, ErrLimit)
	r.Git("config", "uploadpack.allowFilter", "true")
	for _, before := range []string{r.Git("rev-parse", "HEAD~20"), strings.Repeat("0a", 20)} {
		err := Git{URL: address, Limits: Limits{WireBytes: 16 << 10}}.Descends(t.Context(), last, before)
		if errors.Is(err, ErrLimit) {
			t.Errorf("a server that leaves files out: %v", err)
		}
	}
}

func TestAServerThatHangsWhileItIsAskedForDescent(t *testing.T) {
	r := gittest.New(t)
	before, revision := r.Commit("first"), r.Commit("second")
	over := make(chan struct{})
	defer close(over)
	address := r.Serve(func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			if req.Method == http.MethodPost {
				select {
				case <-over:
				case <-req.Context().Done():
				}
				return
			}
			h.ServeHTTP(w, req)
		})
	}).URL + "/" + r.Name()
	err := Git{URL: address, Limits: Limits{Time: 200 * time.Millisecond}}.Descends(t.Context(), revision, before)
	fails(t, err, ErrUnreachable, "longer than 200ms")
	if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, ErrNotDescended) {
		t.Errorf("%v", err)
	}
}
