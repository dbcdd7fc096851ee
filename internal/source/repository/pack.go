package repository

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/go-git/go-billy/v5"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/cache"
	"github.com/go-git/go-git/v5/plumbing/format/idxfile"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"
)

// pack is an open pack with its index, in a file or in memory.
type pack struct {
	index  *idxfile.MemoryIndex
	reader *packfile.Packfile
}

// deltaCache bounds the objects a pack keeps to resolve others from.
const deltaCache = 16 * cache.MiByte

func newPack(name string, index *idxfile.MemoryIndex, content io.ReaderAt, size int64) *pack {
	file := packFile{SectionReader: io.NewSectionReader(content, 0, size), name: name}
	return &pack{index: index, reader: packfile.NewPackfileWithCache(index, nil, file, cache.NewObjectLRU(deltaCache), 0)}
}

// openPack opens a pack by the name of its index.
func openPack(index string) (*pack, io.Closer, error) {
	idx, err := readIndex(index)
	if err != nil {
		return nil, nil, err
	}
	f, err := os.Open(strings.TrimSuffix(index, ".idx") + ".pack")
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	size, err := checkTrailer(f, idx.PackfileChecksum)
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return newPack(f.Name(), idx, f, size), f, nil
}

func readIndex(file string) (*idxfile.MemoryIndex, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	idx := idxfile.NewMemoryIndex()
	if err := idxfile.NewDecoder(f).Decode(idx); err != nil {
		return nil, fmt.Errorf("%w: index: %w", ErrDamaged, err)
	}
	return idx, nil
}

// checkTrailer compares the checksum a pack ends in with the one its index
// was made for: the quick way to see that a pack was cut short or swapped. It
// does not read the pack; each object is checked when it is.
func checkTrailer(f *os.File, want Hash) (size int64, err error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	var got Hash
	if _, err := f.ReadAt(got[:], max(0, info.Size()-int64(len(got)))); err != nil {
		return 0, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	if got != want {
		return 0, fmt.Errorf("%w: it is cut short, or not the pack its index was made for", ErrDamaged)
	}
	return info.Size(), nil
}

// get returns an object as the pack has it, errMissing when it does not.
func (p *pack) get(h Hash, limit int64) (plumbing.ObjectType, []byte, error) {
	offset, err := p.index.FindOffset(h)
	if errors.Is(err, plumbing.ErrObjectNotFound) {
		return 0, nil, errMissing
	}
	if err != nil {
		return 0, nil, fmt.Errorf("%w: index: %w", ErrDamaged, err)
	}
	size, err := p.reader.GetSizeByOffset(offset)
	if err != nil {
		return 0, nil, unreadable(h, err)
	}
	if size > limit {
		return 0, nil, tooLarge(size, limit)
	}
	obj, err := p.reader.Get(h)
	if err != nil {
		return 0, nil, unreadable(h, err)
	}
	r, err := obj.Reader()
	if err != nil {
		return 0, nil, unreadable(h, err)
	}
	defer r.Close()
	content := make([]byte, obj.Size())
	if _, err := io.ReadFull(r, content); err != nil {
		return 0, nil, unreadable(h, err)
	}
	return obj.Type(), content, nil
}

// unreadable quotes what go-git says of an object. It does not wrap it: an
// "object not found" is about the base of a delta here, and must not pass for
// the object's own absence.
func unreadable(h Hash, err error) error {
	return fmt.Errorf("%w: object %s in a pack: %v", ErrDamaged, h, err)
}

// addPrefixed adds the objects of the pack whose names begin with prefix.
func (p *pack) addPrefixed(prefix string, to map[Hash]struct{}) error {
	entries, err := p.index.Entries()
	if err != nil {
		return err
	}
	defer entries.Close()
	for {
		e, err := entries.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%w: index: %w", ErrDamaged, err)
		}
		if strings.HasPrefix(e.Hash.String(), prefix) {
			to[e.Hash] = struct{}{}
		}
	}
}

// packFile is what go-git wants a pack to be: a billy.File, read-only.
type packFile struct {
	*io.SectionReader
	name string
}

func (f packFile) Name() string            { return f.name }
func (packFile) Close() error              { return nil }
func (packFile) Lock() error               { return nil }
func (packFile) Unlock() error             { return nil }
func (packFile) Truncate(int64) error      { return billy.ErrReadOnly }
func (packFile) Write([]byte) (int, error) { return 0, billy.ErrReadOnly }

var _ billy.File = packFile{}
