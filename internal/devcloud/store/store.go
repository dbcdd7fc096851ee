// Package store keeps the toy cloud's rows in one bbolt file: profiles, clusters, nodes, actions, and a few
// settings. A row is found by its id, by its name without regard to case, by what it refers to, and in order of
// creation; none of these reads every row of a table.
//
// It knows nothing of HTTP or of what a row's body says, and decides nothing: who may see a row is the caller's
// question.
package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// ErrBusy means that another process holds the file and did not let go of it in time.
var ErrBusy = errors.New("the store is in use by another process")

// Options of Open.
type Options struct {
	Wait     time.Duration // how long to wait for another process to let go of the file
	Unsynced bool          // skip fsync: quicker, and a power cut may lose or break the file
}

// DB is an open store. It is safe for concurrent use.
type DB struct {
	bolt *bolt.DB

	commit sync.Mutex // held by whoever writes
	queue  sync.Mutex // guards calls
	calls  []*call
}

// call is one waiting Update.
type call struct {
	fn   func(*Tx) error
	done bool
	err  error
}

// Open opens the store, making the file and its directory (for their owner only) where they are missing.
func Open(path string, o Options) (*DB, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("store directory: %w", err)
	}
	db, err := bolt.Open(path, 0o600, &bolt.Options{
		Timeout:         o.Wait,
		NoSync:          o.Unsynced,
		NoFreelistSync:  true, // the list is rebuilt when the file is opened: cheap here, and every commit is smaller
		FreelistType:    bolt.FreelistMapType,
		InitialMmapSize: 16 << 20, // so that a growing file seldom makes readers wait
	})
	switch {
	case errors.Is(err, bolterrors.ErrTimeout):
		return nil, fmt.Errorf("store %q: %w", path, ErrBusy)
	case err != nil:
		return nil, fmt.Errorf("store %q: %w", path, err)
	}
	s := &DB{bolt: db}
	if err := s.prepare(); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return s, nil
}

// prepare makes the buckets of a new file. An old one is not written to.
func (db *DB) prepare() error {
	ready := false
	err := db.View(func(tx *Tx) error {
		ready = tx.bolt.Bucket([]byte(settings)) != nil
		return nil
	})
	if err != nil || ready {
		return err
	}
	return db.Update((*Tx).createBuckets)
}

// Close waits for running transactions and lets go of the file.
func (db *DB) Close() error { return db.bolt.Close() }

// View runs fn on a consistent state of the store. What fn is given by the Tx is valid only until it returns.
func (db *DB) View(fn func(*Tx) error) error {
	return db.bolt.View(func(tx *bolt.Tx) error {
		t := &Tx{bolt: tx}
		if err := fn(t); err != nil {
			return err
		}
		return t.failed
	})
}

// Update runs fn, which may write, and returns when what it wrote is durable. Calls that wait for the disk
// together share one commit. fn must find every reason to refuse before its first write: an error before it
// leaves the store alone and is returned; an error after it fails the whole commit.
func (db *DB) Update(fn func(*Tx) error) error {
	c := &call{fn: fn}
	db.queue.Lock()
	db.calls = append(db.calls, c)
	db.queue.Unlock()

	db.commit.Lock()
	defer db.commit.Unlock()
	if c.done {
		return c.err
	}
	db.queue.Lock()
	batch := db.calls
	db.calls = nil
	db.queue.Unlock()

	err := db.bolt.Update(func(tx *bolt.Tx) error { return runBatch(&Tx{bolt: tx}, batch) })
	for _, c := range batch {
		c.done = true
		if err != nil {
			c.err = fmt.Errorf("store commit: %w", err)
		}
	}
	return c.err
}

func runBatch(tx *Tx, batch []*call) error {
	for _, c := range batch {
		before := tx.writes
		c.err = protect(tx, c.fn)
		switch {
		case tx.failed != nil:
			return tx.failed
		case c.err != nil && tx.writes != before:
			return fmt.Errorf("refused after a write: %w", c.err)
		}
	}
	return nil
}

// protect turns a panic into an error, so that those who share the commit hear of its end.
func protect(tx *Tx, fn func(*Tx) error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			tx.failed = fmt.Errorf("panic in a transaction: %v", r)
			err = tx.failed
		}
	}()
	return fn(tx)
}
