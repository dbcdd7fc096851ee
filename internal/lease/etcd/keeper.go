// Package etcd keeps leases in an etcd, for instances on several machines.
//
//	<prefix>/<name> = the holder, as JSON     under one etcd lease per instance and session
//
// Whoever creates a name's key has the lease, and the key goes when it is
// released or when the instance's etcd lease is not confirmed for its TTL. A
// session confirms it three times in that time, and reads its keys again each
// time: an operator may have deleted one.
//
// A holder believes its own two clocks: a lease ends for it a TTL after the
// moment before the last confirmed request was sent, less a margin, whether etcd
// can be reached or not. So it has ended before anybody else can have it. The
// client library's own session is not used: it noticed a lost server 13 s late
// at a TTL of 5 s.
//
// A session that has ended is not revived. The next request makes another one,
// with a connection of its own, as often as it takes.
package etcd

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"go.etcd.io/etcd/client/pkg/v3/logutil"
	clientv3 "go.etcd.io/etcd/client/v3"

	"profilesync/internal/lease"
)

// Keeper keeps leases in an etcd. It connects when it is first asked for one.
type Keeper struct {
	options Options
	tls     *tls.Config
	life    context.Context // ends with Close
	end     context.CancelCauseFunc
	group   sync.WaitGroup // of everything that runs in the background

	mutex   sync.Mutex
	current *session      // nil before the first
	opening chan struct{} // closed when the attempt under way has ended; nil when none is
	failure error         // of the last attempt
	failed  time.Time
	left    error // what Close could not give back
}

var errClosed = errors.New("closed")

// New makes a keeper of leases. Its error is about the options: etcd itself is
// not asked yet, and need not be there.
func New(options Options) (*Keeper, error) {
	options, err := options.complete()
	if err != nil {
		return nil, err
	}
	config, err := options.tls()
	if err != nil {
		return nil, err
	}
	k := &Keeper{options: options, tls: config}
	k.life, k.end = context.WithCancelCause(context.Background())
	return k, nil
}

// Try takes a lease that nobody has.
func (k *Keeper) Try(ctx context.Context, name string) (lease.Held, error) {
	for try := 1; ; try++ {
		s, err := k.session(ctx)
		if err != nil {
			return nil, err
		}
		if holder, busy := s.reserve(name); busy {
			return nil, &lease.BusyError{Name: name, Holder: holder}
		}
		held, err := s.claim(ctx, name)
		s.settle(name, held, err)
		if err == nil {
			return held, nil
		}
		if !errors.Is(err, rpctypes.ErrLeaseNotFound) || try > 1 { // the session has just come to its end
			return nil, k.explain(ctx, err)
		}
	}
}

// Await waits for the key's deletion. A watch can be cut off without a word, so
// it also looks by itself.
func (k *Keeper) Await(ctx context.Context, name string) error {
	for {
		s, err := k.session(ctx)
		if err != nil {
			return err
		}
		found, err := s.read(ctx, name)
		if err != nil {
			return k.explain(ctx, err)
		}
		if len(found.Kvs) == 0 {
			return nil
		}
		s.watch(ctx, name, found.Header.Revision+1)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
}

// Holder tells who has a lease.
func (k *Keeper) Holder(ctx context.Context, name string) (lease.Holder, bool, error) {
	s, err := k.session(ctx)
	if err != nil {
		return lease.Holder{}, false, err
	}
	found, err := s.read(ctx, name)
	if err != nil {
		return lease.Holder{}, false, k.explain(ctx, err)
	}
	if len(found.Kvs) == 0 {
		return lease.Holder{}, false, nil
	}
	return decode(found.Kvs[0].Value), true, nil
}

// Close gives back what is held, and ends when nothing runs any more.
func (k *Keeper) Close() error {
	k.mutex.Lock() // nothing is begun any more
	k.end(errClosed)
	k.mutex.Unlock()
	k.group.Wait()
	k.mutex.Lock()
	defer k.mutex.Unlock()
	return k.left
}

// decode reads a holder; what is no holder is the zero one.
func decode(value []byte) lease.Holder {
	var holder lease.Holder
	if json.Unmarshal(value, &holder) != nil {
		return lease.Holder{}
	}
	return holder
}

// afresh is for how long a failed attempt answers for all who ask: many targets
// need not dial one by one.
const afresh = time.Second

// session is the one that lives, or a new one. Those who ask at once share an
// attempt.
func (k *Keeper) session(ctx context.Context) (*session, error) {
	for {
		k.mutex.Lock()
		s, failure, recent := k.current, k.failure, time.Since(k.failed) < afresh
		if s == nil && !recent && k.opening == nil && k.life.Err() == nil {
			k.opening = make(chan struct{})
			k.group.Go(k.open)
		}
		opening := k.opening
		k.mutex.Unlock()
		switch {
		case k.life.Err() != nil:
			return nil, k.explain(ctx, errClosed)
		case s != nil && s.check() == nil:
			return s, nil
		case s != nil:
			k.drop(s)
		case recent:
			return nil, failure
		default:
			select {
			case <-opening:
			case <-ctx.Done():
				return nil, context.Cause(ctx)
			}
		}
	}
}

// drop makes place for another session.
func (k *Keeper) drop(s *session) {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	if k.current == s {
		k.current = nil
	}
}

// open makes one attempt to begin a session.
func (k *Keeper) open() {
	s, err := k.connect()
	k.mutex.Lock()
	defer k.mutex.Unlock()
	if err != nil {
		k.failure, k.failed = k.explain(context.Background(), err), time.Now()
	} else {
		k.current, k.failed = s, time.Time{}
		k.group.Go(func() {
			s.run(k.life)
			k.drop(s)
			if err := s.bury(k.life); err != nil {
				k.mutex.Lock()
				defer k.mutex.Unlock()
				k.left = k.explain(context.Background(), err)
			}
		})
	}
	close(k.opening)
	k.opening = nil
}

// silent is above every level at which the client library logs: what goes wrong
// is in the errors.
const silent = 100

// connect begins a session: a connection, and a lease of etcd's.
func (k *Keeper) connect() (*session, error) {
	logger, err := logutil.CreateDefaultZapLogger(silent)
	if err != nil {
		return nil, err
	}
	limit := k.options.callLimit()
	client, err := clientv3.New(clientv3.Config{
		Endpoints: k.options.Endpoints, TLS: k.tls, Username: k.options.Username, Password: k.options.Password,
		Context: k.life, DialTimeout: limit, DialKeepAliveTime: 10 * time.Second, DialKeepAliveTimeout: limit,
		Logger: logger,
	})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(k.life, limit)
	defer cancel()
	asked := k.options.Clock()
	granted, err := client.Grant(ctx, int64(k.options.TTL/time.Second))
	if err != nil {
		_ = client.Close() // the error is about etcd
		return nil, err
	}
	ttl := time.Duration(granted.TTL) * time.Second
	return newSession(k.options, client, granted.ID, ttl, lasting(asked, ttl)), nil
}

// explain makes an error that says which etcd, unless the caller gave up.
func (k *Keeper) explain(ctx context.Context, err error) error {
	var busy *lease.BusyError
	switch {
	case errors.As(err, &busy):
		return err
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case k.life.Err() != nil:
		err = errClosed
	case errors.Is(err, context.DeadlineExceeded):
		err = fmt.Errorf("no answer within %s", k.options.callLimit())
	}
	return fmt.Errorf("%w: etcd at %s: %w", lease.ErrUnavailable, strings.Join(k.options.Endpoints, ", "), err)
}
