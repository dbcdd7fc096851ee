package clustering

import (
	"profilesync/internal/devcloud/pyjson"
	"profilesync/internal/devcloud/store"
)

// The steps of an action:
//
//	READY ── start ──▶ RUNNING ── work ──▶ SUCCEEDED or FAILED
//	                      │
//	                      └─ on a cluster with nodes: one action for each of them
//	                         ▼
//	                      WAITING ── gather ──▶ SUCCEEDED
//	                         │
//	                         └─ when a node's failed ──▶ FAILED, still locked ── release ──▶ FAILED

// step does what is due. It reports whether another step will be.
func (e *engine) step(tx *store.Tx, id string) (more bool, err error) {
	act, err := loadThing(tx, store.Actions, id)
	if act == nil || err != nil {
		return false, err
	}
	table := store.Clusters
	if act.text("action")[:len("NODE")] == "NODE" {
		table = store.Nodes
	}
	target, err := loadThing(tx, table, act.text("target"))
	switch {
	case err != nil:
		return false, err
	case act.finished():
		return false, nil
	case target == nil:
		e.end(tx, act, "FAILED", "The target of the action could not be found.")
		return false, nil
	}
	switch act.text("status") {
	case "READY":
		return e.begin(tx, act, target), nil
	case "RUNNING":
		return e.work(tx, act, target)
	case "WAITING":
		return e.gather(tx, act, target)
	}
	return false, e.release(tx, act, target)
}

// end closes an action.
func (e *engine) end(tx *store.Tx, act *thing, status, reason string) {
	act.setStatus(status, reason)
	act.doc.Set("end_time", moment(e.api.o.Now()))
	act.doc.Set("owner", nil)
	act.doc.Set("depends_on", []any{})
	act.doc.Set("depended_by", []any{})
	act.save(tx)
}

func (e *engine) succeed(tx *store.Tx, act *thing) {
	e.end(tx, act, "SUCCEEDED", "Action completed successfully.")
}

// begin marks the action and its target as being worked on, unless the cluster that a node joins or leaves has no
// room for that.
func (e *engine) begin(tx *store.Tx, act, target *thing) (more bool) {
	if reason := e.crowded(tx, act, target); reason != "" {
		e.end(tx, act, "FAILED", reason)
		return false
	}
	act.setStatus("RUNNING", "The action is being processed.")
	act.doc.Set("start_time", moment(e.api.o.Now()))
	act.doc.Set("owner", e.owner)
	act.save(tx)
	e.busy(tx, act, target)
	return true
}

// busy shows on a target what is being done to it.
func (e *engine) busy(tx *store.Tx, act, target *thing) {
	switch act.text("action") {
	case "CLUSTER_CREATE", "NODE_CREATE":
		target.setStatus("CREATING", "Creation in progress")
	case "CLUSTER_UPDATE":
		target.setStatus("UPDATING", "Update in progress")
		apply(target, inputs(act), "name", "metadata", "timeout", "config")
	case "NODE_UPDATE":
		target.setStatus("UPDATING", "Update in progress")
	case "CLUSTER_DELETE":
		target.setStatus("DELETING", "Deletion in progress.")
	case "NODE_DELETE":
		target.setStatus("DELETING", "Deletion in progress")
	}
	target.touch(tx, e.api.now())
}

// apply takes members over, except null, which stands for no change.
func apply(t *thing, from *pyjson.Object, keys ...string) {
	for _, key := range keys {
		if v, _ := from.Get(key); v != nil {
			t.doc.Set(key, v)
		}
	}
}

func inputs(act *thing) *pyjson.Object {
	v, _ := act.doc.Get("inputs")
	o, ok := v.(*pyjson.Object)
	if !ok {
		return pyjson.NewObject()
	}
	return o
}

// crowded says why a cluster cannot take or lose the node of an action, or "". A node that was not taken is left
// alone, in error.
func (e *engine) crowded(tx *store.Tx, act, node *thing) string {
	cluster := node.text("cluster_id")
	if node.table != store.Nodes || cluster == "" || act.text("cause") != byRequest {
		return ""
	}
	c, err := loadThing(tx, store.Clusters, cluster)
	nodes, err2 := members(tx, cluster)
	if c == nil || err != nil || err2 != nil {
		return ""
	}
	switch act.text("action") {
	case "NODE_DELETE":
		return fits(c, len(nodes)-1)
	case "NODE_CREATE":
		reason := fits(c, len(nodes))
		if reason != "" {
			node.doc.Set("cluster_id", "")
			node.setStatus("ERROR", node.text("status_reason"))
			node.touch(tx, e.api.now())
		}
		return reason
	}
	return ""
}

// work does what can be done at once, and otherwise hands it to actions on the cluster's nodes.
func (e *engine) work(tx *store.Tx, act, target *thing) (more bool, err error) {
	if target.table == store.Nodes {
		return false, e.workOnNode(tx, act, target)
	}
	if act.text("action") == "CLUSTER_CREATE" {
		desired, _ := target.doc.Get("desired_capacity")
		if desired == nil { // Senlin takes the request and trips over it here
			e.end(tx, act, "FAILED", "'NoneType' object cannot be interpreted as an integer")
			return false, nil
		}
	}
	nodes, err := e.concerned(tx, act, target)
	if err != nil {
		return false, err
	}
	if len(nodes) == 0 {
		return false, e.complete(tx, act, target)
	}
	var children []any
	for _, n := range nodes {
		child := e.child(tx, act, n)
		children = append(children, child.id())
	}
	act.setStatus("WAITING", "Waiting for depended actions.")
	act.doc.Set("depends_on", children)
	act.save(tx)
	return true, nil
}

// concerned returns the nodes that a cluster's action works on; those of a new cluster it makes.
func (e *engine) concerned(tx *store.Tx, act, cluster *thing) ([]*thing, error) {
	switch name := act.text("action"); {
	case name == "CLUSTER_CREATE":
		var nodes []*thing
		caller := Caller{User: cluster.text("user"), Project: cluster.row.Project}
		for range cluster.number("desired_capacity") {
			n := e.api.newNode(tx, caller, "", cluster.text("profile_id"), cluster)
			n.save(tx)
			nodes = append(nodes, n)
		}
		return nodes, nil
	case name == "CLUSTER_UPDATE" && (!inputs(act).Has("new_profile_id") || onlyProfile(act)):
		return nil, nil
	}
	return members(tx, cluster.id())
}

func onlyProfile(act *thing) bool {
	v, _ := inputs(act).Get("profile_only")
	return pyjson.Truthy(v)
}

// child starts the action on one node.
func (e *engine) child(tx *store.Tx, parent, node *thing) *thing {
	in := pyjson.NewObject()
	name := "NODE" + parent.text("action")[len("CLUSTER"):]
	if name == "NODE_UPDATE" {
		v, _ := inputs(parent).Get("new_profile_id")
		in.Set("new_profile_id", v)
	}
	child := e.api.newAction(Caller{User: parent.text("user"), Project: parent.row.Project}, name, node, in)
	child.doc.Set("cause", byAction)
	child.doc.Set("depended_by", []any{parent.id()})
	e.begin(tx, child, node)
	return child
}
