// Package history keeps passes in one file, over restarts: what each of them
// found, did and could not do, the newest of every target, within bounds.
//
// The file is a bbolt database with one bucket for each target. Its passes are
// JSON under their IDs, so the newest are read first without reading the others,
// and the oldest go first when a bound is reached. The newest good pass of a
// target never goes before a failed one: when a target last was well is what a
// daemon has to know after a restart.
//
// Keeping passes is a service to whoever looks at them, and no pass waits for
// it to work. On a full disk the newest passes are kept in memory and written
// when there is room again; a damaged file is set aside and history begins anew.
// The package reads no clock: the time is when a pass began.
package history

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	bolt "go.etcd.io/bbolt"

	"profilesync/internal/daemon/status"
)

// What can be wrong with the file.
var (
	ErrBusy    = errors.New("another process uses the file")
	ErrFull    = errors.New("no room")
	ErrNewer   = errors.New("the file was written by a newer version of this program")
	ErrDamaged = errors.New("the file was damaged")
	ErrClosed  = errors.New("history is closed")

	errNoTarget = errors.New("a pass of no target")
)

// Options bound a store. The zero value has the defaults.
type Options struct {
	PerTarget int           // passes of a target; 1000
	MaxBytes  int64         // the file's size, at least 4 MiB; 64 MiB. Passes take up to half of it
	Gone      time.Duration // after its newest pass a target that no longer exists is forgotten; 90 days
	Wait      time.Duration // for another process to let go of the file; 1 s
}

func (o Options) filled() Options {
	o.PerTarget = cmp.Or(max(o.PerTarget, 0), 1000)
	o.MaxBytes = max(cmp.Or(o.MaxBytes, 64<<20), 4<<20)
	o.Gone = cmp.Or(o.Gone, 90*24*time.Hour)
	o.Wait = cmp.Or(o.Wait, time.Second)
	return o
}

// Store is an open history. It is safe for concurrent use.
type Store struct {
	path    string
	options Options

	writing sync.Mutex // held by whoever changes anything
	sums    map[string]sum
	exists  map[string]bool // nil: every target does
	next    uint64          // ID of the next pass
	closed  bool

	state   sync.RWMutex // guards what follows; written to only with writing held as well
	db      *bolt.DB     // nil as long as there is no file
	file    os.FileInfo  // of db
	waiting []status.Pass

	unreadable atomic.Pointer[error] // what reading came upon; the next write sees to it
}

// Open opens the history at path, and makes the file and its directory, for
// their owner only, where they are missing. A damaged file is set aside, and the
// note says so for people; it is "" when all is well. On a full disk the store
// works from memory until there is room, and the note says that. The errors are
// ErrBusy, ErrNewer, and those of the operating system.
func Open(path string, o Options) (s *Store, note string, err error) {
	s = &Store{path: path, options: o.filled(), sums: map[string]sum{}, next: 1}
	err = s.open()
	if errors.Is(err, ErrDamaged) {
		note = s.aside(err).Error()
		err = s.startAnew()
	}
	if err != nil && !errors.Is(err, ErrFull) {
		return nil, "", err
	}
	if err != nil {
		note = err.Error()
	}
	return s, note, nil
}

// Append keeps a pass, bounded, and gives it its ID; both come back in any case.
// With an error the pass is kept in memory, where Passes finds it, and written
// along with a later one. ErrDamaged is the exception: this pass has been
// written, and those before it are lost.
func (s *Store) Append(pass status.Pass) (status.Pass, error) {
	pass = bounded(pass)
	s.writing.Lock()
	defer s.writing.Unlock()
	switch {
	case s.closed:
		return pass, ErrClosed
	case pass.Target == "":
		return pass, errNoTarget
	}
	pass.ID = s.next
	s.next++
	s.remember(pass)
	err := s.flush()
	pass.ID = s.next - 1 // a file that was opened just now may have had passes
	return pass, err
}

// Keep says which targets exist. Passes of any other are the first to go.
func (s *Store) Keep(targets []string) {
	s.writing.Lock()
	defer s.writing.Unlock()
	s.exists = map[string]bool{}
	for _, target := range targets {
		s.exists[target] = true
	}
}

// Close lets go of the file.
func (s *Store) Close() error {
	s.writing.Lock()
	defer s.writing.Unlock()
	if s.closed {
		return nil
	}
	var err error
	if len(s.waiting) > 0 {
		err = s.flush()
	}
	s.closed = true
	db := s.swap(nil, nil)
	if db == nil {
		return err
	}
	return errors.Join(err, guarded(db.Close))
}

// The bounds of what is kept in memory while the file takes nothing.
const (
	maxWaiting      = 200
	maxWaitingBytes = 4 << 20
)

// remember keeps a pass until it is written; the oldest make room.
func (s *Store) remember(pass status.Pass) {
	s.state.Lock()
	defer s.state.Unlock()
	s.waiting = append(s.waiting, pass)
	bytes := 0
	for i := len(s.waiting) - 1; i >= 0; i-- {
		bytes += weight(s.waiting[i])
		if i < len(s.waiting)-1 && bytes > maxWaitingBytes || len(s.waiting)-i > maxWaiting {
			s.waiting = append([]status.Pass(nil), s.waiting[i+1:]...)
			return
		}
	}
}

// flush writes what waits, in one transaction. A file that turns out to be
// damaged is set aside first; then the error is ErrDamaged, though all is written.
func (s *Store) flush() error {
	damaged := s.ready()
	if damaged == nil {
		damaged = s.write()
	}
	if damaged != nil && !errors.Is(damaged, ErrDamaged) {
		return damaged
	}
	if damaged != nil {
		damaged = s.aside(damaged)
		s.swap(nil, nil) // and never closed: it may hold its own locks
		if err := s.startAnew(); err != nil {
			return err
		}
		if err := s.write(); err != nil {
			return err
		}
	}
	s.state.Lock()
	s.waiting = nil
	s.state.Unlock()
	return damaged
}

// ready opens the file anew when there is none, or when somebody has removed or
// replaced it.
func (s *Store) ready() error {
	if cause := s.unreadable.Swap(nil); cause != nil && s.db != nil {
		return *cause
	}
	if s.db != nil {
		if now, err := os.Stat(s.path); err == nil && os.SameFile(now, s.file) {
			return nil
		}
		_ = guarded(s.swap(nil, nil).Close) // nobody can find what is in it
	}
	return s.open()
}

func (s *Store) swap(db *bolt.DB, file os.FileInfo) *bolt.DB {
	s.state.Lock()
	defer s.state.Unlock()
	old := s.db
	s.db, s.file = db, file
	return old
}

// startAnew sets the file aside and opens a new one.
func (s *Store) startAnew() error {
	if err := setAside(s.path); err != nil {
		return s.wrap(fmt.Errorf("set the damaged file aside: %w", err))
	}
	return s.open()
}

// open opens the file and takes its sums. Passes that wait move behind those
// that the file has.
func (s *Store) open() error {
	db, info, err := openFile(s.path, s.options)
	if err != nil {
		return s.wrap(err)
	}
	last, sums := uint64(0), map[string]sum{}
	err = guarded(func() error {
		if err := prepare(db); err != nil {
			return err
		}
		last, sums, err = takeSums(db)
		return err
	})
	if err != nil {
		if !errors.Is(err, ErrDamaged) {
			_ = guarded(db.Close)
		}
		return s.wrap(err)
	}
	s.sums = sums
	s.state.Lock()
	defer s.state.Unlock()
	s.db, s.file = db, info
	s.next = max(s.next, last+1)
	if len(s.waiting) > 0 && s.waiting[0].ID <= last {
		for i := range s.waiting {
			s.waiting[i].ID = last + 1 + uint64(i)
		}
		s.next = last + 1 + uint64(len(s.waiting))
	}
	return nil
}

func (s *Store) wrap(err error) error { return fmt.Errorf("history %q: %w", s.path, named(err)) }

func (s *Store) aside(err error) error {
	return fmt.Errorf("%w; it is set aside as \"%s.damaged-...\", and a new one begins", err, filepath.Base(s.path))
}
