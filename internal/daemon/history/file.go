package history

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"time"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// schema is the version of what the file holds. A program reads the files of
// its own version; a newer one may add fields to a pass without a new version.
const schema = 1

// What is where in the file: kept → target → ID, eight bytes, the big end
// first → a pass as JSON. The sequence of kept is the last ID given.
const (
	aboutBucket  = "about"
	schemaKey    = "schema"
	passesBucket = "kept"
)

// openFile opens and locks the file, and looks all of it over before bbolt
// trusts a page.
func openFile(path string, o Options) (*bolt.DB, os.FileInfo, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, nil, err
	}
	var info os.FileInfo
	opened := func(name string, flag int, mode os.FileMode) (*os.File, error) {
		file, err := os.OpenFile(name, flag, mode)
		if err != nil {
			return nil, err
		}
		if err = lock(file, o.Wait); err == nil {
			if info, err = file.Stat(); err == nil {
				err = check(file, info.Size())
			}
		}
		if err != nil {
			_ = file.Close()
			return nil, err
		}
		return file, nil
	}
	var db *bolt.DB
	err := guarded(func() (err error) {
		db, err = bolt.Open(path, 0o600, &bolt.Options{
			Timeout: o.Wait, FreelistType: bolt.FreelistMapType, NoStatistics: true, MaxSize: int(o.MaxBytes), OpenFile: opened,
		})
		return err
	})
	if err != nil {
		if errors.Is(named(err), ErrFull) && info != nil && info.Size() == 0 {
			_ = os.Remove(path) // or else half a page would pass for a damaged file
		}
		return nil, nil, err
	}
	db.AllocSize = int(min(o.MaxBytes/16, 1<<20))
	return db, info, nil
}

// lock waits for the file as long as another process has it. bbolt takes the
// same lock, but after that reads at once.
func lock(file *os.File, wait time.Duration) error {
	const pause = 20 * time.Millisecond
	for {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil || !errors.Is(err, syscall.EWOULDBLOCK) {
			return err
		}
		if wait <= 0 {
			return ErrBusy
		}
		time.Sleep(min(pause, wait))
		wait -= pause
	}
}

// prepare makes a new file's buckets, and refuses what another version wrote.
func prepare(db *bolt.DB) error {
	version := ""
	err := db.View(func(tx *bolt.Tx) error {
		if about := tx.Bucket([]byte(aboutBucket)); about != nil && tx.Bucket([]byte(passesBucket)) != nil {
			version = string(about.Get([]byte(schemaKey)))
		}
		return nil
	})
	if err != nil {
		return err
	}
	if version == "" {
		return db.Update(func(tx *bolt.Tx) error {
			about, err := tx.CreateBucketIfNotExists([]byte(aboutBucket))
			if err != nil {
				return err
			}
			if _, err := tx.CreateBucketIfNotExists([]byte(passesBucket)); err != nil {
				return err
			}
			return about.Put([]byte(schemaKey), []byte(strconv.Itoa(schema)))
		})
	}
	switch n, err := strconv.Atoi(version); {
	case err != nil || n < schema:
		return fmt.Errorf("%w: schema %q", ErrDamaged, version)
	case n > schema:
		return fmt.Errorf("%w: schema %d, this one knows %d", ErrNewer, n, schema)
	}
	return nil
}

// setAside renames a damaged file after the time it was last written to. Only
// one such file is kept.
func setAside(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	aside := path + ".damaged-" + info.ModTime().UTC().Format("20060102T150405Z")
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return err
	}
	if err := os.Rename(path, aside); err != nil {
		return err
	}
	for _, entry := range entries {
		name := entry.Name()
		if strings.HasPrefix(name, filepath.Base(path)+".damaged-") && name != filepath.Base(aside) {
			_ = os.Remove(filepath.Join(filepath.Dir(path), name))
		}
	}
	return nil
}

// guarded turns the panics of bbolt, and a fault in the mapped file such as one
// that somebody has truncated, into ErrDamaged.
func guarded(do func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("%w: %v", ErrDamaged, cause)
		}
	}()
	return do()
}

// named gives an error of bbolt or the operating system its sentinel. bbolt
// does not always wrap what it was told.
func named(err error) error {
	for _, full := range []syscall.Errno{syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG} {
		if !errors.Is(err, ErrFull) && (errors.Is(err, full) || strings.Contains(err.Error(), full.Error())) {
			return fmt.Errorf("%w: %w", ErrFull, err)
		}
	}
	switch {
	case errors.Is(err, bolterrors.ErrTimeout):
		return ErrBusy
	case errors.Is(err, bolterrors.ErrMaxSizeReached):
		return fmt.Errorf("%w: %w", ErrFull, err)
	case errors.Is(err, bolterrors.ErrInvalidMapping), errors.Is(err, bolterrors.ErrInvalid),
		errors.Is(err, bolterrors.ErrChecksum), errors.Is(err, bolterrors.ErrVersionMismatch):
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return err
}
