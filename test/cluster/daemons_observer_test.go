package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/server/v3/storage/mvcc"

	"profilesync/internal/lease"
	"profilesync/internal/lease/etcd"
)

// hold is one holder's time with one lease, as etcd has it.
type hold struct {
	holder         string
	created, ended int64     // revisions; ended is 0 while it lasts
	from, to       time.Time // when the observer was told, a moment later than it was so
}

func (h hold) String() string { return fmt.Sprintf("%s@%d", h.holder, h.created) }

// observer looks at etcd's keys past all daemons.
type observer struct {
	server *server
	up     sync.RWMutex // write-locked while the server is away

	mutex   sync.Mutex
	history map[string][]hold // by key
}

// observe begins with the first revision, and lasts as long as the test.
func observe(t *testing.T, s *server) *observer {
	t.Helper()
	o := &observer{server: s, history: map[string][]hold{}}
	client := s.operator(t)
	ctx, cancel := context.WithCancel(t.Context())
	var group sync.WaitGroup
	news := client.Watch(ctx, etcd.DefaultPrefix+"/", clientv3.WithPrefix(), clientv3.WithRev(1))
	group.Go(func() {
		for answer := range news {
			for _, event := range answer.Events {
				o.note(string(event.Kv.Key), event.Kv.Value, event.IsCreate(), event.Kv.ModRevision)
			}
		}
	})
	t.Cleanup(func() {
		cancel()
		group.Wait()
	})
	return o
}

// note takes down what became of a key. One that is deleted has no value, and a
// value that only changes is no new holder.
func (o *observer) note(key string, value []byte, created bool, revision int64) {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	holds := o.history[key]
	switch {
	case created:
		o.history[key] = append(holds, hold{holder: holderIn(value), created: revision, from: time.Now()})
	case len(value) == 0 && len(holds) > 0:
		last := &holds[len(holds)-1]
		last.ended, last.to = revision, time.Now()
	}
}

func holderIn(value []byte) string {
	var holder lease.Holder
	_ = json.Unmarshal(value, &holder) // what is no holder has no instance, and never wrote
	return holder.Instance
}

// holds are all of a key, the oldest first.
func (o *observer) holds(key string) []hold {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	return append([]hold(nil), o.history[key]...)
}

// What now says when there is no hold to name.
const (
	nobody  = "nobody"
	unknown = "unknown" // the server is away
)

// now reads in the server's own memory who has a key: no request on the way can
// make it older than the question.
func (o *observer) now(key string) string {
	if !o.up.TryRLock() {
		return unknown
	}
	defer o.up.RUnlock()
	found, err := o.server.etcd.Server.KV().Range(context.Background(), []byte(key), nil, mvcc.RangeOptions{})
	if err != nil {
		return unknown
	}
	if len(found.KVs) == 0 {
		return nobody
	}
	return hold{holder: holderIn(found.KVs[0].Value), created: found.KVs[0].CreateRevision}.String()
}

// down takes the server away, back brings it back. The server waits for the first
// word on every connection, which a network that hangs keeps to itself.
func (o *observer) down(networks []*proxy) {
	o.up.Lock()
	done := make(chan struct{})
	var group sync.WaitGroup
	group.Go(func() {
		for {
			for _, network := range networks {
				network.cut()
			}
			select {
			case <-done:
				return
			case <-time.After(100 * time.Millisecond):
			}
		}
	})
	o.server.down()
	close(done)
	group.Wait()
}

func (o *observer) back(t *testing.T) {
	defer o.up.Unlock()
	o.server.up(t)
}

// lapsed tells the ends of an instance's etcd lease, which takes all its keys in
// one revision, from a lease that was given back.
func (o *observer) lapsed() map[int64]bool {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	keys := map[int64]int{}
	for _, holds := range o.history {
		for _, h := range holds {
			if h.ended != 0 {
				keys[h.ended]++
			}
		}
	}
	lapsed := map[int64]bool{}
	for revision, n := range keys {
		lapsed[revision] = n > 1
	}
	return lapsed
}
