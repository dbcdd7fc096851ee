package history

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"profilesync/internal/daemon/status"
)

func pass(target string, n int) status.Pass {
	return status.Pass{
		Target: target, Instance: "host-1/1", Trigger: status.Schedule, Began: time.Unix(int64(n)*300, 0).UTC(),
		Took: time.Second, Revision: status.Revision{ID: strings.Repeat("a", 40), Subject: "Say hello"}, Outcome: status.InSync,
	}
}

func open(t *testing.T, file string, options Options) *Store {
	t.Helper()
	s, note, err := Open(file, options)
	if err != nil || note != "" {
		t.Fatalf("%v, %q", err, note)
	}
	return s
}

func file(t *testing.T) string { return filepath.Join(t.TempDir(), "state", "history.db") }

func appended(t *testing.T, s *Store, target string, n int) {
	t.Helper()
	for i := range n {
		if _, err := s.Append(pass(target, i)); err != nil {
			t.Fatal(err)
		}
	}
}

// ids are those of the passes, as they come.
func ids(t *testing.T, s *Store, target string, before uint64, limit int) []uint64 {
	t.Helper()
	passes, err := s.Passes(target, before, limit)
	if err != nil {
		t.Fatal(err)
	}
	var found []uint64
	for _, p := range passes {
		found = append(found, p.ID)
	}
	return found
}

func TestARestartForgetsNothing(t *testing.T) {
	at := file(t)
	s := open(t, at, Options{})
	want := pass("prod", 1)
	want.Changes = []status.Change{{Action: "create", Name: "web", Status: "done"}}
	kept, err := s.Append(want)
	if err != nil || kept.ID != 1 {
		t.Fatalf("%v, ID %d", err, kept.ID)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, at, Options{})
	defer s.Close()
	found, err := s.Passes("prod", 0, 10)
	if err != nil || len(found) != 1 || !reflect.DeepEqual(found[0], kept) {
		t.Errorf("got %+v, %v; want %+v", found, err, kept)
	}
	if next, err := s.Append(want); err != nil || next.ID != 2 {
		t.Errorf("the next one has ID %d, %v", next.ID, err)
	}
}

func TestPassesArePagedFromTheNewest(t *testing.T) {
	s := open(t, file(t), Options{})
	defer s.Close()
	for i := range 6 {
		appended(t, s, []string{"prod", "test"}[i%2], 1)
	}
	for name, row := range map[string]struct {
		target string
		before uint64
		limit  int
		want   []uint64
	}{
		"all":                  {"", 0, 10, []uint64{6, 5, 4, 3, 2, 1}},
		"the newest two":       {"", 0, 2, []uint64{6, 5}},
		"before one":           {"", 5, 2, []uint64{4, 3}},
		"of a target":          {"test", 0, 10, []uint64{6, 4, 2}},
		"of a target, before":  {"prod", 5, 10, []uint64{3, 1}},
		"before the oldest":    {"", 1, 10, nil},
		"before one to come":   {"prod", 99, 1, []uint64{5}},
		"of nobody":            {"nobody", 0, 10, nil},
		"of an index's bucket": {"passes", 0, 10, nil},
	} {
		t.Run(name, func(t *testing.T) {
			if got := ids(t, s, row.target, row.before, row.limit); !slices.Equal(got, row.want) {
				t.Errorf("got %v, want %v", got, row.want)
			}
		})
	}
}

func TestTheFileStaysSmall(t *testing.T) {
	at := file(t)
	s := open(t, at, Options{PerTarget: 50, Total: 120})
	defer s.Close()
	s.db.NoSync = true // 10,000 of them
	size := func() int64 {
		info, err := os.Stat(at)
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	var early int64
	for i := range 10_000 {
		appended(t, s, fmt.Sprintf("target-%d", i/100%7), 1)
		if i == 1000 {
			early = size()
		}
	}
	if late := size(); late > early {
		t.Errorf("%d bytes after 1,000 passes, %d after 10,000", early, late)
	}
	if n := len(ids(t, s, "", 0, 1000)); n != 120 {
		t.Errorf("%d passes are kept in all", n)
	}
	if n := len(ids(t, s, "target-2", 0, 1000)); n > 50 {
		t.Errorf("%d passes of a target are kept", n)
	}
	if got := ids(t, s, "target-3", 0, 1000); len(got) != 0 {
		t.Errorf("a target that is long gone still has %d", len(got))
	}
}

func TestWhatOpenFinds(t *testing.T) {
	busy := file(t)
	s := open(t, busy, Options{})
	defer s.Close()
	if _, _, err := Open(busy, Options{}); !errors.Is(err, ErrBusy) {
		t.Errorf("in use: %v", err)
	}
	newer := file(t)
	n := open(t, newer, Options{})
	err := n.db.Update(func(tx *bbolt.Tx) error { return tx.Bucket([]byte(metaKey)).Put([]byte(versionKey), []byte("2")) })
	if err := errors.Join(err, n.Close()); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Open(newer, Options{}); !errors.Is(err, ErrNewer) {
		t.Errorf("of a newer program: %v", err)
	}
}

func TestADamagedFileIsPutAside(t *testing.T) {
	whole := file(t)
	s := open(t, whole, Options{})
	s.db.NoSync = true
	appended(t, s, "prod", 300)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	zeroed := slices.Clone(text)
	clear(zeroed[2*4096:])
	for name, damaged := range map[string][]byte{
		"something else": []byte(strings.Repeat("this is no history\n", 2000)),
		"both heads":     append(make([]byte, 8192), text[8192:]...),
		"all pages zero": zeroed,
	} {
		t.Run(name, func(t *testing.T) {
			at := file(t)
			if err := errors.Join(os.MkdirAll(filepath.Dir(at), 0o700), os.WriteFile(at, damaged, 0o600)); err != nil {
				t.Fatal(err)
			}
			s, note, err := Open(at, Options{})
			if err != nil || !strings.Contains(note, "put aside") {
				t.Fatalf("%v, note %q", err, note)
			}
			defer s.Close()
			appended(t, s, "prod", 1)
			aside, err := os.ReadFile(at + ".damaged")
			if err != nil || !reflect.DeepEqual(aside, damaged) {
				t.Errorf("what was there is not what is aside: %v", err)
			}
		})
	}
}

// TestAFullDisk needs a small file system of its own, and so root.
func TestAFullDisk(t *testing.T) {
	dir := t.TempDir()
	if output, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", dir).CombinedOutput(); err != nil {
		if os.Getenv("CI") != "" || os.Geteuid() == 0 {
			t.Fatalf("%v\n%s", err, output)
		}
		t.Skip("a file system of a known size takes root")
	}
	defer func() {
		if output, err := exec.Command("umount", dir).CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, output)
		}
	}()
	s := open(t, filepath.Join(dir, "history.db"), Options{})
	defer s.Close()
	appended(t, s, "prod", 5)
	ballast := filepath.Join(dir, "ballast")
	_ = os.WriteFile(ballast, make([]byte, 4<<20), 0o600) // as much as fits

	var failed error
	n := 5
	for ; failed == nil && n < 1000; n++ {
		_, failed = s.Append(pass("prod", n))
	}
	if failed == nil || !strings.Contains(failed.Error(), "no space left") {
		t.Fatalf("%d passes fit: %v", n, failed)
	}
	for ; n < 1000; n++ { // many more than memory keeps
		if _, err := s.Append(pass("prod", n)); err == nil {
			t.Fatal("the disk is no longer full")
		}
	}
	if got := ids(t, s, "prod", 0, 3); !slices.Equal(got, []uint64{1000, 999, 998}) {
		t.Errorf("while it is full, the last ones are %v", got)
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	if last, err := s.Append(pass("prod", n)); err != nil || last.ID != 1001 {
		t.Fatalf("it has not healed: ID %d, %v", last.ID, err)
	}
	if len(s.waiting) != 0 {
		t.Errorf("%d passes still wait", len(s.waiting))
	}
	if got := ids(t, s, "prod", 0, 300); len(got) < inMemory || got[0] != 1001 || got[inMemory-1] != 1001-inMemory+1 {
		t.Errorf("%d passes are kept, from %d on", len(got), got[len(got)-1])
	}
}

// TestMain is also the process that is killed in the middle of its work.
func TestMain(m *testing.M) {
	if at := os.Getenv("HISTORY_TEST_FILE"); at != "" {
		s, _, err := Open(at, Options{})
		for n := 0; err == nil; n++ {
			var kept status.Pass
			if kept, err = s.Append(pass("prod", n)); err == nil {
				fmt.Println(kept.ID)
			}
		}
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func TestAKillLosesNothingThatWasKept(t *testing.T) {
	at := file(t)
	told := uint64(0)
	for range 5 {
		victim := exec.Command(os.Args[0])
		victim.Env = append(os.Environ(), "HISTORY_TEST_FILE="+at)
		out, err := victim.StdoutPipe()
		if err := errors.Join(err, victim.Start()); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for n := 0; n < 20 && lines.Scan(); n++ {
			if _, err := fmt.Sscan(lines.Text(), &told); err != nil {
				t.Fatal(err)
			}
		}
		_ = victim.Process.Kill()
		_ = victim.Wait() // killed
		s := open(t, at, Options{})
		if newest := ids(t, s, "prod", 0, 1); len(newest) != 1 || newest[0] < told {
			t.Errorf("pass %d was kept, the newest is %v", told, newest)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
