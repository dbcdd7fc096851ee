package repository

import (
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"io"

	"github.com/go-git/go-git/v5/plumbing"
)

// objectHead is what a pack says of an object before its deflated content.
type objectHead struct {
	kind plumbing.ObjectType
	size int64 // inflated; of a delta, its own
	back int64 // of a delta: how far before it its base lies, 0 if the base is named
	base Hash  // of a delta: the name of its base, if it is named
}

var errHead = errors.New("object header damaged")

// readHead reads the head of an object: its kind and size, four bits of it and
// then seven a byte, and what a delta says of its base.
func readHead(r flate.Reader) (objectHead, error) {
	b, err := r.ReadByte()
	if err != nil {
		return objectHead{}, err
	}
	h := objectHead{kind: plumbing.ObjectType(b >> 4 & 7), size: int64(b & 15)}
	for shift := 4; b >= 0x80; shift += 7 {
		if b, err = r.ReadByte(); err != nil {
			return objectHead{}, err
		}
		if shift > 63-7 {
			return objectHead{}, errHead
		}
		h.size |= int64(b&0x7f) << shift
	}
	switch h.kind {
	case plumbing.CommitObject, plumbing.TreeObject, plumbing.BlobObject, plumbing.TagObject:
		return h, nil
	case plumbing.OFSDeltaObject:
		h.back, err = readBack(r)
		return h, err
	case plumbing.REFDeltaObject:
		h.base, err = readName(r)
		return h, err
	}
	return objectHead{}, errHead
}

func readName(r io.Reader) (name Hash, err error) {
	_, err = io.ReadFull(r, name[:])
	return name, err
}

// readBack reads a distance of seven bits a byte, the highest first, where
// each further byte also adds one: no distance can be written in two ways.
func readBack(r io.ByteReader) (int64, error) {
	var back int64
	for {
		b, err := r.ReadByte()
		if err != nil {
			return 0, err
		}
		if back = back<<7 | int64(b&0x7f); b < 0x80 {
			break
		}
		if back++; back >= 1<<55 {
			return 0, errHead
		}
	}
	if back == 0 {
		return 0, errHead
	}
	return back, nil
}

// inflater inflates one object after the other. It reads not a byte more than
// the object has.
//
// It is compress/zlib without the checksum, which costs memory for each object,
// and which the hash of the object makes superfluous.
type inflater struct {
	flate io.ReadCloser
	from  flate.Reader
	more  [1]byte
}

var errZlib = errors.New("not deflated")

func (f *inflater) open(r flate.Reader) error {
	method, err := r.ReadByte()
	if err != nil {
		return err
	}
	flags, err := r.ReadByte()
	if err != nil {
		return err
	}
	const deflate, dictionary = 8, 0x20
	if method&15 != deflate || flags&dictionary != 0 || (int(method)<<8|int(flags))%31 != 0 {
		return errZlib
	}
	f.from = r
	if f.flate == nil {
		f.flate = flate.NewReader(r)
		return nil
	}
	return f.flate.(flate.Resetter).Reset(r, nil)
}

// all inflates an object of so many bytes, no more and no less, into buffer if
// that is small and has room.
func (f *inflater) all(r flate.Reader, size int64, buffer []byte) ([]byte, error) {
	if err := f.open(r); err != nil {
		return nil, err
	}
	content, err := readSize(f.flate, size, buffer)
	if err != nil {
		return nil, err
	}
	return content, f.end()
}

// end reads up to the end of an object whose content has been read.
func (f *inflater) end() error {
	switch n, err := f.flate.Read(f.more[:]); {
	case n > 0:
		return errors.New("an object is larger than it says")
	case !errors.Is(err, io.EOF):
		return err
	}
	for range 4 { // the checksum
		if _, err := f.from.ReadByte(); err != nil {
			return err
		}
	}
	return nil
}

// trusted is up to which size memory is set aside because of what a header says.
const trusted = 1 << 20

func readSize(r io.Reader, size int64, buffer []byte) ([]byte, error) {
	if size <= int64(min(cap(buffer), reused)) {
		content := buffer[:size]
		_, err := io.ReadFull(r, content)
		return content, err
	}
	if size <= trusted {
		content := make([]byte, size)
		_, err := io.ReadFull(r, content)
		return content, err
	}
	var content bytes.Buffer
	if n, err := content.ReadFrom(io.LimitReader(r, size)); err != nil || n < size {
		return nil, fmt.Errorf("an object is smaller than it says: %w", errors.Join(err, io.ErrUnexpectedEOF))
	}
	return content.Bytes(), nil
}

// window reads from any place of a pack, in steps small enough for one object.
type window struct {
	from   io.ReaderAt
	start  int64 // where the buffer begins
	buffer []byte
	next   int // in the buffer
}

const windowSize = 4 << 10

// seek moves the window. What is in it already is not read again.
func (w *window) seek(offset int64) {
	if at := offset - w.start; at >= 0 && at <= int64(len(w.buffer)) {
		w.next = int(at)
		return
	}
	w.start, w.buffer, w.next = offset, w.buffer[:0], 0
}

func (w *window) fill() error {
	if w.next < len(w.buffer) {
		return nil
	}
	if w.buffer == nil {
		w.buffer = make([]byte, 0, windowSize)
	}
	w.start += int64(len(w.buffer))
	n, err := w.from.ReadAt(w.buffer[:windowSize], w.start)
	w.buffer, w.next = w.buffer[:n], 0
	if n > 0 {
		return nil
	}
	return err
}

// ReadByte implements io.ByteReader.
func (w *window) ReadByte() (byte, error) {
	if w.next == len(w.buffer) {
		if err := w.fill(); err != nil {
			return 0, err
		}
	}
	b := w.buffer[w.next]
	w.next++
	return b, nil
}

// Read implements io.Reader.
func (w *window) Read(p []byte) (int, error) {
	if err := w.fill(); err != nil {
		return 0, err
	}
	n := copy(p, w.buffer[w.next:])
	w.next += n
	return n, nil
}
