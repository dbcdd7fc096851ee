package cache

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"profilesync/internal/source/repository"
)

// Save implements repository.Keeper. If another process is just saving, or has
// done so since Load, what it keeps is as good.
func (c *Cache) Save(ctx context.Context, a repository.Addition) {
	if c.problem != nil || ctx.Err() != nil {
		return
	}
	if err := c.save(ctx, a); err != nil {
		c.problem = err
	}
}

func (c *Cache) save(ctx context.Context, a repository.Addition) (err error) {
	if err := os.MkdirAll(c.dir, 0o700); err != nil {
		return err
	}
	if err := c.check(); err != nil {
		return err
	}
	lock, err := c.lock()
	if lock == nil {
		return err
	}
	defer lock.Close()
	old, _ := readFile(filepath.Join(c.dir, stateFile), maxState)
	present, err := parseState(old)
	if err != nil {
		present = state{} // of no use, and so are its packs
	}
	if !a.Alone && !bytes.Equal(old, c.loaded) {
		return nil
	}
	if err := c.sweep(present); err != nil {
		return err
	}
	added := pack{checksum: a.Checksum}
	next := state{address: c.address, tips: a.Tips}
	if !a.Alone {
		next.packs = present.packs
	}
	if added.size, err = c.write(ctx, added.packFile(), a.Pack); err == nil {
		_, err = c.write(ctx, added.indexFile(), bytes.NewReader(a.Index))
	}
	if err == nil {
		next.packs = append(next.packs, added)
		_, err = c.write(ctx, stateFile, bytes.NewReader(next.encode()))
	}
	if err != nil {
		return errors.Join(err, c.sweep(present))
	}
	c.loaded = next.encode()
	return c.sweep(next)
}

// Forget removes what is kept: it has turned out to be damaged.
func (c *Cache) Forget() {
	if c.problem != nil {
		return
	}
	lock, err := c.lock()
	if lock == nil {
		c.problem = err
		return
	}
	defer lock.Close()
	// Another process may have put something sound in its place by now.
	if now, _ := readFile(filepath.Join(c.dir, stateFile), maxState); bytes.Equal(now, c.loaded) {
		c.problem = c.sweep(state{})
	}
}

// lock returns nil, too, if somebody else holds the lock. A lock ends with its process.
func (c *Cache) lock() (io.Closer, error) {
	f, err := os.OpenFile(filepath.Join(c.dir, lockFile), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			err = nil
		}
		return nil, err
	}
	return f, nil
}

// write makes a file that is there in whole or not at all.
func (c *Cache) write(ctx context.Context, name string, content io.WriterTo) (int64, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	temporary := filepath.Join(c.dir, newFile)
	f, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return 0, err
	}
	size, err := content.WriteTo(f)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return 0, err
	}
	return size, os.Rename(temporary, filepath.Join(c.dir, name))
}

// sweep removes every file that is not part of s.
func (c *Cache) sweep(s state) error {
	keep := map[string]bool{lockFile: true}
	for _, p := range s.packs {
		keep[stateFile], keep[p.packFile()], keep[p.indexFile()] = true, true, true
	}
	names, err := os.ReadDir(c.dir)
	if err != nil {
		return err
	}
	var errs []error
	for _, n := range names {
		if keep[n.Name()] || n.IsDir() {
			continue
		}
		if err := os.Remove(filepath.Join(c.dir, n.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
