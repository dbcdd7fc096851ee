package repository

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
)

// pack is an open pack, in a file or in memory.
type pack struct {
	index    index
	find     func(Hash) (offset int64, err error) // errMissing when there is no such object
	largest  int64                                // bytes of an object, also of one that others are only made from
	window   window
	inflater inflater
	others   []*pack // in which to look for what deltas are of
	bases    bases
	chain    []link // of unwind
	spare    []byte // of glance
}

// maxBase bounds the objects that others of a repository on disk are made from.
const maxBase = 1 << 30

func newPack(x index, content io.ReaderAt) *pack {
	return &pack{index: x, find: x.find, largest: maxBase, window: window{from: content}}
}

// openPack opens a pack by the name of its index.
func openPack(name string) (*pack, io.Closer, error) {
	raw, err := os.ReadFile(name)
	if err != nil {
		return nil, nil, err
	}
	x, err := parseIndex(raw)
	if err != nil {
		return nil, nil, fmt.Errorf("index: %w", err)
	}
	f, err := os.Open(strings.TrimSuffix(name, ".idx") + ".pack")
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	info, err := f.Stat()
	if err == nil {
		err = checkTrailer(f, info.Size(), x.packChecksum())
	}
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return newPack(x, f), f, nil
}

// get returns an object as the pack has it, errMissing when it does not.
func (p *pack) get(h Hash, limit int64) (plumbing.ObjectType, []byte, error) {
	offset, err := p.find(h)
	if err != nil {
		return 0, nil, err
	}
	kind, content, err := p.at(offset, limit)
	switch {
	case err == nil, errors.Is(err, ErrLimit):
		return kind, content, err
	case errors.Is(err, errMissing): // the base of a delta; it must not pass for the object's own absence
		return 0, nil, fmt.Errorf("%w: object %s in a pack: what it is made from is not there", ErrDamaged, h)
	}
	return 0, nil, fmt.Errorf("%w: object %s in a pack: %w", ErrDamaged, h, err)
}

const (
	// maxChain bounds how many deltas an object is made by, as git does.
	maxChain = 4095
	// maxChained bounds the bytes of these deltas.
	maxChained = 256 << 20
)

// at returns the object that lies at offset. One of more than limit bytes is
// an ErrLimit.
func (p *pack) at(offset, limit int64) (plumbing.ObjectType, []byte, error) {
	kind, content, err := p.unwind(offset, limit)
	if err != nil {
		return 0, nil, err
	}
	content, err = p.wind(kind, content, 0)
	return kind, content, err
}

// glance is at for an object that no other is made from, and which is valid
// only until the next call.
func (p *pack) glance(offset, limit int64) (plumbing.ObjectType, []byte, error) {
	kind, content, err := p.unwind(offset, limit)
	if err != nil || len(p.chain) == 0 {
		return kind, content, err
	}
	if content, err = p.wind(kind, content, 1); err != nil {
		return 0, nil, err
	}
	content, err = applyDelta(p.spare[:0], content, p.chain[0].content)
	if cap(content) <= reused {
		p.spare = content
	}
	return kind, content, err
}

// reused is up to which size a buffer is kept for the next object.
const reused = 16 << 10

// wind applies the deltas of p.chain down to the one at last, and remembers
// all that is made.
func (p *pack) wind(kind plumbing.ObjectType, content []byte, last int) ([]byte, error) {
	for i := len(p.chain) - 1; i >= last; i-- {
		made, err := applyDelta(p.bases.buffer(), content, p.chain[i].content)
		if err != nil {
			return nil, err
		}
		content = made
		p.bases.put(p.chain[i].offset, kind, content)
	}
	return content, nil
}

// unwind leaves in p.chain the deltas that make the object at offset, the last
// to apply in front, and returns the object to begin with.
func (p *pack) unwind(offset, limit int64) (plumbing.ObjectType, []byte, error) {
	p.chain = p.chain[:0]
	var chained int64
	for bound := limit; ; bound = p.largest {
		if kind, content, ok := p.bases.get(offset); ok {
			if size := int64(len(content)); size > bound {
				return 0, nil, tooLarge(size, bound)
			}
			return kind, content, nil
		}
		var buffer []byte
		if n := len(p.chain); n < cap(p.chain) {
			buffer = p.chain[:n+1][n].content
		}
		l, err := p.link(offset, bound, buffer)
		if err != nil {
			return 0, nil, err
		}
		if !l.isDelta() {
			p.bases.put(offset, l.kind, l.content)
			return l.kind, l.content, nil
		}
		p.chain = append(p.chain, l) // whose buffer, if it is small, serves again
		if chained += l.size; chained > maxChained || len(p.chain) > maxChain {
			return 0, nil, fmt.Errorf("%w: an object made by too many deltas", ErrLimit)
		}
		if l.baseAt == outside {
			return p.fromOthers(l.base)
		}
		offset = l.baseAt
	}
}

// elsewhere reports whether another pack has an object.
func (p *pack) elsewhere(h Hash) bool {
	return slices.ContainsFunc(p.others, func(o *pack) bool {
		_, err := o.find(h)
		return err == nil
	})
}

func (p *pack) fromOthers(h Hash) (plumbing.ObjectType, []byte, error) {
	for _, o := range p.others {
		if kind, content, err := o.get(h, p.largest); !errors.Is(err, errMissing) {
			return kind, content, err
		}
	}
	return 0, nil, errMissing
}

// outside is where the base of a delta lies that is in another pack.
const outside = -1

// link is what lies at one place of a pack: an object, or a delta and where its base is.
type link struct {
	objectHead
	offset  int64
	baseAt  int64 // of a delta: where its base lies, or outside
	content []byte
}

func (h objectHead) isDelta() bool {
	return h.kind == plumbing.OFSDeltaObject || h.kind == plumbing.REFDeltaObject
}

// link reads what lies at offset. If it, or what the delta makes, is of more
// than limit bytes, it is an ErrLimit and not inflated. A delta goes into buffer if it fits.
func (p *pack) link(offset, limit int64, buffer []byte) (link, error) {
	p.window.seek(offset)
	h, err := readHead(&p.window)
	if err != nil {
		return link{}, err
	}
	l := link{objectHead: h, offset: offset, baseAt: offset - h.back}
	bound := limit
	if h.isDelta() {
		bound = p.largest
	} else {
		buffer = p.bases.buffer()
	}
	if h.size > bound {
		return link{}, tooLarge(h.size, bound)
	}
	if l.content, err = p.inflater.all(&p.window, h.size, buffer); err != nil {
		return link{}, err
	}
	switch {
	case h.kind == plumbing.REFDeltaObject:
		if l.baseAt, err = p.find(h.base); errors.Is(err, errMissing) && len(p.others) > 0 {
			l.baseAt, err = outside, nil
		}
		if err != nil {
			return link{}, err
		}
	case l.baseAt < 0:
		return link{}, errHead
	}
	if h.isDelta() {
		if _, size, _ := deltaSizes(l.content); size > limit {
			return link{}, tooLarge(size, limit)
		}
	}
	return l, nil
}
