package cache

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"

	"profilesync/internal/source/repository"
)

const address = "https://example.com/profiles.git"

// addition is a pack of some bytes, which is told from others by its number.
func addition(n int, alone bool) repository.Addition {
	commit := plumbing.ComputeHash(plumbing.CommitObject, fmt.Append(nil, n))
	return repository.Addition{
		Alone: alone, Tips: []repository.Tip{{Wanted: commit, Commit: commit}},
		Checksum: plumbing.ComputeHash(plumbing.BlobObject, fmt.Append(nil, n)),
		Index:    fmt.Appendf(nil, "index %d", n), Pack: strings.NewReader(fmt.Sprintf("pack %d", n)),
	}
}

// packs reads what is kept.
func packs(t *testing.T, k repository.Kept) []string {
	t.Helper()
	var all []string
	for _, p := range k.Packs {
		content := make([]byte, p.Size)
		if _, err := p.Content.ReadAt(content, 0); err != nil {
			t.Error(err)
		}
		if string(content) != strings.Replace(string(p.Index), "index", "pack", 1) {
			t.Errorf("pack %q with the index %q", content, p.Index)
		}
		all = append(all, string(content))
		p.Content.Close()
	}
	return all
}

// saved is a cache of two packs.
func saved(t *testing.T) (root string) {
	t.Helper()
	root = filepath.Join(t.TempDir(), "cache")
	c := New(root, address)
	if k := c.Load(); len(k.Packs) > 0 || c.Problem() != nil {
		t.Fatalf("%v before anything is saved, %v", k, c.Problem())
	}
	c.Save(t.Context(), addition(1, true))
	c.Save(t.Context(), addition(2, false))
	if c.Problem() != nil {
		t.Fatal(c.Problem())
	}
	return root
}

func want(t *testing.T, root string, want ...string) {
	t.Helper()
	c := New(root, address)
	k := c.Load()
	if got := packs(t, k); !slices.Equal(got, want) || (len(want) > 0) != (len(k.Tips) > 0) {
		t.Errorf("kept are %q with the tips %v, want %q", got, k.Tips, want)
	}
}

// files lists what lies in the cache, by its ending.
func files(t *testing.T, root string) []string {
	t.Helper()
	found, err := filepath.Glob(root + "/*/*")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range found {
		name := filepath.Base(f)
		if ext := filepath.Ext(name); ext != "" {
			name = ext
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func TestWhatIsSavedIsLoaded(t *testing.T) {
	root := saved(t)
	want(t, root, "pack 1", "pack 2")
	if other := New(root, "https://example.com/other.git").Load(); len(other.Packs) > 0 {
		t.Error("another repository has the same packs")
	}
	c := New(root, address)
	packs(t, c.Load())
	c.Save(t.Context(), addition(3, true))
	want(t, root, "pack 3")
	if got := files(t, root); !slices.Equal(got, []string{".idx", ".pack", "lock", "state"}) {
		t.Errorf("there are %q", got)
	}
}

func TestOnlyTheOwnerReads(t *testing.T) {
	root := saved(t)
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has the mode %s", name, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// broken is a pack that cannot be written to its end.
type broken struct{ after string }

func (b broken) WriteTo(w io.Writer) (int64, error) {
	n, _ := io.WriteString(w, b.after)
	return int64(n), errors.New("disk full")
}

func TestWhatCannotBeWrittenLeavesWhatWasThere(t *testing.T) {
	for _, alone := range []bool{true, false} {
		root := saved(t)
		c := New(root, address)
		packs(t, c.Load())
		a := addition(3, alone)
		a.Pack = broken{"half a pack"}
		c.Save(t.Context(), a)
		if c.Problem() == nil || !strings.Contains(c.Problem().Error(), "disk full") {
			t.Errorf("the problem is %v", c.Problem())
		}
		want(t, root, "pack 1", "pack 2")
		if got := files(t, root); !slices.Equal(got, []string{".idx", ".idx", ".pack", ".pack", "lock", "state"}) {
			t.Errorf("there are %q", got)
		}
	}
}

// curious looks around while it is written.
type curious struct{ look func() }

func (c curious) WriteTo(w io.Writer) (int64, error) {
	n, err := io.WriteString(w, "pack 3")
	c.look()
	return int64(n), err
}

func TestNothingHasItsNameBeforeItIsWhole(t *testing.T) {
	root := saved(t)
	c := New(root, address)
	packs(t, c.Load())
	a := addition(3, false)
	a.Pack = curious{func() {
		if got := files(t, root); !slices.Equal(got, []string{".idx", ".idx", ".pack", ".pack", "lock", "new", "state"}) {
			t.Errorf("there are %q", got)
		}
		want(t, root, "pack 1", "pack 2")
	}}
	c.Save(t.Context(), a)
	want(t, root, "pack 1", "pack 2", "pack 3")
}

func TestACacheIsOfOneAddress(t *testing.T) {
	root := saved(t)
	mine, other := New(root, address), New(root, "https://example.com/other.git")
	if err := os.Rename(mine.dir, other.dir); err != nil {
		t.Fatal(err)
	}
	if k := other.Load(); len(k.Packs) > 0 {
		t.Error("the packs of another repository are read")
	}
}

func TestWhatKilledProcessesLeaveIsRemoved(t *testing.T) {
	root := saved(t)
	dirs, _ := os.ReadDir(root)
	dir := filepath.Join(root, dirs[0].Name())
	for _, name := range []string{"new", pack{checksum: plumbing.ZeroHash}.packFile(), pack{checksum: plumbing.ZeroHash}.indexFile()} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("left over"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want(t, root, "pack 1", "pack 2")
	c := New(root, address)
	packs(t, c.Load())
	c.Save(t.Context(), addition(3, false))
	want(t, root, "pack 1", "pack 2", "pack 3")
	if got := files(t, root); c.Problem() != nil || len(got) != 2*3+2 {
		t.Errorf("there are %q, %v", got, c.Problem())
	}
}

func TestTwoProcesses(t *testing.T) {
	t.Run("one saves what the other has not seen", func(t *testing.T) {
		root := saved(t)
		first, second := New(root, address), New(root, address)
		packs(t, first.Load())
		packs(t, second.Load())
		first.Save(t.Context(), addition(3, true))
		second.Save(t.Context(), addition(4, false)) // of deltas to what is gone
		if first.Problem() != nil || second.Problem() != nil {
			t.Error(first.Problem(), second.Problem())
		}
		want(t, root, "pack 3")
		second.Forget() // what it had seen is gone already
		want(t, root, "pack 3")
		second.Save(t.Context(), addition(5, true))
		want(t, root, "pack 5")
	})
	t.Run("one is just saving", func(t *testing.T) {
		root := saved(t)
		first, second := New(root, address), New(root, address)
		packs(t, second.Load())
		lock, err := first.lock()
		if err != nil || lock == nil {
			t.Fatal(lock, err)
		}
		second.Save(t.Context(), addition(3, true))
		second.Forget()
		if second.Problem() != nil {
			t.Error(second.Problem())
		}
		want(t, root, "pack 1", "pack 2")
		lock.Close()
		second.Forget()
		want(t, root)
	})
}

func TestAStateThatIsNotWholeIsNone(t *testing.T) {
	root := saved(t)
	found, _ := filepath.Glob(root + "/*/state")
	whole, err := os.ReadFile(found[0])
	if err != nil {
		t.Fatal(err)
	}
	for at := range whole {
		for how, harmed := range map[string][]byte{"cut": whole[:at], "changed": slices.Concat(whole[:at], []byte{whole[at] ^ 1}, whole[at+1:])} {
			if s, err := parseState(harmed); err == nil {
				t.Errorf("%s at %d: %+v", how, at, s)
			}
		}
	}
	if err := os.WriteFile(found[0], bytes.Repeat([]byte("a"), maxState+1), 0o600); err != nil {
		t.Fatal(err)
	}
	want(t, root)
	New(root, address).Save(t.Context(), addition(3, true))
	want(t, root, "pack 3")
}

func TestAPackThatIsGoneIsNoHindrance(t *testing.T) {
	for _, which := range []string{"/*/*.pack", "/*/*.idx"} {
		root := saved(t)
		found, _ := filepath.Glob(root + which)
		if err := os.Remove(found[0]); err != nil {
			t.Fatal(err)
		}
		want(t, root)
	}
}

func TestDirectoriesThatAreNotUsed(t *testing.T) {
	change := func(mode fs.FileMode, pattern string) func(string) error {
		return func(root string) error {
			found, err := filepath.Glob(root + pattern)
			return errors.Join(err, os.Chmod(found[0], mode))
		}
	}
	for name, row := range map[string]struct {
		harm func(root string) error
		says string
	}{
		"others may write to it":     {change(0o777, ""), "others may write"},
		"a group may write to it":    {change(0o770, ""), "others may write"},
		"others may write to a part": {change(0o777, "/*"), "others may write"},
		"it is a file":               {func(root string) error { return errors.Join(os.RemoveAll(root), os.WriteFile(root, nil, 0o600)) }, "not a directory"},
		"it lies in a file": {func(root string) error {
			return errors.Join(os.RemoveAll(filepath.Dir(root)), os.WriteFile(filepath.Dir(root), nil, 0o600))
		}, "not a directory"},
		"it leads to itself and no more": {func(root string) error { return errors.Join(os.RemoveAll(root), os.Symlink(root, root)) }, "symbolic links"},
	} {
		t.Run(name, func(t *testing.T) {
			root := saved(t)
			if err := row.harm(root); err != nil {
				t.Fatal(err)
			}
			c := New(root, address)
			if k := c.Load(); len(k.Packs) > 0 {
				t.Error("it is read")
			}
			c.Save(t.Context(), addition(3, true))
			c.Forget()
			if c.Problem() == nil || !strings.Contains(c.Problem().Error(), row.says) {
				t.Errorf("the problem is %v, want one that says %q", c.Problem(), row.says)
			}
		})
	}
}

func TestNothingIsSavedWhenTimeIsOver(t *testing.T) {
	root := saved(t)
	over, cancel := context.WithCancel(t.Context())
	cancel()
	c := New(root, address)
	packs(t, c.Load())
	c.Save(over, addition(3, true))
	want(t, root, "pack 1", "pack 2")
}

func FuzzState(f *testing.F) {
	f.Add([]byte("address x\n"))
	f.Add([]byte("pack 0123456789012345678901234567890123456789 12\ntip 0123456789012345678901234567890123456789 0123456789012345678901234567890123456789\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		s, err := parseState(sealed(append([]byte(stateHead), body...)))
		if err != nil {
			return
		}
		again, err := parseState(s.encode())
		if err != nil || again.address != s.address || !slices.Equal(again.packs, s.packs) || !slices.Equal(again.tips, s.tips) {
			t.Errorf("%+v is read again as %+v, %v", s, again, err)
		}
	})
}
