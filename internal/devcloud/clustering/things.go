package clustering

import (
	"maps"
	"net/http"
	"slices"
	"strconv"

	"profilesync/internal/devcloud/pyjson"
	"profilesync/internal/devcloud/store"
)

// thing is a cluster, node or action: its row, and the document in it. The document is what the API shows, without
// what is worked out when it is shown, and with a few members of our own.
type thing struct {
	table store.Table
	row   store.Record
	doc   *pyjson.Object
}

// Members of a document that no answer shows.
const (
	nextIndex = "next_index" // of a cluster: the number of its next node
	held      = "held"       // of an action: it has failed, and still has its target locked
)

// findThing looks a thing up as a client names it.
func findThing(tx *store.Tx, caller Caller, table store.Table, kind, identity string) (*thing, error) {
	r, err := find(tx, caller, table, kind, identity)
	if err != nil {
		return nil, err
	}
	return thingOf(table, r)
}

// loadThing reads a thing by its id. It is nil when there is none.
func loadThing(tx *store.Tx, table store.Table, id string) (*thing, error) {
	r, ok := tx.Get(table, id)
	if !ok {
		return nil, nil
	}
	return thingOf(table, r)
}

func thingOf(table store.Table, r store.Record) (*thing, error) {
	doc, err := decodeObject(r.Body)
	if err != nil {
		return nil, err
	}
	return &thing{table, r, doc}, nil
}

// fill sets members of the document.
func (t *thing) fill(members object) {
	for _, key := range slices.Sorted(maps.Keys(members)) {
		t.doc.Set(key, members[key])
	}
}

func (t *thing) id() string { return t.row.ID }

func (t *thing) text(key string) string {
	s, _ := text(t.doc, key)
	return s
}

// number returns a member that is an integer, or 0.
func (t *thing) number(key string) int {
	v, _ := t.doc.Get(key)
	i, _ := v.(pyjson.Int)
	n, _ := strconv.Atoi(string(i))
	return n
}

func (t *thing) setNumber(key string, n int) { t.doc.Set(key, pyjson.Int(strconv.Itoa(n))) }

func (t *thing) truthy(key string) bool {
	v, _ := t.doc.Get(key)
	return pyjson.Truthy(v)
}

func (t *thing) setStatus(status, reason string) {
	t.doc.Set("status", status)
	t.doc.Set("status_reason", reason)
}

// save writes the thing, with the columns and references that its document implies.
func (t *thing) save(tx *store.Tx) {
	t.row.Name = t.text("name")
	t.row.Type = t.text("status")
	t.row.Refs = t.refs()
	t.row.Body = pyjson.Encode(t.doc)
	tx.Put(t.table, &t.row)
}

// touch saves a cluster or node that a moment ago was otherwise.
func (t *thing) touch(tx *store.Tx, now int64) {
	t.row.Updated = now
	t.doc.Set("updated_at", timeText(now))
	t.save(tx)
}

func (t *thing) refs() []string {
	switch t.table {
	case store.Clusters:
		return []string{profileRef(t.text("profile_id"))}
	case store.Nodes:
		refs := []string{profileRef(t.text("profile_id"))}
		if cluster := t.text("cluster_id"); cluster != "" {
			refs = append(refs, memberRef(cluster))
		}
		return refs
	}
	return t.actionRefs()
}

// memberRef is the reference that a node holds to its cluster.
func memberRef(cluster string) string { return "cluster " + cluster }

// members returns the nodes of a cluster, by id.
func members(tx *store.Tx, cluster string) ([]*thing, error) {
	var rows []store.Record
	tx.ByRef(store.Nodes, memberRef(cluster), func(r *store.Record) bool {
		rows = append(rows, *r)
		return true
	})
	nodes := make([]*thing, len(rows))
	for i, r := range rows {
		n, err := thingOf(store.Nodes, r)
		if err != nil {
			return nil, err
		}
		nodes[i] = n
	}
	return nodes, nil
}

// show returns what the API says of a cluster, node or action to a client of a minor version.
func (t *thing) show(tx *store.Tx, minor int) *pyjson.Object {
	out := pyjson.NewObject()
	for _, key := range t.doc.Keys() {
		if !slices.Contains(t.hidden(minor), key) {
			v, _ := t.doc.Get(key)
			out.Set(key, v)
		}
	}
	if t.table == store.Actions {
		return out
	}
	if profile, ok := tx.Get(store.Profiles, t.text("profile_id")); ok {
		out.Set("profile_name", profile.Name)
	} else {
		out.Set("profile_name", nil)
	}
	if t.table == store.Clusters {
		nodes := []any{}
		tx.ByRef(store.Nodes, memberRef(t.id()), func(r *store.Record) bool {
			nodes = append(nodes, r.ID)
			return true
		})
		out.Set("nodes", nodes)
	}
	return out
}

// hidden lists the members that a client of a minor version does not get.
func (t *thing) hidden(minor int) []string {
	hidden := []string{nextIndex, held}
	if t.table == store.Nodes && minor < 13 {
		hidden = append(hidden, "tainted")
	}
	if t.table == store.Actions && minor < 14 {
		hidden = append(hidden, "cluster_id")
	}
	return hidden
}

// listThings answers a list of clusters, nodes or actions.
func (a *API) listThings(q *request, table store.Table, name string, l listing, column columns) (answer, error) {
	var ans answer
	err := a.o.Store.View(func(tx *store.Tx) error {
		var rows [][]byte
		var failed error
		err := a.rows(tx, q.caller, table, l, column, func(r *store.Record) {
			t, err := thingOf(table, *r)
			if err != nil {
				failed = err
				return
			}
			rows = append(rows, pyjson.Encode(t.show(tx, q.minor)))
		})
		ans = sendList(name, rows)
		if err == nil {
			err = failed
		}
		return err
	})
	return ans, err
}

// getThing answers a GET of one of them.
func (a *API) getThing(q *request, table store.Table, kind string) (answer, error) {
	var ans answer
	err := a.o.Store.View(func(tx *store.Tx) error {
		t, err := findThing(tx, q.caller, table, kind, q.args[0])
		if err != nil {
			return err
		}
		ans = answer{status: http.StatusOK, body: object{kind: t.show(tx, q.minor)}}
		return nil
	})
	return ans, err
}

// documentColumn returns a column that is only in the document, in a form that sorts.
func documentColumn(r *store.Record, name string) string {
	switch name {
	case "name":
		return r.Name
	case "status":
		return r.Type
	case "updated_at":
		return timeColumn(r, name)
	case "init_at":
		return timeText(r.Created)
	}
	doc, err := decodeObject(r.Body)
	if err != nil {
		return ""
	}
	v, _ := doc.Get(name)
	switch v := v.(type) {
	case string:
		return v
	case pyjson.Int: // an index: -1 or more
		n, _ := strconv.Atoi(string(v))
		return string(rune('a'+len(strconv.Itoa(n+1)))) + strconv.Itoa(n+1)
	}
	return ""
}
