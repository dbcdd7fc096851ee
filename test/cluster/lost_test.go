package cluster

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"profilesync/internal/lease"
	"profilesync/internal/lease/etcd"
	"profilesync/internal/lease/leasetest"
)

// until asks a lease often, and returns when it was last and when it was no more
// permitted to write.
func until(t *testing.T, held lease.Held, limit time.Duration) (last, end time.Time) {
	t.Helper()
	for began := time.Now(); time.Since(began) < limit; time.Sleep(time.Millisecond) {
		asked := time.Now()
		if err := held.Check(); err != nil {
			if !errors.Is(err, lease.ErrLost) {
				t.Fatal(err)
			}
			return last, asked
		}
		last = asked
	}
	t.Fatalf("still held after %s", limit)
	return last, end
}

func TestAPartitionedHolderStopsBeforeAnotherOneBegins(t *testing.T) {
	t.Parallel()
	for name, part := range map[string]func(*proxy){
		"nothing comes through any more":     (*proxy).hang,
		"connections break and none is made": func(p *proxy) { p.hang(); p.cut() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, nil)
			network := through(t, s.host())
			near, far := keeper(t, "near", s.endpoint(), nil), keeper(t, "far", network.endpoint(), nil)
			held := must(t, far, "serve/a")
			time.Sleep(ttl) // a few confirmations
			if err := held.Check(); err != nil {
				t.Fatalf("lost while all is well: %v", err)
			}
			var got time.Time
			var group sync.WaitGroup
			group.Go(func() {
				must(t, near, "serve/a")
				got = time.Now()
			})
			part(network)
			parted := time.Now()
			last, end := until(t, held, ttl)
			<-held.Lost()
			lost := time.Now()
			group.Wait()
			t.Logf("parted; last permitted after %s, lost after %s, somebody else had it after %s",
				last.Sub(parted), end.Sub(parted), got.Sub(parted))
			if !last.Before(got) {
				t.Errorf("it was permitted %s after somebody else had it", last.Sub(got))
			}
			if slack := got.Sub(last); slack < 300*time.Millisecond {
				t.Errorf("only %s lay between the two", slack)
			}
			if late := lost.Sub(end); late > soon {
				t.Errorf("it was told of its loss %s late", late)
			}
			if took := got.Sub(parted); took > ttl+2*time.Second {
				t.Errorf("it was taken over after %s", took)
			}

			network.heal()
			if err := held.Check(); err == nil {
				t.Error("healed, and held again")
			}
			must(t, far, "serve/b") // a new session
			var busy *lease.BusyError
			if _, err := far.Try(t.Context(), "serve/a"); !errors.As(err, &busy) || busy.Holder.Instance != "near" {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestAStoppedProcessDoesNotWriteOnceItGoesOn(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	writes := filepath.Join(t.TempDir(), "writes")
	rig := leasetest.Rig{Child: []string{childVariable + "=" + s.endpoint(), "WRITES=" + writes}}
	for range 3 {
		process := rig.Start(t, "write/a")
		time.Sleep(ttl / 2)
		process.Signal(t, syscall.SIGSTOP)
		stopped := time.Now()
		k := keeper(t, "next", s.endpoint(), nil)
		held := must(t, k, "write/a")
		took := time.Since(stopped)
		if took > ttl+2*time.Second {
			t.Errorf("it was taken over after %s", took)
		}
		before := lastWrite(t, writes)
		process.Signal(t, syscall.SIGCONT)
		if line := process.Line(t); line != "lost" {
			t.Errorf("it said %q", line)
		}
		after := lastWrite(t, writes)
		t.Logf("taken over %s after the stop; last write %s before the stop", took, stopped.Sub(before))
		if !after.Equal(before) {
			t.Errorf("it wrote %s after it was stopped", after.Sub(stopped))
		}
		if err := held.Check(); err != nil {
			t.Error(err)
		}
		if err := held.Release(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

func lastWrite(t *testing.T, path string) time.Time {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Fields(string(text))
	at, err := strconv.ParseInt(lines[len(lines)-1], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return time.Unix(0, at)
}

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

func TestATermBeginsWhenItIsAskedForAndNotWhenItIsGranted(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	network := through(t, s.host())
	clock := &clocks{system: etcd.SystemClock()}
	const ttl = 12 * time.Second // used for 10.8 s, confirmed every 4 s
	k := keeper(t, "host-1/1", network.endpoint(), func(o *etcd.Options) { o.Clock = clock.now; o.TTL = ttl })
	began := clock.now().Mono
	at := func(moment time.Duration) { // the clocks say it is so late
		ahead := moment - (clock.system().Mono - began)
		clock.set(ahead, ahead)
	}
	held := must(t, k, "serve/a")
	time.Sleep(ttl / 12) // until the new connection has nothing more to say
	network.hang()
	network.wait(t) // the first confirmation is on its way at 4 s
	at(6500 * time.Millisecond)
	network.heal() // and comes at 6.5 s
	time.Sleep(ttl / 16)
	network.hang() // the next one does not come
	at(13 * time.Second)
	if err := held.Check(); err != nil {
		t.Fatalf("it was not confirmed: %v", err)
	}
	at(16 * time.Second)
	if err := held.Check(); err == nil {
		t.Error("still held, though in etcd the TTL after 4 s may be over")
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

func TestAKeyThatAnOperatorDeletesIsLost(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	operator := s.operator(t)
	k, other := keeper(t, "host-1/1", s.endpoint(), nil), keeper(t, "host-2/2", s.endpoint(), nil)
	for name, story := range map[string]func(t *testing.T, name string){
		"deleted":            func(*testing.T, string) {},
		"taken by another":   func(t *testing.T, name string) { must(t, other, name) },
		"written by another": func(t *testing.T, name string) { put(t, operator, name) },
	} {
		t.Run(name, func(t *testing.T) {
			held, kept := must(t, k, name), must(t, k, "kept "+name)
			began := time.Now()
			if _, err := operator.Delete(t.Context(), etcd.DefaultPrefix+"/"+name); err != nil {
				t.Fatal(err)
			}
			story(t, name)
			select {
			case <-held.Lost():
			case <-time.After(ttl):
				t.Fatalf("it has not noticed within %s", ttl)
			}
			t.Logf("noticed after %s", time.Since(began))
			if err := held.Check(); !errors.Is(err, lease.ErrLost) || !strings.Contains(err.Error(), "taken away") {
				t.Errorf("check is %v", err)
			}
			if err := held.Release(t.Context()); err != nil {
				t.Error(err)
			}
			if err := kept.Check(); err != nil {
				t.Errorf("the other lease went with it: %v", err)
			}
		})
	}
}

func TestWhatAnotherOneHasIsNotReleased(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	k, other := keeper(t, "host-1/1", s.endpoint(), nil), keeper(t, "host-2/2", s.endpoint(), nil)
	held := must(t, k, "a")
	if _, err := s.operator(t).Delete(t.Context(), etcd.DefaultPrefix+"/a"); err != nil {
		t.Fatal(err)
	}
	theirs := must(t, other, "a")
	if err := held.Release(t.Context()); err != nil { // it has not noticed yet
		t.Error(err)
	}
	time.Sleep(ttl)
	if err := theirs.Check(); err != nil {
		t.Error(err)
	}
}

func TestALeaseThatAnOperatorRevokesIsLost(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	operator := s.operator(t)
	k := keeper(t, "host-1/1", s.endpoint(), nil)
	held := must(t, k, "a")
	all, err := operator.Leases(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range all.Leases {
		if _, err := operator.Revoke(t.Context(), one.ID); err != nil {
			t.Fatal(err)
		}
	}
	again, err := k.Try(t.Context(), "b") // it need not have been noticed yet
	if err != nil {
		t.Fatal(err)
	}
	<-held.Lost()
	if err := held.Check(); !errors.Is(err, lease.ErrLost) {
		t.Errorf("check is %v", err)
	}
	if err := again.Check(); err != nil {
		t.Error(err)
	}
	must(t, k, "a")
}
