package source

import (
	"crypto/sha1"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"profilesync/internal/source/gittest"
)

// history is a repository of a few directories and commits, with deltas once packed.
func history(t *testing.T) (*gittest.Repo, map[string]string) {
	t.Helper()
	r := gittest.New(t)
	for version := range 3 {
		files := map[string]string{}
		for i := range 15 {
			if i%3 >= version {
				files[fmt.Sprintf("profiles/t%d/u%d/p%02d.yaml", i%3, i%2, i)] = document(i) + strings.Repeat(fmt.Sprintf("# version %d\n", version), version+3)
			}
		}
		r.Write(files)
		r.Commit(fmt.Sprintf("Version %d", version))
	}
	return r, listed(r, "HEAD", "")
}

// harm replaces the content of a file, reads the repository, and puts the file
// back. It fails the test if the reading succeeds with anything but all files,
// and reports whether it failed.
func harm(t *testing.T, dir, file, how string, content []byte, want map[string]string) (noticed bool) {
	t.Helper()
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	replace := func(content []byte) {
		os.Remove(file) // it is read-only
		if content == nil {
			return
		}
		if err := os.WriteFile(file, content, info.Mode()); err != nil {
			t.Fatal(err)
		}
	}
	replace(content)
	defer replace(whole)
	s, err := Git{URL: dir}.Read(t.Context())
	if err == nil {
		if got := contents(t, s.Files); !maps.Equal(got, want) {
			t.Errorf("%s: no error, and %d files in place of %d", how, len(got), len(want))
		}
		return false
	}
	if !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrLimit) {
		t.Errorf("%s: %v, want %q", how, err, ErrDamaged)
	}
	return true
}

// trailed ends a pack or an index in the checksum of what is before, as if it
// had been written so.
func trailed(content []byte) []byte {
	sum := sha1.Sum(content)
	return append(slices.Clip(content), sum[:]...)
}

func flipped(content []byte, at int, bit uint) []byte {
	changed := slices.Clone(content)
	changed[at] ^= 1 << bit
	return changed
}

// offsets are the places worth damaging: around every object, and every few bytes.
func offsets(r *gittest.Repo, pack string, size, stride int) []int {
	var at []int
	for line := range strings.SplitSeq(r.Git("verify-pack", "-v", pack), "\n") {
		if fields := strings.Fields(line); len(fields) >= 5 && len(fields[0]) == 40 {
			offset, _ := strconv.Atoi(fields[4])
			at = append(at, offset-1, offset, offset+1)
		}
	}
	for i := 0; i < size; i += stride {
		at = append(at, i)
	}
	at = append(at, 4, 8, 11, 12, size-21, size-20, size-1)
	slices.Sort(at)
	at = slices.Compact(at)
	return slices.DeleteFunc(at, func(i int) bool { return i < 0 || i >= size })
}

// onePack is that repository in one pack.
func onePack(t *testing.T) (r *gittest.Repo, want map[string]string, pack string) {
	t.Helper()
	r, want = history(t)
	r.Git("gc", "-q", "--aggressive", "--prune=now")
	packs, _ := filepath.Glob(r.Dir + "/.git/objects/pack/*.pack")
	if len(packs) != 1 {
		t.Fatalf("packs %q", packs)
	}
	if chains := r.Git("verify-pack", "-v", packs[0]); !strings.Contains(chains, "chain length = 2") {
		t.Fatal("the pack has no chain of deltas")
	}
	return r, want, packs[0]
}

func TestADamagedPackIsAnErrorOrAllFiles(t *testing.T) {
	r, want, file := onePack(t)
	pack, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	at := offsets(r, file, len(pack), 83)
	t.Run("cut short", func(t *testing.T) {
		for _, at := range at {
			if !harm(t, r.Dir, file, fmt.Sprintf("at %d", at), pack[:at], want) {
				t.Errorf("cut at %d of %d was not noticed", at, len(pack))
			}
		}
	})
	t.Run("cut short, with the end of the whole", func(t *testing.T) {
		for _, at := range at {
			if at < len(pack)-20 {
				harm(t, r.Dir, file, fmt.Sprintf("at %d", at), slices.Concat(pack[:at], pack[len(pack)-20:]), want)
			}
		}
	})
	t.Run("a bit", func(t *testing.T) {
		noticed := 0
		for i, offset := range at {
			if harm(t, r.Dir, file, fmt.Sprintf("bit of byte %d", offset), flipped(pack, offset, uint(i%8)), want) {
				noticed++
			}
		}
		if noticed < len(at)/4 {
			t.Errorf("only %d of %d flips were noticed", noticed, len(at))
		}
	})
	t.Run("gone", func(t *testing.T) { harm(t, r.Dir, file, "gone", nil, want) })
}

func TestADamagedIndexIsAnErrorOrAllFiles(t *testing.T) {
	r, want, pack := onePack(t)
	file := strings.TrimSuffix(pack, ".pack") + ".idx"
	index, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	at := offsets(r, pack, len(index), 307)
	t.Run("cut short", func(t *testing.T) {
		for _, at := range at {
			if !harm(t, r.Dir, file, fmt.Sprintf("at %d", at), index[:at], want) {
				t.Errorf("cut at %d of %d was not noticed", at, len(index))
			}
			harm(t, r.Dir, file, fmt.Sprintf("at %d, with a checksum", at), trailed(index[:at]), want)
		}
	})
	t.Run("a bit", func(t *testing.T) {
		for i, at := range at {
			if !harm(t, r.Dir, file, fmt.Sprintf("bit of byte %d", at), flipped(index, at, uint(i%8)), want) {
				t.Errorf("a flip at %d was not noticed", at)
			}
			if at < len(index)-40 {
				harm(t, r.Dir, file, fmt.Sprintf("bit of byte %d, with a checksum", at), trailed(flipped(index[:len(index)-20], at, uint(i%8))), want)
			}
		}
	})
	t.Run("gone", func(t *testing.T) { harm(t, r.Dir, file, "gone", nil, want) })
}

func TestADamagedObjectFileIsAnErrorOrAllFiles(t *testing.T) {
	r, want := history(t)
	objects, _ := filepath.Glob(r.Dir + "/.git/objects/??/*")
	if len(objects) < 30 {
		t.Fatalf("only %d object files", len(objects))
	}
	read := r.Git("rev-list", "--objects", "-1", "HEAD") // the others are history
	for i, object := range objects {
		content, err := os.ReadFile(object)
		if err != nil {
			t.Fatal(err)
		}
		other, err := os.ReadFile(objects[(i+1)%len(objects)])
		if err != nil {
			t.Fatal(err)
		}
		id := filepath.Base(filepath.Dir(object)) + filepath.Base(object)
		needed := strings.Contains(read, id)
		for how, harmed := range map[string][]byte{
			"empty": {}, "one byte": content[:1], "half": content[:len(content)/2], "all but the last byte": content[:len(content)-1],
			"a bit": flipped(content, len(content)/2, uint(i%8)), "gone": nil, "another object": other, "more": append(slices.Clone(content), 0), "text": []byte("hello"),
		} {
			noticed := harm(t, r.Dir, object, id+": "+how, harmed, want)
			if needed && !noticed && how != "more" && how != "a bit" {
				t.Errorf("%s of %s was not noticed", how, id)
			}
		}
	}
}

func TestDamagedReferencesAreErrors(t *testing.T) {
	r, want := history(t)
	old := r.Git("rev-parse", "HEAD~2")
	r.Git("pack-refs", "--all")
	ref := r.Dir + "/.git/refs/heads/main"
	// The packed value of the branch is an old one, as it is after any commit.
	packed := r.Dir + "/.git/packed-refs"
	r.Write(map[string]string{".git/packed-refs": old + " refs/heads/main\n", ".git/refs/heads/main": r.Git("rev-parse", "HEAD") + "\n"})
	r.Write(map[string]string{"outside": old + "\n"})
	for how, content := range map[string]string{
		"link out of refs": "ref: ../outside\n", "link out through refs": "ref: refs/../../outside\n",
		"empty": "", "cut short": old[:20], "text": "hello\n", "link to itself": "ref: refs/heads/main\n", "link out": "ref: ../../etc/passwd\n", "SHA-256": strings.Repeat("0", 64) + "\n",
	} {
		t.Run("branch: "+how, func(t *testing.T) {
			whole, _ := os.ReadFile(ref)
			r.Write(map[string]string{".git/refs/heads/main": content})
			defer r.Write(map[string]string{".git/refs/heads/main": string(whole)})
			if s, err := (Git{URL: r.Dir}).Read(t.Context()); err == nil {
				t.Errorf("read revision %s of a damaged branch", s.Revision)
			}
		})
	}
	for how, content := range map[string]string{"text": "hello\n", "cut short": old[:20], "no newline": old + " refs/heads/ma"} {
		t.Run("packed: "+how, func(t *testing.T) {
			if !harm(t, r.Dir, packed, how, []byte(content), want) {
				t.Error("was not noticed")
			}
		})
	}
	t.Run("HEAD is a directory", func(t *testing.T) {
		dir := t.TempDir()
		r.Git("clone", "-q", "--bare", r.Dir, dir+"/x")
		os.Remove(dir + "/x/HEAD")
		if err := os.Mkdir(dir+"/x/HEAD", 0o755); err != nil {
			t.Fatal(err)
		}
		if _, err := (Git{URL: dir + "/x"}).Read(t.Context()); err == nil {
			t.Error("no error")
		}
	})
}
