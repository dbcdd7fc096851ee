package clustering

import (
	"cmp"
	"math/big"
	"net/http"
	"slices"
	"strings"

	"profilesync/internal/devcloud/pyjson"
	"profilesync/internal/devcloud/store"
)

// listing is a checked query of a list.
type listing struct {
	filters map[string][]string // by parameter
	limit   int                 // -1: none
	marker  string
	sort    []sortKey
	all     bool // global_project
}

type sortKey struct {
	name string
	desc bool
}

// listSpec says what a list can be asked.
type listSpec struct {
	repeated []string // parameters that may be given several times, each an alternative
	single   []string // further filters, of which the last counts
	sorts    []string
	enums    map[string][]string // what a repeated parameter may be
	quoted   bool                // quotes an unknown parameter in its message
}

func noLimit() int { return -1 }

// parseListing checks a query in the service's order.
func (q *request) parseListing(spec listSpec) (listing, error) {
	l := listing{filters: map[string][]string{}, limit: noLimit()}
	paging := []string{"limit", "marker", "sort", "global_project"}
	for _, p := range q.query {
		switch {
		case p.invalid != "":
			return l, internal("UnicodeDecodeError", p.invalid)
		case !slices.Contains(slices.Concat(spec.repeated, spec.single, paging), p.name) && spec.quoted:
			return l, httpBadRequest("Invalid parameter '%s'", p.name)
		case !slices.Contains(slices.Concat(spec.repeated, spec.single, paging), p.name):
			return l, httpBadRequest("Invalid parameter %s", p.name)
		case slices.Contains(spec.repeated, p.name):
			l.filters[p.name] = append(l.filters[p.name], p.value)
		}
	}
	for _, name := range spec.single {
		if v := q.last(name); v != "" {
			l.filters[name] = []string{v}
		}
	}
	if err := l.parseGlobal(q.last("global_project")); err != nil {
		return l, err
	}
	for name, allowed := range spec.enums {
		for _, v := range l.filters[name] {
			if !slices.Contains(allowed, v) {
				return l, httpBadRequest("Field value %s is invalid", v)
			}
		}
	}
	limit, err := parseLimit(q.last("limit"))
	if err != nil {
		return l, err
	}
	l.marker = q.last("marker")
	if l.marker != "" && !likeUUID(l.marker) {
		return l, httpBadRequest("The value for marker is not a valid UUID: '%s'.", l.marker)
	}
	if err := l.parseSort(q.last("sort"), spec.sorts); err != nil {
		return l, err
	}
	if l.marker != "" && !plainUUID(l.marker) {
		return l, httpBadRequest("'%s' does not match '^[a-fA-F0-9]{8}-?[a-fA-F0-9]{4}-?[a-fA-F0-9]{4}-?[a-fA-F0-9]{4}"+
			"-?[a-fA-F0-9]{12}$'", l.marker)
	}
	if l.all && !q.caller.Admin {
		return l, forbidden()
	}
	if limit != nil && !limit.IsUint64() {
		return l, internal("RemoteError", "Remote error: DBError You have an error in your SQL syntax near '"+limit.String()+"'")
	}
	if limit != nil && limit.IsInt64() {
		l.limit = int(limit.Int64())
	}
	return l, nil
}

// last returns the last value of a parameter. An empty one counts as none.
func (q *request) last(name string) string {
	value := ""
	for _, p := range q.query {
		if p.name == name {
			value = p.value
		}
	}
	return value
}

func (l *listing) parseGlobal(v string) error {
	switch strings.ToLower(v) {
	case "true":
		l.all = true
	case "false", "":
	default:
		return httpBadRequest("Invalid value '%s' specified for 'global_project'", v)
	}
	return nil
}

func parseLimit(v string) (*big.Int, error) {
	if v == "" {
		return nil, nil
	}
	n, ok := pyjson.ParseInt(v)
	switch {
	case !ok:
		return nil, httpBadRequest("The value for limit must be an integer: '%s'.", v)
	case n.Sign() < 0:
		return nil, httpBadRequest("Value must be >= 0 for field 'limit'.")
	}
	return n, nil
}

func (l *listing) parseSort(v string, keys []string) error {
	if v == "" {
		return nil
	}
	for _, part := range strings.Split(v, ",") {
		name, dir, _ := strings.Cut(part, ":")
		switch {
		case name == "":
			return httpBadRequest("Missing sort key for 'sort'.")
		case dir != "" && dir != "asc" && dir != "desc":
			return httpBadRequest("Unsupported sort dir '%s' for 'sort'.", dir)
		case !slices.Contains(keys, name):
			return httpBadRequest("Unsupported sort key '%s' for 'sort'.", name)
		}
		l.sort = append(l.sort, sortKey{name, dir == "desc"})
	}
	return nil
}

// columns returns the value of a row's column by which lists are filtered and sorted. Null is "".
type columns func(r *store.Record, name string) string

// rows calls fn for the rows that a list asks for, in its order, as long as fn returns true.
func (a *API) rows(tx *store.Tx, caller Caller, t store.Table, l listing, column columns, fn func(*store.Record)) error {
	limit := l.limit
	if a.o.PageLimit > 0 && (limit < 0 || limit > a.o.PageLimit) {
		limit = a.o.PageLimit
	}
	if limit == 0 {
		return nil
	}
	marker, marked := tx.Get(t, l.marker)
	if len(l.sort) == 0 {
		var after store.Place
		if marked {
			after = store.Place{Created: marker.Created, ID: marker.ID}
		}
		return tx.Scan(t, caller.project(), after, func(r *store.Record) bool {
			if l.matches(r, column) {
				fn(r)
				limit--
			}
			return limit != 0
		})
	}
	var all []store.Record
	err := tx.Scan(t, caller.project(), store.Place{}, func(r *store.Record) bool {
		if l.matches(r, column) && (!marked || l.behind(r, &marker, column)) {
			all = append(all, *r)
		}
		return true
	})
	slices.SortFunc(all, func(x, y store.Record) int { return l.compare(&x, &y, column) })
	for i := range all {
		if limit >= 0 && i >= limit {
			break
		}
		fn(&all[i])
	}
	return err
}

func (l listing) matches(r *store.Record, column columns) bool {
	for name, wanted := range l.filters {
		have := store.Fold(column(r, name))
		if !slices.ContainsFunc(wanted, func(w string) bool { return store.Fold(w) == have }) {
			return false
		}
	}
	return true
}

// compare orders two rows as the database does: null is smallest, text goes by its collation, and the id decides what is left.
func (l listing) compare(x, y *store.Record, column columns) int {
	for _, key := range l.sort {
		c := store.Compare(column(x, key.name), column(y, key.name))
		if key.desc {
			c = -c
		}
		if c != 0 {
			return c
		}
	}
	return cmp.Compare(x.ID, y.ID)
}

// behind reports whether a row is on a page behind the marker. It is the service's own condition, which leaves out the columns
// where the marker is null, and to which a null is behind nothing: sorted by updated_at, where some rows have one and others
// have none, pages skip rows and repeat others.
func (l listing) behind(r, marker *store.Record, column columns) bool {
	same := true // as the marker in the columns looked at so far
	for _, key := range l.sort {
		have, want := column(r, key.name), column(marker, key.name)
		if want == "" {
			continue
		}
		c := store.Compare(have, want)
		if key.desc {
			c = -c
		}
		if same && have != "" && c > 0 {
			return true
		}
		same = same && have != "" && c == 0
	}
	return same && r.ID > marker.ID
}

// sendList joins ready-made rows to the answer of a list.
func sendList(name string, rows [][]byte) answer {
	size := len(name) + 8
	for _, r := range rows {
		size += len(r) + 2
	}
	out := append(make([]byte, 0, size), `{"`+name+`": [`...)
	for i, r := range rows {
		if i > 0 {
			out = append(out, ", "...)
		}
		out = append(out, r...)
	}
	return answer{status: http.StatusOK, body: pyjson.Raw(append(out, "]}"...))}
}
