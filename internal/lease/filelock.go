package lease

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"syscall"
)

// fileLock is a locked file. The lock belongs to the open file, so it also holds
// between goroutines of one process, and no child inherits it.
type fileLock struct {
	directory *Directory
	name      string
	path      string

	mutex sync.Mutex
	file  *os.File // nil when it was given back
	gone  bool     // the file was removed
	lost  chan struct{}
}

// openLock opens a lock file; what is no plain file is not taken for one. Go
// opens every file so that a child does not inherit it.
func openLock(path string, flags int) (*os.File, error) {
	file, err := os.OpenFile(path, flags|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0o600)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = &fs.PathError{Op: "lock", Path: path, Err: errors.New("not a plain file")}
	}
	if err != nil {
		_ = file.Close() // the error is about what it is
		return nil, err
	}
	return file, nil
}

// flock locks a file without waiting.
func flock(file *os.File, how int) error {
	for {
		err := syscall.Flock(int(file.Fd()), how|syscall.LOCK_NB)
		if !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}

// isInPlace reports whether the file's name still leads to the file. Where it
// does not, somebody else can lock another file of that name.
func (l *fileLock) isInPlace() bool {
	ours, err := l.file.Stat()
	if err != nil {
		return false
	}
	there, err := os.Lstat(l.path)
	return err == nil && os.SameFile(ours, there)
}

// Check asks whether the lock file is still the one that is locked.
func (l *fileLock) Check() error {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.file != nil && !l.gone && !l.isInPlace() {
		l.gone = true
		close(l.lost)
	}
	switch {
	case l.gone:
		return fmt.Errorf("%w: %q: its file %q was removed", ErrLost, l.name, l.path)
	case l.file == nil:
		return fmt.Errorf("%w: %q was given back", ErrLost, l.name)
	}
	return nil
}

// Lost is closed when the lock was given back, or Check has found it lost.
func (l *fileLock) Lost() <-chan struct{} { return l.lost }

// Release unlocks the file.
func (l *fileLock) Release(context.Context) error {
	l.directory.mutex.Lock()
	delete(l.directory.held, l)
	l.directory.mutex.Unlock()
	return l.end()
}

func (l *fileLock) end() error {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.file == nil {
		return nil
	}
	if !l.gone {
		close(l.lost)
	}
	_ = l.file.Truncate(0) // an old name there misleads nobody: the lock decides
	err := l.file.Close()
	l.file = nil
	if err != nil {
		return fmt.Errorf("lock file: %w", err)
	}
	return nil
}
