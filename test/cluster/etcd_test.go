// Package cluster tests leases in an etcd, which it starts within the tests. It
// is a module of its own, so that etcd's server stays out of the program's
// dependencies.
package cluster

import (
	"fmt"
	"net"
	"net/url"
	"os"
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

// ttl is the shortest that etcd grants with its default elections.
const ttl = 2 * time.Second

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

// address is a port of this machine that nobody uses at the moment.
func address(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }() // it was only asked for its port
	return listener.Addr().String()
}

func start(t *testing.T, change func(*embed.Config)) *server {
	t.Helper()
	config := embed.NewConfig()
	config.Dir = t.TempDir()
	config.ZapLoggerBuilder = embed.NewZapLoggerBuilder(zap.NewNop())
	clients, peers := url.URL{Scheme: "http", Host: address(t)}, url.URL{Scheme: "http", Host: address(t)}
	config.ListenClientUrls, config.AdvertiseClientUrls = []url.URL{clients}, []url.URL{clients}
	config.ListenPeerUrls, config.AdvertisePeerUrls = []url.URL{peers}, []url.URL{peers}
	config.InitialCluster = config.Name + "=" + peers.String()
	config.UnsafeNoFsync = true
	if change != nil {
		change(config)
	}
	s := &server{config: config}
	s.up(t)
	t.Cleanup(s.down)
	return s
}

// up returns when the server can be asked.
func (s *server) up(t *testing.T) {
	t.Helper()
	began, err := embed.StartEtcd(s.config)
	if err != nil {
		t.Fatal(err)
	}
	s.etcd = began
	select {
	case <-began.Server.ReadyNotify():
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

func (s *server) endpoint() string { return s.config.AdvertiseClientUrls[0].String() }

// host is where the server listens.
func (s *server) host() string { return s.config.AdvertiseClientUrls[0].Host }

// operator is a client for doing what an operator may do.
func (s *server) operator(t *testing.T) *clientv3.Client {
	t.Helper()
	client, err := clientv3.New(clientv3.Config{Endpoints: []string{s.endpoint()}, Logger: zap.NewNop()})
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

func TestEtcdKeepsLeases(t *testing.T) {
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
