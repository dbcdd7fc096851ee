package clustering

import (
	"fmt"

	"profilesync/internal/devcloud/pyjson"
	"profilesync/internal/devcloud/store"
)

// gather ends the actions on a cluster's nodes, and then their parent. If one of them failed the parent has failed
// too, but keeps the cluster locked until it notices.
func (e *engine) gather(tx *store.Tx, act, cluster *thing) (more bool, err error) {
	children, _ := act.doc.Get("depends_on")
	ids, _ := children.([]any)
	failed := false
	for _, id := range ids {
		ok, err := e.endChild(tx, id)
		if err != nil {
			return false, err
		}
		failed = failed || !ok
	}
	if !failed {
		if cluster, err = loadThing(tx, store.Clusters, cluster.id()); err != nil {
			return false, err
		}
		return false, e.complete(tx, act, cluster)
	}
	act.doc.Set(held, true)
	e.end(tx, act, "FAILED", "Action execution failed")
	return true, nil
}

func (e *engine) endChild(tx *store.Tx, id any) (ok bool, err error) {
	name, _ := id.(string)
	child, err := loadThing(tx, store.Actions, name)
	if child == nil || err != nil {
		return false, err
	}
	node, err := loadThing(tx, store.Nodes, child.text("target"))
	switch {
	case err != nil:
		return false, err
	case node == nil:
		e.end(tx, child, "FAILED", "The target of the action could not be found.")
		return false, nil
	}
	if err := e.workOnNode(tx, child, node); err != nil {
		return false, err
	}
	return child.text("status") == "SUCCEEDED", nil
}

// release ends a failed action for good.
func (e *engine) release(tx *store.Tx, act, cluster *thing) error {
	if err := evalStatus(tx, cluster, act.text("action")); err != nil {
		return err
	}
	cluster.touch(tx, e.api.now())
	act.doc.Delete(held)
	e.end(tx, act, "FAILED", "Failed in updating nodes.")
	return nil
}

// complete brings a cluster to the end that its action was for.
func (e *engine) complete(tx *store.Tx, act, cluster *thing) error {
	now := e.api.now()
	switch act.text("action") {
	case "CLUSTER_DELETE":
		tx.Delete(store.Clusters, cluster.id())
		e.succeed(tx, act)
		return nil
	case "CLUSTER_CREATE":
		cluster.doc.Set("created_at", timeText(now))
	case "CLUSTER_UPDATE":
		if id, ok := text(inputs(act), "new_profile_id"); ok {
			if _, there := tx.Get(store.Profiles, id); !there {
				e.end(tx, act, "FAILED", "The profile '"+id+"' could not be found.")
				return nil
			}
			cluster.doc.Set("profile_id", id)
		}
	}
	if err := evalStatus(tx, cluster, act.text("action")); err != nil {
		return err
	}
	cluster.touch(tx, now)
	e.succeed(tx, act)
	return nil
}

// workOnNode brings a node to the end that its action was for, and its cluster along if a request was for the node.
func (e *engine) workOnNode(tx *store.Tx, act, node *thing) error {
	var reason string
	var err error
	name := act.text("action")
	switch name {
	case "NODE_CREATE":
		node.setStatus("ACTIVE", "Creation succeeded")
		node.doc.Set("created_at", timeText(e.api.now()))
		node.doc.Set("physical_id", newUUID())
		node.touch(tx, e.api.now())
	case "NODE_UPDATE":
		reason, err = e.updateOnNode(tx, act, node)
	case "NODE_DELETE":
		tx.Delete(store.Nodes, node.id())
	}
	switch {
	case err != nil:
		return err
	case reason != "":
		e.end(tx, act, "FAILED", reason)
		return nil
	}
	e.succeed(tx, act)
	cluster := node.text("cluster_id")
	if cluster == "" || act.text("cause") != byRequest || name == "NODE_UPDATE" {
		return nil
	}
	return e.resized(tx, cluster, name)
}

// resized makes a cluster's capacity what it has, after a node has come or gone.
func (e *engine) resized(tx *store.Tx, id, operation string) error {
	c, err := loadThing(tx, store.Clusters, id)
	if c == nil || err != nil {
		return err
	}
	nodes, err := members(tx, id)
	if err != nil {
		return err
	}
	c.setNumber("desired_capacity", len(nodes))
	if err := evalStatus(tx, c, operation); err != nil {
		return err
	}
	c.touch(tx, e.api.now())
	return nil
}

// updateOnNode points a node at another profile, where a server can follow, and says why not otherwise. Where it
// cannot, Senlin leaves the node in UPDATING; a profile that is gone or has no image takes it further.
func (e *engine) updateOnNode(tx *store.Tx, act, node *thing) (reason string, err error) {
	const failed = "Node update failed."
	in := inputs(act)
	if id, ok := text(in, "new_profile_id"); ok {
		kind, from, to, err := e.specs(tx, node.text("profile_id"), id)
		switch {
		case err != nil:
			return "", err
		case to == nil:
			return "The profile '" + id + "' could not be found.", nil
		case from == nil || !node.truthy("physical_id") || !kind.CanRoll(from, to):
			return failed, nil
		case !kind.HasImage(to):
			e.imageless(tx, node)
			return failed, nil
		}
		node.doc.Set("profile_id", id)
	}
	for _, key := range []string{"name", "role", "metadata", "tainted"} {
		if v, ok := in.Get(key); ok {
			node.doc.Set(key, v)
		}
	}
	node.setStatus("ACTIVE", "Update succeeded")
	node.touch(tx, e.api.now())
	return "", nil
}

// imageless is what becomes of a server that is to be rebuilt from no image.
func (e *engine) imageless(tx *store.Tx, node *thing) {
	reason := fmt.Sprintf("Failed in updating server '%s': Updating Nova server with image set to None is not supported by Nova.",
		node.text("physical_id"))
	node.setStatus("ERROR", reason)
	node.touch(tx, e.api.now())
	if c, err := loadThing(tx, store.Clusters, node.text("cluster_id")); c != nil && err == nil {
		c.setStatus("WARNING", "Node "+node.text("name")+": "+reason)
		c.touch(tx, e.api.now())
	}
}

// kind is what the engine asks of a profile type.
type kind interface {
	CanRoll(from, to *pyjson.Object) bool
	HasImage(spec *pyjson.Object) bool
}

// specs returns the specs of two profiles of one type, nil for one that is gone.
func (e *engine) specs(tx *store.Tx, from, to string) (k kind, old, next *pyjson.Object, err error) {
	r, ok := tx.Get(store.Profiles, to)
	if !ok {
		return nil, nil, nil, nil
	}
	t, ok := e.api.o.Types.Find(r.Type)
	if !ok {
		return nil, nil, nil, fmt.Errorf("profile %q has the unknown type %q", to, r.Type)
	}
	if next, err = specOf(r); err != nil {
		return nil, nil, nil, err
	}
	if r, ok = tx.Get(store.Profiles, from); ok {
		old, err = specOf(r)
	}
	return t, old, next, err
}

func specOf(r store.Record) (*pyjson.Object, error) {
	doc, err := decodeObject(r.Body)
	if err != nil {
		return nil, err
	}
	v, _ := doc.Get("spec")
	spec, _ := v.(*pyjson.Object)
	return spec, nil
}
