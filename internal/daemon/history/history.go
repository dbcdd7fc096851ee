// Package history keeps the passes of the daemon in a file, over restarts: the
// last ones of each target, so that the file stays small.
//
// A file that cannot be written stops nobody: passes are kept in memory, as many
// as fit, and go to the file as soon as that works again. A damaged file is put
// aside and a new one begun.
//
// The package decides nothing about a pass and reads no clock. One process at a
// time has the file.
package history

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"profilesync/internal/daemon/status"
)

// What Open may find.
var (
	ErrBusy  = errors.New("another process keeps its history here")
	ErrNewer = errors.New("history was written by a newer program")
)

// The defaults of Options.
const (
	DefaultPerTarget = 1000
	DefaultTotal     = 50_000
)

const (
	version  = "1"
	lockWait = 2 * time.Second
	inMemory = 256 // passes that are kept while the file cannot be written
)

// The buckets of the file: the format's version, the passes by ID, and for each
// target the IDs of its own.
const (
	metaKey    = "meta"
	passesKey  = "passes"
	targetsKey = "targets"
	versionKey = "version"
)

// Options bound the history. The zero value has the defaults.
type Options struct {
	PerTarget int // passes of one target
	Total     int // passes of all, also of those that are no more
}

// Store is an open history. Its methods may be called from several goroutines.
type Store struct {
	options Options
	db      *bbolt.DB

	mutex   sync.Mutex
	last    uint64        // ID of the newest pass, kept or waiting
	waiting []status.Pass // not in the file yet, the oldest first
}

// Open opens the history in a file, which is made when it is not there. The note
// says, for people, what was found wrong and is mended; "" when nothing was. The
// error wraps ErrBusy, ErrNewer, or what the system said.
func Open(file string, options Options) (s *Store, note string, err error) {
	if options.PerTarget <= 0 {
		options.PerTarget = DefaultPerTarget
	}
	if options.Total <= 0 {
		options.Total = DefaultTotal
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return nil, "", fmt.Errorf("history %q: %w", file, cause(err))
	}
	s = &Store{options: options}
	err = s.open(file)
	if isDamage(err) {
		aside := file + ".damaged"
		if moved := os.Rename(file, aside); moved != nil {
			return nil, "", fmt.Errorf("history %q is damaged (%w) and cannot be put aside: %w", file, err, cause(moved))
		}
		note = fmt.Sprintf("history %q is damaged (%v) and was put aside as %q", file, err, aside)
		err = s.open(file)
	}
	if err != nil {
		return nil, "", fmt.Errorf("history %q: %w", file, err)
	}
	return s, note, nil
}

// damage is a file that is not a history, or no longer whole.
type damage struct{ error }

func (d damage) Unwrap() error { return d.error }

func isDamage(err error) bool {
	var d damage
	return errors.As(err, &d)
}

func (s *Store) open(file string) (err error) {
	defer func() {
		if p := recover(); p != nil { // bbolt's answer to a page that makes no sense
			s.abandon()
			err = damage{fmt.Errorf("%v", p)}
		}
	}()
	s.db, err = bbolt.Open(file, 0o600, &bbolt.Options{Timeout: lockWait})
	switch {
	case errors.Is(err, bolterrors.ErrTimeout):
		return ErrBusy
	case errors.Is(err, bolterrors.ErrInvalid), errors.Is(err, bolterrors.ErrChecksum), errors.Is(err, bolterrors.ErrVersionMismatch):
		return damage{err}
	case err != nil:
		return cause(err)
	}
	if err := s.begin(); err != nil {
		s.abandon()
		return err
	}
	return nil
}

// abandon lets go of a file that cannot be used.
func (s *Store) abandon() {
	if s.db != nil {
		_ = s.db.Close() // the reason for it is told already
		s.db = nil
	}
}

// begin checks the version, looks at every pass once, and finds the last ID.
func (s *Store) begin() error {
	return s.db.Update(func(tx *bbolt.Tx) error {
		meta, err := tx.CreateBucketIfNotExists([]byte(metaKey))
		if err != nil {
			return err
		}
		switch found := meta.Get([]byte(versionKey)); {
		case found == nil:
			if err := meta.Put([]byte(versionKey), []byte(version)); err != nil {
				return err
			}
		case string(found) != version:
			return fmt.Errorf("%w: its version is %q", ErrNewer, found)
		}
		passes, err := tx.CreateBucketIfNotExists([]byte(passesKey))
		if err != nil {
			return err
		}
		if _, err := tx.CreateBucketIfNotExists([]byte(targetsKey)); err != nil {
			return err
		}
		return passes.ForEach(func(key, value []byte) error {
			var pass status.Pass
			if err := json.Unmarshal(value, &pass); err != nil || len(key) != 8 {
				return damage{fmt.Errorf("pass %x cannot be read", key)}
			}
			s.last = binary.BigEndian.Uint64(key)
			return nil
		})
	})
}

// Close closes the file. What could not be written by then is lost.
func (s *Store) Close() error { return s.db.Close() }

// Append keeps a pass and gives it its ID. When the file cannot be written, the
// error says why, and the pass is kept in memory.
func (s *Store) Append(pass status.Pass) (status.Pass, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.last++
	pass.ID = s.last
	s.waiting = append(s.waiting, pass)
	if err := s.db.Update(s.write); err != nil {
		if over := len(s.waiting) - inMemory; over > 0 {
			s.waiting = append(s.waiting[:0], s.waiting[over:]...)
		}
		return pass, cause(err)
	}
	s.waiting = nil
	return pass, nil
}

// Passes are the last ones before an ID, the newest first: of a target, or of
// all when it has no name; 0 begins with the newest.
func (s *Store) Passes(target string, before uint64, limit int) ([]status.Pass, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	var found []status.Pass
	for i := len(s.waiting) - 1; i >= 0 && len(found) < limit; i-- {
		if pass := s.waiting[i]; (target == "" || pass.Target == target) && (before == 0 || pass.ID < before) {
			found = append(found, pass)
		}
	}
	err := s.db.View(func(tx *bbolt.Tx) error {
		passes := tx.Bucket([]byte(passesKey))
		index := passes
		if target != "" {
			if index = tx.Bucket([]byte(targetsKey)).Bucket([]byte("t" + target)); index == nil {
				return nil
			}
		}
		cursor := index.Cursor()
		for id := last(cursor, before); id != nil && len(found) < limit; id, _ = cursor.Prev() {
			var pass status.Pass
			if err := json.Unmarshal(passes.Get(id), &pass); err != nil {
				return fmt.Errorf("pass %x: %w", id, err)
			}
			found = append(found, pass)
		}
		return nil
	})
	return found, err
}

// last is the newest ID before another one.
func last(cursor *bbolt.Cursor, before uint64) []byte {
	if before == 0 {
		id, _ := cursor.Last()
		return id
	}
	if id, _ := cursor.Seek(key(before)); id == nil {
		id, _ = cursor.Last()
		return id
	}
	id, _ := cursor.Prev()
	return id
}

func key(id uint64) []byte { return binary.BigEndian.AppendUint64(nil, id) }

// cause drops the path that a caller names anyway.
func cause(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}
