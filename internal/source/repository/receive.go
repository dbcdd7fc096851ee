package repository

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math"

	"github.com/go-git/go-git/v5/plumbing/format/idxfile"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"
)

// indexPack makes a pack that came over the wire readable. The pack stays as it
// came, deflated: memory grows with what was sent, not with what it inflates to.
//
// go-git inflates objects without a limit while it builds an index (300 KB on
// the wire can be 1.5 GB in memory), so the sizes all objects declare are
// checked first; go-git holds an object to the size it declares.
func indexPack(ctx context.Context, content []byte, limits Limits) (*pack, error) {
	if err := checkSizes(ctx, content, limits); err != nil {
		return nil, err
	}
	var index idxfile.Writer
	parser, err := packfile.NewParser(packfile.NewScanner(reader(ctx, content)), &index)
	if err != nil {
		return nil, err
	}
	if _, err := parser.Parse(); err != nil {
		return nil, damagedPack(ctx, err)
	}
	built, err := index.Index()
	if err != nil {
		return nil, damagedPack(ctx, err)
	}
	return newPack("fetched", built, bytes.NewReader(content), int64(len(content))), nil
}

// checkSizes reads a pack through and refuses one whose objects are too many or too large.
func checkSizes(ctx context.Context, content []byte, limits Limits) error {
	scanner := packfile.NewScanner(reader(ctx, content))
	_, count, err := scanner.Header()
	if err != nil {
		return damagedPack(ctx, err)
	}
	if count > maxObjects {
		return fmt.Errorf("%w: the server sends %d objects, more than %d", ErrLimit, count, maxObjects)
	}
	var total int64
	for range count {
		size, err := largest(scanner, limits.Object)
		if err != nil {
			return damagedPack(ctx, err)
		}
		if size > limits.Object {
			return fmt.Errorf("%w: the server sends an object of %d bytes, more than %d", ErrLimit, size, limits.Object)
		}
		if total += size; total > limits.Inflated {
			return fmt.Errorf("%w: the server's objects are more than %d bytes together", ErrLimit, limits.Inflated)
		}
	}
	if _, err := scanner.Checksum(); err != nil {
		return damagedPack(ctx, err)
	}
	return nil
}

// largest returns the size of the next object: for a delta its own or that of
// what it makes, whichever is larger. One above limit is not inflated.
func largest(scanner *packfile.Scanner, limit int64) (int64, error) {
	header, err := scanner.NextObjectHeader()
	if err != nil {
		return 0, err
	}
	if header.Length > limit || !header.Type.IsDelta() {
		return header.Length, nil
	}
	var delta bytes.Buffer
	if _, _, err := scanner.NextObject(&delta); err != nil {
		return 0, err
	}
	return max(header.Length, deltaTarget(delta.Bytes())), nil
}

// deltaTarget reads how large the object is that a delta makes: the second of
// the two numbers it begins with, seven bits a byte, the lowest first. A number
// of more than eight bytes is larger than any limit.
func deltaTarget(delta []byte) int64 {
	var number int64
	for range 2 {
		number = 0
		for shift := 0; ; shift += 7 {
			if len(delta) == 0 || shift > 7*7 {
				return math.MaxInt64
			}
			b := delta[0]
			delta = delta[1:]
			number |= int64(b&0x7f) << shift
			if b < 0x80 {
				break
			}
		}
	}
	return number
}

// damagedPack wraps what go-git says of a pack, unless it only gave up because
// the time was over.
func damagedPack(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return fmt.Errorf("%w: the pack the server sent: %w", ErrDamaged, Trimmed(err))
}

// reader reads content until ctx is done.
func reader(ctx context.Context, content []byte) io.ReadSeeker {
	return &cancelled{Reader: bytes.NewReader(content), ctx: ctx}
}

type cancelled struct {
	*bytes.Reader
	ctx context.Context
}

func (c *cancelled) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.Reader.Read(p)
}
