package clustering

import (
	"crypto/rand"
	"strings"

	"profilesync/internal/devcloud/pyjson"
	"profilesync/internal/devcloud/store"
)

func (a *API) listNodes(q *request) (answer, error) {
	l, err := q.parseListing(listSpec{
		repeated: []string{"name", "status"}, single: []string{"cluster_id"}, enums: map[string][]string{"status": nodeStatuses()},
		sorts: []string{"index", "name", "status", "init_at", "created_at", "updated_at"},
	})
	if err != nil {
		return answer{}, err
	}
	if wanted := l.filters["cluster_id"]; len(wanted) == 1 {
		id, err := a.clusterID(q.caller, wanted[0])
		if err != nil {
			return answer{}, err
		}
		l.filters["cluster_id"] = []string{id}
	}
	return a.listThings(q, store.Nodes, "nodes", l, documentColumn)
}

func nodeStatuses() []string {
	return []string{"INIT", "ACTIVE", "ERROR", "WARNING", "CREATING", "UPDATING", "DELETING", "RECOVERING", "OPERATING"}
}

// clusterID returns the id of the cluster that a filter names.
func (a *API) clusterID(caller Caller, identity string) (id string, err error) {
	err = a.o.Store.View(func(tx *store.Tx) error {
		r, err := find(tx, caller, store.Clusters, "cluster", identity)
		if refusal, ok := err.(*apiError); ok && refusal.kind == "ResourceNotFound" {
			return badRequest("Cannot find the given cluster: %s.", identity)
		}
		id = r.ID
		return err
	})
	return id, err
}

func (a *API) getNode(q *request) (answer, error) { return a.getThing(q, store.Nodes, "node") }

func (a *API) createNode(q *request) (answer, error) {
	in, err := q.wrapped("node", []field{
		textField("cluster_id", true), objectField("metadata", true), nameField(false), textField("profile_id", false),
		textField("role", true),
	})
	if err != nil {
		return answer{}, err
	}
	return a.begin(func(tx *store.Tx) (*thing, answer, error) {
		wanted, _ := text(in, "profile_id")
		profile, err := specified(find(tx, q.caller, store.Profiles, "profile", wanted))
		if err != nil {
			return nil, answer{}, err
		}
		cluster, err := clusterFor(tx, q.caller, in, profile)
		if err != nil {
			return nil, answer{}, err
		}
		name, _ := text(in, "name")
		n := a.newNode(tx, q.caller, name, profile.ID, cluster)
		n.doc.Set("metadata", mapOrEmpty(in, "metadata"))
		if role, ok := text(in, "role"); ok {
			n.doc.Set("role", role)
		}
		n.save(tx)
		act := a.newAction(q.caller, "NODE_CREATE", n, pyjson.NewObject())
		act.save(tx)
		return act, a.accepted(q, act, object{"node": n.show(tx, q.minor)}), nil
	})
}

// clusterFor finds the cluster that a new node is to join, or nil.
func clusterFor(tx *store.Tx, caller Caller, in *pyjson.Object, profile store.Record) (*thing, error) {
	wanted, _ := text(in, "cluster_id")
	if wanted == "" {
		return nil, nil
	}
	r, err := specified(find(tx, caller, store.Clusters, "cluster", wanted))
	if err != nil {
		return nil, err
	}
	c, err := thingOf(store.Clusters, r)
	if err != nil {
		return nil, err
	}
	if own, ok := tx.Get(store.Profiles, c.text("profile_id")); ok && own.Type != profile.Type {
		return nil, badRequest("Node and cluster have different profile type, operation aborted.")
	}
	return c, nil
}

// newNode makes a node, alone or as the next member of a cluster. A member's name is made up.
func (a *API) newNode(tx *store.Tx, caller Caller, name, profile string, cluster *thing) *thing {
	now := a.now()
	n := &thing{table: store.Nodes, row: store.Record{ID: newUUID(), Project: caller.Project, Created: now}, doc: pyjson.NewObject()}
	n.fill(object{
		"id": n.id(), "name": name, "profile_id": profile, "cluster_id": "", "physical_id": nil, "user": caller.User,
		"project": caller.Project, "domain": nil, "index": pyjson.Int("-1"), "role": "", "init_at": timeText(now),
		"created_at": nil, "updated_at": nil, "status": "INIT", "status_reason": "Initializing", "data": pyjson.NewObject(),
		"metadata": pyjson.NewObject(), "dependents": pyjson.NewObject(), "tainted": false,
	})
	if cluster != nil {
		n.doc.Set("name", "node-"+randomName())
		n.doc.Set("cluster_id", cluster.id())
		n.setNumber("index", cluster.number(nextIndex))
		cluster.setNumber(nextIndex, cluster.number(nextIndex)+1)
		cluster.save(tx)
	}
	return n
}

// randomName returns eight letters and digits.
func randomName() string {
	const alphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	var b [8]byte
	rand.Read(b[:]) // never fails
	var out strings.Builder
	for _, c := range b {
		out.WriteByte(alphabet[int(c)%len(alphabet)])
	}
	return out.String()
}

func (a *API) updateNode(q *request) (answer, error) {
	in, err := q.changesOf("node", []field{
		objectField("metadata", true), nameField(true), textField("profile_id", true), textField("role", true),
		boolField("tainted", true),
	})
	if err != nil {
		return answer{}, err
	}
	dropBelow(in, q.minor, 13, "tainted")
	return a.begin(func(tx *store.Tx) (*thing, answer, error) {
		n, err := findThing(tx, q.caller, store.Nodes, "node", q.args[0])
		if err != nil {
			return nil, answer{}, err
		}
		inputs := pyjson.NewObject()
		if err := newProfile(tx, q.caller, n, in, inputs, "a node"); err != nil {
			return nil, answer{}, err
		}
		if name, _ := text(in, "name"); name == "" {
			in.Delete("name")
		}
		differing(n, in, inputs, "name", "role", "metadata", "tainted")
		return a.queue(tx, q, n, "NODE_UPDATE", inputs, "node")
	})
}

func (a *API) deleteNode(q *request) (answer, error) {
	force, err := q.nodeForce()
	if err != nil {
		return answer{}, err
	}
	return a.deleteThing(q, store.Nodes, "node", "NODE_DELETE", force)
}

// deleteThing begins the action that deletes a cluster or a node.
func (a *API) deleteThing(q *request, table store.Table, kind, action string, force bool) (answer, error) {
	return a.begin(func(tx *store.Tx) (*thing, answer, error) {
		t, err := findThing(tx, q.caller, table, kind, q.args[0])
		if err != nil {
			return nil, answer{}, err
		}
		if err := inProgress(t, kind, q.args[0], force); err != nil {
			return nil, answer{}, err
		}
		act := a.newAction(q.caller, action, t, pyjson.NewObject())
		act.save(tx)
		return act, a.accepted(q, act, nil), nil
	})
}

// nodeForce reads force from the body of a DELETE; below 1.8 it is dropped.
func (q *request) nodeForce() (bool, error) {
	if !q.hasBody || q.body.Len() == 0 {
		return false, nil
	}
	v, _ := q.body.Get("force")
	if v == nil {
		return false, httpBadRequest("None is not of type 'boolean'")
	}
	force, err := flag("force", pyjson.Str(v))
	return force && q.minor >= 8, err
}
