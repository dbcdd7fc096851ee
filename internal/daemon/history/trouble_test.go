package history

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"math/rand"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"profilesync/internal/daemon/status"
)

// whole is the text of a history of many targets and pages.
func whole(t *testing.T) []byte {
	t.Helper()
	s := hasty(open(t, somewhere(t), Options{PerTarget: 40}))
	for i := range 300 {
		p := pass(fmt.Sprint("target-", i%9), i)
		p.Changes = []status.Change{{Name: "web", Error: strings.Repeat("x", i*37%9000)}}
		if _, err := s.Append(p); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(s.path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func stored(t *testing.T, text []byte) string {
	t.Helper()
	at := somewhere(t)
	if err := errors.Join(os.MkdirAll(filepath.Dir(at), 0o700), os.WriteFile(at, text, 0o600)); err != nil {
		t.Fatal(err)
	}
	return at
}

func TestADamagedFileIsSetAside(t *testing.T) {
	text := whole(t)
	zeroed := slices.Clone(text)
	clear(zeroed[2*4096:])
	for name, damaged := range map[string][]byte{
		"something else": []byte(strings.Repeat("this is no history\n", 2000)),
		"a few bytes":    []byte("?"),
		"both heads":     append(make([]byte, 8192), text[8192:]...),
		"all pages zero": zeroed,
		"half of it":     text[:len(text)/2],
		"a short one":    text[:8192],
	} {
		t.Run(name, func(t *testing.T) {
			at := stored(t, damaged)
			stale := at + ".damaged-20200101T000000Z"
			if err := os.WriteFile(stale, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			s, note, err := Open(at, Options{})
			if err != nil || !strings.Contains(note, "set aside") {
				t.Fatalf("%v, note %q", err, note)
			}
			defer s.Close()
			appended(t, s, "prod", 1)
			found, err := filepath.Glob(at + ".damaged-*")
			if err != nil || len(found) != 1 || found[0] == stale {
				t.Fatalf("aside are %v, %v", found, err)
			}
			if aside, err := os.ReadFile(found[0]); err != nil || !bytes.Equal(aside, damaged) {
				t.Errorf("what was there is not what is aside: %v", err)
			}
		})
	}
}

// TestNoDamageEndsTheProcess breaks a file in many places: opening, reading and
// appending have to work all the same, with or without what was in it.
func TestNoDamageEndsTheProcess(t *testing.T) {
	text := whole(t)
	seed := rand.Int63()
	chance := rand.New(rand.NewSource(seed))
	aside, kept := 0, 0
	for range 80 {
		broken := slices.Clone(text)
		for range 1 + chance.Intn(20) {
			page := chance.Intn(len(broken)/4096) * 4096
			switch chance.Intn(4) {
			case 0: // in a page's header and elements
				broken[page+chance.Intn(200)] = byte(chance.Intn(256))
			case 1:
				broken[page+chance.Intn(4096)] ^= 1 << chance.Intn(8)
			case 2: // another page in its place
				copy(broken[page:page+4096], text[chance.Intn(len(text)/4096)*4096:])
			case 3:
				copy(broken[page+8:], text[chance.Intn(len(text)-64):][:8])
			}
		}
		s, note, err := Open(stored(t, broken), Options{PerTarget: 20})
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		hasty(s)
		if kept++; note != "" {
			aside++
		}
		for n := range 12 {
			if _, err := s.Append(pass(fmt.Sprint("target-", n), 1000)); err != nil && !errors.Is(err, ErrDamaged) {
				t.Fatalf("seed %d: %v", seed, err)
			}
		}
		if _, err := s.Passes("", 0, 1000); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if err := s.Close(); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
	if aside < kept/2 {
		t.Errorf("seed %d: %d of %d were set aside", seed, aside, kept)
	}
}

func TestAFileDamagedInUseIsReplaced(t *testing.T) {
	for name, harm := range map[string]func(at string) error{
		"cut short": func(at string) error { return os.Truncate(at, 8192) },
		"removed":   os.Remove,
		"replaced": func(at string) error {
			return errors.Join(os.WriteFile(at+".new", []byte("else"), 0o600), os.Rename(at+".new", at))
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, somewhere(t), Options{})
			appended(t, s, "prod", 200)
			if err := harm(s.path); err != nil {
				t.Fatal(err)
			}
			_, _ = s.Passes("", 0, 1000) // may fail, and must not end the process
			if last, err := s.Append(pass("prod", 200)); last.ID != 201 || err != nil && !errors.Is(err, ErrDamaged) {
				t.Fatalf("ID %d, %v", last.ID, err)
			}
			if _, err := s.Append(pass("prod", 201)); err != nil {
				t.Fatal(err)
			}
			s = reopened(t, s, Options{})
			if got := ids(t, s, "prod", 0, 2); !slices.Equal(got, []uint64{202, 201}) {
				t.Errorf("the newest are %v", got)
			}
		})
	}
}

// small is a directory on a file system of a known size, which takes root.
func small(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if output, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", dir).CombinedOutput(); err != nil {
		if os.Getenv("CI") != "" || os.Geteuid() == 0 {
			t.Fatalf("%v\n%s", err, output)
		}
		t.Skip("a file system of a known size takes root")
	}
	t.Cleanup(func() {
		if output, err := exec.Command("umount", "-l", dir).CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, output)
		}
	})
	return dir
}

// ballast fills the disk.
func ballast(t *testing.T, dir string) string {
	t.Helper()
	at := filepath.Join(dir, "ballast")
	if err := os.WriteFile(at, make([]byte, 4<<20), 0o600); err == nil {
		t.Fatal("the disk is larger than it should be")
	}
	return at
}

func TestAFullDisk(t *testing.T) {
	dir := small(t)
	s := open(t, filepath.Join(dir, "history.db"), Options{})
	appended(t, s, "prod", 5)
	filled := ballast(t, dir)
	var failed error
	n := 5
	for ; failed == nil && n < 1000; n++ {
		_, failed = s.Append(pass("prod", n))
	}
	if !errors.Is(failed, ErrFull) {
		t.Fatalf("%d passes fit: %v", n, failed)
	}
	for ; n < 1000; n++ { // many more than memory keeps
		if _, err := s.Append(pass("prod", n)); !errors.Is(err, ErrFull) {
			t.Fatalf("the disk is no longer full: %v", err)
		}
	}
	if n := len(s.waiting); n > maxWaiting {
		t.Errorf("%d passes are in memory", n)
	}
	if got := ids(t, s, "prod", 0, 3); !slices.Equal(got, []uint64{1000, 999, 998}) {
		t.Errorf("while it is full, the last ones are %v", got)
	}
	if got := ids(t, s, "prod", 3, 3); !slices.Equal(got, []uint64{2, 1}) {
		t.Errorf("while it is full, the first ones are %v", got)
	}
	if err := os.Remove(filled); err != nil {
		t.Fatal(err)
	}
	if last, err := s.Append(pass("prod", n)); err != nil || last.ID != 1001 || len(s.waiting) != 0 {
		t.Fatalf("it has not healed: ID %d, %d wait, %v", last.ID, len(s.waiting), err)
	}
	s = reopened(t, s, Options{})
	got := ids(t, s, "prod", 0, 1000)
	if len(got) < maxWaiting || got[0] != 1001 || got[maxWaiting-1] != 1001-maxWaiting+1 {
		t.Errorf("%d passes are kept", len(got))
	}
}

func TestADiskThatIsFullFromTheBeginning(t *testing.T) {
	dir := small(t)
	filled := ballast(t, dir)
	if err := os.Truncate(filled, size(t, filled)-4096); err != nil { // room for a part of a new file
		t.Fatal(err)
	}
	at := filepath.Join(dir, "history.db")
	s, note, err := Open(at, Options{})
	if err != nil || !strings.Contains(note, ErrFull.Error()) {
		t.Fatalf("%v, note %q", err, note)
	}
	defer s.Close()
	if _, err := s.Append(pass("prod", 1)); !errors.Is(err, ErrFull) {
		t.Fatal(err)
	}
	if got := ids(t, s, "prod", 0, 3); !slices.Equal(got, []uint64{1}) {
		t.Errorf("in memory are %v", got)
	}
	if err := os.Remove(filled); err != nil {
		t.Fatal(err)
	}
	if last, err := s.Append(pass("prod", 2)); err != nil || last.ID != 2 {
		t.Fatalf("it has not healed: ID %d, %v", last.ID, err)
	}
	if found, err := filepath.Glob(at + ".damaged-*"); err != nil || len(found) > 0 {
		t.Errorf("a part of a new file passed for a damaged one: %v, %v", found, err)
	}
	s = reopened(t, s, Options{})
	if got := ids(t, s, "prod", 0, 3); !slices.Equal(got, []uint64{2, 1}) {
		t.Errorf("kept are %v", got)
	}
}

func TestADirectoryThatCannotBeWrittenTo(t *testing.T) {
	dir := small(t)
	if output, err := exec.Command("mount", "-o", "remount,ro", dir).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	if _, _, err := Open(filepath.Join(dir, "history.db"), Options{}); err == nil || !strings.Contains(err.Error(), "read-only file system") {
		t.Errorf("got %v", err)
	}
}

func TestAFileWithPassesComesToLight(t *testing.T) {
	before := hasty(open(t, somewhere(t), Options{}))
	appended(t, before, "test", 300)
	if err := before.Close(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(before.path)
	if err != nil {
		t.Fatal(err)
	}
	dir := small(t)
	filled := ballast(t, dir)
	at := filepath.Join(dir, "history.db")
	s, _, err := Open(at, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.Append(pass("prod", 1)); !errors.Is(err, ErrFull) {
		t.Fatal(err)
	}
	if err := errors.Join(os.Remove(filled), os.WriteFile(at, text, 0o600)); err != nil {
		t.Fatal(err)
	}
	if last, err := s.Append(pass("prod", 2)); err != nil || last.ID != 302 {
		t.Errorf("ID %d, %v", last.ID, err)
	}
	if got := ids(t, s, "prod", 0, 9); !slices.Equal(got, []uint64{302, 301}) {
		t.Errorf("got %v", got)
	}
}

// TestMain is also the process that is killed in the middle of its work.
func TestMain(m *testing.M) {
	if at := os.Getenv("HISTORY_TEST_FILE"); at != "" {
		s, _, err := Open(at, Options{PerTarget: 30})
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
	at := somewhere(t)
	told := uint64(0)
	for round := range 10 {
		victim := exec.Command(os.Args[0])
		victim.Env = append(os.Environ(), "HISTORY_TEST_FILE="+at)
		out, err := victim.StdoutPipe()
		if err := errors.Join(err, victim.Start()); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for n := 0; n < 10+round*7 && lines.Scan(); n++ {
			if _, err := fmt.Sscan(lines.Text(), &told); err != nil {
				t.Fatal(err)
			}
		}
		_ = victim.Process.Kill()
		_ = victim.Wait() // killed
		s := open(t, at, Options{PerTarget: 30})
		if newest := ids(t, s, "prod", 0, 30); len(newest) == 0 || newest[0] < told || len(newest) < min(int(told), 30) {
			t.Errorf("pass %d was kept, the newest are %v", told, newest)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
