package store_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"profilesync/internal/devcloud/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t testing.TB) *store.DB {
	t.Helper()
	db, err := store.Open(filepath.Join(t.TempDir(), "sub", "store.db"), store.Options{Unsynced: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func put(t testing.TB, db *store.DB, rows ...store.Record) {
	t.Helper()
	err := db.Update(func(tx *store.Tx) error {
		for i := range rows {
			tx.Put(store.Profiles, &rows[i])
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// ids collects the ids of the rows that a walk visits.
func ids(t testing.TB, db *store.DB, walk func(*store.Tx, func(*store.Record) bool)) []string {
	t.Helper()
	got := []string{}
	err := db.View(func(tx *store.Tx) error {
		walk(tx, func(r *store.Record) bool {
			got = append(got, r.ID)
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestRowsAreFound(t *testing.T) {
	db := open(t)
	put(t, db,
		store.Record{ID: "c3", Project: "p", Created: 20, Name: "web", Refs: []string{"x"}, Body: []byte("{}")},
		store.Record{ID: "a1", Project: "p", Created: 20, Name: "WEB", Refs: []string{"x", "y"}},
		store.Record{ID: "b2", Project: "p", Created: 10, Name: "db"},
		store.Record{ID: "d4", Project: "q", Created: 15, Name: "web2"},
	)
	scan := func(project string, after store.Place) func(*store.Tx, func(*store.Record) bool) {
		return func(tx *store.Tx, fn func(*store.Record) bool) {
			if err := tx.Scan(store.Profiles, project, after, fn); err != nil {
				t.Error(err)
			}
		}
	}
	for _, c := range []struct {
		name string
		walk func(*store.Tx, func(*store.Record) bool)
		want []string
	}{
		{"in order of creation, then by id", scan("p", store.Place{}), []string{"b2", "a1", "c3"}},
		{"behind a row", scan("p", store.Place{Created: 20, ID: "a1"}), []string{"c3"}},
		{"behind a place that no row has", scan("p", store.Place{Created: 15, ID: "d4"}), []string{"a1", "c3"}},
		{"of every project", scan("", store.Place{}), []string{"b2", "d4", "a1", "c3"}},
		{"of every project, behind a row", scan("", store.Place{Created: 15, ID: "d4"}), []string{"a1", "c3"}},
		{"by name, whatever its case", func(tx *store.Tx, fn func(*store.Record) bool) { tx.ByName(store.Profiles, "Web ", fn) }, []string{"a1", "c3"}},
		{"by reference", func(tx *store.Tx, fn func(*store.Record) bool) { tx.ByRef(store.Profiles, "y", fn) }, []string{"a1"}},
		{"by the beginning of the id", func(tx *store.Tx, fn func(*store.Record) bool) { tx.ByIDPattern(store.Profiles, "B%", fn) }, []string{"b2"}},
		{"by a wildcard", func(tx *store.Tx, fn func(*store.Record) bool) { tx.ByIDPattern(store.Profiles, "_1%", fn) }, []string{"a1"}},
		{"in another table", func(tx *store.Tx, fn func(*store.Record) bool) { tx.ByName(store.Nodes, "web", fn) }, []string{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := ids(t, db, c.walk); !slices.Equal(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

func TestAChangedRowIsFoundAsItIsNow(t *testing.T) {
	db := open(t)
	put(t, db, store.Record{ID: "a1", Project: "p", Created: 1, Name: "old", Refs: []string{"x"}})
	put(t, db, store.Record{ID: "a1", Project: "p", Created: 1, Updated: 2, Name: "new", Refs: []string{"y"}, Body: []byte("b")})
	err := db.View(func(tx *store.Tx) error {
		r, ok := tx.Get(store.Profiles, "A1")
		if !ok || r.Name != "new" || r.Updated != 2 || string(r.Body) != "b" || !slices.Equal(r.Refs, []string{"y"}) {
			t.Errorf("got %+v", r)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, gone := range []func(*store.Tx, func(*store.Record) bool){
		func(tx *store.Tx, fn func(*store.Record) bool) { tx.ByName(store.Profiles, "old", fn) },
		func(tx *store.Tx, fn func(*store.Record) bool) { tx.ByRef(store.Profiles, "x", fn) },
	} {
		if got := ids(t, db, gone); len(got) > 0 {
			t.Errorf("got %v by what the row no longer is", got)
		}
	}
	err = db.Update(func(tx *store.Tx) error {
		tx.Delete(store.Profiles, "a1")
		tx.Delete(store.Profiles, "nosuch")
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := ids(t, db, func(tx *store.Tx, fn func(*store.Record) bool) { tx.ByRef(store.Profiles, "y", fn) }); len(got) > 0 {
		t.Errorf("got %v after the row was deleted", got)
	}
}

// TestThoseWhoShareACommit: a refusal is one caller's own, a failure is everybody's.
func TestThoseWhoShareACommit(t *testing.T) {
	db := open(t)
	refusal := errors.New("no")
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			err := db.Update(func(tx *store.Tx) error {
				if i%4 == 0 {
					return refusal
				}
				tx.Put(store.Profiles, &store.Record{ID: fmt.Sprint(i), Project: "p", Name: "n"})
				return nil
			})
			if (i%4 == 0) != errors.Is(err, refusal) {
				t.Errorf("%d: got %v", i, err)
			}
		})
	}
	wg.Wait()
	got := ids(t, db, func(tx *store.Tx, fn func(*store.Record) bool) { tx.ByName(store.Profiles, "n", fn) })
	if len(got) != 30 {
		t.Errorf("got %d rows, want 30", len(got))
	}
}

func TestNothingIsLeftOfARefusalThatCameTooLate(t *testing.T) {
	db := open(t)
	for name, late := range map[string]func(*store.Tx) error{
		"an error": func(*store.Tx) error { return errors.New("too late") },
		"a panic":  func(*store.Tx) error { panic("too late") },
	} {
		t.Run(name, func(t *testing.T) {
			err := db.Update(func(tx *store.Tx) error {
				tx.Put(store.Profiles, &store.Record{ID: "a", Project: "p", Name: "n"})
				return late(tx)
			})
			if err == nil || !strings.Contains(err.Error(), "too late") {
				t.Errorf("got %v", err)
			}
			if got := ids(t, db, func(tx *store.Tx, fn func(*store.Record) bool) { tx.ByName(store.Profiles, "n", fn) }); len(got) > 0 {
				t.Errorf("got %v", got)
			}
		})
	}
}

func TestOneProcessAtATime(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	db, err := store.Open(path, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.Open(path, store.Options{Wait: time.Millisecond}); !errors.Is(err, store.ErrBusy) {
		t.Errorf("got %v, want ErrBusy", err)
	}
	put(t, db, store.Record{ID: "a", Project: "p", Name: "n"})
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	db, err = store.Open(path, store.Options{Wait: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if got := ids(t, db, func(tx *store.Tx, fn func(*store.Record) bool) { tx.ByName(store.Profiles, "n", fn) }); len(got) != 1 {
		t.Errorf("got %v from the file, want the row", got)
	}
}

func TestLike(t *testing.T) {
	for _, c := range []struct {
		pattern, text string
		match         bool
	}{
		{"%", "abc", true},
		{"%", "", true},
		{"_", "a", true},
		{"_", "", false},
		{"a_c%", "abcd", true},
		{"a%c", "abcbc", true},
		{"a%c", "abcb", false},
		{`a\_c`, "abc", false},
		{`a\_c`, "a_c", true},
		{`\a%`, "abc", true},
		{"%a%b%c%", "xxaxxbxxc", true},
		{"_", "é", true},
	} {
		if got := store.Like(c.pattern, c.text); got != c.match {
			t.Errorf("%q like %q: got %t", c.text, c.pattern, got)
		}
	}
}

// TestLikeLaw compares with the obvious recursion.
func TestLikeLaw(t *testing.T) {
	var obvious func(p, s string) bool
	obvious = func(p, s string) bool {
		switch {
		case p == "":
			return s == ""
		case p[0] == '%':
			return obvious(p[1:], s) || s != "" && obvious(p, s[1:])
		}
		return s != "" && (p[0] == '_' || p[0] == s[0]) && obvious(p[1:], s[1:])
	}
	rapid.Check(t, func(t *rapid.T) {
		pattern := rapid.StringMatching(`[ab%_]{0,8}`).Draw(t, "pattern")
		text := rapid.StringMatching(`[ab]{0,8}`).Draw(t, "text")
		if got, want := store.Like(pattern, text), obvious(pattern, text); got != want {
			t.Fatalf("%q like %q: got %t, want %t", text, pattern, got, want)
		}
	})
}
