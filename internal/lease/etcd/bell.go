package etcd

import (
	"context"
	"strings"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// bellName is the key of the bell, among those of the leases.
const bellName = "bell"

// maxWord bounds what a ring says.
const maxWord = 500

// Ring tells every instance that listens, such as of a push that only this one
// was told of. Who does not listen at the moment never hears of it.
func (k *Keeper) Ring(ctx context.Context, word string) error {
	s, err := k.session(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, k.options.callLimit())
	defer cancel()
	_, err = s.client.Put(ctx, k.options.Prefix+bellName, k.options.Self.Instance+"\n"+word[:min(len(word), maxWord)])
	if err != nil {
		return k.explain(ctx, err)
	}
	return nil
}

// Listen calls heard for each ring of another instance, one at a time, until ctx
// ends. While etcd cannot be reached there is nothing to be heard.
func (k *Keeper) Listen(ctx context.Context, heard func(word string)) {
	for ctx.Err() == nil {
		if s, err := k.session(ctx); err == nil {
			k.hear(ctx, s, heard)
		}
		timer := time.NewTimer(k.options.TTL / 3)
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
		timer.Stop()
	}
}

// hear listens as long as a session lasts.
func (k *Keeper) hear(ctx context.Context, s *session, heard func(word string)) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-s.ended:
			cancel()
		case <-ctx.Done():
		}
	}()
	for answer := range s.client.Watch(clientv3.WithRequireLeader(ctx), k.options.Prefix+bellName) {
		for _, event := range answer.Events {
			by, word, _ := strings.Cut(string(event.Kv.Value), "\n")
			if event.Type == clientv3.EventTypePut && by != k.options.Self.Instance {
				heard(word)
			}
		}
	}
}
