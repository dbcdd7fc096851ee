package clustering

import (
	"strings"

	"profilesync/internal/devcloud/store"
)

// find looks a thing up as Senlin does. What looks like a UUID is an id, or else a name; everything else is a name,
// or else the beginning of an id, in which the wildcards of SQL's LIKE work. More than one match is refused.
func find(tx *store.Tx, caller Caller, table store.Table, kind, identity string) (store.Record, error) {
	var matches []store.Record
	add := func(r *store.Record) bool {
		if caller.sees(r) {
			matches = append(matches, *r)
		}
		return len(matches) < 2
	}
	if likeUUID(identity) {
		if r, ok := tx.Get(table, identity); ok && caller.sees(&r) {
			return r, nil
		}
		tx.ByName(table, identity, add)
	} else if tx.ByName(table, identity, add); len(matches) == 0 {
		tx.ByIDPattern(table, identity+"%", add)
	}
	switch len(matches) {
	case 0:
		return store.Record{}, notFound(kind, identity)
	case 1:
		return matches[0], nil
	}
	return store.Record{}, multipleChoices(identity)
}

// likeUUID reports whether a text is a UUID in any of the forms that Python reads: with or without dashes, in
// braces, behind urn:uuid:.
func likeUUID(s string) bool {
	s = strings.ReplaceAll(strings.ReplaceAll(s, "urn:", ""), "uuid:", "")
	s = strings.ReplaceAll(strings.Trim(s, "{}"), "-", "")
	return len(s) == 32 && !strings.ContainsFunc(s, func(r rune) bool { return !isHex(r) })
}

func isHex(r rune) bool {
	return r >= '0' && r <= '9' || r >= 'a' && r <= 'f' || r >= 'A' && r <= 'F'
}

// plainUUID reports whether a text is a UUID in the two forms that a marker may have.
func plainUUID(s string) bool {
	for _, length := range []int{8, 4, 4, 4, 12} {
		s = strings.TrimPrefix(s, "-")
		if len(s) < length || strings.ContainsFunc(s[:length], func(r rune) bool { return !isHex(r) }) {
			return false
		}
		s = s[length:]
	}
	return s == ""
}
