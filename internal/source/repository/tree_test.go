package repository

import (
	"bytes"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"profilesync/internal/source/gittest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// raw is an entry of a tree object.
func raw(mode, name string) string {
	return mode + " " + name + "\x00" + strings.Repeat("\x11", len(Hash{}))
}

func TestTreesThatNoCheckoutCouldHave(t *testing.T) {
	rows := []struct{ name, content, says string }{
		{"no mode", "100644", "without a mode"},
		{"no name", "100644 web", "cut short"},
		{"no hash", "100644 web\x00", "cut short"},
		{"half a hash", raw("100644", "web")[:20], "cut short"},
		{"text behind the last", raw("100644", "web") + "x", "without a mode"},
		{"an empty name", raw("100644", ""), `named ""`},
		{"a dot", raw("40000", "."), `named "."`},
		{"two dots", raw("40000", ".."), `named ".."`},
		{"git's own directory", raw("40000", ".git"), `named ".git"`},
		{"git's own directory in capitals", raw("40000", ".GiT"), `named ".GiT"`},
		{"a slash", raw("100644", "a/b"), `named "a/b"`},
		{"an absolute path", raw("100644", "/etc/passwd"), `named "/etc/passwd"`},
		{"an unknown mode", raw("100600", "web"), `mode "100600"`},
		{"a device", raw("60000", "web"), `mode "60000"`},
		{"no digits", raw("", "web"), `mode ""`},
		{"a mode that is no number", raw("+100644", "web"), `mode "+100644"`},
		{"twice", raw("100644", "web") + raw("100644", "web"), "twice"},
		{"twice, not side by side", raw("100644", "a") + raw("100644", "a-b") + raw("40000", "a"), "twice"},
		{"out of order", raw("100644", "b") + raw("100644", "a"), "out of order"},
		{"a directory out of order", raw("40000", "a") + raw("100644", "a-b"), "out of order"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			entries, err := decodeTree([]byte(row.content))
			if err == nil || !strings.Contains(err.Error(), row.says) || entries != nil {
				t.Errorf("%v, %v; want an error that says %q", entries, err, row.says)
			}
		})
	}
}

func TestTreesOldAndNew(t *testing.T) {
	entries, err := decodeTree([]byte(raw("100644", "a") + raw("100644", "a-b") + raw("40000", "a.d") + raw("040000", "b") + raw("100664", "c") + raw("100755", "d") + raw("120000", "e") + raw("160000", "f") + raw("100644", "é") + raw("100644", "\xff\n")))
	if err != nil {
		t.Fatal(err)
	}
	var kinds []Kind
	for _, e := range entries {
		kinds = append(kinds, e.Kind)
	}
	want := []Kind{File, File, Directory, Directory, File, File, Symlink, Submodule, File, File}
	if !slices.Equal(kinds, want) {
		t.Errorf("kinds %v, want %v", kinds, want)
	}
}

// FuzzTree encodes what was decoded and wants the same bytes, up to the modes
// that have several spellings: no entry is dropped, whatever the input.
func FuzzTree(f *testing.F) {
	f.Add([]byte(raw("100644", "a") + raw("40000", "b")))
	f.Add([]byte(raw("120000", "link") + raw("160000", "module")))
	f.Add([]byte(raw("100644", "b") + raw("100644", "a")))
	f.Fuzz(func(t *testing.T, content []byte) {
		entries, err := decodeTree(content)
		if err != nil {
			return
		}
		var again bytes.Buffer
		for rest := content; len(rest) > 0; {
			mode, _, _ := bytes.Cut(rest, []byte{' '})
			e := entries[0]
			entries = entries[1:]
			fmt.Fprintf(&again, "%s %s\x00%s", mode, e.Name, e.Hash[:])
			rest = rest[len(mode)+1+len(e.Name)+1+len(e.Hash):]
		}
		if !bytes.Equal(again.Bytes(), content) || len(entries) != 0 {
			t.Errorf("%q is decoded as %q", content, again.Bytes())
		}
	})
}

// TestWhatFsckRefusesIsRefused gives git the same trees.
func TestWhatFsckRefusesIsRefused(t *testing.T) {
	r := gittest.New(t)
	for name, content := range map[string]string{
		"good": raw("100644", "a") + raw("40000", "b"), "order": raw("100644", "b") + raw("100644", "a"), "twice": raw("100644", "a") + raw("100644", "a"),
		"dot": raw("40000", "."), "git": raw("40000", ".GIT"), "slash": raw("100644", "a/b"), "empty": raw("100644", ""),
	} {
		r.Write(map[string]string{"tree": content})
		id := r.Git("hash-object", "-t", "tree", "-w", "--literally", "tree")
		said, _ := exec.Command("git", "-C", r.Dir, "fsck", "--strict", id).CombinedOutput() // it misses the entries' objects, too
		_, err := decodeTree([]byte(content))
		complaint := strings.ReplaceAll(string(said), "error in tree "+id+": broken links", "")
		if refused := strings.Contains(complaint, "error in tree "+id); (err != nil) != refused {
			t.Errorf("%s: %v, git fsck refuses it: %t", name, err, refused)
		}
	}
}
