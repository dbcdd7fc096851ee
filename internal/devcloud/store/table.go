package store

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"

	bolt "go.etcd.io/bbolt"
)

// Table is a name of a kind of rows.
type Table string

// The tables.
const (
	Profiles Table = "profiles"
	Clusters Table = "clusters"
	Nodes    Table = "nodes"
	Actions  Table = "actions"
)

func tables() []Table { return []Table{Profiles, Clusters, Nodes, Actions} }

// A table is a bucket of these buckets.
const (
	rowsBucket  = "rows"  // project, creation, id → row
	idsBucket   = "ids"   // id → key in rows
	namesBucket = "names" // folded name, 0, id → nothing
	refsBucket  = "refs"  // reference, 0, id → nothing
)

const settings = "settings"

// Tx is a transaction. Reads see what the transaction has written. A walk (Scan, By...) must not write.
type Tx struct {
	bolt   *bolt.Tx
	writes int
	failed error // the first write that the file refused
}

// createBuckets makes the buckets that are missing.
func (tx *Tx) createBuckets() error {
	tx.writes++
	if _, err := tx.bolt.CreateBucketIfNotExists([]byte(settings)); err != nil {
		return err
	}
	for _, t := range tables() {
		b, err := tx.bolt.CreateBucketIfNotExists([]byte(t))
		if err != nil {
			return err
		}
		for _, name := range []string{rowsBucket, idsBucket, namesBucket, refsBucket} {
			if _, err := b.CreateBucketIfNotExists([]byte(name)); err != nil {
				return err
			}
		}
	}
	return nil
}

// Clear removes every row of every table. The settings stay.
func (tx *Tx) Clear() error {
	tx.writes++
	for _, t := range tables() {
		if err := tx.bolt.DeleteBucket([]byte(t)); err != nil {
			return err
		}
	}
	return tx.createBuckets()
}

func (tx *Tx) bucket(t Table, name string) *bolt.Bucket {
	return tx.bolt.Bucket([]byte(t)).Bucket([]byte(name))
}

func (tx *Tx) put(b *bolt.Bucket, key, value []byte) {
	tx.writes++
	tx.fail(b.Put(key, value))
}

func (tx *Tx) remove(b *bolt.Bucket, key []byte) {
	tx.writes++
	tx.fail(b.Delete(key))
}

func (tx *Tx) fail(err error) {
	if tx.failed == nil {
		tx.failed = err
	}
}

// Put writes a row, replacing the one of its id.
func (tx *Tx) Put(t Table, r *Record) {
	if old, ok := tx.Get(t, r.ID); ok {
		tx.unindex(t, &old)
	}
	key := r.rowKey()
	tx.put(tx.bucket(t, rowsBucket), key, r.encode())
	tx.put(tx.bucket(t, idsBucket), []byte(r.ID), key)
	tx.put(tx.bucket(t, namesBucket), indexKey(Fold(r.Name), r.ID), nil)
	for _, ref := range r.Refs {
		tx.put(tx.bucket(t, refsBucket), indexKey(ref, r.ID), nil)
	}
}

// Delete removes the row of an id, if there is one.
func (tx *Tx) Delete(t Table, id string) {
	if r, ok := tx.Get(t, id); ok {
		tx.remove(tx.bucket(t, rowsBucket), r.rowKey())
		tx.remove(tx.bucket(t, idsBucket), []byte(id))
		tx.unindex(t, &r)
	}
}

func (tx *Tx) unindex(t Table, r *Record) {
	tx.remove(tx.bucket(t, namesBucket), indexKey(Fold(r.Name), r.ID))
	for _, ref := range r.Refs {
		tx.remove(tx.bucket(t, refsBucket), indexKey(ref, r.ID))
	}
}

func indexKey(value, id string) []byte {
	return append(append([]byte(value), 0), id...)
}

// Get returns the row of a full id. Ids compare without regard to case, as everything does in Senlin's database.
func (tx *Tx) Get(t Table, id string) (Record, bool) {
	key := tx.bucket(t, idsBucket).Get([]byte(strings.ToLower(id)))
	if key == nil {
		return Record{}, false
	}
	return tx.row(t, key)
}

func (tx *Tx) row(t Table, key []byte) (Record, bool) {
	r, err := decode(tx.bucket(t, rowsBucket).Get(key))
	if err != nil {
		tx.fail(fmt.Errorf("table %q: %w", t, err))
		return Record{}, false
	}
	return r, true
}

// Place is a place in the order of creation: just behind the row of that time and id. The zero Place is the start.
type Place struct {
	Created int64
	ID      string
}

// Scan calls fn for the rows of a project behind a place, in order of creation, until fn returns false. The project
// "" stands for all of them; their rows come in order of creation too.
func (tx *Tx) Scan(t Table, project string, after Place, fn func(*Record) bool) error {
	if project == "" {
		return tx.scanAll(t, after, fn)
	}
	prefix := append([]byte(project), 0)
	start := (&Record{Project: project, Created: after.Created, ID: after.ID}).rowKey()
	c := tx.bucket(t, rowsBucket).Cursor()
	k, v := c.Seek(start)
	if bytes.Equal(k, start) {
		k, v = c.Next()
	}
	for ; k != nil && bytes.HasPrefix(k, prefix); k, v = c.Next() {
		r, err := decode(v)
		if err != nil {
			return fmt.Errorf("table %q: %w", t, err)
		}
		if !fn(&r) {
			return nil
		}
	}
	return nil
}

func (tx *Tx) scanAll(t Table, after Place, fn func(*Record) bool) error {
	var all []Record
	err := tx.bucket(t, rowsBucket).ForEach(func(_, v []byte) error {
		r, err := decode(v)
		if cmp.Or(cmp.Compare(r.Created, after.Created), cmp.Compare(r.ID, after.ID)) > 0 {
			all = append(all, r)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("table %q: %w", t, err)
	}
	slices.SortFunc(all, func(a, b Record) int {
		return cmp.Or(cmp.Compare(a.Created, b.Created), cmp.Compare(a.ID, b.ID))
	})
	for i := range all {
		if !fn(&all[i]) {
			break
		}
	}
	return nil
}

// ByName calls fn for every row whose name compares equal to name, by id, until fn returns false.
func (tx *Tx) ByName(t Table, name string, fn func(*Record) bool) {
	tx.byIndex(t, namesBucket, Fold(name), fn)
}

// ByRef calls fn for every row that has the reference, by id, until fn returns false.
func (tx *Tx) ByRef(t Table, ref string, fn func(*Record) bool) {
	tx.byIndex(t, refsBucket, ref, fn)
}

func (tx *Tx) byIndex(t Table, bucket, value string, fn func(*Record) bool) {
	prefix := indexKey(value, "")
	c := tx.bucket(t, bucket).Cursor()
	for k, _ := c.Seek(prefix); k != nil && bytes.HasPrefix(k, prefix); k, _ = c.Next() {
		if r, ok := tx.Get(t, string(k[len(prefix):])); ok && !fn(&r) {
			return
		}
	}
}

// ByIDPattern calls fn for every row whose id matches a pattern of SQL's LIKE, by id, until fn returns false.
func (tx *Tx) ByIDPattern(t Table, pattern string, fn func(*Record) bool) {
	pattern = strings.ToLower(pattern)
	literal := []byte(pattern[:strings.IndexAny(pattern+"%", `%_\`)])
	c := tx.bucket(t, idsBucket).Cursor()
	for id, key := c.Seek(literal); id != nil && bytes.HasPrefix(id, literal); id, key = c.Next() {
		if !Like(pattern, string(id)) {
			continue
		}
		if r, ok := tx.row(t, key); ok && !fn(&r) {
			return
		}
	}
}

// Setting returns a setting, or nil.
func (tx *Tx) Setting(key string) []byte {
	return bytes.Clone(tx.bolt.Bucket([]byte(settings)).Get([]byte(key)))
}

// PutSetting writes a setting.
func (tx *Tx) PutSetting(key string, value []byte) {
	tx.put(tx.bolt.Bucket([]byte(settings)), []byte(key), value)
}

// DropSettings removes the settings whose key has the prefix and whose value drop says yes to.
func (tx *Tx) DropSettings(prefix string, drop func(value []byte) bool) {
	b := tx.bolt.Bucket([]byte(settings))
	var keys [][]byte
	c := b.Cursor()
	for k, v := c.Seek([]byte(prefix)); k != nil && bytes.HasPrefix(k, []byte(prefix)); k, v = c.Next() {
		if drop(v) {
			keys = append(keys, bytes.Clone(k))
		}
	}
	for _, k := range keys {
		tx.remove(b, k)
	}
}
