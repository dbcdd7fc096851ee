package source

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"profilesync/internal/source/cache"
	"profilesync/internal/source/gittest"
)

// childQuestion is the variable that makes the test program read one revision
// and exit, as a process of its own. It holds a Git in JSON.
const childQuestion = "PROFILESYNC_TEST_READ"

// childFileSize is the variable that bounds the files this process may write, in bytes.
const childFileSize = "PROFILESYNC_TEST_FILE_SIZE"

func answerAsChild(question string) (status int) {
	if size, err := strconv.ParseUint(os.Getenv(childFileSize), 10, 64); err == nil {
		signal.Ignore(syscall.SIGXFSZ)
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: size, Max: size}); err != nil {
			log.Fatal(err)
		}
	}
	var g Git
	err := json.Unmarshal([]byte(question), &g)
	var s Snapshot
	if err == nil {
		s, err = g.Read(context.Background())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Println(s.Revision, s.Size, s.Cached, s.Warning)
	return 0
}

// child is the test program, about to read g.
func child(t testing.TB, g Git) *exec.Cmd {
	t.Helper()
	question, err := json.Marshal(struct{ URL, Ref, Path, Cache string }{g.URL, g.Ref, g.Path, g.Cache})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childQuestion+"="+string(question))
	return cmd
}

// kills is how often TestKills kills.
func kills(t *testing.T) int {
	if n, err := strconv.Atoi(os.Getenv("PROFILESYNC_TEST_KILLS")); err == nil {
		return n
	}
	if testing.Short() {
		return 3
	}
	return 12
}

// TestKills kills a process that fetches, at any moment, and wants the cache to
// hold the state of before or of after, the next run to read the right files,
// and nothing to pile up.
func TestKills(t *testing.T) {
	r, _ := history(t)
	sent := make(chan struct{}, 100)
	server := r.Serve(func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			h.ServeHTTP(w, req)
			if req.Method == http.MethodPost {
				sent <- struct{}{}
			}
		})
	})
	g := Git{URL: server.URL + "/" + r.Name(), Cache: t.TempDir()}
	random := rand.New(rand.NewPCG(3, 4))
	var killed, none int
	wanted := kills(t)
	for i := 0; killed < wanted && i < 20*wanted; i++ {
		if i%7 == 0 { // a clone
			if err := os.RemoveAll(g.Cache); err != nil {
				t.Fatal(err)
			}
		}
		r.Write(map[string]string{fmt.Sprintf("profiles/new%d.yaml", i%9): document(i)})
		revision := r.Commit("Again")
		for len(sent) > 0 {
			<-sent
		}
		victim := child(t, g)
		if err := victim.Start(); err != nil {
			t.Fatal(err)
		}
		if i%3 > 0 { // most of the time, when it has the pack and sets about keeping it
			select {
			case <-sent:
			case <-time.After(time.Minute):
				t.Fatal("the process asked for nothing")
			}
			time.Sleep(time.Duration(random.IntN(5_000)) * time.Microsecond)
		} else {
			time.Sleep(time.Duration(random.IntN(80)) * time.Millisecond)
		}
		_ = victim.Process.Kill()
		if victim.Wait() != nil {
			killed++
		}
		if !sound(t, g) {
			none++
		}
		reads(t, g, revision, listed(r, "HEAD", ""))
	}
	tidy(t, r, g)
	t.Logf("%d killed before they were done; %d times there was no state", killed, none)
	if killed < wanted {
		t.Errorf("only %d of %d could be killed in time", killed, wanted)
	}
}

// reads wants the right files, and not many others beside the packs.
func reads(t *testing.T, g Git, revision string, want map[string]string) {
	t.Helper()
	s, err := g.Read(t.Context())
	if err != nil || s.Warning != "" {
		t.Fatal(err, s.Warning)
	}
	if got := contents(t, s.Files); s.Revision != revision || !maps.Equal(got, want) {
		t.Fatalf("revision %s with %d files, want %s with %d", s.Revision, len(got), revision, len(want))
	}
	if left, _ := filepath.Glob(g.Cache + "/*/*"); len(left) > 2*(32+1)+4 {
		t.Fatalf("%d files", len(left))
	}
}

// sound reports whether there is a state, and fails the test if it cannot be used.
func sound(t *testing.T, g Git) bool {
	t.Helper()
	states, _ := filepath.Glob(g.Cache + "/*/state")
	if len(states) == 0 {
		return false
	}
	kept := cache.New(g.Cache, g.String()).Load()
	if len(kept.Packs) == 0 {
		t.Error("the state tells of packs that are not there")
	}
	for _, p := range kept.Packs {
		p.Content.Close()
	}
	return true
}

// tidy wants nothing left over once more has been fetched.
func tidy(t *testing.T, r *gittest.Repo, g Git) {
	t.Helper()
	r.Write(map[string]string{"profiles/last.yaml": document(0)})
	r.Commit("Last")
	if _, err := g.Read(t.Context()); err != nil {
		t.Fatal(err)
	}
	kept := cache.New(g.Cache, g.String()).Load()
	for _, p := range kept.Packs {
		p.Content.Close()
	}
	if left, _ := filepath.Glob(g.Cache + "/*/*"); len(left) != 2*len(kept.Packs)+2 {
		t.Errorf("%d files for %d packs", len(left), len(kept.Packs))
	}
}

// TestADiskThatIsFull lets a process write files of a few bytes only.
func TestADiskThatIsFull(t *testing.T) {
	r, _ := history(t)
	g := Git{URL: r.Serve(nil).URL + "/" + r.Name(), Cache: t.TempDir()}
	for _, size := range []int{0, 1, 500, 2000} {
		for run := range 2 {
			full := child(t, g)
			full.Env = append(full.Env, fmt.Sprintf("%s=%d", childFileSize, size))
			said, err := full.CombinedOutput()
			if err != nil || !strings.HasPrefix(string(said), r.Git("rev-parse", "HEAD")) || !strings.Contains(string(said), "file too large") {
				t.Errorf("run %d with files of %d bytes: %v: %s", run, size, err, said)
			}
		}
		if left, _ := filepath.Glob(g.Cache + "/*/*"); len(left) > 1 {
			t.Errorf("%q are left", left)
		}
	}
	if s, err := g.Read(t.Context()); err != nil || s.Warning != "" {
		t.Error(err, s.Warning)
	}
	if s, err := g.Read(t.Context()); err != nil || !s.Cached {
		t.Error(err, s.Cached)
	}
}
