package cluster

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"profilesync/internal/lease"
	"profilesync/internal/lease/etcd"
)

func put(t *testing.T, operator *clientv3.Client, name string) {
	t.Helper()
	if _, err := operator.Put(t.Context(), etcd.DefaultPrefix+"/"+name, "by hand"); err != nil {
		t.Fatal(err)
	}
}

func TestWithoutEtcdNobodyHoldsAnything(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	k := keeper(t, "host-1/1", s.endpoint(), nil)
	held := must(t, k, "serve/a")
	s.down()
	until(t, held, ttl)
	began := time.Now()
	_, err := k.Try(t.Context(), "serve/a")
	if took := time.Since(began); !errors.Is(err, lease.ErrUnavailable) || took > soon {
		t.Errorf("got %v after %s", err, took)
	}
	if want := "leases are unavailable: etcd at " + s.endpoint() + ": no answer within 1s"; err == nil || err.Error() != want {
		t.Errorf("says %v, want %s", err, want)
	}
	for name, ask := range map[string]func() error{
		"acquire": func() error { _, err := lease.Acquire(t.Context(), k, "serve/a"); return err },
		"await":   func() error { return k.Await(t.Context(), "serve/a") },
		"holder":  func() error { _, _, err := k.Holder(t.Context(), "serve/a"); return err },
	} {
		if err := ask(); !errors.Is(err, lease.ErrUnavailable) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	time.Sleep(1100 * time.Millisecond) // until it would dial again
	if _, err := k.Try(ctx, "serve/a"); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, lease.ErrUnavailable) {
		t.Errorf("a caller who gives up got %v", err)
	}

	s.up(t)
	back := time.Now()
	for {
		if held, err = k.Try(t.Context(), "serve/a"); err == nil {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	took := time.Since(back)
	t.Logf("held %s after etcd was back", took)
	if took > ttl+3*time.Second { // its key has lived on, for it had not expired when etcd went
		t.Errorf("healed after %s", took)
	}
	time.Sleep(ttl)
	if err := held.Check(); err != nil {
		t.Error(err)
	}
}

func TestAShortOutageLosesNothing(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	k := keeper(t, "host-1/1", s.endpoint(), func(o *etcd.Options) { o.TTL = 9 * time.Second })
	held := must(t, k, "serve/a")
	s.down()
	s.up(t)
	for began := time.Now(); time.Since(began) < 12*time.Second; time.Sleep(50 * time.Millisecond) {
		if err := held.Check(); err != nil {
			t.Fatalf("lost after %s: %v", time.Since(began), err)
		}
	}
}

func TestWhatNobodyReleasesInTimeIsSweptUp(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	network := through(t, s.host())
	long := func(o *etcd.Options) { o.TTL = 9 * time.Second }
	far, near := keeper(t, "far", network.endpoint(), long), keeper(t, "near", s.endpoint(), nil)
	held := must(t, far, "write/a")
	network.hang()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := held.Release(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("release gave %v", err)
	}
	if _, err := far.Try(ctx, "write/b"); err == nil {
		t.Error("taken without etcd")
	}
	network.heal()
	began := time.Now()
	for _, name := range []string{"write/a", "write/b"} {
		must(t, near, name)
	}
	took := time.Since(began)
	t.Logf("both were free after %s", took)
	if took > 6*time.Second { // long before the session ends
		t.Errorf("free after %s", took)
	}
}

func TestWhatWasTakenWithoutAnAnswerIsTakenUpAgain(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	network := through(t, s.host())
	k := keeper(t, "host-1/1", network.endpoint(), func(o *etcd.Options) { o.TTL = 9 * time.Second })
	must(t, k, "another")
	network.loseAnswers()
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	if _, err := k.Try(ctx, "a"); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("got %v", err)
	}
	there, err := s.operator(t).Get(t.Context(), etcd.DefaultPrefix+"/a")
	if err != nil || len(there.Kvs) != 1 {
		t.Fatalf("the request has not arrived: %v %v", there, err)
	}
	network.heal()
	held, err := k.Try(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(4 * time.Second) // over a confirmation
	if err := held.Check(); err != nil {
		t.Error(err)
	}
}

func TestWhoWaitsIsToldAtOnce(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	long := func(o *etcd.Options) { o.TTL = time.Minute }
	held := must(t, keeper(t, "host-1/1", s.endpoint(), long), "a")
	waiting := keeper(t, "host-2/2", s.endpoint(), long)
	told := make(chan error)
	go func() { told <- waiting.Await(t.Context(), "a") }()
	time.Sleep(500 * time.Millisecond) // it is waiting by now
	began := time.Now()
	if err := held.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-told; err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > soon {
		t.Errorf("told after %s", took)
	}
}

func TestADeadEndpointHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	for name, endpoint := range map[string]string{
		"a closed port": "http://127.0.0.1:1",
		"a name":        "http://etcd.invalid:2379",
	} {
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			for _, change := range []func(*etcd.Options){nil, func(o *etcd.Options) { o.Username, o.Password = "sync", "secret" }} {
				k := keeper(t, "host-1/1", endpoint, change)
				_, err := k.Try(t.Context(), "a")
				if !errors.Is(err, lease.ErrUnavailable) || !strings.Contains(err.Error(), endpoint) || strings.Contains(err.Error(), "secret") {
					t.Errorf("got %v", err)
				}
			}
			if took := time.Since(began); took > 2*soon {
				t.Errorf("it took %s", took)
			}
		})
	}
}

func TestOneDeadEndpointOfSeveralDoesNoHarm(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	silent := through(t, s.host())
	silent.hang()
	k := keeper(t, "host-1/1", "http://127.0.0.1:1", func(o *etcd.Options) {
		o.Endpoints = append(o.Endpoints, silent.endpoint(), s.endpoint())
		o.TTL = 4 * time.Second
	})
	held := must(t, k, "a")
	for began := time.Now(); time.Since(began) < 8*time.Second; time.Sleep(50 * time.Millisecond) {
		if err := held.Check(); err != nil {
			t.Fatalf("lost after %s: %v", time.Since(began), err)
		}
	}
}

func TestPrefixesAreApart(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	one, two := keeper(t, "host-1/1", s.endpoint(), nil), keeper(t, "host-2/2", s.endpoint(), func(o *etcd.Options) { o.Prefix = "/other/" })
	must(t, one, "a")
	must(t, two, "a")
	found, err := s.operator(t).Get(t.Context(), "/", clientv3.WithPrefix(), clientv3.WithKeysOnly())
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, kv := range found.Kvs {
		keys = append(keys, string(kv.Key))
	}
	if got, want := strings.Join(keys, " "), "/other/a /profilesync/a"; got != want {
		t.Errorf("keys are %s, want %s", got, want)
	}
}
