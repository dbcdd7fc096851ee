package source

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"profilesync/internal/source/gittest"
	"profilesync/internal/source/remote"
)

// asked counts what a server was asked for.
type asked struct{ references, packs int }

// counting is the repository served, and how often it was asked.
func counting(t *testing.T, r *gittest.Repo) (address string, seen *asked) {
	t.Helper()
	seen = &asked{}
	server := r.Serve(func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			if req.Method == http.MethodPost {
				seen.packs++
			} else {
				seen.references++
			}
			h.ServeHTTP(w, req)
		})
	})
	return server.URL + "/" + r.Name(), seen
}

func TestNothingNewTakesOneRequest(t *testing.T) {
	r, want := history(t)
	address, seen := counting(t, r)
	g := Git{URL: address, Cache: filepath.Join(t.TempDir(), "made", "here")}
	for run := range 3 {
		*seen = asked{}
		s, err := g.Read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		same(t, contents(t, s.Files), want)
		if first := run == 0; s.Cached == first || seen.references != 1 || (seen.packs > 0) != first || s.Warning != "" || s.Received == 0 {
			t.Errorf("run %d: cached %t, asked %+v, received %d, %q", run, s.Cached, *seen, s.Received, s.Warning)
		}
	}
	wholes, _ := filepath.Glob(g.Cache + "/*/*.pack")
	if len(wholes) != 1 {
		t.Fatalf("packs %q", wholes)
	}
	r.Git("verify-pack", wholes[0])
}

func TestOnlyWhatIsNewIsFetched(t *testing.T) {
	r, _ := history(t)
	noise := ""
	for i := range 4000 { // which no deflate makes small
		noise += fmt.Sprintf("%x\n", uint32(i)*2654435761)
	}
	r.Write(map[string]string{"profiles/noise.yaml": noise})
	r.Commit("Add noise")
	address, seen := counting(t, r)
	g := Git{URL: address, Cache: t.TempDir()}
	whole, err := g.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		r.Write(map[string]string{fmt.Sprintf("profiles/new%d.yaml", i): document(i)})
		revision := r.Commit("Add one")
		*seen = asked{}
		s, err := g.Read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		same(t, contents(t, s.Files), listed(r, "HEAD", ""))
		if s.Revision != revision || s.Cached || *seen != (asked{1, 1}) || s.Received > whole.Received/4 {
			t.Errorf("revision %s, asked %+v, received %d bytes, the whole were %d", s.Revision, *seen, s.Received, whole.Received)
		}
	}
}

// TestTheCacheDoesNotGrowForEver plays more commits than there may be packs.
func TestTheCacheDoesNotGrowForEver(t *testing.T) {
	r, _ := history(t)
	address, _ := counting(t, r)
	g := Git{URL: address, Cache: t.TempDir()}
	most := 0
	for i := range 40 {
		r.Write(map[string]string{"profiles/web.yaml": document(i)})
		revision := r.Commit("Again")
		s, err := g.Read(t.Context())
		if err != nil || s.Revision != revision {
			t.Fatal(s.Revision, err)
		}
		files, _ := filepath.Glob(g.Cache + "/*/*")
		most = max(most, len(files))
	}
	if most > 2*32+2 || most < 10 {
		t.Errorf("%d files at most", most)
	}
}

// TestTwoBranchesShareACache goes back and forth: what was fetched once stays.
func TestTwoBranchesShareACache(t *testing.T) {
	r, _ := named(t)
	address, seen := counting(t, r)
	cache := t.TempDir()
	refs := []string{"main", "annotated", "light", "refs/heads/both"}
	for round := range 3 {
		*seen = asked{}
		for _, ref := range refs {
			s, err := Git{URL: address, Ref: ref, Cache: cache}.Read(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if want := r.Git("rev-parse", ref+"^{commit}"); s.Revision != want || s.Cached == (round == 0 && ref != "refs/heads/both") {
				t.Errorf("round %d, %s: %s, want %s; cached %t", round, ref, s.Revision, want, s.Cached)
			}
		}
		if round > 0 && seen.packs > 0 {
			t.Errorf("round %d fetched %d packs", round, seen.packs)
		}
	}
	dirs, err := os.ReadDir(cache)
	if err != nil || len(dirs) != 1 {
		t.Errorf("%v, %v", dirs, err)
	}
}

func TestACacheOverSSH(t *testing.T) {
	key := gittest.SSHKey(t, "-t", "ed25519")
	sshd := gittest.ServeSSH(t, []string{key + ".pub"})
	r, _ := history(t)
	g := Git{
		URL: "ssh://" + sshd.User + "@" + sshd.Addr + r.Dir, Cache: t.TempDir(),
		Login: remote.Login{SSH: remote.SSH{Key: key, KnownHosts: []string{sshd.KnownHosts("ed25519")}}},
	}
	for run := range 4 {
		if run%2 == 0 {
			r.Write(map[string]string{"profiles/web.yaml": document(run)})
			r.Commit("Again")
		}
		s, err := g.Read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		same(t, contents(t, s.Files), listed(r, "HEAD", ""))
		if s.Cached != (run%2 == 1) || s.Warning != "" {
			t.Errorf("run %d: cached %t, %q", run, s.Cached, s.Warning)
		}
	}
}
