package repository

import (
	"errors"
	"io"
	"math"
)

// errDelta is a delta that does not fit its base, or itself.
var errDelta = errors.New("delta damaged")

// deltaSizes reads the two numbers a delta begins with, the size of its base
// and that of the object it makes, and returns what follows them.
func deltaSizes(delta []byte) (base, target int64, rest []byte) {
	base, delta = deltaNumber(delta)
	target, delta = deltaNumber(delta)
	return base, target, delta
}

// deltaNumber reads a number of seven bits a byte, the lowest first. One of
// more than eight bytes is larger than any limit, and so is one that is cut short.
func deltaNumber(delta []byte) (int64, []byte) {
	var number int64
	for shift := 0; ; shift += 7 {
		if len(delta) == 0 || shift > 7*7 {
			return math.MaxInt64, nil
		}
		b := delta[0]
		delta = delta[1:]
		number |= int64(b&0x7f) << shift
		if b < 0x80 {
			return number, delta
		}
	}
}

// maxDeltaHead is how many bytes the two sizes can take.
const maxDeltaHead = 2 * 8

// applyDelta makes an object from its base, in buffer if it fits. Whoever
// calls has held the size that the delta declares to a limit.
func applyDelta(buffer, base, delta []byte) ([]byte, error) {
	baseSize, size, delta := deltaSizes(delta)
	if baseSize != int64(len(base)) {
		return nil, errDelta
	}
	target := buffer[:0]
	if int64(cap(target)) < size {
		target = make([]byte, 0, size)
	}
	for len(delta) > 0 {
		op := delta[0]
		delta = delta[1:]
		var part []byte
		switch {
		case op >= 0x80: // a part of the base
			at, n, rest, ok := copyOf(op, delta)
			if !ok || at+n > len(base) {
				return nil, errDelta
			}
			part, delta = base[at:at+n], rest
		case op > 0: // so many bytes of the delta itself
			if len(delta) < int(op) {
				return nil, errDelta
			}
			part, delta = delta[:op], delta[op:]
		default:
			return nil, errDelta
		}
		if int64(len(target)+len(part)) > size {
			return nil, errDelta
		}
		target = append(target, part...)
	}
	if int64(len(target)) != size {
		return nil, io.ErrUnexpectedEOF
	}
	return target, nil
}

// copyOf decodes which part of the base is meant. The bits of op say which
// bytes of its place and length follow; the others are zero.
func copyOf(op byte, delta []byte) (at, n int, rest []byte, ok bool) {
	for bit := range 7 {
		if op&(1<<bit) == 0 {
			continue
		}
		if len(delta) == 0 {
			return 0, 0, nil, false
		}
		if bit < 4 {
			at |= int(delta[0]) << (8 * bit)
		} else {
			n |= int(delta[0]) << (8 * (bit - 4))
		}
		delta = delta[1:]
	}
	if n == 0 {
		n = 0x10000
	}
	return at, n, delta, true
}
