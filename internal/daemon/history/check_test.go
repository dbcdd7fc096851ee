package history

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"testing"
)

// everyPage applies change to the pages of a kind, with their first element.
func everyPage(text []byte, kind uint16, change func(id uint64, page, element []byte)) []byte {
	changed := slices.Clone(text)
	for id := uint64(2); int(id+1)*4096 <= len(changed); id++ {
		page := changed[id*4096:]
		if binary.LittleEndian.Uint64(page) == id && binary.LittleEndian.Uint16(page[8:]) == kind && binary.LittleEndian.Uint16(page[10:]) > 0 {
			change(id, page, page[pageHeader:])
		}
	}
	return changed
}

// TestWhatIsFoundInPages breaks what bbolt would follow without end, or out of
// the file.
func TestWhatIsFoundInPages(t *testing.T) {
	text := whole(t)
	if err := check(bytes.NewReader(text), int64(len(text))); err != nil {
		t.Fatalf("a file that is whole: %v", err)
	}
	now, err := newest(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	little := binary.LittleEndian
	for name, row := range map[string]struct {
		text []byte
		want string
	}{
		"a circle": {
			everyPage(text, branchPage, func(id uint64, _, element []byte) { little.PutUint64(element[8:], id) }), "is used twice",
		},
		"a page out of the file": {
			everyPage(text, branchPage, func(_ uint64, _, element []byte) { little.PutUint64(element[8:], 1<<40) }), "page 1099511627776 of",
		},
		"a branch without a page": {
			everyPage(text, branchPage, func(_ uint64, page, _ []byte) { little.PutUint16(page[10:], 0) }), "has 0 branches",
		},
		"more than a page holds": {
			everyPage(text, leafPage, func(_ uint64, page, _ []byte) { little.PutUint16(page[10:], 65535) }), "has 65535 leaves",
		},
		"a key out of the page": {
			everyPage(text, leafPage, func(_ uint64, _, element []byte) { little.PutUint32(element[4:], 1<<30) }), "has a key of",
		},
		"a key without a byte": {
			everyPage(text, leafPage, func(_ uint64, _, element []byte) { little.PutUint32(element[8:], 0) }), "has a key of 0 bytes",
		},
		"keys out of order": {
			everyPage(text, leafPage, func(_ uint64, _, element []byte) { element[little.Uint32(element[4:])] = 255 }), "out of order",
		},
		"a page that is free and used": {
			everyPage(text, freePage, func(_ uint64, _, element []byte) { little.PutUint64(element, now.root) }), "is used and free",
		},
		"a list of free pages without end": {
			everyPage(text, freePage, func(_ uint64, page, _ []byte) { little.PutUint16(page[10:], 60000) }), "is no list of",
		},
		"another page's header": {
			everyPage(text, leafPage, func(id uint64, page, _ []byte) { little.PutUint64(page, id+1) }), "has the header of another",
		},
		"more overflow than there is": {
			everyPage(text, leafPage, func(_ uint64, page, _ []byte) { little.PutUint32(page[12:], 1<<31) }), "has the header of another",
		},
		"an unknown kind": {
			everyPage(text, leafPage, func(_ uint64, page, _ []byte) { little.PutUint16(page[8:], 32) }), "is of kind 32",
		},
	} {
		t.Run(name, func(t *testing.T) {
			err := check(bytes.NewReader(row.text), int64(len(row.text)))
			if !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), row.want) {
				t.Errorf("got %v, want %q", err, row.want)
			}
			s, note, err := Open(stored(t, row.text), Options{})
			if err != nil || note == "" {
				t.Fatalf("%v, note %q", err, note)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}
