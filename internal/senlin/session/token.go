package session

import (
	"context"
	"sync"
	"time"

	"github.com/gophercloud/gophercloud"
)

// renewal replaces the provider's token: once per expiry, however many requests
// notice it at the same time. gophercloud has a renewal of its own, but who
// waits for it cannot give up, and it keeps the context of the first login.
type renewal struct {
	provider *gophercloud.ProviderClient
	login    func(context.Context) (*gophercloud.ProviderClient, error)
	timeout  time.Duration

	mu     sync.Mutex
	flight *flight // the renewal under way, or nil
}

type flight struct {
	done chan struct{}
	err  error // valid once done is closed
}

// renew returns a token other than the stale one. The renewal is shared, so it
// goes on when this caller gives up.
func (t *renewal) renew(ctx context.Context, stale string) (string, error) {
	f := t.join(stale)
	if f == nil {
		return t.provider.Token(), nil
	}
	select {
	case <-f.done:
		return t.provider.Token(), f.err
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
}

// join gives the renewal to wait for, or nil when the stale token has been
// replaced already.
func (t *renewal) join(stale string) *flight {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.flight == nil {
		if t.provider.Token() != stale {
			return nil
		}
		t.flight = &flight{done: make(chan struct{})}
		go t.fly(t.flight)
	}
	return t.flight
}

func (t *renewal) fly(f *flight) {
	ctx, cancel := context.WithTimeout(context.Background(), t.timeout)
	defer cancel()
	fresh, err := t.login(ctx)
	if err == nil {
		t.provider.CopyTokenFrom(fresh)
	}
	t.mu.Lock()
	f.err, t.flight = err, nil
	t.mu.Unlock()
	close(f.done)
}
