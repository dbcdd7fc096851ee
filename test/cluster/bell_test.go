package cluster

import (
	"context"
	"testing"
	"time"

	"profilesync/internal/lease"
	"profilesync/internal/lease/etcd"
)

func TestABellIsHeardByTheOthers(t *testing.T) {
	server := start(t, nil)
	heard := make(chan string, 16)
	ctx, cancel := context.WithCancel(t.Context())
	var keepers []*etcd.Keeper
	ended := make(chan struct{}, 2)
	for _, name := range []string{"a", "b"} {
		keeper, err := etcd.New(etcd.Options{
			Endpoints: []string{server.endpoint()}, TTL: ttl, Self: lease.Holder{Instance: name, Command: "test"},
		})
		if err != nil {
			t.Fatal(err)
		}
		keepers = append(keepers, keeper)
		go func() {
			keeper.Listen(ctx, func(word string) { heard <- name + " heard " + word })
			ended <- struct{}{}
		}()
	}
	ring := func(want string) {
		t.Helper()
		for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); {
			_ = keepers[0].Ring(t.Context(), "a push") // etcd may be away
			select {
			case got := <-heard:
				if got != want {
					t.Fatalf("%q, want %q", got, want)
				}
				return
			case <-time.After(200 * time.Millisecond): // it does not listen yet
			}
		}
		t.Fatalf("nobody heard it, want %q", want)
	}
	ring("b heard a push")
	server.down()
	server.up(t)
	for len(heard) > 0 {
		<-heard
	}
	ring("b heard a push")
	cancel()
	for range keepers {
		<-ended
	}
	for _, keeper := range keepers {
		_ = keeper.Close() // it holds nothing that would have to be given back
	}
}
