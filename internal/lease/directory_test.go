package lease_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"profilesync/internal/lease"
	"profilesync/internal/lease/leasetest"
)

const childVariable = "LEASE_TEST_DIRECTORY"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childVariable); dir != "" {
		if err := child(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}

func child(dir string) error {
	keeper, err := lease.OpenDirectory(dir, lease.Holder{Instance: "child", Command: "test"})
	if err != nil {
		return err
	}
	return leasetest.Child(keeper)
}

func openDirectory(t *testing.T, dir string) *lease.Directory {
	t.Helper()
	keeper, err := lease.OpenDirectory(dir, lease.Holder{Instance: "host-1/1", Command: "test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := keeper.Close(); err != nil {
			t.Error(err)
		}
	})
	return keeper
}

func TestADirectoryKeepsLeases(t *testing.T) {
	dir := t.TempDir()
	leasetest.Run(t, leasetest.Rig{
		Open: func(t *testing.T, self lease.Holder) lease.Keeper {
			keeper, err := lease.OpenDirectory(dir, self)
			if err != nil {
				t.Fatal(err)
			}
			return keeper
		},
		Free:  2 * time.Second, // at once, and seen at the next look
		Child: []string{childVariable + "=" + dir},
	})
}

func TestALockOutlivesNoExec(t *testing.T) {
	dir := t.TempDir()
	keeper := openDirectory(t, dir)
	held, err := keeper.Try(t.Context(), "inherited")
	if err != nil {
		t.Fatal(err)
	}
	rig := leasetest.Rig{Child: []string{childVariable + "=" + dir}}
	rig.Start(t, "another") // a child that goes on
	if err := held.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := openDirectory(t, dir).Try(t.Context(), "inherited"); err != nil {
		t.Error(err)
	}
}

func TestWhoLooksIsInNobodysWay(t *testing.T) {
	dir := t.TempDir()
	keeper, curious := openDirectory(t, dir), openDirectory(t, dir)
	ctx, cancel := context.WithCancel(t.Context())
	looks := make(chan error)
	go func() {
		var err error
		for ctx.Err() == nil && err == nil {
			_, _, err = curious.Holder(t.Context(), "looked at")
		}
		looks <- err
	}()
	for range 300 {
		held, err := keeper.Try(t.Context(), "looked at")
		if err != nil {
			t.Fatal(err)
		}
		if err := held.Release(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	cancel()
	if err := <-looks; err != nil {
		t.Error(err)
	}
}

func TestALockWhoseFileIsRemovedIsLost(t *testing.T) {
	dir := t.TempDir()
	ours, theirs := openDirectory(t, dir), openDirectory(t, dir)
	held, err := ours.Try(t.Context(), "removed")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "removed.lock")); err != nil {
		t.Fatal(err)
	}
	again, err := theirs.Try(t.Context(), "removed")
	if err != nil {
		t.Fatal(err)
	}
	if err := held.Check(); !errors.Is(err, lease.ErrLost) || !strings.Contains(err.Error(), "was removed") {
		t.Errorf("check is %v", err)
	}
	<-held.Lost()
	if err := held.Release(t.Context()); err != nil {
		t.Error(err)
	}
	if err := again.Check(); err != nil {
		t.Error(err)
	}
}

func TestWhatALockFileMayHold(t *testing.T) {
	for name, text := range map[string]string{
		"nothing": "", "no JSON": "\x00\xff", "something else": "[1]", "too much": strings.Repeat(" ", 1<<20) + "{}",
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "x.lock")
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			keeper := openDirectory(t, dir)
			if _, is, err := keeper.Holder(t.Context(), "x"); is || err != nil {
				t.Errorf("nobody has it, and got %t %v", is, err)
			}
			file, err := os.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = file.Close() }() // it was only read
			if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX); err != nil {
				t.Fatal(err)
			}
			_, err = keeper.Try(t.Context(), "x")
			if want := `lease "x" is held by another process`; err == nil || err.Error() != want {
				t.Errorf("got %v, want %s", err, want)
			}
		})
	}
}

func TestADirectoryThatCannotBeUsed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := lease.OpenDirectory(filepath.Join(file, "locks"), lease.Holder{})
	if !errors.Is(err, lease.ErrUnavailable) || !strings.Contains(err.Error(), file) {
		t.Errorf("got %v", err)
	}

	dir := t.TempDir()
	keeper := openDirectory(t, dir)
	for name, put := range map[string]func(path string) error{
		"link":      func(path string) error { return os.Symlink(file, path) },
		"pipe":      func(path string) error { return syscall.Mkfifo(path, 0o600) },
		"directory": func(path string) error { return os.Mkdir(path, 0o700) },
	} {
		t.Run(name, func(t *testing.T) {
			if err := put(filepath.Join(dir, name+".lock")); err != nil {
				t.Fatal(err)
			}
			_, err := keeper.Try(t.Context(), name)
			if !errors.Is(err, lease.ErrUnavailable) || !strings.Contains(err.Error(), name+".lock") {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestALockDirectoryIsForItsOwner(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made", "locks")
	keeper := openDirectory(t, dir)
	if _, err := keeper.Try(t.Context(), "a/b"); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]os.FileMode{dir: 0o700, filepath.Join(dir, "a%2Fb.lock"): 0o600} {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s has mode %o, want %o", path, got, want)
		}
	}
}
