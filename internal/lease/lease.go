// Package lease says who may do what at a time: of all processes that ask for a
// name, one has it.
//
//	Keeper ── Try, Acquire ──▶ Held ── Check, before each write ──▶ Guard ──▶ the network
//
// Whoever has a name asks [Held.Check] before each write, and believes its own
// clock alone: a process that was paused or cut off learns from nobody that its
// time is over. [Guard] does the asking, as the last thing before the network.
//
// The package owns what a lease is, the locks in a directory of one machine
// ([Directory]), and how instances share many names ([Sharing]). It never knows
// what the names stand for or what is written, and does no networking; leases
// that several machines share are package etcd's.
package lease

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Holder is who has a lease. It is kept beside the lease as JSON, so that others
// can say whom they wait for.
type Holder struct {
	Instance string    `json:"instance"` // a process, such as "host-1/4711"
	Command  string    `json:"command"`  // what it does: "daemon", "apply"
	Since    time.Time `json:"since"`
}

// String is the holder as people are told: `host-1/4711 (daemon) since ...`. One
// that could not be read is "another process".
func (h Holder) String() string {
	if h.Instance == "" {
		return "another process"
	}
	return fmt.Sprintf("%s (%s) since %s", h.Instance, h.Command, h.Since.UTC().Format(time.RFC3339))
}

// Held is a lease that is ours. Its methods may be called from several
// goroutines at once.
type Held interface {
	// Check is nil while the lease is surely ours, and wraps [ErrLost] from then
	// on for ever. It asks no network, so it can be asked before every write.
	Check() error
	// Lost is closed when the lease is no longer ours, by [Held.Release] too. It
	// may be a moment late: what must not happen afterwards asks Check.
	Lost() <-chan struct{}
	// Release gives the lease back; others can have it at once. Whatever it
	// protects must have ended. One that is lost or given back already needs no
	// more, and gives no error.
	Release(ctx context.Context) error
}

// Keeper gives out leases by name. Its methods may be called from several
// goroutines at once, and end within a deadline of their own or, where they wait
// for another process, with ctx. Their errors wrap [ErrUnavailable] when it is
// not known who has the lease.
type Keeper interface {
	// Try takes a lease that nobody has. One that somebody has is a [*BusyError],
	// also when that is this process.
	Try(ctx context.Context, name string) (Held, error)
	// Await ends when nobody seems to have the lease: somebody else may be quicker.
	Await(ctx context.Context, name string) error
	// Holder tells who has a lease, if anybody.
	Holder(ctx context.Context, name string) (Holder, bool, error)
	// Close gives back what is held.
	Close() error
}

var (
	// ErrLost: the lease is not, or may not be, ours any more.
	ErrLost = errors.New("lease lost")
	// ErrUnavailable: who has a lease can be neither told nor changed. It may heal
	// by itself, and asking again is right.
	ErrUnavailable = errors.New("leases are unavailable")
)

// BusyError says who has a lease that was asked for.
type BusyError struct {
	Name   string
	Holder Holder // zero when it cannot be told
}

func (e *BusyError) Error() string {
	return fmt.Sprintf("lease %q is held by %s", e.Name, e.Holder)
}

// Acquire waits until a lease is ours, or ctx ends. It waits for other holders,
// and not for a keeper that is unavailable: that is an error.
func Acquire(ctx context.Context, keeper Keeper, name string) (Held, error) {
	for {
		held, err := keeper.Try(ctx, name)
		var busy *BusyError
		if !errors.As(err, &busy) {
			return held, err
		}
		if err := keeper.Await(ctx, name); err != nil {
			return nil, err
		}
	}
}
