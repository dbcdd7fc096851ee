package etcd

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"

	"profilesync/internal/lease"
)

// session is one lease of etcd's, under which this instance's keys are, and the
// connection over which it is confirmed.
type session struct {
	options Options
	client  *clientv3.Client
	id      clientv3.LeaseID
	ttl     time.Duration // as granted
	ended   chan struct{}

	mutex  sync.Mutex
	term   term
	why    error            // it ended; nil while it lives
	claims map[string]*held // by name, those that are being taken or given back too
	stale  map[string]bool  // names whose key may be there with nobody holding it: an answer was lost
}

func newSession(options Options, client *clientv3.Client, id clientv3.LeaseID, ttl time.Duration, t term) *session {
	return &session{
		options: options, client: client, id: id, ttl: ttl, term: t,
		ended: make(chan struct{}), claims: map[string]*held{}, stale: map[string]bool{},
	}
}

// check is nil while the session surely lives.
func (s *session) check() error {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.judge()
}

// judge is check with the mutex held. A term that is over ends the session for
// good: somebody may have given up because of it.
func (s *session) judge() error {
	if s.why == nil && s.term.left(s.options.Clock()) <= 0 {
		s.lapse(fmt.Errorf("%w: etcd has not confirmed it in time", lease.ErrLost))
	}
	return s.why
}

// lapse ends the session and what is held under it. The mutex is held.
func (s *session) lapse(why error) {
	if s.why != nil {
		return
	}
	s.why = why
	for _, h := range s.claims {
		h.lose(why)
	}
	close(s.ended)
}

func (s *session) fail(why error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.lapse(why)
}

// left is how long the session surely lives.
func (s *session) left() time.Duration {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.term.left(s.options.Clock())
}

// run confirms the lease until the session has ended, or life does.
func (s *session) run(life context.Context) {
	next := s.ttl / 3
	for s.check() == nil {
		timer := time.NewTimer(min(next, s.left()))
		select {
		case <-timer.C:
			if s.check() == nil {
				next = s.confirm(life)
			}
		case <-s.ended:
		case <-life.Done():
			s.fail(fmt.Errorf("%w: %w", lease.ErrLost, context.Cause(life)))
		}
		timer.Stop()
	}
}

// confirm makes one attempt to confirm the lease, and returns when the next is
// due. Only when etcd has both confirmed the lease and shown the keys does the
// term begin anew, at the moment before the request was sent.
func (s *session) confirm(life context.Context) time.Duration {
	asked := s.options.Clock()
	ctx, cancel := context.WithTimeout(life, min(s.ttl/4, s.left()))
	defer cancel()
	answer, err := s.client.KeepAliveOnce(ctx, s.id)
	if errors.Is(err, rpctypes.ErrLeaseNotFound) {
		s.fail(fmt.Errorf("%w: etcd has let it expire", lease.ErrLost))
		return 0
	}
	var gone []*held
	if err == nil {
		gone, err = s.missing(ctx)
	}
	if err != nil {
		return s.again()
	}
	s.extend(lasting(asked, time.Duration(answer.TTL)*time.Second), gone)
	s.sweep(ctx)
	return max(s.ttl/3-(s.options.Clock().Mono-asked.Mono), 0)
}

// extend begins a new term, without the keys that are gone.
func (s *session) extend(t term, gone []*held) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.judge() != nil {
		return
	}
	s.term = t
	for _, h := range gone {
		if h.why != nil { // it is being given back
			continue
		}
		h.lose(fmt.Errorf("%w: %q was taken away in etcd", lease.ErrLost, h.name))
		delete(s.claims, h.name)
	}
}

// bury gives the keys of an ended session free as soon as etcd can be asked:
// those of an etcd that was away live on for another TTL. A margin is left for a
// write that was on its way when the term ended. After Close there is one
// attempt, whose error is returned.
func (s *session) bury(life context.Context) error {
	defer func() { _ = s.client.Close() }() // it only ever says that it is closed
	wait := margin(s.ttl)
	for range 6 {
		select {
		case <-time.After(wait):
			ctx, cancel := context.WithTimeout(life, s.options.callLimit())
			err := s.revoke(ctx)
			cancel()
			if err == nil {
				return nil
			}
		case <-life.Done():
			ctx, cancel := context.WithTimeout(context.Background(), s.options.callLimit())
			defer cancel()
			return s.revoke(ctx)
		}
		wait = s.ttl / 3
	}
	return nil // it has expired by itself
}

func (s *session) revoke(ctx context.Context) error {
	_, err := s.client.Revoke(ctx, s.id)
	if errors.Is(err, rpctypes.ErrLeaseNotFound) {
		return nil
	}
	return err
}
