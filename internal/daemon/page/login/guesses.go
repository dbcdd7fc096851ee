package login

import (
	"net/netip"
	"sync"
	"time"
)

const (
	// burst is how many wrong logins in a row an address has.
	burst = 10
	// regain is how long it takes to get one of them back.
	regain = 6 * time.Second
	// maxAddresses bounds what is remembered.
	maxAddresses = 1024
)

// guesses counts wrong logins by address. Who has used up an address's guesses
// waits, even with the right login: otherwise guessing would go on.
type guesses struct {
	mutex sync.Mutex
	by    map[netip.Prefix]guess
}

// guess is how many wrong logins an address had left at a moment.
type guess struct {
	left float64
	at   time.Time
}

func newGuesses() *guesses { return &guesses{by: map[netip.Prefix]guess{}} }

// may reports whether another login may be tried.
func (g *guesses) may(remote string, now time.Time) bool {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	known, ok := g.by[network(remote)]
	return !ok || known.now(now) >= 1
}

// wrong takes one guess away.
func (g *guesses) wrong(remote string, now time.Time) {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	from := network(remote)
	known, ok := g.by[from]
	left := float64(burst)
	if ok {
		left = known.now(now)
	}
	if !ok && len(g.by) >= maxAddresses {
		g.forget(now)
	}
	g.by[from] = guess{left: left - 1, at: now}
}

// forget drops whoever has all guesses back, and at least the one who has most.
func (g *guesses) forget(now time.Time) {
	var most netip.Prefix
	best := -1.0
	for from, known := range g.by {
		left := known.now(now)
		if left > best {
			most, best = from, left
		}
		if left >= burst {
			delete(g.by, from)
		}
	}
	delete(g.by, most)
}

// now is what is left of the guesses. A clock that goes back gives nothing.
func (g guess) now(now time.Time) float64 {
	return min(g.left+max(now.Sub(g.at), 0).Seconds()/regain.Seconds(), burst)
}

// network is what counts as one address: an IPv6 host has a whole /64 to itself.
func network(remote string) netip.Prefix {
	from, err := netip.ParseAddrPort(remote)
	if err != nil {
		return netip.Prefix{}
	}
	address, bits := from.Addr().Unmap().WithZone(""), 32
	if address.Is6() {
		bits = 64
	}
	prefix, err := address.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return prefix
}
