package cluster

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
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
			taken := later(t, near, "serve/a")
			part(network)
			parted := time.Now()
			last, end := until(t, held, ttl)
			<-held.Lost()
			lost := time.Now()
			_, got := taken()
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
