package history

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	bolt "go.etcd.io/bbolt"

	"profilesync/internal/daemon/status"
)

func pass(target string, n int) status.Pass {
	return status.Pass{
		Target: target, Instance: "host-1/1", Trigger: status.Schedule, Began: time.Unix(int64(n)*300, 0).UTC(),
		Took: time.Second, Revision: status.Revision{ID: strings.Repeat("a", 40), Subject: "Say hello"}, Outcome: status.InSync,
	}
}

func failing(p status.Pass) status.Pass {
	p.Outcome, p.Error, p.Revision = status.Failed, "read the source: connection refused", status.Revision{}
	return p
}

func somewhere(t *testing.T) string { return filepath.Join(t.TempDir(), "state", "history.db") }

func open(t *testing.T, at string, options Options) *Store {
	t.Helper()
	s, note, err := Open(at, options)
	if err != nil || note != "" {
		t.Fatalf("%v, %q", err, note)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func reopened(t *testing.T, s *Store, options Options) *Store {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return open(t, s.path, options)
}

// hasty skips the waiting for the disk, where a test makes thousands of passes.
func hasty(s *Store) *Store {
	s.db.NoSync = true
	return s
}

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
	s := open(t, somewhere(t), Options{})
	want := pass("prod", 1)
	want.Began = time.Now() // with the process's own clock, which does not survive
	want.Changes = []status.Change{{Action: "create", Name: "web", Status: "done"}}
	kept, err := s.Append(want)
	if err != nil || kept.ID != 1 {
		t.Fatalf("%v, ID %d", err, kept.ID)
	}
	s = reopened(t, s, Options{})
	found, err := s.Passes("prod", 0, 10)
	if err != nil || len(found) != 1 || !reflect.DeepEqual(found[0], kept) {
		t.Errorf("got %+v, %v; want %+v", found, err, kept)
	}
	if next, err := s.Append(want); err != nil || next.ID != 2 {
		t.Errorf("the next one has ID %d, %v", next.ID, err)
	}
}

func TestIDsGrowOverARestart(t *testing.T) {
	s := open(t, somewhere(t), Options{PerTarget: 1})
	appended(t, s, "prod", 3)
	s.Keep([]string{"prod"})
	appended(t, s, "gone", 1)
	later := pass("prod", 0)
	later.Began = pass("gone", 0).Began.Add(91 * 24 * time.Hour)
	if _, err := s.Append(later); err != nil {
		t.Fatal(err)
	}
	if n := len(ids(t, s, "gone", 0, 10)); n != 0 {
		t.Errorf("%d passes of a target that is gone", n)
	}
	s = reopened(t, s, Options{})
	if next, err := s.Append(later); err != nil || next.ID != 6 {
		t.Errorf("the next one has ID %d, %v", next.ID, err)
	}
}

func TestPassesArePagedFromTheNewest(t *testing.T) {
	s := open(t, somewhere(t), Options{})
	for i := range 6 {
		appended(t, s, []string{"prod", "test"}[i%2], 1)
	}
	for name, row := range map[string]struct {
		target string
		before uint64
		limit  int
		want   []uint64
	}{
		"all":                {"", 0, 10, []uint64{6, 5, 4, 3, 2, 1}},
		"the newest two":     {"", 0, 2, []uint64{6, 5}},
		"before one":         {"", 5, 2, []uint64{4, 3}},
		"of a target":        {"test", 0, 10, []uint64{6, 4, 2}},
		"before, of another": {"prod", 5, 10, []uint64{3, 1}},
		"before the oldest":  {"", 1, 10, nil},
		"before one to come": {"prod", 99, 1, []uint64{5}},
		"of nobody":          {"nobody", 0, 10, nil},
		"none":               {"", 0, 0, nil},
	} {
		t.Run(name, func(t *testing.T) {
			if got := ids(t, s, row.target, row.before, row.limit); !slices.Equal(got, row.want) {
				t.Errorf("got %v, want %v", got, row.want)
			}
		})
	}
}

func TestWhatADaemonKnowsAfterARestart(t *testing.T) {
	s := open(t, somewhere(t), Options{PerTarget: 150})
	hasty(s)
	appended(t, s, "prod", 3)
	appended(t, s, "test", 1)
	for n := range 200 { // more than one answer of Passes, and more than is kept
		if _, err := s.Append(failing(pass("prod", 3+n))); err != nil {
			t.Fatal(err)
		}
	}
	s = reopened(t, s, Options{PerTarget: 150})
	last, err := s.Last("prod")
	if err != nil {
		t.Fatal(err)
	}
	good, bad := pass("prod", 2), pass("prod", 202)
	if !last.Success.Equal(good.Began.Add(good.Took)) || !last.Attempt.Equal(bad.Began.Add(bad.Took)) ||
		last.Revision != good.Revision || last.Pass.Outcome != status.Failed {
		t.Errorf("got %+v", last)
	}
	if n := len(ids(t, s, "prod", 0, 1000)); n != 150 {
		t.Errorf("%d passes are kept", n)
	}
	if last, err := s.Last("nobody"); err != nil || !reflect.DeepEqual(last, Last{}) {
		t.Errorf("of nobody: %+v, %v", last, err)
	}
}

func TestTheFileDoesNotGrow(t *testing.T) {
	for name, row := range map[string]struct {
		options Options
		all     int // passes
		text    int // bytes that vary
		passes  int // per target at the end, at most
	}{
		"by the number of passes": {Options{PerTarget: 50}, 10_000, 100, 50},
		"by bytes":                {Options{MaxBytes: 4 << 20}, 2_000, 6000, 1000},
		"by bytes of long passes": {Options{MaxBytes: 4 << 20}, 300, 200_000, 1000},
	} {
		t.Run(name, func(t *testing.T) {
			s := hasty(open(t, somewhere(t), row.options))
			var early int64
			for i := range row.all {
				p := pass(fmt.Sprintf("target-%d", i%7), i)
				for n := (i*7919)%row.text - 1; n > 0; n -= 4000 {
					p.Changes = append(p.Changes, status.Change{Name: "web", Error: strings.Repeat("x", min(n, 4000))})
				}
				if _, err := s.Append(p); err != nil {
					t.Fatal(err)
				}
				if i == row.all/2 {
					early = size(t, s.path)
				}
			}
			if late := size(t, s.path); late > early*11/10 || late > s.options.MaxBytes {
				t.Errorf("%d bytes early, %d in the end", early, late)
			}
			if n := len(ids(t, s, "target-3", 0, 1000)); n == 0 || n > row.passes {
				t.Errorf("%d passes of a target are kept", n)
			}
			want := s.sums
			got := reopened(t, s, row.options).sums
			if !reflect.DeepEqual(got, want) {
				t.Errorf("the sums are %v, and should be %v", want, got)
			}
		})
	}
}

func size(t *testing.T, at string) int64 {
	t.Helper()
	info, err := os.Stat(at)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

func TestTargetsThatNoLongerExist(t *testing.T) {
	s := hasty(open(t, somewhere(t), Options{MaxBytes: 4 << 20}))
	for _, target := range []string{"kept", "gone", "new"} {
		appended(t, s, target, 100)
	}
	s.Keep([]string{"new", "kept"})
	appended(t, s, "new", 1)
	if n := len(ids(t, s, "gone", 0, 1000)); n != 100 {
		t.Errorf("%d passes before their time", n)
	}
	long := pass("new", 101)
	for range 3 {
		long.Changes = append(long.Changes, status.Change{Error: strings.Repeat("x", 4000)})
	}
	for n := 0; n < 500 && len(ids(t, s, "gone", 0, 1000)) > 0; n++ {
		if _, err := s.Append(long); err != nil {
			t.Fatal(err)
		}
	}
	if gone, kept := len(ids(t, s, "gone", 0, 1000)), len(ids(t, s, "kept", 0, 1000)); gone != 0 || kept < 60 {
		t.Errorf("when room was needed, %d of one that is gone and %d of one that is not", gone, kept)
	}
}

func TestWhatOpenRefuses(t *testing.T) {
	busy := open(t, somewhere(t), Options{})
	if _, _, err := Open(busy.path, Options{Wait: time.Millisecond}); !errors.Is(err, ErrBusy) || !strings.Contains(err.Error(), busy.path) {
		t.Errorf("in use: %v", err)
	}
	newer := open(t, somewhere(t), Options{})
	appended(t, newer, "prod", 1)
	err := newer.db.Update(func(tx *bolt.Tx) error {
		return tx.Bucket([]byte(aboutBucket)).Put([]byte(schemaKey), []byte("2"))
	})
	if err := errors.Join(err, newer.Close()); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(newer.path)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := Open(newer.path, Options{}); !errors.Is(err, ErrNewer) {
		t.Errorf("of a newer program: %v", err)
	}
	if after, err := os.ReadFile(newer.path); err != nil || !slices.Equal(before, after) {
		t.Errorf("the newer program's file was written to: %v", err)
	}
	blocked := filepath.Join(newer.path, "history.db")
	if _, _, err := Open(blocked, Options{}); err == nil {
		t.Error("below a file there can be none")
	}
}

func TestAPassIsBounded(t *testing.T) {
	s := open(t, somewhere(t), Options{})
	p := pass("prod", 1)
	p.Error = strings.Repeat("ä", maxText)
	p.Revision.When = time.Date(30000, 1, 1, 0, 0, 0, 0, time.UTC) // as a commit may claim
	for range 80 {
		p.Changes = append(p.Changes, status.Change{Name: "web", Error: strings.Repeat("\x01", maxText*2)})
	}
	kept, err := s.Append(p)
	if err != nil {
		t.Fatal(err)
	}
	found, err := s.Passes("prod", 0, 1)
	if err != nil || len(found) != 1 || !reflect.DeepEqual(found[0], kept) {
		t.Fatalf("got %v, %v", found, err)
	}
	if len(kept.Error) > maxText || !utf8.ValidString(kept.Error) || !strings.HasSuffix(kept.Error, "…") {
		t.Errorf("the error has %d bytes", len(kept.Error))
	}
	if weight(kept) > maxRecord || len(kept.Changes)+kept.Omitted != 80 || len(kept.Changes) == 0 {
		t.Errorf("%d bytes, %d changes and %d omitted", weight(kept), len(kept.Changes), kept.Omitted)
	}
	if len(p.Changes) != 80 || len(p.Changes[0].Error) != maxText*2 {
		t.Error("the caller's pass was changed")
	}
}

func TestManyAtOnce(t *testing.T) {
	s := hasty(open(t, somewhere(t), Options{PerTarget: 20}))
	var group sync.WaitGroup
	for i := range 4 {
		group.Go(func() {
			for n := range 50 {
				if _, err := s.Append(pass(fmt.Sprint("target-", i), n)); err != nil {
					t.Error(err)
				}
				passes, err := s.Passes("", 0, 30)
				for i := 1; i < len(passes); i++ {
					if passes[i].ID >= passes[i-1].ID {
						t.Errorf("pass %d comes after %d", passes[i].ID, passes[i-1].ID)
					}
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	if got := ids(t, s, "", 0, 1000); len(got) != 80 || got[0] != 200 {
		t.Errorf("%d passes, the newest is %d", len(got), got[0])
	}
}

func BenchmarkAppend(b *testing.B) {
	s, _, err := Open(filepath.Join(b.TempDir(), "history.db"), Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	for n := 0; b.Loop(); n++ {
		if _, err := s.Append(pass(fmt.Sprint("target-", n%20), n)); err != nil {
			b.Fatal(err)
		}
	}
}
