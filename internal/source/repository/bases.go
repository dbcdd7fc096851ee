package repository

import "github.com/go-git/go-git/v5/plumbing"

// bases remembers objects of a pack by their offset, since others are made
// from them: as many of the latest as fit into maxBases, and at least one.
// Bases and what is made from them lie close to each other in a pack, so that
// the oldest is the one to forget.
type bases struct {
	byOffset map[int64]int // to the place in queue, counted from the first there ever was
	queue    []base
	first    int // in queue: those before are forgotten
	gone     int // how many were cut off before queue
	size     int
	// recycles is set while nobody else holds on to what is remembered: then
	// the memory of what is forgotten serves again.
	recycles bool
	free     [][]byte
}

type base struct {
	offset  int64
	kind    plumbing.ObjectType
	content []byte
}

const (
	maxBases = 2 << 20
	maxFree  = 64
	// ofBase is what it takes to remember an object, beside its content.
	ofBase = 100
)

func (b *bases) get(offset int64) (plumbing.ObjectType, []byte, bool) {
	i, ok := b.byOffset[offset]
	if !ok {
		return 0, nil, false
	}
	found := b.queue[i-b.gone]
	return found.kind, found.content, true
}

// put remembers an object that is not remembered yet, and whose content nobody
// changes from here on.
func (b *bases) put(offset int64, kind plumbing.ObjectType, content []byte) {
	if b.byOffset == nil {
		b.byOffset, b.free = make(map[int64]int), make([][]byte, 0, maxFree)
	}
	b.byOffset[offset] = b.gone + len(b.queue)
	b.queue = append(b.queue, base{offset, kind, content})
	b.size += len(content) + ofBase
	for b.size > maxBases && b.first < len(b.queue)-1 {
		oldest := b.queue[b.first]
		delete(b.byOffset, oldest.offset)
		b.size -= len(oldest.content) + ofBase
		if b.recycles && cap(oldest.content) <= reused && len(b.free) < cap(b.free) {
			b.free = append(b.free, oldest.content[:0])
		}
		b.queue[b.first] = base{}
		b.first++
	}
	if b.first > len(b.queue)/2 {
		n := copy(b.queue, b.queue[b.first:])
		clear(b.queue[n:])
		b.queue, b.gone, b.first = b.queue[:n], b.gone+b.first, 0
	}
}

// buffer returns memory to use again, nil if there is none.
func (b *bases) buffer() []byte {
	if len(b.free) == 0 {
		return nil
	}
	last := len(b.free) - 1
	buffer := b.free[last]
	b.free = b.free[:last]
	return buffer
}
