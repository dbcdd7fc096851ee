package etcd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"

	"profilesync/internal/lease"
)

// held is a key of ours.
type held struct {
	session  *session
	name     string
	revision int64 // at which the key was created; 0 while that is not known
	since    time.Time
	lost     chan struct{}

	why error // it is not ours any more; nil while it is. The session's mutex guards it
}

// Check asks the own clocks.
func (h *held) Check() error {
	h.session.mutex.Lock()
	defer h.session.mutex.Unlock()
	if h.why == nil {
		_ = h.session.judge() // sets why
	}
	return h.why
}

// Lost is closed when the lease ends.
func (h *held) Lost() <-chan struct{} { return h.lost }

// lose ends the lease. The session's mutex is held.
func (h *held) lose(why error) {
	if h.why == nil {
		h.why = why
		close(h.lost)
	}
}

// Release deletes the key. When that fails, the session goes on trying, or ends.
func (h *held) Release(ctx context.Context) error {
	s := h.session
	s.mutex.Lock()
	if h.why != nil || s.judge() != nil {
		s.mutex.Unlock()
		return nil
	}
	h.lose(fmt.Errorf("%w: %q was given back", lease.ErrLost, h.name))
	s.mutex.Unlock()
	err := s.remove(ctx, h.name)
	s.settle(h.name, nil, err)
	if err != nil {
		return fmt.Errorf("release lease %q: %w", h.name, err)
	}
	return nil
}

func (s *session) key(name string) string { return s.options.Prefix + name }

// reserve keeps a name for one goroutine, so that the etcd lease on a key tells
// whose it is. The holder is the one before.
func (s *session) reserve(name string) (holder lease.Holder, busy bool) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if h, taken := s.claims[name]; taken {
		holder = s.options.Self
		holder.Since = h.since
		return holder, true
	}
	s.claims[name] = &held{session: s, name: name, since: time.Now(), lost: make(chan struct{})}
	return lease.Holder{}, false
}

// settle notes what became of a name that was reserved: it is held, or free
// again. After an error the key may be there all the same.
func (s *session) settle(name string, h *held, err error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	var busy *lease.BusyError
	switch {
	case err == nil, errors.As(err, &busy):
		delete(s.stale, name)
	default:
		s.stale[name] = true
	}
	if h == nil {
		delete(s.claims, name)
	}
}

// claim creates the key of a name that is reserved.
func (s *session) claim(ctx context.Context, name string) (*held, error) {
	s.mutex.Lock()
	h := s.claims[name]
	s.mutex.Unlock()
	holder := s.options.Self
	holder.Since = h.since
	value, err := json.Marshal(holder)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, s.options.callLimit())
	defer cancel()
	key := s.key(name)
	done, err := s.client.Txn(ctx).
		If(clientv3.Compare(clientv3.CreateRevision(key), "=", 0)).
		Then(clientv3.OpPut(key, string(value), clientv3.WithLease(s.id))).
		Else(clientv3.OpGet(key)).Commit()
	if errors.Is(err, rpctypes.ErrLeaseNotFound) {
		s.fail(fmt.Errorf("%w: etcd has let it expire", lease.ErrLost))
	}
	if err != nil {
		return nil, err
	}
	revision := done.Header.Revision
	if !done.Succeeded {
		there := done.Responses[0].GetResponseRange().Kvs[0] // in the same revision in which it was found to be
		if there.Lease != int64(s.id) {
			return nil, &lease.BusyError{Name: name, Holder: decode(there.Value)}
		}
		revision = there.CreateRevision // of an attempt whose answer was lost
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if err := s.judge(); err != nil {
		return nil, err
	}
	h.revision = revision
	return h, nil
}

// remove deletes a key if it is this session's.
func (s *session) remove(ctx context.Context, name string) error {
	ctx, cancel := context.WithTimeout(ctx, s.options.callLimit())
	defer cancel()
	key := s.key(name)
	_, err := s.client.Txn(ctx).
		If(clientv3.Compare(clientv3.LeaseValue(key), "=", s.id)).
		Then(clientv3.OpDelete(key)).Commit()
	return err
}

// sweep removes keys that nobody holds.
func (s *session) sweep(ctx context.Context) {
	s.mutex.Lock()
	var names []string
	for name := range s.stale {
		names = append(names, name)
	}
	s.mutex.Unlock()
	for _, name := range names {
		if _, busy := s.reserve(name); !busy {
			s.settle(name, nil, s.remove(ctx, name))
		}
	}
}

// together is how many keys are read at once; etcd takes 128 operations.
const together = 100

// missing finds what is held and is no longer ours in etcd.
func (s *session) missing(ctx context.Context) ([]*held, error) {
	s.mutex.Lock()
	var holds []*held
	for _, h := range s.claims {
		if h.revision != 0 && h.why == nil {
			holds = append(holds, h)
		}
	}
	s.mutex.Unlock()
	var gone []*held
	for some := range slices.Chunk(holds, together) {
		var reads []clientv3.Op
		for _, h := range some {
			reads = append(reads, clientv3.OpGet(s.key(h.name), clientv3.WithKeysOnly()))
		}
		done, err := s.client.Txn(ctx).Then(reads...).Commit()
		if err != nil {
			return nil, err
		}
		for i, h := range some {
			found := done.Responses[i].GetResponseRange().Kvs
			if len(found) == 0 || found[0].CreateRevision != h.revision {
				gone = append(gone, h)
			}
		}
	}
	return gone, nil
}

func (s *session) read(ctx context.Context, name string) (*clientv3.GetResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, s.options.callLimit())
	defer cancel()
	return s.client.Get(ctx, s.key(name))
}

// watch ends when the key is deleted at or after a revision, or after a while.
func (s *session) watch(ctx context.Context, name string, revision int64) {
	ctx, cancel := context.WithTimeout(clientv3.WithRequireLeader(ctx), s.ttl/3)
	defer cancel()
	for news := range s.client.Watch(ctx, s.key(name), clientv3.WithRev(revision), clientv3.WithFilterPut()) {
		if len(news.Events) > 0 {
			return
		}
	}
	select { // it was refused or cut off: the next one would be as well
	case <-time.After(s.again()):
	case <-ctx.Done():
	}
}

// again is the pause before a request that has failed is made once more.
func (s *session) again() time.Duration { return max(s.ttl/15, 100*time.Millisecond) }
