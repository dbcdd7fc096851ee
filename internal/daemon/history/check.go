package history

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"math"
)

// bbolt believes what is in a page: an address out of the file ends in a fault,
// a circle in a stack without end, and some of that on goroutines of its own,
// where nobody can recover. So the pages that can be reached are looked over
// before it sees them, as the file's format says (version 2, of 2014):
//
//	page     id u64, flags u16, count u16, overflow u32, then count elements
//	meta     magic u32, version u32, page size u32, flags u32, root u64, sequence u64, free list u64, pages u64, transaction u64, FNV-1a u64
//	branch   pos u32, key size u32, page u64
//	leaf     flags u32, pos u32, key size u32, value size u32; with flag 1 the value is a bucket:
//	bucket   root u64, sequence u64; with root 0 a page follows in its place
const (
	pageHeader, elementSize, bucketHeader = 16, 16, 16

	branchPage, leafPage, metaPage, freePage = 1, 2, 4, 16

	magic, version = 0xED0CDAED, 2

	noFreeList = math.MaxUint64
	maxKey     = 32768
)

// checker walks through the pages of a file.
type checker struct {
	file     io.ReaderAt
	pageSize int64
	pages    uint64 // beyond the last one
	seen     map[uint64]bool
}

// meta is where one state of the file begins.
type meta struct {
	pageSize                           uint32
	root, freeList, pages, transaction uint64
}

// check returns ErrDamaged for a file that bbolt could not use. One without
// any byte is new.
func check(file io.ReaderAt, size int64) error {
	if size == 0 {
		return nil
	}
	first, err := newest(file)
	if err != nil {
		return err
	}
	c := checker{file: file, pageSize: int64(first.pageSize), pages: first.pages, seen: map[uint64]bool{0: true, 1: true}}
	if first.pages > uint64(size/c.pageSize) {
		return damage("%d pages in %d bytes", first.pages, size)
	}
	if err := c.tree(first.root, nil, nil); err != nil {
		return err
	}
	if first.freeList == noFreeList {
		return nil
	}
	return c.free(first.freeList)
}

func damage(format string, values ...any) error {
	return fmt.Errorf("%w: %s", ErrDamaged, fmt.Sprintf(format, values...))
}

// newest is the valid meta page of the latest transaction.
func newest(file io.ReaderAt) (meta, error) {
	first, valid := readMeta(file, 0)
	for i := 0; i <= 14; i++ { // the second one is a page further, whatever the size of a page
		at := int64(1024) << i
		if second, is := readMeta(file, at); is && int64(second.pageSize) == at && (!valid || second.transaction > first.transaction) {
			first, valid = second, true
		}
	}
	if !valid {
		return meta{}, damage("no valid beginning")
	}
	return first, nil
}

func readMeta(file io.ReaderAt, at int64) (meta, bool) {
	page := make([]byte, pageHeader+64)
	if _, err := file.ReadAt(page, at); err != nil {
		return meta{}, false
	}
	b := page[pageHeader:]
	sum := fnv.New64a()
	sum.Write(b[:56])
	if binary.LittleEndian.Uint32(b) != magic || binary.LittleEndian.Uint32(b[4:]) != version || binary.LittleEndian.Uint64(b[56:]) != sum.Sum64() ||
		binary.LittleEndian.Uint16(page[8:]) != metaPage {
		return meta{}, false
	}
	m := meta{
		pageSize: binary.LittleEndian.Uint32(b[8:]), root: binary.LittleEndian.Uint64(b[16:]), freeList: binary.LittleEndian.Uint64(b[32:]),
		pages: binary.LittleEndian.Uint64(b[40:]), transaction: binary.LittleEndian.Uint64(b[48:]),
	}
	return m, m.pageSize >= 1024 && m.pageSize <= 1024<<14 && m.pageSize&(m.pageSize-1) == 0
}

// page reads a page with its overflow, once.
func (c *checker) page(id uint64) ([]byte, error) {
	header := make([]byte, pageHeader)
	if id >= c.pages {
		return nil, damage("page %d of %d", id, c.pages)
	}
	if _, err := c.file.ReadAt(header, int64(id)*c.pageSize); err != nil {
		return nil, unread(id, err)
	}
	more := uint64(binary.LittleEndian.Uint32(header[12:]))
	if binary.LittleEndian.Uint64(header) != id || more >= c.pages-id {
		return nil, damage("page %d has the header of another", id)
	}
	for i := id; i <= id+more; i++ {
		if c.seen[i] {
			return nil, damage("page %d is used twice", i)
		}
		c.seen[i] = true
	}
	page := make([]byte, int64(more+1)*c.pageSize)
	if _, err := c.file.ReadAt(page, int64(id)*c.pageSize); err != nil {
		return nil, unread(id, err)
	}
	return page, nil
}

func unread(id uint64, err error) error {
	if errors.Is(err, io.EOF) {
		return damage("the file ends before page %d", id)
	}
	return fmt.Errorf("%w: page %d: %w", ErrDamaged, id, err)
}

// tree walks through a page and all below it, whose keys are at least low and
// less than high; nil bounds nothing.
func (c *checker) tree(id uint64, low, high []byte) error {
	page, err := c.page(id)
	if err != nil {
		return err
	}
	switch kind := binary.LittleEndian.Uint16(page[8:]); kind {
	case leafPage:
		return c.leaf(id, page, low, high)
	case branchPage:
		return c.branch(id, page, low, high)
	default:
		return damage("page %d is of kind %d", id, kind)
	}
}

func (c *checker) branch(id uint64, page, low, high []byte) error {
	count := int(binary.LittleEndian.Uint16(page[10:]))
	if count == 0 || pageHeader+count*elementSize > len(page) {
		return damage("page %d has %d branches", id, count)
	}
	var keys [][]byte
	for i := range count {
		at := pageHeader + i*elementSize
		key, _, err := c.within(id, page, at, binary.LittleEndian.Uint32(page[at:]), binary.LittleEndian.Uint32(page[at+4:]), 0)
		if err != nil {
			return err
		}
		keys = append(keys, key)
	}
	for i, key := range keys {
		from, to := key, high
		if i+1 < count {
			to = keys[i+1]
		}
		if i == 0 {
			from = low // what is less than the first key is looked for there as well
		}
		if outside(key, from, to) {
			return damage("page %d is out of order", id)
		}
		at := pageHeader + i*elementSize
		if err := c.tree(binary.LittleEndian.Uint64(page[at+8:]), from, to); err != nil {
			return err
		}
	}
	return nil
}

func (c *checker) leaf(id uint64, page, low, high []byte) error {
	count := int(binary.LittleEndian.Uint16(page[10:]))
	if pageHeader+count*elementSize > len(page) {
		return damage("page %d has %d leaves", id, count)
	}
	for i := range count {
		at := pageHeader + i*elementSize
		key, value, err := c.within(id, page, at, binary.LittleEndian.Uint32(page[at+4:]), binary.LittleEndian.Uint32(page[at+8:]), binary.LittleEndian.Uint32(page[at+12:]))
		if err != nil {
			return err
		}
		if outside(key, low, high) || i > 0 && bytes.Equal(key, low) {
			return damage("page %d is out of order", id)
		}
		low = key
		switch flags := binary.LittleEndian.Uint32(page[at:]); flags {
		case 0:
		case 1:
			if err := c.bucket(id, value); err != nil {
				return err
			}
		default:
			return damage("page %d has a leaf of kind %d", id, flags)
		}
	}
	return nil
}

func outside(key, low, high []byte) bool {
	return low != nil && bytes.Compare(key, low) < 0 || high != nil && bytes.Compare(key, high) >= 0
}

// within cuts a key and its value out of a page.
func (c *checker) within(id uint64, page []byte, at int, position, keySize, valueSize uint32) (key, value []byte, err error) {
	from := int64(at) + int64(position)
	to := from + int64(keySize) + int64(valueSize)
	if keySize == 0 || keySize > maxKey || position < elementSize || to > int64(len(page)) {
		return nil, nil, damage("page %d has a key of %d bytes at %d", id, keySize, from)
	}
	middle := from + int64(keySize)
	return page[from:middle], page[middle:to], nil
}

// bucket walks through a bucket within another one.
func (c *checker) bucket(id uint64, value []byte) error {
	if len(value) < bucketHeader {
		return damage("page %d has a bucket of %d bytes", id, len(value))
	}
	if root := binary.LittleEndian.Uint64(value); root != 0 {
		return c.tree(root, nil, nil)
	}
	inline := value[bucketHeader:]
	if len(inline) < pageHeader || binary.LittleEndian.Uint64(inline) != 0 || binary.LittleEndian.Uint16(inline[8:]) != leafPage {
		return damage("page %d has a bucket without a page", id)
	}
	return c.leaf(id, inline, nil, nil)
}

// free looks at the list of pages that nothing uses.
func (c *checker) free(id uint64) error {
	page, err := c.page(id)
	if err != nil {
		return err
	}
	count, at := uint64(binary.LittleEndian.Uint16(page[10:])), pageHeader
	if count == math.MaxUint16 {
		count, at = binary.LittleEndian.Uint64(page[at:]), at+8
	}
	if binary.LittleEndian.Uint16(page[8:]) != freePage || count > uint64(len(page)-at)/8 {
		return damage("page %d is no list of %d free pages", id, count)
	}
	for i := range count {
		unused := binary.LittleEndian.Uint64(page[at+int(i)*8:])
		if unused >= c.pages || c.seen[unused] {
			return damage("page %d is used and free", unused)
		}
		c.seen[unused] = true
	}
	return nil
}
