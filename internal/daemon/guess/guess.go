// Package guess makes guessing a secret slow, whoever is guessed at: the login of
// the page, the secret of a hook. It counts failed attempts by network, in
// bounded memory, and knows nothing of what was tried. It never logs, and reads
// no clock.
package guess

import (
	"net/netip"
	"sync"
	"time"
)

// The limits of guessing.
const (
	Burst  = 10              // attempts that may fail one after the other
	Regain = 6 * time.Second // after which one more may fail

	networks = 1024 // that are told apart
)

// Failures are the failed attempts. Each network may fail Burst times in a row
// and then once in each Regain; while it has to wait, it is not even asked for
// the secret: otherwise guessing would go on. Behind a proxy all callers are one
// network, and a guesser keeps the others out. The zero value is ready; its
// methods may be called from several goroutines.
type Failures struct {
	mutex sync.Mutex
	calm  map[netip.Prefix]time.Time // when everything will be forgiven
}

// Wait is how long the network of an address with its port has to wait before it
// is listened to; 0 or less when it need not.
func (f *Failures) Wait(remote string, now time.Time) time.Duration {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	calm, known := f.calm[f.place(network(remote))]
	if !known {
		return 0
	}
	return calm.Add(-(Burst - 1) * Regain).Sub(now)
}

// Add counts a failed attempt.
func (f *Failures) Add(remote string, now time.Time) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	if f.calm == nil {
		f.calm = map[netip.Prefix]time.Time{}
	}
	if len(f.calm) >= networks {
		for known, calm := range f.calm {
			if !calm.After(now) {
				delete(f.calm, known)
			}
		}
	}
	from := f.place(network(remote))
	calm := f.calm[from]
	if calm.Before(now) {
		calm = now
	}
	f.calm[from] = calm.Add(Regain)
}

// place is where a network is kept: all of those for which there is no room are
// kept as one.
func (f *Failures) place(from netip.Prefix) netip.Prefix {
	if _, known := f.calm[from]; !known && len(f.calm) >= networks {
		return netip.Prefix{}
	}
	return from
}

// network is who is held to be one caller: an address or, of IPv6, the 64 bits
// that a customer gets. What is no address is one network, too.
func network(remote string) netip.Prefix {
	from, err := netip.ParseAddrPort(remote)
	if err != nil {
		return netip.Prefix{}
	}
	address := from.Addr().Unmap().WithZone("")
	bits := address.BitLen()
	if address.Is6() {
		bits = 64
	}
	prefix, err := address.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return prefix
}
