package repository

import (
	"bytes"
	"crypto/sha1"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"
)

// index says where in a pack each object lies. It is the content of an .idx
// file of version 2, as git writes and reads it, whether it was read from one
// or made here:
//
//	ff 't' 'O' 'c'  0 0 0 2
//	256 × 4 bytes   how many names begin with this byte or a smaller one
//	n × 20 bytes    names, in order
//	n × 4 bytes     CRC-32 of each object as it lies in the pack
//	n × 4 bytes     offsets; with the highest bit set, places in the next table
//	m × 8 bytes     offsets from 2 GiB on
//	20 bytes        checksum of the pack
//	20 bytes        checksum of all this
type index struct {
	raw   []byte
	count int
}

const (
	indexMagic  = "\xfftOc\x00\x00\x00\x02"
	fanoutAt    = len(indexMagic)
	namesAt     = fanoutAt + 256*4
	hashSize    = len(Hash{})
	perObject   = hashSize + 4 + 4
	largeOffset = 1 << 31
)

// parseIndex takes the content of an .idx file as an index.
func parseIndex(raw []byte) (index, error) {
	if len(raw) < namesAt+2*hashSize || string(raw[:fanoutAt]) != indexMagic {
		return index{}, fmt.Errorf("%w: it is cut short, or not of version 2", ErrDamaged)
	}
	end := len(raw) - hashSize
	if sum := sha1.Sum(raw[:end]); !bytes.Equal(sum[:], raw[end:]) {
		return index{}, fmt.Errorf("%w: its checksum does not match", ErrDamaged)
	}
	x := index{raw: raw}
	last := 0
	for b := range 256 {
		upTo := x.upTo(b)
		if upTo < last {
			return index{}, fmt.Errorf("%w: its table of first bytes is out of order", ErrDamaged)
		}
		last = upTo
	}
	x.count = last
	if spare := len(raw) - namesAt - 2*hashSize - x.count*perObject; spare < 0 || spare%8 != 0 {
		return index{}, fmt.Errorf("%w: it has another length than %d objects make", ErrDamaged, x.count)
	}
	return x, nil
}

// upTo counts the names that begin with b or a smaller byte.
func (x index) upTo(b int) int { return int(binary.BigEndian.Uint32(x.raw[fanoutAt+4*b:])) }

// bucket returns where the names that begin with b are: from low on, before high.
func (x index) bucket(b byte) (low, high int) {
	if b > 0 {
		low = x.upTo(int(b) - 1)
	}
	return low, x.upTo(int(b))
}

func (x index) name(i int) []byte { return x.raw[namesAt+i*hashSize:][:hashSize] }

// packChecksum is the checksum of the pack that the index was made for.
func (x index) packChecksum() Hash { return Hash(x.raw[len(x.raw)-2*hashSize:][:hashSize]) }

// find returns the offset of the object h, errMissing when the pack does not have it.
func (x index) find(h Hash) (int64, error) {
	low, high := x.bucket(h[0])
	i := low + sort.Search(high-low, func(i int) bool { return bytes.Compare(x.name(low+i), h[:]) >= 0 })
	if i == high || Hash(x.name(i)) != h {
		return 0, errMissing
	}
	return x.offset(i)
}

func (x index) offset(i int) (int64, error) {
	table := x.raw[namesAt+x.count*(hashSize+4) : len(x.raw)-2*hashSize]
	offset := binary.BigEndian.Uint32(table[4*i:])
	if offset < largeOffset {
		return int64(offset), nil
	}
	at := 4*x.count + 8*int(offset-largeOffset)
	if at+8 > len(table) {
		return 0, fmt.Errorf("%w: index: an offset lies beyond its table", ErrDamaged)
	}
	return int64(binary.BigEndian.Uint64(table[at:]) & math.MaxInt64), nil
}

// addPrefixed adds the objects whose names begin with the hexadecimal prefix.
func (x index) addPrefixed(prefix string, to map[Hash]struct{}) {
	low, high := 0, x.count
	if first, err := hex.DecodeString(prefix[:min(2, len(prefix))]); err == nil && len(first) == 1 {
		low, high = x.bucket(first[0])
	}
	for i := low; i < high; i++ {
		if h := Hash(x.name(i)); strings.HasPrefix(h.String(), prefix) {
			to[h] = struct{}{}
		}
	}
}

// located is an object of a pack.
type located struct {
	offset int64
	name   Hash
	crc    uint32
}

// makeIndex makes the index of a pack, whose objects it sorts.
func makeIndex(objects []arrived, packChecksum Hash) index {
	slices.SortFunc(objects, func(a, b arrived) int { return bytes.Compare(a.name[:], b.name[:]) })
	raw := make([]byte, namesAt, namesAt+len(objects)*perObject+2*hashSize)
	copy(raw, indexMagic)
	for i, o := range objects {
		raw = append(raw, o.name[:]...)
		binary.BigEndian.PutUint32(raw[fanoutAt+4*int(o.name[0]):], uint32(i+1))
	}
	for b := 1; b < 256; b++ { // first bytes that no name has
		at := fanoutAt + 4*b
		if binary.BigEndian.Uint32(raw[at:]) == 0 {
			copy(raw[at:at+4], raw[at-4:at])
		}
	}
	for _, o := range objects {
		raw = binary.BigEndian.AppendUint32(raw, o.crc)
	}
	var large []byte
	for _, o := range objects {
		offset := uint32(o.offset)
		if o.offset >= largeOffset {
			offset = largeOffset + uint32(len(large)/8)
			large = binary.BigEndian.AppendUint64(large, uint64(o.offset))
		}
		raw = binary.BigEndian.AppendUint32(raw, offset)
	}
	raw = append(append(raw, large...), packChecksum[:]...)
	sum := sha1.Sum(raw)
	return index{raw: append(raw, sum[:]...), count: len(objects)}
}
