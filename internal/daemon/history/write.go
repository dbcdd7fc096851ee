package history

import (
	"errors"
	"maps"
	"time"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"profilesync/internal/daemon/status"
)

// sum is what the bounds have to know of one target's passes.
type sum struct {
	count  int
	bytes  int64
	oldest uint64    // the next one to go
	good   uint64    // the newest good one, which stays; 0 when there is none
	newest time.Time // when the newest one began
}

// takeSums reads the whole file once. last is the highest ID it ever gave.
func takeSums(db *bolt.DB) (last uint64, sums map[string]sum, err error) {
	sums = map[string]sum{}
	err = db.View(func(tx *bolt.Tx) error {
		passes := tx.Bucket([]byte(passesBucket))
		last = passes.Sequence()
		return passes.ForEachBucket(func(target []byte) error {
			bucket := passes.Bucket(target)
			var s sum
			c := bucket.Cursor()
			for id, value := c.Last(); id != nil; id, value = c.Prev() {
				s.count, s.bytes = s.count+1, s.bytes+int64(len(id)+len(value))
				if !s.newest.IsZero() && s.good != 0 {
					continue
				}
				if p, is := decode(id, value); is {
					last = max(last, p.ID)
					s = seen(s, p)
				}
			}
			s.oldest, _ = droppable(bucket, s)
			sums[string(target)] = s
			return nil
		})
	})
	return last, sums, err
}

// seen takes up a pass, the newest first.
func seen(s sum, p status.Pass) sum {
	if s.newest.IsZero() {
		s.newest = p.Began
	}
	if s.good == 0 && p.Outcome != status.Failed {
		s.good = p.ID
	}
	return s
}

// write writes what waits. Where the file has reached its bound in spite of the
// sums, as records of several pages leave gaps, more of the oldest goes first.
func (s *Store) write() error {
	const tries = 8
	budget := s.options.MaxBytes / 2
	err := s.commit(s.waiting, budget)
	for try := 0; try < tries && errors.Is(err, bolterrors.ErrMaxSizeReached); try++ {
		budget = min(budget, total(s.sums)) * 9 / 10
		if err = s.commit(nil, budget); err == nil {
			err = s.commit(s.waiting, budget)
		}
	}
	if err != nil {
		return s.wrap(err)
	}
	return nil
}

// commit writes passes, and removes what is beyond a bound, as one step.
func (s *Store) commit(passes []status.Pass, budget int64) error {
	sums := maps.Clone(s.sums)
	err := guarded(func() error {
		return s.db.Update(func(tx *bolt.Tx) error {
			root := tx.Bucket([]byte(passesBucket))
			for _, p := range passes {
				if err := put(root, p, sums); err != nil {
					return err
				}
			}
			b := bounds{root: root, sums: sums, exists: s.exists}
			if len(passes) > 0 {
				if err := b.forget(passes[len(passes)-1].Began.Add(-s.options.Gone)); err != nil {
					return err
				}
			}
			return b.trim(s.options.PerTarget, budget)
		})
	})
	if err == nil {
		s.sums = sums
	}
	return err
}

func put(root *bolt.Bucket, p status.Pass, sums map[string]sum) error {
	bucket, err := root.CreateBucketIfNotExists([]byte(p.Target))
	if err != nil {
		return err
	}
	bucket.FillPercent = 0.9 // keys only grow
	id, value := key(p.ID), encode(p)
	if err := bucket.Put(id, value); err != nil {
		return err
	}
	s := sums[p.Target]
	s.count, s.bytes, s.newest = s.count+1, s.bytes+int64(len(id)+len(value)), p.Began
	if p.Outcome != status.Failed {
		s.good = p.ID
	}
	s.oldest, _ = droppable(bucket, s)
	sums[p.Target] = s
	return root.SetSequence(p.ID)
}

// droppable is the oldest pass but the newest good one, and its size.
func droppable(bucket *bolt.Bucket, s sum) (id uint64, size int64) {
	c := bucket.Cursor()
	k, v := c.First()
	if k != nil && number(k) == s.good {
		k, v = c.Next()
	}
	if k == nil {
		return 0, 0
	}
	return number(k), int64(len(k) + len(v))
}

func total(sums map[string]sum) int64 {
	var bytes int64
	for _, s := range sums {
		bytes += s.bytes
	}
	return bytes
}

// bounds removes passes within one transaction.
type bounds struct {
	root   *bolt.Bucket
	sums   map[string]sum
	exists map[string]bool
}

func (b bounds) isGone(target string) bool { return b.exists != nil && !b.exists[target] }

// forget removes the targets that no longer exist and had no pass since.
func (b bounds) forget(since time.Time) error {
	for target, s := range b.sums {
		if b.isGone(target) && s.newest.Before(since) {
			if err := b.remove(target); err != nil {
				return err
			}
		}
	}
	return nil
}

func (b bounds) remove(target string) error {
	delete(b.sums, target)
	return b.root.DeleteBucket([]byte(target))
}

// trim removes the oldest passes of each target beyond count, and of all beyond
// bytes: first those of targets that no longer exist. One stays of every other.
func (b bounds) trim(count int, bytes int64) error {
	for target := range b.sums {
		for b.sums[target].count > count {
			if err := b.drop(target); err != nil {
				return err
			}
		}
	}
	for left := total(b.sums); left > bytes; left = total(b.sums) {
		target, found := b.victim()
		if !found {
			return nil
		}
		if err := b.drop(target); err != nil {
			return err
		}
	}
	return nil
}

// victim is the target whose pass goes next.
func (b bounds) victim() (string, bool) {
	victim, found := "", false
	for target, s := range b.sums {
		if s.count <= 1 && !b.isGone(target) {
			continue
		}
		better := !found || b.isGone(target) && !b.isGone(victim) ||
			b.isGone(target) == b.isGone(victim) && s.oldest < b.sums[victim].oldest
		if better {
			victim, found = target, true
		}
	}
	return victim, found
}

// drop removes the target's oldest pass, and the target with its last one.
func (b bounds) drop(target string) error {
	s := b.sums[target]
	if s.count <= 1 {
		return b.remove(target)
	}
	bucket := b.root.Bucket([]byte(target))
	id, size := droppable(bucket, s)
	if err := bucket.Delete(key(id)); err != nil {
		return err
	}
	s.count, s.bytes = s.count-1, s.bytes-size
	s.oldest, _ = droppable(bucket, s)
	b.sums[target] = s
	return nil
}
