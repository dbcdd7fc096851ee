package source

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"profilesync/internal/source/gittest"
)

// keptTwice is a repository whose cache holds a whole pack and a thin one, and its content.
func keptTwice(t *testing.T) (g Git, r *gittest.Repo, want map[string]string) {
	t.Helper()
	r, _ = history(t)
	address, _ := counting(t, r)
	g = Git{URL: address, Cache: t.TempDir()}
	for i := range 2 {
		r.Write(map[string]string{"profiles/t0/u0/p00.yaml": document(i) + strings.Repeat("# more\n", 40+i)})
		r.Commit("Again")
		if _, err := g.Read(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if packs, _ := filepath.Glob(g.Cache + "/*/*.pack"); len(packs) != 2 {
		t.Fatalf("packs %q", packs)
	}
	return g, r, listed(r, "HEAD", "")
}

// TestADamagedCacheIsNoHindrance harms every file of a cache in every way, and
// wants all files nevertheless, and a cache that is sound again.
func TestADamagedCacheIsNoHindrance(t *testing.T) {
	g, _, want := keptTwice(t)
	found, _ := filepath.Glob(g.Cache + "/*/*")
	sound := map[string][]byte{}
	for _, f := range found {
		sound[f], _ = os.ReadFile(f)
	}
	names := slices.Sorted(maps.Keys(sound))
	noticed := 0
	harm := func(how, file string, content []byte) {
		for name, whole := range sound {
			if err := os.WriteFile(name, whole, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if content == nil {
			os.Remove(file)
		} else if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := g.Read(t.Context())
		if err != nil {
			t.Fatalf("%s of %s: %v", how, filepath.Base(file), err)
		}
		if got := contents(t, s.Files); !maps.Equal(got, want) || s.Warning != "" {
			t.Fatalf("%s of %s: %d files in place of %d, %q", how, filepath.Base(file), len(got), len(want), s.Warning)
		}
		if s.Cached {
			return
		}
		noticed++
		if again, err := g.Read(t.Context()); err != nil || !again.Cached {
			t.Fatalf("%s of %s: not mended, %v", how, filepath.Base(file), err)
		}
	}
	random := rand.New(rand.NewPCG(1, 2))
	for i, file := range names {
		content := sound[file]
		harm("loss", file, nil)
		harm("emptiness", file, []byte{})
		harm("a swap", file, sound[names[(i+1)%len(names)]])
		harm("text", file, []byte("hello\n"))
		for range min(5, len(content)) {
			at := random.IntN(len(content))
			harm("a cut", file, content[:at])
			harm("a flipped bit", file, flipped(content, at, uint(random.IntN(8))))
			harm("a flipped bit under a checksum", file, trailed(flipped(content, at, 0)[:max(0, len(content)-20)]))
		}
	}
	if noticed < 30 {
		t.Errorf("only %d harms were noticed", noticed)
	}
}

func TestWrongAnswersToWhatIsNew(t *testing.T) {
	r, _ := history(t)
	var instead []byte // is sent once
	server := r.Serve(func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			if req.Method == http.MethodPost && instead != nil {
				w.Header().Set("Content-Type", "application/x-git-upload-pack-result")
				w.Write(instead)
				instead = nil
				return
			}
			h.ServeHTTP(w, req)
		})
	})
	g := Git{URL: server.URL + "/" + r.Name(), Cache: t.TempDir()}
	if _, err := g.Read(t.Context()); err != nil {
		t.Fatal(err)
	}
	answer := func(pack string) string {
		return pktLine("shallow "+r.Git("rev-parse", "HEAD")) + "0000" + pktLine("NAK\n") + pktLine("\x01"+pack) + "0000"
	}
	for i, row := range []struct {
		name   string
		answer func(commitAlone string) string
	}{
		{"the commit without its files", answer},
		{"a pack that is cut short", func(whole string) string { return answer(whole[:len(whole)-5]) }},
		{"text", func(string) string { return answer("hello") }},
		{"a refusal", func(string) string { return pktLine("ERR not today\n") }},
		{"nothing", func(string) string { return "" }},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := r.In(t)
			r.Write(map[string]string{fmt.Sprintf("profiles/t0/%d/one.yaml", i): document(i), "profiles/t1/two.yaml": document(i)})
			revision := r.Commit("Add two")
			base := filepath.Join(t.TempDir(), "p")
			commitAlone, err := os.ReadFile(base + "-" + r.Input(revision+"\n", "pack-objects", "-q", base) + ".pack")
			if err != nil {
				t.Fatal(err)
			}
			instead = []byte(row.answer(string(commitAlone)))
			s, err := g.Read(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			same(t, contents(t, s.Files), listed(r, "HEAD", ""))
			if instead != nil || s.Cached {
				t.Errorf("the wrong answer was not asked for; cached %t", s.Cached)
			}
			if s, err = g.Read(t.Context()); err != nil || !s.Cached {
				t.Errorf("the right one was not kept: %v", err)
			}
		})
	}
}

// TestADamagedCacheAndSomethingNew has the deltas of a thin pack meet damaged bases.
func TestADamagedCacheAndSomethingNew(t *testing.T) {
	g, r, _ := keptTwice(t)
	found, _ := filepath.Glob(g.Cache + "/*/*.pack")
	random := rand.New(rand.NewPCG(5, 6))
	for i := range 20 {
		pack := found[i%len(found)]
		if whole, err := os.ReadFile(pack); err == nil { // else it has been replaced
			harmed := flipped(whole, 12+random.IntN(len(whole)-32), uint(i%8))
			if err := os.WriteFile(pack, harmed, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		r.Write(map[string]string{"profiles/t0/u0/p00.yaml": document(i) + strings.Repeat("# more\n", 50+i)})
		r.Commit("Again")
		s, err := g.Read(t.Context())
		if err != nil || s.Warning != "" {
			t.Fatal(err, s.Warning)
		}
		same(t, contents(t, s.Files), listed(r, "HEAD", ""))
		if found, _ = filepath.Glob(g.Cache + "/*/*.pack"); len(found) == 0 {
			t.Fatal("nothing is kept")
		}
	}
}

func TestWhereNothingCanBeKept(t *testing.T) {
	r, want := history(t)
	address, _ := counting(t, r)
	file := filepath.Join(t.TempDir(), "file")
	open := filepath.Join(t.TempDir(), "open")
	if err := errors.Join(os.WriteFile(file, nil, 0o600), os.Mkdir(open, 0o700), os.Chmod(open, 0o777)); err != nil {
		t.Fatal(err)
	}
	for says, dir := range map[string]string{"not a directory": file, "others may write": open} {
		s, err := Git{URL: address, Cache: dir}.Read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		same(t, contents(t, s.Files), want)
		if !strings.Contains(s.Warning, says) || !strings.Contains(s.Warning, dir) {
			t.Errorf("the warning is %q, want one that says %q", s.Warning, says)
		}
	}
	if found, _ := os.ReadDir(open); len(found) > 0 {
		t.Errorf("%v was written where others may write", found)
	}
}

// TestWhateverHappensToARepositoryItIsReadAsItIsNow plays what people do.
func TestWhateverHappensToARepositoryItIsReadAsItIsNow(t *testing.T) {
	r, _ := named(t)
	address, _ := counting(t, r)
	cache := t.TempDir()
	read := func(ref, want string) {
		t.Helper()
		s, err := Git{URL: address, Ref: ref, Cache: cache}.Read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if s.Revision != r.Git("rev-parse", want+"^{commit}") {
			t.Errorf("%s is read as %s", ref, s.Revision)
		}
		same(t, contents(t, s.Files), listed(r, want, ""))
	}
	read("main", "main")
	read("annotated", "annotated")
	t.Run("set back", func(t *testing.T) {
		r.Git("reset", "-q", "--hard", "main~2")
		read("main", "main")
	})
	t.Run("written anew", func(t *testing.T) {
		r.Write(map[string]string{"web.yaml": "name: other\n"})
		r.Git("commit", "-q", "-a", "--amend", "-m", "other")
		read("main", "main")
	})
	t.Run("another history, and the old one is gone from the server", func(t *testing.T) {
		r.Git("checkout", "-q", "--orphan", "orphan")
		r.Write(map[string]string{"db.yaml": "name: db\n"})
		r.Commit("Begin anew")
		r.Git("branch", "-f", "main")
		r.Git("reflog", "expire", "--expire=now", "--all")
		r.Git("gc", "-q", "--prune=now")
		read("main", "orphan")
	})
	t.Run("a tag that moved", func(t *testing.T) {
		r.Git("tag", "-f", "-a", "-m", "again", "annotated", "orphan")
		read("annotated", "annotated")
	})
	t.Run("a branch that is gone", func(t *testing.T) {
		r.Git("branch", "-D", "main")
		_, err := Git{URL: address, Ref: "main", Cache: cache}.Read(t.Context())
		fails(t, err, ErrNoRevision, "main")
		read("orphan", "orphan")
	})
	t.Run("a commit that nothing points to", func(t *testing.T) {
		gone := r.Git("rev-parse", "orphan")
		r.Write(map[string]string{"db.yaml": "name: db2\n"})
		r.Git("commit", "-q", "-a", "--amend", "-m", "Begin anew again")
		read(gone, gone)
	})
}

func TestManyReadersOfOneCache(t *testing.T) {
	r, _ := history(t)
	g := Git{URL: r.Serve(nil).URL + "/" + r.Name(), Cache: t.TempDir()}
	var reading sync.WaitGroup
	for round := range 6 {
		r.Write(map[string]string{"profiles/web.yaml": document(round)})
		r.Commit("Again")
		want := listed(r, "HEAD", "")
		for range 4 {
			reading.Go(func() {
				s, err := g.Read(t.Context())
				if err != nil || s.Warning != "" {
					t.Error(err, s.Warning)
				} else if !maps.Equal(contents(t, s.Files), want) {
					t.Errorf("round %d: other files", round)
				}
			})
		}
		reading.Wait()
	}
	s, err := g.Read(t.Context())
	if err != nil || !s.Cached {
		t.Errorf("nothing was kept: %v", err)
	}
}
