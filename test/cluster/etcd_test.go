// Package cluster tests leases in an etcd, which it starts within the tests. It
// is a module of its own, so that etcd's server stays out of the program's
// dependencies.
package cluster

import (
	"fmt"
	"net/url"
	"os"
	"sync"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/server/v3/embed"
	"go.uber.org/goleak"
	"go.uber.org/zap"

	"profilesync/internal/lease"
	"profilesync/internal/lease/etcd"
	"profilesync/internal/lease/leasetest"
)

// ttl leaves a busy machine time for its confirmations.
const ttl = 3 * time.Second

// soon is more than a busy machine takes for what needs no waiting.
const soon = 2 * time.Second

const childVariable = "CLUSTER_TEST_ETCD"

func TestMain(m *testing.M) {
	if endpoint := os.Getenv(childVariable); endpoint != "" {
		if err := child(endpoint); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}

func child(endpoint string) error {
	keeper, err := etcd.New(etcd.Options{
		Endpoints: []string{endpoint}, TTL: ttl, Self: lease.Holder{Instance: "child", Command: "test"},
	})
	if err != nil {
		return err
	}
	return leasetest.Child(keeper)
}

// server is an etcd of one member that can go away and come back.
type server struct {
	config *embed.Config
	etcd   *embed.Etcd
}

func start(t *testing.T, change func(*embed.Config)) *server {
	t.Helper()
	config := embed.NewConfig()
	config.Dir = t.TempDir()
	config.ZapLoggerBuilder = embed.NewZapLoggerBuilder(zap.NewNop())
	anywhere := func() []url.URL { return []url.URL{{Scheme: "http", Host: "127.0.0.1:0"}} }
	config.ListenClientUrls, config.AdvertiseClientUrls = anywhere(), anywhere()
	config.ListenPeerUrls, config.AdvertisePeerUrls = anywhere(), anywhere() // it has no peers
	config.InitialCluster = config.Name + "=" + config.AdvertisePeerUrls[0].String()
	config.UnsafeNoFsync = true
	if change != nil {
		change(config)
	}
	s := &server{config: config}
	s.up(t)
	t.Cleanup(s.down)
	return s
}

// up returns when the server can be asked, at the address that it had before.
func (s *server) up(t *testing.T) {
	t.Helper()
	began, err := embed.StartEtcd(s.config)
	if err != nil {
		t.Fatal(err)
	}
	s.etcd = began
	select {
	case <-began.Server.ReadyNotify():
		scheme := s.config.ListenClientUrls[0].Scheme
		s.config.ListenClientUrls = []url.URL{{Scheme: scheme, Host: began.Clients[0].Addr().String()}}
	case <-time.After(30 * time.Second):
		t.Fatal("etcd is not ready within 30 s")
	}
}

func (s *server) down() {
	if s.etcd != nil {
		s.etcd.Close()
		s.etcd = nil
	}
}

func (s *server) endpoint() string { return s.config.ListenClientUrls[0].String() }

// host is where the server listens.
func (s *server) host() string { return s.config.ListenClientUrls[0].Host }

// operator is a client for doing what an operator may do.
func (s *server) operator(t *testing.T) *clientv3.Client {
	t.Helper()
	return s.client(t, clientv3.Config{})
}

func (s *server) client(t *testing.T, config clientv3.Config) *clientv3.Client {
	t.Helper()
	config.Endpoints, config.Logger = []string{s.endpoint()}, zap.NewNop()
	client, err := clientv3.New(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() }) // it only ever says that it is closed
	return client
}

// keeper keeps leases there for the time of a test.
func keeper(t *testing.T, instance, endpoint string, change func(*etcd.Options)) *etcd.Keeper {
	t.Helper()
	options := etcd.Options{
		Endpoints: []string{endpoint}, TTL: ttl, Self: lease.Holder{Instance: instance, Command: "test"},
	}
	if change != nil {
		change(&options)
	}
	k, err := etcd.New(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = k.Close() }) // a test may end without etcd
	return k
}

// must takes a lease that is free or about to be.
func must(t *testing.T, k *etcd.Keeper, name string) lease.Held {
	t.Helper()
	held, err := lease.Acquire(t.Context(), k, name)
	if err != nil {
		t.Fatal(err)
	}
	return held
}

// later takes a lease that somebody else has yet, and tells when it has it.
func later(t *testing.T, k *etcd.Keeper, name string) (got func() (lease.Held, time.Time)) {
	t.Helper()
	var held lease.Held
	var err error
	var at time.Time
	var group sync.WaitGroup
	group.Go(func() {
		held, err = lease.Acquire(t.Context(), k, name)
		at = time.Now()
	})
	return func() (lease.Held, time.Time) {
		t.Helper()
		group.Wait()
		if err != nil {
			t.Fatal(err)
		}
		return held, at
	}
}

func TestEtcdKeepsLeases(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	// In a group, so that the server outlives the tests that run side by side.
	t.Run("as any keeper does", func(t *testing.T) {
		leasetest.Run(t, leasetest.Rig{
			Open: func(t *testing.T, self lease.Holder) lease.Keeper {
				k, err := etcd.New(etcd.Options{Endpoints: []string{s.endpoint()}, TTL: ttl, Self: self})
				if err != nil {
					t.Fatal(err)
				}
				return k
			},
			Free:  ttl + 2*time.Second,
			Child: []string{childVariable + "=" + s.endpoint()},
		})
	})
}
