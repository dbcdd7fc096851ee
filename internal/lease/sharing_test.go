package lease_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"profilesync/internal/lease"
)

// store keeps leases in memory, each request taking a while.
type store struct {
	mutex sync.Mutex
	held  map[string]*memory
}

type memory struct {
	store *store
	name  string
	self  string
	lost  chan struct{}
}

type process struct {
	store *store
	self  string
	slow  time.Duration
}

func (p process) Try(_ context.Context, name string) (lease.Held, error) {
	time.Sleep(p.slow)
	p.store.mutex.Lock()
	defer p.store.mutex.Unlock()
	if h := p.store.held[name]; h != nil {
		return nil, &lease.BusyError{Name: name, Holder: lease.Holder{Instance: h.self}}
	}
	h := &memory{p.store, name, p.self, make(chan struct{})}
	p.store.held[name] = h
	return h, nil
}

func (p process) Await(ctx context.Context, name string) error {
	for {
		time.Sleep(p.slow)
		p.store.mutex.Lock()
		h := p.store.held[name]
		p.store.mutex.Unlock()
		if h == nil {
			return nil
		}
		select {
		case <-h.lost:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (p process) Holder(context.Context, string) (lease.Holder, bool, error) {
	return lease.Holder{}, false, errors.ErrUnsupported
}

func (p process) Close() error { return nil }

func (h *memory) Check() error          { return nil }
func (h *memory) Lost() <-chan struct{} { return h.lost }

func (h *memory) Release(context.Context) error {
	h.store.mutex.Lock()
	defer h.store.mutex.Unlock()
	if h.store.held[h.name] == h {
		delete(h.store.held, h.name)
		close(h.lost)
	}
	return nil
}

func (s *store) count(instance string) int {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	n := 0
	for _, h := range s.held {
		if h.self == instance {
			n++
		}
	}
	return n
}

// instance serves all targets that it can have, until it is stopped.
type instance struct {
	name string
	stop func()
}

func (s *store) start(t *testing.T, name string, targets int, slow time.Duration) instance {
	sharing := lease.NewSharing(process{s, name, slow}, "serve/", func() int { return targets })
	ctx, cancel := context.WithCancel(t.Context())
	var group sync.WaitGroup
	for i := range targets {
		group.Go(func() {
			held, err := sharing.Acquire(ctx, "serve/"+strconv.Itoa(i))
			if err != nil {
				return
			}
			<-ctx.Done()
			_ = held.Release(context.Background()) // one in memory always can
		})
	}
	return instance{name, func() {
		cancel()
		group.Wait()
	}}
}

func TestInstancesThatStartTogetherShareEvenly(t *testing.T) {
	const targets = 20
	for _, story := range []struct {
		instances int
		skew      time.Duration // between their starts
		off       int           // how far from even it may be
	}{{1, 0, 0}, {2, 0, 1}, {3, 0, 1}, {2, 40 * time.Millisecond, 2}, {3, 40 * time.Millisecond, 3}, {5, 5 * time.Millisecond, 2}} {
		t.Run(fmt.Sprintf("%d, %s apart", story.instances, story.skew), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &store{held: map[string]*memory{}}
				var all []instance
				for i := range story.instances {
					all = append(all, s.start(t, fmt.Sprint("i", i), targets, time.Duration(1+i)*time.Millisecond))
					time.Sleep(story.skew)
				}
				time.Sleep(1200 * time.Millisecond)
				synctest.Wait()
				if n := len(s.held); n != targets {
					t.Errorf("%d of %d are held", n, targets)
				}
				fair := targets / story.instances
				for _, i := range all {
					if n := s.count(i.name); n < fair-story.off || n > fair+1+story.off {
						t.Errorf("%s holds %d of %d", i.name, n, targets)
					}
				}
				for _, i := range all {
					i.stop()
				}
			})
		})
	}
}

func TestWhoComesTooLateForOneTargetHasItsTurnForAnother(t *testing.T) {
	for range 60 { // in some of them, the same one is too late again and again
		synctest.Test(t, func(t *testing.T) {
			s := &store{held: map[string]*memory{}}
			var all []instance
			for i := range 3 {
				all = append(all, s.start(t, fmt.Sprint("i", i), 20, time.Duration(1+i)*time.Millisecond))
			}
			time.Sleep(1200 * time.Millisecond)
			for _, i := range all {
				if n := s.count(i.name); n < 5 || n > 8 {
					t.Errorf("%s holds %d of 20", i.name, n)
				}
			}
			for _, i := range all {
				i.stop()
			}
		})
	}
}

func TestWhatAnInstanceLeavesIsSharedEvenly(t *testing.T) {
	const targets = 30
	synctest.Test(t, func(t *testing.T) {
		s := &store{held: map[string]*memory{}}
		var all []instance
		for i := range 3 {
			all = append(all, s.start(t, fmt.Sprint("i", i), targets, time.Millisecond))
		}
		time.Sleep(2 * time.Second)
		all[2].stop()
		time.Sleep(1200 * time.Millisecond)
		if a, b := s.count("i0"), s.count("i1"); a+b != targets || a-b > 2 || b-a > 2 {
			t.Errorf("two hold %d and %d", a, b)
		}
		late := s.start(t, "late", targets, time.Millisecond)
		all[1].stop()
		time.Sleep(1200 * time.Millisecond)
		if a, b := s.count("i0"), s.count("late"); a+b != targets || b < targets/2-2 {
			t.Errorf("the old one holds %d, the late one %d", a, b)
		}
		all[0].stop()
		late.stop()
	})
}

func TestOtherNamesAreNotShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &store{held: map[string]*memory{}}
		sharing := lease.NewSharing(process{s, "i", 0}, "serve/", func() int { return 1 })
		began := time.Now()
		for _, name := range []string{"serve/a", "write/a", "write/b"} {
			if _, err := sharing.Acquire(t.Context(), name); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("took %s", took)
		}
	})
}

// failing has no leases for a while.
type failing struct {
	process
	times int
}

func (f *failing) Try(ctx context.Context, name string) (lease.Held, error) {
	if f.times--; f.times >= 0 {
		return nil, lease.ErrUnavailable
	}
	return f.process.Try(ctx, name)
}

func TestOnlyWhatIsHeldCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &store{held: map[string]*memory{}}
		sharing := lease.NewSharing(&failing{process{s, "i", 0}, 3}, "", func() int { return 10 })
		began := time.Now()
		for range 3 {
			if _, err := sharing.Acquire(t.Context(), "a"); !errors.Is(err, lease.ErrUnavailable) {
				t.Errorf("got %v", err)
			}
		}
		for range 3 {
			held, err := sharing.Acquire(t.Context(), "a")
			if err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if err := held.Release(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("it hesitated for %s and holds nothing", took)
		}
		for _, name := range []string{"b", "c"} {
			if _, err := sharing.Acquire(t.Context(), name); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(began); took != lease.Hesitation(1, 10) {
			t.Errorf("it hesitated for %s and holds one", took)
		}
	})
}

func TestHesitationGrowsWithWhatOneHolds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		held, total := rapid.IntRange(0, 1000).Draw(t, "held"), rapid.IntRange(0, 1000).Draw(t, "total")
		wait := lease.Hesitation(held, total)
		if wait < 0 || wait > time.Second || held == 0 && wait != 0 {
			t.Errorf("%d of %d wait %s", held, total, wait)
		}
		if more := lease.Hesitation(held+1, total); more < wait || held < total && more == wait {
			t.Errorf("%d of %d wait %s, one more %s", held, total, wait, more)
		}
	})
}
