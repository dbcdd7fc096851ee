package history

import (
	"encoding/json"
	"errors"

	"go.etcd.io/bbolt"

	"profilesync/internal/daemon/status"
)

// write puts what waits into the file, and drops what is too old.
func (s *Store) write(tx *bbolt.Tx) error {
	passes, targets := tx.Bucket([]byte(passesKey)), tx.Bucket([]byte(targetsKey))
	for _, pass := range s.waiting {
		value, err := json.Marshal(pass)
		if err != nil {
			return err
		}
		own, err := targets.CreateBucketIfNotExists([]byte("t" + pass.Target))
		if err != nil {
			return err
		}
		if err := errors.Join(passes.Put(key(pass.ID), value), own.Put(key(pass.ID), nil)); err != nil {
			return err
		}
		if err := drop(passes, own, s.options.PerTarget); err != nil {
			return err
		}
	}
	return dropOldest(passes, targets, s.options.Total)
}

// drop deletes the oldest passes of a target beyond a number.
func drop(passes, own *bbolt.Bucket, most int) error {
	for over := count(own) - most; over > 0; over-- {
		oldest, _ := own.Cursor().First()
		if err := errors.Join(passes.Delete(oldest), own.Delete(oldest)); err != nil {
			return err
		}
	}
	return nil
}

// dropOldest deletes the oldest passes of all beyond a number, and targets that
// have none left.
func dropOldest(passes, targets *bbolt.Bucket, most int) error {
	for over := count(passes) - most; over > 0; over-- {
		oldest, value := passes.Cursor().First()
		var pass status.Pass
		if err := json.Unmarshal(value, &pass); err != nil {
			return err
		}
		name := []byte("t" + pass.Target)
		if own := targets.Bucket(name); own != nil {
			if err := own.Delete(oldest); err != nil {
				return err
			}
			if first, _ := own.Cursor().First(); first == nil {
				if err := targets.DeleteBucket(name); err != nil {
					return err
				}
			}
		}
		if err := passes.Delete(oldest); err != nil {
			return err
		}
	}
	return nil
}

// count walks over the pages of a bucket, and not over its entries.
func count(b *bbolt.Bucket) int { return b.Stats().KeyN }
