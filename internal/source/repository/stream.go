package repository

import (
	"context"
	"crypto/sha1"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
)

// stream reads a pack as it arrives, once and from front to end. It hands what
// arrives to keep, and sums up what was read.
type stream struct {
	ctx  context.Context
	from io.Reader
	keep io.Writer

	buffer []byte
	next   int   // in the buffer
	start  int64 // where the buffer begins in the pack
	failed error // of from or keep: not the pack's fault

	sum    hash.Hash // of what was read, up to summed in the buffer
	summed int
	crc    uint32 // of the object since begin, up to crced in the buffer
	crced  int
}

const streamSize = 32 << 10

func newStream(ctx context.Context, from io.Reader, keep io.Writer) *stream {
	return &stream{ctx: ctx, from: from, keep: keep, buffer: make([]byte, 0, streamSize), sum: sha1.New()}
}

func (s *stream) offset() int64 { return s.start + int64(s.next) }

// begin starts the checksum of an object.
func (s *stream) begin() { s.crc, s.crced = 0, s.next }

// crc32 is the checksum of all since begin.
func (s *stream) crc32() uint32 {
	s.crc, s.crced = crc32.Update(s.crc, crc32.IEEETable, s.buffer[s.crced:s.next]), s.next
	return s.crc
}

// checksum is the SHA-1 of all so far.
func (s *stream) checksum() Hash {
	s.sum.Write(s.buffer[s.summed:s.next])
	s.summed = s.next
	return Hash(s.sum.Sum(nil))
}

func (s *stream) fill() error {
	if s.next < len(s.buffer) {
		return nil
	}
	s.crc32()
	s.sum.Write(s.buffer[s.summed:s.next])
	s.start += int64(len(s.buffer))
	s.buffer, s.next, s.summed, s.crced = s.buffer[:0], 0, 0, 0
	if err := s.ctx.Err(); err != nil {
		s.failed = err
		return err
	}
	n, err := s.from.Read(s.buffer[:streamSize])
	if err != nil && !errors.Is(err, io.EOF) {
		s.failed = err
	}
	s.buffer = s.buffer[:n]
	if n == 0 {
		return err
	}
	if _, err := s.keep.Write(s.buffer); err != nil {
		s.failed = err
		return err
	}
	return nil
}

// ReadByte implements io.ByteReader.
func (s *stream) ReadByte() (byte, error) {
	if s.next == len(s.buffer) {
		if err := s.fill(); err != nil {
			return 0, err
		}
	}
	b := s.buffer[s.next]
	s.next++
	return b, nil
}

// Read implements io.Reader.
func (s *stream) Read(p []byte) (int, error) {
	if err := s.fill(); err != nil {
		return 0, err
	}
	n := copy(p, s.buffer[s.next:])
	s.next += n
	return n, nil
}

// explain says whose fault an error is that came up while the stream was read.
func (s *stream) explain(err error) error {
	switch {
	case s.failed != nil:
		return s.failed
	case errors.Is(err, ErrLimit):
		return err
	}
	return fmt.Errorf("%w: the pack the server sent: %w", ErrDamaged, err)
}

// inMemory is what was kept of a stream, in pieces: it is never moved while it grows.
type inMemory struct {
	pieces [][]byte
	size   int64
}

const pieceSize = 64 << 10

// Write implements io.Writer.
func (m *inMemory) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		if m.size%pieceSize == 0 {
			m.pieces = append(m.pieces, make([]byte, 0, pieceSize))
		}
		last := &m.pieces[len(m.pieces)-1]
		n := min(len(rest), pieceSize-len(*last))
		*last, rest = append(*last, rest[:n]...), rest[n:]
		m.size += int64(n)
	}
	return len(p), nil
}

// ReadAt implements io.ReaderAt.
func (m *inMemory) ReadAt(p []byte, offset int64) (int, error) {
	read := 0
	for read < len(p) && offset < m.size {
		n := copy(p[read:], m.pieces[offset/pieceSize][offset%pieceSize:])
		read, offset = read+n, offset+int64(n)
	}
	if read < len(p) {
		return read, io.EOF
	}
	return read, nil
}

// WriteTo implements io.WriterTo.
func (m *inMemory) WriteTo(w io.Writer) (int64, error) {
	var written int64
	for _, piece := range m.pieces {
		n, err := w.Write(piece)
		if written += int64(n); err != nil {
			return written, err
		}
	}
	return written, nil
}
