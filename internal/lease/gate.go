package lease

import (
	"errors"
	"sync"
)

// ErrClosed says that nobody has opened the gate: there is no lease at all.
var ErrClosed = errors.New("no lease for writing is held")

// Gate is the fence of a client that outlives its leases: it lets writes through
// while it is open, and under a lease as long as that is held. The zero value is
// shut.
type Gate struct {
	mutex sync.Mutex
	open  bool
	held  Held
}

// Open lets writes through while held does; nil lets all through, where nobody
// else can write.
func (g *Gate) Open(held Held) {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	g.open, g.held = true, held
}

// Shut lets no write through any more.
func (g *Gate) Shut() {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	g.open, g.held = false, nil
}

// Check is that of the lease.
func (g *Gate) Check() error {
	g.mutex.Lock()
	open, held := g.open, g.held
	g.mutex.Unlock()
	switch {
	case !open:
		return ErrClosed
	case held != nil:
		return held.Check()
	}
	return nil
}

// Lost is that of the lease there is at the moment.
func (g *Gate) Lost() <-chan struct{} {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	if g.held == nil {
		return nil
	}
	return g.held.Lost()
}
