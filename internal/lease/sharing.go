package lease

import (
	"context"
	"strings"
	"sync"
	"time"
)

// spread is how much later than others an instance takes the last free lease
// that it can take. A takeover is at most this much later for it.
const spread = time.Second

// Hesitation is how long after a lease has become free an instance that holds so
// many out of a total leaves it to others. Those who hold fewest go first, so
// that instances which see the same leases free share them about evenly, and
// whoever is alone has all of them a second later.
func Hesitation(held, total int) time.Duration {
	return spread * time.Duration(min(held, total)) / time.Duration(max(total, 1))
}

// Sharing is a [Keeper] that leaves some of what is free to other instances.
// It shares what is free only: an instance that comes later gets nothing until
// another one goes.
type Sharing struct {
	Keeper
	prefix string
	total  func() int

	mutex sync.Mutex
	count int           // held, or about to be
	fewer chan struct{} // closed when the count goes down
}

// NewSharing shares the leases whose names begin with the prefix. total is how
// many there are, and may change.
func NewSharing(keeper Keeper, prefix string, total func() int) *Sharing {
	return &Sharing{Keeper: keeper, prefix: prefix, total: total, fewer: make(chan struct{})}
}

// Acquire waits until a lease is ours, or ctx ends, as [Acquire] does. A shared
// one counts as held until it is released, also when it has been lost before.
func (s *Sharing) Acquire(ctx context.Context, name string) (Held, error) {
	if !strings.HasPrefix(name, s.prefix) {
		return Acquire(ctx, s.Keeper, name)
	}
	turn := turn{Keeper: s.Keeper, sharing: s}
	held, err := Acquire(ctx, &turn, name)
	if err != nil {
		return nil, err
	}
	return &share{Held: held, sharing: s}, nil
}

// turn is the keeper of one who waits for a shared lease.
type turn struct {
	Keeper
	sharing *Sharing
	free    time.Time // since when the lease is
}

func (t *turn) Await(ctx context.Context, name string) error {
	err := t.Keeper.Await(ctx, name)
	t.free = time.Now()
	return err
}

func (t *turn) Try(ctx context.Context, name string) (Held, error) {
	if t.free.IsZero() { // not to take at once what may be free
		if err := t.Await(ctx, name); err != nil {
			return nil, err
		}
	}
	if err := t.sharing.enter(ctx, t.free); err != nil {
		return nil, err
	}
	held, err := t.Keeper.Try(ctx, name)
	if err != nil {
		t.sharing.leave()
	}
	return held, err
}

// enter waits until it is our turn for what has been free for a while, and
// counts it.
func (s *Sharing) enter(ctx context.Context, free time.Time) error {
	for {
		s.mutex.Lock()
		wait, fewer := Hesitation(s.count, s.total())-time.Since(free), s.fewer
		if wait <= 0 {
			s.count++
		}
		s.mutex.Unlock()
		if wait <= 0 {
			return nil
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-fewer: // somebody was quicker than we: now it is another one's turn here
		case <-ctx.Done():
		}
		timer.Stop()
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
}

func (s *Sharing) leave() {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.count--
	close(s.fewer)
	s.fewer = make(chan struct{})
}

// share is a shared lease that is ours.
type share struct {
	Held
	sharing *Sharing
	once    sync.Once
}

func (h *share) Release(ctx context.Context) error {
	h.once.Do(h.sharing.leave)
	return h.Held.Release(ctx)
}
