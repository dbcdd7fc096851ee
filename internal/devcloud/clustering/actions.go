package clustering

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"profilesync/internal/devcloud/pyjson"
	"profilesync/internal/devcloud/store"
)

// What caused an action: a request, or another action.
const (
	byRequest = "RPC Request"
	byAction  = "Derived Action"
)

func (a *API) listActions(q *request) (answer, error) {
	l, err := q.parseListing(listSpec{
		repeated: []string{"name", "cluster_id", "target", "action", "status"},
		enums:    map[string][]string{"status": actionStatuses(), "action": actionNames()},
		sorts:    []string{"name", "target", "action", "created_at", "status"},
	})
	if err != nil {
		return answer{}, err
	}
	if wanted := l.filters["cluster_id"]; q.minor < 14 {
		delete(l.filters, "cluster_id")
	} else if len(wanted) > 0 {
		ids, err := a.clusterIDs(q.caller, wanted)
		if err != nil {
			return answer{}, err
		}
		l.filters["cluster_id"] = ids
	}
	return a.listThings(q, store.Actions, "actions", l, documentColumn)
}

// clusterIDs returns the ids of the clusters that a filter names; one that does not exist makes the list empty.
func (a *API) clusterIDs(caller Caller, identities []string) ([]string, error) {
	ids := []string{}
	err := a.o.Store.View(func(tx *store.Tx) error {
		for _, identity := range identities {
			r, err := find(tx, caller, store.Clusters, "cluster", identity)
			if refusal, ok := err.(*apiError); ok && refusal.kind == "ResourceNotFound" {
				ids = []string{}
				return nil
			}
			if err != nil {
				return err
			}
			ids = append(ids, r.ID)
		}
		return nil
	})
	return ids, err
}

func actionStatuses() []string {
	return []string{
		"INIT", "WAITING", "READY", "RUNNING", "SUSPENDED", "WAITING_LIFECYCLE_COMPLETION", "SUCCEEDED", "FAILED", "CANCELLED",
	}
}

func actionNames() []string {
	return []string{
		"CLUSTER_CREATE", "CLUSTER_DELETE", "CLUSTER_UPDATE", "CLUSTER_ADD_NODES", "CLUSTER_DEL_NODES", "CLUSTER_RESIZE",
		"CLUSTER_CHECK", "CLUSTER_RECOVER", "CLUSTER_REPLACE_NODES", "CLUSTER_SCALE_OUT", "CLUSTER_SCALE_IN",
		"CLUSTER_ATTACH_POLICY", "CLUSTER_DETACH_POLICY", "CLUSTER_UPDATE_POLICY", "CLUSTER_OPERATION",
		"NODE_CREATE", "NODE_DELETE", "NODE_UPDATE", "NODE_JOIN", "NODE_LEAVE", "NODE_CHECK", "NODE_RECOVER", "NODE_OPERATION",
	}
}

func (a *API) getAction(q *request) (answer, error) { return a.getThing(q, store.Actions, "action") }

// newAction makes an action on a cluster or node.
func (a *API) newAction(caller Caller, name string, target *thing, inputs *pyjson.Object) *thing {
	now := a.now()
	act := &thing{table: store.Actions, row: store.Record{ID: newUUID(), Project: caller.Project, Created: now}, doc: pyjson.NewObject()}
	cluster := target.id()
	if target.table == store.Nodes {
		cluster = target.text("cluster_id")
	}
	act.fill(object{
		"id": act.id(), "name": strings.ToLower(name) + "_" + target.id()[:8], "action": name, "target": target.id(),
		"cluster_id": cluster, "cause": byRequest, "owner": nil, "interval": pyjson.Int("-1"), "start_time": nil, "end_time": nil,
		"timeout": pyjson.Int("3600"), "status": "READY", "status_reason": "", "inputs": inputs, "outputs": pyjson.NewObject(),
		"depends_on": []any{}, "depended_by": []any{}, "created_at": timeText(now), "updated_at": nil, "data": pyjson.NewObject(),
		"user": caller.User, "project": caller.Project,
	})
	return act
}

// finished reports whether an action has come to its end and let go of its target.
func (t *thing) finished() bool {
	return slices.Contains([]string{"SUCCEEDED", "FAILED", "CANCELLED"}, t.text("status")) && !t.truthy(held)
}

// The references that an unfinished action holds.
const openRef = "open" // one that a request asked for, and so the engine has to carry out

func queuedRef(target string) string { return "queued " + target }
func lockRef(target string) string   { return "lock " + target }

func (t *thing) actionRefs() []string {
	if t.finished() {
		return nil
	}
	target, cluster := t.text("target"), t.text("cluster_id")
	direct := t.text("cause") == byRequest
	var refs []string
	if direct {
		refs = append(refs, openRef)
	}
	if t.text("status") == "READY" {
		return append(refs, queuedRef(target))
	}
	refs = append(refs, lockRef(target))
	if direct && cluster != "" && cluster != target {
		refs = append(refs, lockRef(cluster)) // a node's action locks its cluster as well
	}
	return refs
}

// queue adds an action that changes a cluster or node, unless there is nothing to change or another action has it.
func (a *API) queue(tx *store.Tx, q *request, t *thing, name string, inputs *pyjson.Object, kind string) (*thing, answer, error) {
	if inputs.Len() == 0 {
		return nil, answer{}, badRequest("No property needs an update.")
	}
	if len(actionsWith(tx, lockRef(t.id()))) > 0 {
		return nil, answer{}, conflict("ResourceIsLocked",
			"%s for %s '%s' cannot be completed because it is already locked.", name, kind, t.id())
	}
	if waiting := actionsWith(tx, queuedRef(t.id())); len(waiting) > 0 {
		return nil, answer{}, conflict("ActionConflict",
			"The %s action for target %s conflicts with the following action(s): %s", name, t.id(), strings.Join(waiting, ","))
	}
	shown := t.show(tx, q.minor) // as it is before the change
	act := a.newAction(q.caller, name, t, inputs)
	act.save(tx)
	return act, a.accepted(q, act, object{kind: shown}), nil
}

func actionsWith(tx *store.Tx, ref string) []string {
	var ids []string
	tx.ByRef(store.Actions, ref, func(r *store.Record) bool {
		ids = append(ids, r.ID)
		return true
	})
	return ids
}

// begin writes what a request asks for, together with its action, and hands the action to the engine.
func (a *API) begin(write func(*store.Tx) (*thing, answer, error)) (answer, error) {
	var ans answer
	var act *thing
	err := a.o.Store.Update(func(tx *store.Tx) (err error) {
		act, ans, err = write(tx)
		return err
	})
	if err != nil {
		return answer{}, err
	}
	a.engine.start(act.id())
	return ans, nil
}

// accepted answers 202: the action is named by a header alone.
func (a *API) accepted(q *request, act *thing, body any) answer {
	return answer{status: http.StatusAccepted, body: body, location: a.o.BaseURL(q.http) + "/v1/actions/" + act.id()}
}

// moment is a time as actions show theirs: seconds, with a fraction.
func moment(t time.Time) pyjson.Float { return pyjson.Float(float64(t.UnixMicro()) / 1e6) }
