package history

import (
	"errors"
	"time"

	bolt "go.etcd.io/bbolt"

	"profilesync/internal/daemon/status"
)

// maxPasses bounds one answer.
const maxPasses = 1000

// Passes are the last passes of a target, or with target "" of all of them, the
// newest first: at most limit, of at most 1000, with IDs below before, or with
// before 0 from the newest on. With an error those in memory come back.
func (s *Store) Passes(target string, before uint64, limit int) ([]status.Pass, error) {
	limit = min(limit, maxPasses)
	s.state.RLock()
	defer s.state.RUnlock()
	var found []status.Pass
	for i := len(s.waiting) - 1; i >= 0 && len(found) < limit; i-- {
		p := s.waiting[i]
		if (before == 0 || p.ID < before) && (target == "" || p.Target == target) {
			found = append(found, p)
		}
	}
	if len(s.waiting) > 0 && (before == 0 || before > s.waiting[0].ID) {
		before = s.waiting[0].ID // they may have reached the file just now
	}
	if s.db == nil || len(found) >= limit {
		return found, nil
	}
	var kept []status.Pass
	err := guarded(func() error {
		return s.db.View(func(tx *bolt.Tx) error {
			kept = read(tx.Bucket([]byte(passesBucket)), target, before, limit-len(found))
			return nil
		})
	})
	if err != nil {
		err = s.wrap(err)
		if errors.Is(err, ErrDamaged) {
			s.unreadable.Store(&err)
		}
		return found, err
	}
	return append(found, kept...), nil
}

// place is a cursor and the pass it is at.
type place struct {
	cursor *bolt.Cursor
	id     []byte
	value  []byte
}

// read merges the targets' passes by their IDs. What is no pass is left out.
func read(root *bolt.Bucket, target string, before uint64, limit int) []status.Pass {
	var places []place
	_ = root.ForEachBucket(func(name []byte) error {
		if target != "" && target != string(name) {
			return nil
		}
		p := place{cursor: root.Bucket(name).Cursor()}
		if before == 0 {
			p.id, p.value = p.cursor.Last()
		} else if id, _ := p.cursor.Seek(key(before)); id != nil {
			p.id, p.value = p.cursor.Prev()
		} else {
			p.id, p.value = p.cursor.Last()
		}
		places = append(places, p)
		return nil
	})
	var found []status.Pass
	for len(found) < limit {
		at := -1
		for i, p := range places {
			if p.id != nil && (at < 0 || number(p.id) > number(places[at].id)) {
				at = i
			}
		}
		if at < 0 {
			break
		}
		if p, is := decode(places[at].id, places[at].value); is {
			found = append(found, p)
		}
		places[at].id, places[at].value = places[at].cursor.Prev()
	}
	return found
}

// Last is what a daemon has to know of a target after a restart.
type Last struct {
	Pass     *status.Pass    // nil when none is kept
	Attempt  time.Time       // end of the last pass, good or not
	Success  time.Time       // end of the last good one; zero when none is kept
	Revision status.Revision // last read
}

// Last finds the last pass, the last good one and the last revision of a target.
func (s *Store) Last(target string) (Last, error) {
	const step = 100
	var last Last
	for before := uint64(0); ; {
		passes, err := s.Passes(target, before, step)
		if err != nil {
			return last, err
		}
		for _, p := range passes {
			ended := p.Began.Add(p.Took)
			if last.Pass == nil {
				last.Pass, last.Attempt = &p, ended
			}
			if last.Revision.ID == "" {
				last.Revision = p.Revision
			}
			if last.Success.IsZero() && p.Outcome != status.Failed {
				last.Success = ended
			}
			if last.Revision.ID != "" && !last.Success.IsZero() {
				return last, nil
			}
		}
		if len(passes) < step {
			return last, nil
		}
		before = passes[len(passes)-1].ID
	}
}
