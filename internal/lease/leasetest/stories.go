package leasetest

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"profilesync/internal/lease"
)

func taken(t *testing.T, rig Rig) {
	ours, theirs := rig.open(t, "host-1/1"), rig.open(t, "host-2/2")
	began := time.Now()
	held := try(t, ours, "taken")
	for name, keeper := range map[string]lease.Keeper{"the other one": theirs, "the one that has it": ours} {
		_, err := keeper.Try(t.Context(), "taken")
		var busy *lease.BusyError
		if !errors.As(err, &busy) || busy.Name != "taken" {
			t.Fatalf("%s: got %v", name, err)
		}
		h := busy.Holder
		if h.Instance != "host-1/1" || h.Command != "test" || h.Since.Sub(began).Abs() > time.Minute {
			t.Errorf("%s: busy by %+v", name, h)
		}
		if !strings.HasPrefix(err.Error(), `lease "taken" is held by host-1/1 (test) since 2`) {
			t.Errorf("%s: says %q", name, err)
		}
		if h, is, err := keeper.Holder(t.Context(), "taken"); err != nil || !is || h.Instance != "host-1/1" {
			t.Errorf("%s: holder is %+v %t %v", name, h, is, err)
		}
	}
	release(t, held)
	if h, is, err := theirs.Holder(t.Context(), "taken"); err != nil || is {
		t.Errorf("given back, holder is %+v %t %v", h, is, err)
	}
	if _, is, err := theirs.Holder(t.Context(), "never taken"); err != nil || is {
		t.Errorf("never taken, holder is %t %v", is, err)
	}
}

func released(t *testing.T, rig Rig) {
	ours, theirs := rig.open(t, "host-1/1"), rig.open(t, "host-2/2")
	held := try(t, ours, "released")
	got := make(chan error, 1)
	var freed time.Time
	go func() {
		next, err := lease.Acquire(t.Context(), theirs, "released")
		freed = time.Now()
		if err == nil {
			err = next.Check()
		}
		got <- err
	}()
	time.Sleep(300 * time.Millisecond) // it is waiting by now; if not, it will not have to
	began := time.Now()
	release(t, held)
	if err := <-got; err != nil {
		t.Fatal(err)
	}
	took := freed.Sub(began)
	t.Logf("somebody else had it %s after it was given back", took.Round(100*time.Microsecond))
	if took > min(soon, max(rig.Free/2, time.Second)) {
		t.Errorf("somebody else had it after %s", took)
	}
}

func lostForGood(t *testing.T, rig Rig) {
	keeper := rig.open(t, "host-1/1")
	held := try(t, keeper, "for good")
	select {
	case <-held.Lost():
		t.Error("lost while it is held")
	default:
	}
	release(t, held)
	release(t, held) // once more is no error
	again := try(t, keeper, "for good")
	if err := held.Check(); !errors.Is(err, lease.ErrLost) {
		t.Errorf("given back, check is %v", err)
	}
	<-held.Lost()
	release(t, held) // and does no harm to the next
	if err := again.Check(); err != nil {
		t.Error(err)
	}
	if _, is, err := keeper.Holder(t.Context(), "for good"); err != nil || !is {
		t.Errorf("held again, holder is %t %v", is, err)
	}
}

func names(t *testing.T, rig Rig) {
	ours, theirs := rig.open(t, "host-1/1"), rig.open(t, "host-2/2")
	long := strings.Repeat("x", 300)
	for _, name := range []string{
		"a", "a/b", "a/b/c", "..", ".", "../a", "ä/€", "a b", "a%2Fb", "https://keystone:5000/v3|p1|", long, long + "y",
	} {
		try(t, ours, name)
		var busy *lease.BusyError
		if _, err := theirs.Try(t.Context(), name); !errors.As(err, &busy) || busy.Name != name {
			t.Errorf("%q: got %v", name, err)
		}
	}
	try(t, theirs, "A/c")
}

func givesUp(t *testing.T, rig Rig) {
	ours, theirs := rig.open(t, "host-1/1"), rig.open(t, "host-2/2")
	held := try(t, ours, "waited for")
	tired := errors.New("tired")
	ctx, cancel := context.WithTimeoutCause(t.Context(), 300*time.Millisecond, tired)
	defer cancel()
	began := time.Now()
	_, err := lease.Acquire(ctx, theirs, "waited for")
	if took := time.Since(began); !errors.Is(err, tired) || took > soon {
		t.Errorf("got %v after %s", err, took)
	}
	release(t, held)
	try(t, theirs, "waited for") // giving up has left nothing behind
}

func contended(t *testing.T, rig Rig) {
	const keepers, goroutines, turns = 3, 3, 4
	var inside, entered atomic.Int32
	var group sync.WaitGroup
	for k := range keepers {
		keeper := rig.open(t, "host/"+string(rune('1'+k)))
		for range goroutines {
			group.Go(func() {
				for range turns {
					held, err := lease.Acquire(t.Context(), keeper, "contended")
					if err != nil {
						t.Error(err)
						return
					}
					if n := inside.Add(1); n != 1 {
						t.Errorf("%d have it", n)
					}
					time.Sleep(time.Millisecond)
					if err := held.Check(); err != nil {
						t.Error(err)
					}
					entered.Add(1)
					inside.Add(-1)
					if err := held.Release(t.Context()); err != nil {
						t.Error(err)
					}
				}
			})
		}
	}
	group.Wait()
	if n := entered.Load(); n != keepers*goroutines*turns {
		t.Errorf("%d turns were had, want %d", n, keepers*goroutines*turns)
	}
}

func closed(t *testing.T, rig Rig) {
	keeper := rig.Open(t, lease.Holder{Instance: "host-1/1", Command: "test"})
	held := try(t, keeper, "closed")
	if err := keeper.Close(); err != nil {
		t.Fatal(err)
	}
	<-held.Lost()
	if err := held.Check(); !errors.Is(err, lease.ErrLost) {
		t.Errorf("closed, check is %v", err)
	}
	if err := held.Release(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := keeper.Try(t.Context(), "closed"); !errors.Is(err, lease.ErrUnavailable) {
		t.Errorf("closed, try is %v", err)
	}
	try(t, rig.open(t, "host-2/2"), "closed")
	if err := keeper.Close(); err != nil {
		t.Errorf("closed twice: %v", err)
	}
}

func killed(t *testing.T, rig Rig) {
	keeper := rig.open(t, "host-2/2")
	process := rig.Start(t, "killed")
	var busy *lease.BusyError
	if _, err := keeper.Try(t.Context(), "killed"); !errors.As(err, &busy) {
		t.Fatalf("got %v", err)
	}
	process.Signal(t, syscall.SIGKILL)
	began := time.Now()
	if _, err := lease.Acquire(t.Context(), keeper, "killed"); err != nil {
		t.Fatal(err)
	}
	took := time.Since(began)
	t.Logf("free %s after the kill", took.Round(time.Millisecond))
	if took > rig.Free {
		t.Errorf("free %s after the kill, want %s", took, rig.Free)
	}
}
