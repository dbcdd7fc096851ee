package hook

import (
	"net/netip"
	"sync"
	"time"
)

const (
	patience  = 10              // attempts that may fail one after the other
	recovers  = 6 * time.Second // after which one more may fail
	neighbors = 1024            // networks that are told apart
)

// failures make guessing slow. Each network may fail ten times in a row and
// then once every six seconds; while it has to wait, it is not even asked for
// the secret. Behind a proxy all callers are one network: a guesser then keeps
// the others out, and the schedule has to do.
type failures struct {
	mutex sync.Mutex
	calm  map[netip.Prefix]time.Time // when everything will be forgiven
}

// wait is how long a network has to wait before it is listened to.
func (f *failures) wait(from netip.Prefix, now time.Time) time.Duration {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	calm, known := f.calm[f.place(from)]
	if !known {
		return 0
	}
	return calm.Add(-(patience - 1) * recovers).Sub(now)
}

func (f *failures) add(from netip.Prefix, now time.Time) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	if f.calm == nil {
		f.calm = map[netip.Prefix]time.Time{}
	}
	if len(f.calm) >= neighbors {
		for known, calm := range f.calm {
			if !calm.After(now) {
				delete(f.calm, known)
			}
		}
	}
	from = f.place(from)
	calm := f.calm[from]
	if calm.Before(now) {
		calm = now
	}
	f.calm[from] = calm.Add(recovers)
}

// place is where a network is kept: all of those for which there is no room are
// kept as one.
func (f *failures) place(from netip.Prefix) netip.Prefix {
	if _, known := f.calm[from]; !known && len(f.calm) >= neighbors {
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
