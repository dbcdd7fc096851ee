package repository

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
)

// Kind is what an entry of a tree is.
type Kind uint8

// The kinds a tree can hold.
const (
	File Kind = iota // regular, executable or not
	Directory
	Symlink
	Submodule
)

// String names the kind as people do.
func (k Kind) String() string {
	switch k {
	case Directory:
		return "directory"
	case Symlink:
		return "symbolic link"
	case Submodule:
		return "submodule"
	}
	return "file"
}

// Entry is one entry of a tree.
type Entry struct {
	Name string // never empty, ".", "..", .git in any case, or with a "/" or NUL in it; otherwise any bytes
	Kind Kind
	Hash Hash
}

// kinds are the modes Git writes or has written. 100664 is from its first months.
func kinds(mode string) (Kind, bool) {
	switch strings.TrimLeft(mode, "0") {
	case "100644", "100755", "100664":
		return File, true
	case "40000":
		return Directory, true
	case "120000":
		return Symlink, true
	case "160000":
		return Submodule, true
	}
	return 0, false
}

// decodeTree reads a tree object: mode, blank, name, NUL, twenty bytes of
// hash, and so on. What git fsck calls an error is an error.
func decodeTree(content []byte) ([]Entry, error) {
	var entries []Entry
	seen := make(map[string]struct{})
	last := ""
	for len(content) > 0 {
		mode, rest, ok := bytes.Cut(content, []byte{' '})
		if !ok {
			return nil, errors.New("entry without a mode")
		}
		kind, ok := kinds(string(mode))
		if !ok {
			return nil, fmt.Errorf("entry of mode %q", mode)
		}
		name, rest, ok := bytes.Cut(rest, []byte{0})
		if !ok || len(rest) < len(Hash{}) {
			return nil, errors.New("entry cut short")
		}
		e := Entry{Name: string(name), Kind: kind, Hash: Hash(rest[:len(Hash{})])}
		content = rest[len(Hash{}):]
		if err := checkName(e.Name); err != nil {
			return nil, err
		}
		if _, twice := seen[e.Name]; twice {
			return nil, fmt.Errorf("entry %q is there twice", e.Name)
		}
		if at := sortName(e); at < last {
			return nil, fmt.Errorf("entry %q is out of order", e.Name)
		} else {
			last = at
		}
		seen[e.Name] = struct{}{}
		entries = append(entries, e)
	}
	return entries, nil
}

// sortName is what Git orders entries by: a directory as if it ended in a slash.
func sortName(e Entry) string {
	if e.Kind == Directory {
		return e.Name + "/"
	}
	return e.Name
}

// checkName refuses the names no checkout can have. (Whether a name is a good
// one for a document is not decided here.)
func checkName(name string) error {
	if name == "" || name == "." || name == ".." || strings.EqualFold(name, ".git") || strings.Contains(name, "/") {
		return fmt.Errorf("entry named %q", name)
	}
	return nil
}

// tagTarget returns what an annotated tag names.
func tagTarget(content []byte) (Hash, error) {
	return header(content, "object ")
}

// header reads the hash in the first line of a commit or a tag.
func header(content []byte, key string) (Hash, error) {
	line, _, _ := bytes.Cut(content, []byte{'\n'})
	id, ok := bytes.CutPrefix(line, []byte(key))
	if !ok || !plumbing.IsHash(string(id)) {
		return Hash{}, fmt.Errorf("it does not begin with %q", key)
	}
	return plumbing.NewHash(string(id)), nil
}
