package lease

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

const (
	pollEvery   = 200 * time.Millisecond
	lookAgain   = 5 * time.Millisecond // until another process has done with a lock file for the moment
	looks       = 4
	holderLimit = 4 << 10 // bytes of a lock file that are read
)

// Directory keeps leases as locked files in a directory of one machine. The
// system drops a process's locks when it ends, however it ends; files stay, since
// somebody may be about to lock them.
type Directory struct {
	path string
	self Holder

	mutex  sync.Mutex
	closed bool
	held   map[*fileLock]bool // keeps the collector from closing the files
}

// OpenDirectory uses a directory, which is made when it is not there, for
// locks in the name of self. Everybody who uses it has to be able to write
// to it; files are for the own user only.
func OpenDirectory(path string, self Holder) (*Directory, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("%w: lock directory: %w", ErrUnavailable, err)
	}
	const writeAndSearch = 2 | 1 // W_OK|X_OK
	if err := syscall.Access(path, writeAndSearch); err != nil {
		return nil, fmt.Errorf("%w: lock directory %q is not writable: %w", ErrUnavailable, path, err)
	}
	return &Directory{path: path, self: self, held: map[*fileLock]bool{}}, nil
}

// Try takes a lease that nobody has.
func (d *Directory) Try(ctx context.Context, name string) (Held, error) {
	for look := 1; ; look++ {
		held, err := d.lock(name)
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return held, err
		}
		if look < looks { // somebody may only have looked who holds it
			if err := pause(ctx, lookAgain); err != nil {
				return nil, err
			}
			continue
		}
		holder, _, err := d.Holder(ctx, name)
		if err != nil {
			return nil, err
		}
		return nil, &BusyError{Name: name, Holder: holder}
	}
}

// lock locks a file and writes down who has it. A lock that somebody else has
// is EWOULDBLOCK.
func (d *Directory) lock(name string) (*fileLock, error) {
	path := d.file(name)
	file, err := openLock(path, os.O_RDWR|os.O_CREATE)
	if err != nil {
		return nil, fmt.Errorf("%w: lock file: %w", ErrUnavailable, err)
	}
	if err := flock(file, syscall.LOCK_EX); err != nil {
		_ = file.Close() // it is about the lock
		return nil, err
	}
	lock := &fileLock{directory: d, name: name, path: path, file: file, lost: make(chan struct{})}
	if !lock.isInPlace() { // removed between opening and locking: the next one may lock another file
		_ = file.Close()
		return nil, syscall.EWOULDBLOCK
	}
	d.mutex.Lock()
	defer d.mutex.Unlock()
	if d.closed {
		_ = file.Close()
		return nil, fmt.Errorf("%w: lock directory %q: %w", ErrUnavailable, d.path, fs.ErrClosed)
	}
	d.held[lock] = true
	holder := d.self
	holder.Since = time.Now()
	// On a full disk the lock is as good; nobody learns whose it is.
	if text, err := json.Marshal(holder); err == nil && file.Truncate(0) == nil {
		_, _ = file.WriteAt(text, 0)
	}
	return lock, nil
}

// Await looks at the file again and again: no system tells of an unlocking
// without taking the lock.
func (d *Directory) Await(ctx context.Context, name string) error {
	for {
		_, held, err := d.Holder(ctx, name)
		if err != nil || !held {
			return err
		}
		if err := pause(ctx, pollEvery); err != nil {
			return err
		}
	}
}

// Holder tells who has a lease. It locks the file for a moment, together with
// others who look.
func (d *Directory) Holder(ctx context.Context, name string) (Holder, bool, error) {
	for look := 1; ; look++ {
		holder, held, err := readLock(d.file(name))
		if err != nil {
			return Holder{}, false, fmt.Errorf("%w: lock file: %w", ErrUnavailable, err)
		}
		if !held || holder.Instance != "" || look == looks {
			return holder, held, nil
		}
		if err := pause(ctx, lookAgain); err != nil { // the holder may be about to write its name
			return Holder{}, false, err
		}
	}
}

func readLock(path string) (holder Holder, held bool, err error) {
	file, err := openLock(path, os.O_RDONLY)
	if errors.Is(err, fs.ErrNotExist) {
		return Holder{}, false, nil
	}
	if err != nil {
		return Holder{}, false, err
	}
	defer func() { _ = file.Close() }() // unlocks as well
	err = flock(file, syscall.LOCK_SH)
	if !errors.Is(err, syscall.EWOULDBLOCK) {
		return Holder{}, false, err
	}
	text, err := io.ReadAll(io.LimitReader(file, holderLimit))
	if err != nil {
		return Holder{}, false, err
	}
	if json.Unmarshal(text, &holder) != nil {
		holder = Holder{}
	}
	return holder, true, nil
}

// Close gives back what is held.
func (d *Directory) Close() error {
	d.mutex.Lock()
	d.closed = true
	held := d.held
	d.held = map[*fileLock]bool{}
	d.mutex.Unlock()
	var errs []error
	for lock := range held {
		errs = append(errs, lock.end())
	}
	return errors.Join(errs...)
}

// file is where a name's lock is. The names of some file systems end at 255
// bytes.
func (d *Directory) file(name string) string {
	escaped := url.PathEscape(name)
	if len(escaped) > 200 {
		escaped = fmt.Sprintf("%.100s-%x", escaped, sha256.Sum256([]byte(name)))
	}
	return filepath.Join(d.path, escaped+".lock")
}

func pause(ctx context.Context, wait time.Duration) error {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
