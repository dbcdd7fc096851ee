package cluster

import (
	"errors"
	"sync"
	"testing"
	"time"

	"profilesync/internal/lease"
	"profilesync/internal/lease/etcd"
)

// clocks are the machine's, set by a test.
type clocks struct {
	mutex      sync.Mutex
	system     func() etcd.Moment
	mono, wall time.Duration // added to them
}

func (c *clocks) now() etcd.Moment {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	now := c.system()
	return etcd.Moment{Mono: now.Mono + c.mono, Wall: now.Wall.Add(c.wall)}
}

func (c *clocks) set(mono, wall time.Duration) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.mono, c.wall = mono, wall
}

// at makes the clocks say that so much has passed since a moment.
func (c *clocks) at(since etcd.Moment, passed time.Duration) {
	ahead := passed - (c.system().Mono - since.Mono)
	c.set(ahead, ahead)
}

func TestATermBeginsWhenItIsAskedForAndNotWhenItIsGranted(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	network := through(t, s.host())
	clock := &clocks{system: etcd.SystemClock()}
	const ttl = 12 * time.Second // used for 10.8 s, confirmed every 4 s
	k := keeper(t, "host-1/1", network.endpoint(), func(o *etcd.Options) { o.Clock = clock.now; o.TTL = ttl })
	began := clock.now()
	held := must(t, k, "serve/a")
	time.Sleep(ttl / 12) // until the new connection has nothing more to say
	network.hang()
	network.wait(t) // the first confirmation is on its way at 4 s
	clock.at(began, 6500*time.Millisecond)
	network.heal() // and comes at 6.5 s
	time.Sleep(ttl / 16)
	network.hang() // the next one does not come
	clock.at(began, 13*time.Second)
	if err := held.Check(); err != nil {
		t.Fatalf("it was not confirmed: %v", err)
	}
	clock.at(began, 16*time.Second)
	if err := held.Check(); err == nil {
		t.Error("still held, though in etcd the TTL after 4 s may be over")
	}
}

func TestTheFirstTermBeginsWhenItIsAskedForToo(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	network := through(t, s.host())
	clock := &clocks{system: etcd.SystemClock()}
	k := keeper(t, "host-1/1", network.endpoint(), func(o *etcd.Options) { o.Clock = clock.now; o.TTL = 12 * time.Second })
	began := clock.now()
	network.hang()
	got := later(t, k, "serve/a")
	network.wait(t)
	clock.at(began, 6*time.Second)
	network.heal()
	held, _ := got()
	if err := held.Check(); err != nil {
		t.Fatal(err)
	}
	clock.at(began, 12*time.Second)
	if err := held.Check(); err == nil {
		t.Error("still held, though in etcd the TTL may be over")
	}
}

func TestWhatAClockThatIsSetDoesToALease(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	for name, story := range map[string]struct {
		mono, wall time.Duration
		lost       bool
	}{
		"the wall clock goes an hour forward, or the machine slept for one": {0, time.Hour, true},
		"both clocks do, as over a pause of the process":                    {time.Hour, time.Hour, true},
		"the wall clock goes an hour back":                                  {0, -time.Hour, false},
		"it goes a little forward":                                          {0, 50 * time.Millisecond, false},
	} {
		t.Run(name, func(t *testing.T) {
			clock := &clocks{system: etcd.SystemClock()}
			k := keeper(t, "clock", s.endpoint(), func(o *etcd.Options) { o.Clock = clock.now; o.TTL = 10 * time.Second })
			held := must(t, k, name)
			clock.set(story.mono, story.wall)
			if err := held.Check(); errors.Is(err, lease.ErrLost) != story.lost {
				t.Fatalf("check is %v", err)
			}
			if !story.lost {
				if err := held.Release(t.Context()); err != nil {
					t.Error(err)
				}
				return
			}
			<-held.Lost()
			clock.set(0, 0)
			if err := held.Check(); err == nil {
				t.Error("set back, and held again")
			}
			began := time.Now()
			must(t, k, name)
			if took := time.Since(began); took > 5*time.Second { // the old session gives it free
				t.Errorf("its own old key was in its way for %s", took)
			}
		})
	}
}
