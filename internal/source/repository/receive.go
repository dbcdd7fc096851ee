package repository

import (
	"cmp"
	"context"
	"crypto/sha1"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"

	"github.com/go-git/go-git/v5/plumbing"
)

// receive takes in a pack that a server sends, and makes its index. The pack
// stays as it came, deflated: memory grows with what was sent, not with what it
// inflates to.
//
// It goes over the pack once, while it arrives, and then once more over what is
// sent as a delta. Sizes are held to the limits before anything is inflated:
// 300 KB on the wire can be 1.5 GB in memory.
//
// Names are found out with plain SHA-1, which is fast. It decides only under
// which name an object is found; whoever reads one hashes it again, and then
// collision attacks are detected as well.
//
// The deltas of a thin pack may also be of objects in others.
func receive(ctx context.Context, arriving io.Reader, limits Limits, others ...*pack) (*received, error) {
	content := &inMemory{}
	r := receiver{limits: limits, stream: newStream(ctx, arriving, content), hash: sha1.New()}
	checksum, err := r.scan()
	if err != nil {
		return nil, r.stream.explain(err)
	}
	p := newPack(index{}, content)
	p.largest, p.others, p.bases.recycles = limits.Object, others, true
	if err := r.resolve(ctx, p); err != nil {
		return nil, r.stream.explain(err)
	}
	p.bases = bases{}
	p.index = makeIndex(r.objects, checksum)
	p.find = p.index.find
	return &received{pack: p, content: content}, nil
}

// received is a pack in memory.
type received struct {
	*pack
	content *inMemory
}

type receiver struct {
	limits   Limits
	stream   *stream
	inflater inflater
	hash     hash.Hash
	scratch  [16 << 10]byte
	sizes    [maxDeltaHead]byte

	objects  []arrived // by offset
	inflated int64
}

// arrived is an object of a pack. There may be millions of them.
type arrived struct {
	located       // a delta that gives the name of its base has that name, until it is resolved
	base    int32 // of a delta: where its base is in receiver.objects, or byName
	depth   uint16
	kind    plumbing.ObjectType // a delta, until it is resolved
	isBase  bool                // a delta may be of it
}

const byName = -1

// believed is for how many objects memory is set aside because a pack says so.
const believed = 1 << 17

// scan reads the whole pack and names what is not a delta. It returns the
// pack's own checksum.
func (r *receiver) scan() (Hash, error) {
	var header [12]byte
	if _, err := io.ReadFull(r.stream, header[:]); err != nil {
		return Hash{}, err
	}
	if string(header[:8]) != "PACK\x00\x00\x00\x02" {
		return Hash{}, errors.New("not a pack of version 2")
	}
	count := binary.BigEndian.Uint32(header[8:])
	if count > maxObjects {
		return Hash{}, fmt.Errorf("%w: the server sends %d objects, more than %d", ErrLimit, count, maxObjects)
	}
	r.objects = make([]arrived, 0, min(count, believed))
	for range count {
		o, err := r.object()
		if err != nil {
			return Hash{}, err
		}
		r.objects = append(r.objects, o)
	}
	var want Hash
	got := r.stream.checksum()
	if _, err := io.ReadFull(r.stream, want[:]); err != nil {
		return Hash{}, err
	}
	if got != want {
		return Hash{}, errors.New("its checksum does not match")
	}
	if _, err := r.stream.ReadByte(); !errors.Is(err, io.EOF) {
		return Hash{}, errors.Join(errors.New("more than it says"), err)
	}
	return got, nil
}

// object reads the next object.
func (r *receiver) object() (arrived, error) {
	offset := r.stream.offset()
	r.stream.begin()
	h, err := readHead(r.stream)
	if err != nil {
		return arrived{}, err
	}
	if err := r.count(h.size); err != nil {
		return arrived{}, err
	}
	o := arrived{located: located{offset: offset, name: h.base}, kind: h.kind, base: byName}
	if h.kind == plumbing.OFSDeltaObject {
		if o.base = r.lies(offset - h.back); o.base < 0 {
			return arrived{}, errHead
		}
		r.objects[o.base].isBase = true
	}
	if h.isDelta() {
		err = r.delta(h)
	} else {
		o.name, err = r.whole(h)
	}
	o.crc = r.stream.crc32()
	return o, err
}

// lies returns which of the objects so far lies at offset, -1 if none does.
func (r *receiver) lies(offset int64) int32 {
	i, ok := slices.BinarySearchFunc(r.objects, offset, func(o arrived, offset int64) int { return cmp.Compare(o.offset, offset) })
	if !ok {
		return -1
	}
	return int32(i)
}

// count holds the size of an object to the limits.
func (r *receiver) count(size int64) error {
	if size > r.limits.Object {
		return fmt.Errorf("%w: the server sends an object of %d bytes, more than %d", ErrLimit, size, r.limits.Object)
	}
	if r.inflated += size; r.inflated > r.limits.Inflated {
		return fmt.Errorf("%w: the server's objects are more than %d bytes together", ErrLimit, r.limits.Inflated)
	}
	return nil
}

// whole inflates an object and returns its name.
func (r *receiver) whole(h objectHead) (Hash, error) {
	r.hash.Reset()
	r.hash.Write(objectHeader(r.scratch[:0], h.kind, h.size))
	err := r.inflate(h.size, func(part []byte) { r.hash.Write(part) })
	return Hash(r.hash.Sum(r.scratch[:0])), err
}

// objectHeader appends what is hashed before the content of an object.
func objectHeader(to []byte, kind plumbing.ObjectType, size int64) []byte {
	return fmt.Appendf(to, "%s %d\x00", kind, size)
}

// delta inflates a delta, to see where it ends and how large the object is that it makes.
func (r *receiver) delta(h objectHead) error {
	seen := 0
	err := r.inflate(h.size, func(part []byte) { seen += copy(r.sizes[seen:], part) })
	if err != nil {
		return err
	}
	_, target, _ := deltaSizes(r.sizes[:seen])
	if target > r.limits.Object {
		return r.count(target)
	}
	return r.count(max(0, target-h.size)) // h.size has been counted
}

// inflate calls visit with the content of an object of so many bytes, part by part.
func (r *receiver) inflate(size int64, visit func([]byte)) error {
	if err := r.inflater.open(r.stream); err != nil {
		return err
	}
	for size > 0 {
		n, err := r.inflater.flate.Read(r.scratch[:min(size, int64(len(r.scratch)))])
		visit(r.scratch[:n])
		if size -= int64(n); size > 0 && err != nil {
			return fmt.Errorf("an object is smaller than it says: %w", errors.Join(err, io.ErrUnexpectedEOF))
		}
	}
	return r.inflater.end()
}
