package store

import (
	"encoding/binary"
	"errors"
)

// Record is a row of a table.
type Record struct {
	ID      string // unique in its table, never changes
	Project string // never changes
	Created int64  // Unix seconds, never changes; rows of one second are ordered by their ids
	Updated int64  // Unix seconds, or 0 for never
	Name    string // need not be unique
	Type    string // what rows of the table are filtered by besides their name
	Refs    []string
	Body    []byte // what the row is, in its table's own form
}

var errCorrupt = errors.New("corrupt row")

// encode returns the value of a row: times, then strings with their lengths, then the body.
func (r *Record) encode() []byte {
	out := make([]byte, 0, 64+len(r.ID)+len(r.Project)+len(r.Name)+len(r.Type)+len(r.Body))
	out = binary.AppendVarint(out, r.Created)
	out = binary.AppendVarint(out, r.Updated)
	for _, s := range []string{r.ID, r.Project, r.Name, r.Type} {
		out = appendText(out, s)
	}
	out = binary.AppendUvarint(out, uint64(len(r.Refs)))
	for _, s := range r.Refs {
		out = appendText(out, s)
	}
	return append(out, r.Body...)
}

func appendText(out []byte, s string) []byte {
	return append(binary.AppendUvarint(out, uint64(len(s))), s...)
}

// decode reads a row. Its body is part of value, not a copy.
func decode(value []byte) (Record, error) {
	d := reader{value}
	r := Record{Created: d.varint(), Updated: d.varint(), ID: d.text(), Project: d.text(), Name: d.text(), Type: d.text()}
	for n := d.uvarint(); n > 0 && d.rest != nil; n-- {
		r.Refs = append(r.Refs, d.text())
	}
	if d.rest == nil {
		return Record{}, errCorrupt
	}
	r.Body = d.rest
	return r, nil
}

// reader takes a value apart; rest is nil once the value turned out too short.
type reader struct{ rest []byte }

func (d *reader) advance(n int, ok bool) {
	if !ok {
		d.rest = nil
		return
	}
	d.rest = d.rest[n:]
}

func (d *reader) varint() int64 {
	v, n := binary.Varint(d.rest)
	d.advance(n, n > 0)
	return v
}

func (d *reader) uvarint() uint64 {
	v, n := binary.Uvarint(d.rest)
	d.advance(n, n > 0)
	return v
}

func (d *reader) text() string {
	n := d.uvarint()
	if d.rest == nil || n > uint64(len(d.rest)) {
		d.rest = nil
		return ""
	}
	s := string(d.rest[:n])
	d.advance(int(n), true)
	return s
}

// rowKey orders rows by project, then creation, then id.
func (r *Record) rowKey() []byte {
	key := append([]byte(r.Project), 0)
	key = binary.BigEndian.AppendUint64(key, uint64(r.Created))
	return append(key, r.ID...)
}
