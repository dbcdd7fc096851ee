// Package cache keeps what was fetched from Git servers in a directory, so that
// the next run fetches only what is new.
//
// A repository has a directory of its own, named after its address:
//
//	state            which packs there are, and which commits can be read from them
//	pack-HASH.pack   a pack as a server sent it, and
//	pack-HASH.idx    its index, both in Git's own formats; the first is whole, so
//	                 that git verify-pack reads it, the others may be thin
//	lock             held by whoever changes any of it
//	new              the file that is being written
//
// No other file is ever written to: each is written as new, made to last, and
// renamed, the state after the packs it tells of. So whoever is killed
// leaves the old state or the new one, and what else is left is removed by the
// next that writes. Whoever reads takes no lock; if a pack is removed in
// between, there is nothing kept, which costs time and nothing else.
//
// The package trusts nothing and nobody has to trust it: the state has a
// checksum against accidents, and package repository hashes every object it
// reads. It has no errors: what cannot be kept is fetched again. Problem says
// why, for people.
//
// It owns files. It never talks to a server, and knows nothing of what is in a pack.
package cache

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"profilesync/internal/source/repository"
)

// Cache is what is kept of one repository. It is a repository.Keeper, and used
// by one goroutine at a time; any number of processes may use one directory.
type Cache struct {
	root, dir string
	address   string
	loaded    []byte // the state as it was read
	problem   error
}

// New returns the cache, in the directory root, of the repository at address,
// which must not show a password: it is written down. Nothing is made yet.
func New(root, address string) *Cache {
	sum := sha256.Sum256([]byte(address))
	return &Cache{root: root, dir: filepath.Join(root, hex.EncodeToString(sum[:16])), address: address}
}

// Problem says why something could not be kept, nil if it was.
func (c *Cache) Problem() error {
	if c.problem == nil {
		return nil
	}
	return fmt.Errorf("cache %q: %w", c.root, c.problem)
}

const (
	stateFile = "state"
	lockFile  = "lock"
	newFile   = "new"
	// maxIndex bounds an index: two million objects.
	maxIndex = 64 << 20
)

// errUnsafe is a directory that is not used, for what others might do to it.
var errUnsafe = errors.New("not used")

// Load implements repository.Keeper.
func (c *Cache) Load() repository.Kept {
	if err := c.check(); err != nil {
		c.problem = err
		return repository.Kept{}
	}
	for {
		raw, err := readFile(filepath.Join(c.dir, stateFile), maxState)
		if err != nil {
			return repository.Kept{}
		}
		again := bytes.Equal(raw, c.loaded)
		c.loaded = raw
		s, err := parseState(raw)
		if err != nil || s.address != c.address {
			return repository.Kept{}
		}
		kept, err := c.open(s)
		if err == nil {
			return kept
		}
		if again || !errors.Is(err, fs.ErrNotExist) {
			return repository.Kept{}
		}
		// Somebody may have replaced the state, and removed the packs of the old one.
	}
}

// check refuses directories that others may write to.
func (c *Cache) check() error {
	for _, dir := range []string{c.root, c.dir} {
		info, err := os.Stat(dir)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		if !info.IsDir() {
			return fmt.Errorf("%w: %q is not a directory", errUnsafe, dir)
		}
		if mode := info.Mode().Perm(); mode&0o022 != 0 {
			return fmt.Errorf("%w: others may write to %q (mode %04o)", errUnsafe, dir, mode)
		}
		if owner, ok := info.Sys().(*syscall.Stat_t); ok && int(owner.Uid) != os.Geteuid() && owner.Uid != 0 {
			return fmt.Errorf("%w: %q belongs to another user", errUnsafe, dir)
		}
	}
	return nil
}

// open opens the packs of a state.
func (c *Cache) open(s state) (repository.Kept, error) {
	kept := repository.Kept{Tips: s.tips}
	for _, p := range s.packs {
		opened, err := c.openPack(p)
		if err != nil {
			for _, p := range kept.Packs {
				p.Content.Close()
			}
			return repository.Kept{}, err
		}
		kept.Packs = append(kept.Packs, opened)
	}
	return kept, nil
}

func (c *Cache) openPack(p pack) (repository.KeptPack, error) {
	index, err := readFile(filepath.Join(c.dir, p.indexFile()), maxIndex)
	if err != nil {
		return repository.KeptPack{}, err
	}
	f, err := os.Open(filepath.Join(c.dir, p.packFile()))
	if err != nil {
		return repository.KeptPack{}, err
	}
	if info, err := f.Stat(); err != nil || info.Size() != p.size {
		f.Close()
		return repository.KeptPack{}, errors.Join(errors.New("a pack of another size"), err)
	}
	return repository.KeptPack{Index: index, Content: f, Size: p.size}, nil
}

// readFile reads a file of at most limit bytes.
func readFile(name string, limit int64) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > limit {
		return nil, fmt.Errorf("%q is no file of at most %d bytes", name, limit)
	}
	content := make([]byte, info.Size())
	_, err = io.ReadFull(f, content)
	return content, err
}
