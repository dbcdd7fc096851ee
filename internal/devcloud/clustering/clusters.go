package clustering

import (
	"fmt"
	"net/http"

	"profilesync/internal/devcloud/pyjson"
	"profilesync/internal/devcloud/store"
)

// maxNodes is Senlin's max_nodes_per_cluster; defaultTimeout its default_action_timeout, in seconds.
const (
	maxNodes       = 1000
	defaultTimeout = 3600
)

func (a *API) listClusters(q *request) (answer, error) {
	l, err := q.parseListing(listSpec{
		repeated: []string{"name", "status"}, quoted: true, enums: map[string][]string{"status": clusterStatuses()},
		sorts: []string{"name", "status", "init_at", "created_at", "updated_at"},
	})
	if err != nil {
		return answer{}, err
	}
	return a.listThings(q, store.Clusters, "clusters", l, documentColumn)
}

func clusterStatuses() []string {
	return []string{
		"INIT", "ACTIVE", "CREATING", "UPDATING", "RESIZING", "DELETING", "CHECKING", "RECOVERING", "CRITICAL", "ERROR",
		"WARNING", "OPERATING",
	}
}

func (a *API) getCluster(q *request) (answer, error) { return a.getThing(q, store.Clusters, "cluster") }

func (a *API) createCluster(q *request) (answer, error) {
	in, err := q.wrapped("cluster", []field{
		nameField(false), textField("profile_id", false), sizeField("min_size", 0), sizeField("max_size", -1),
		sizeField("desired_capacity", 0), objectField("metadata", true), countField("timeout"), objectField("config", true),
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
		c, err := a.newCluster(q.caller, in, profile.ID)
		if err != nil {
			return nil, answer{}, err
		}
		c.save(tx)
		act := a.newAction(q.caller, "CLUSTER_CREATE", c, pyjson.NewObject())
		act.save(tx)
		return act, a.accepted(q, act, object{"cluster": c.show(tx, q.minor)}), nil
	})
}

// specified says of a profile or cluster that a body names and that does not exist what Senlin says there: 400.
func specified(r store.Record, err error) (store.Record, error) {
	if refusal, ok := err.(*apiError); ok && refusal.status == http.StatusNotFound {
		return r, badRequest("The specified %s", refusal.message[len("The "):])
	}
	return r, err
}

func (a *API) newCluster(caller Caller, in *pyjson.Object, profile string) (*thing, error) {
	least, most := given(in, "min_size"), given(in, "max_size")
	desired := given(in, "desired_capacity")
	switch {
	case in.Has("desired_capacity"):
	case in.Has("min_size"):
		desired = least
	default:
		desired = intOf(0)
	}
	if err := checkSizes(desired, least, most); err != nil {
		return nil, err
	}
	now := a.now()
	name, _ := text(in, "name")
	c := &thing{table: store.Clusters, row: store.Record{ID: newUUID(), Project: caller.Project, Created: now}, doc: pyjson.NewObject()}
	c.fill(object{
		"id": c.id(), "name": name, "profile_id": profile, "user": caller.User, "project": caller.Project, "domain": nil,
		"init_at": timeText(now), "created_at": nil, "updated_at": nil, "min_size": orElse(least, 0), "max_size": orElse(most, -1),
		"desired_capacity": sizeValue(desired), "timeout": orElse(given(in, "timeout"), defaultTimeout),
		"metadata": mapOrEmpty(in, "metadata"), "config": mapOrEmpty(in, "config"), "data": pyjson.NewObject(),
		"dependents": pyjson.NewObject(), "policies": []any{}, "status": "INIT", "status_reason": "Initializing",
	})
	c.setNumber(nextIndex, 1)
	return c, nil
}

func (a *API) updateCluster(q *request) (answer, error) {
	in, err := q.changesOf("cluster", []field{
		nameField(true), textField("profile_id", true), objectField("metadata", true), countField("timeout"),
		boolField("profile_only", true), objectField("config", true),
	})
	if err != nil {
		return answer{}, err
	}
	dropBelow(in, q.minor, 6, "profile_only")
	dropBelow(in, q.minor, 7, "config")
	return a.begin(func(tx *store.Tx) (*thing, answer, error) {
		c, err := findThing(tx, q.caller, store.Clusters, "cluster", q.args[0])
		if err != nil {
			return nil, answer{}, err
		}
		if c.text("status") == "ERROR" {
			return nil, answer{}, conflict("FeatureNotSupported", "Updating a cluster in error state is not supported.")
		}
		inputs := pyjson.NewObject()
		if err := newProfile(tx, q.caller, c, in, inputs, "a cluster"); err != nil {
			return nil, answer{}, err
		}
		differing(c, in, inputs, "metadata", "timeout", "name", "config")
		if v, ok := in.Get("profile_only"); ok {
			inputs.Set("profile_only", v)
		}
		return a.queue(tx, q, c, "CLUSTER_UPDATE", inputs, "cluster")
	})
}

// newProfile notes the profile that a cluster or node is to be pointed at, if it is another one.
func newProfile(tx *store.Tx, caller Caller, t *thing, in, inputs *pyjson.Object, what string) error {
	wanted, ok := text(in, "profile_id")
	if !ok {
		return nil
	}
	old, err := find(tx, caller, store.Profiles, "profile", t.text("profile_id"))
	if err != nil {
		return err
	}
	next, err := specified(find(tx, caller, store.Profiles, "profile", wanted))
	switch {
	case err != nil:
		return err
	case next.Type != old.Type:
		return badRequest("Cannot update %s to a different profile type, operation aborted.", what)
	case next.ID != old.ID:
		inputs.Set("new_profile_id", next.ID)
	}
	return nil
}

// differing notes the members that were given and differ from what is.
func differing(t *thing, in, inputs *pyjson.Object, keys ...string) {
	for _, key := range keys {
		v, ok := in.Get(key)
		if old, _ := t.doc.Get(key); ok && !pyjson.Equal(old, v) {
			inputs.Set(key, v)
		}
	}
}

// dropBelow drops a member that the request's version does not know yet. Senlin does so without a word.
func dropBelow(in *pyjson.Object, minor, since int, key string) {
	if minor < since {
		in.Delete(key)
	}
}

func (a *API) deleteCluster(q *request) (answer, error) {
	force, err := q.clusterForce()
	if err != nil {
		return answer{}, err
	}
	return a.deleteThing(q, store.Clusters, "cluster", "CLUSTER_DELETE", force)
}

// inProgress refuses to delete what is being worked on.
func inProgress(t *thing, kind, identity string, force bool) error {
	switch status := t.text("status"); status {
	case "CREATING", "UPDATING", "DELETING", "RECOVERING":
		if !force {
			return conflict("ActionInProgress", "The %s '%s' is in status %s.", kind, identity, status)
		}
	}
	return nil
}

// clusterForce reads force from the query or the body of a DELETE; below 1.8 it is dropped.
func (q *request) clusterForce() (bool, error) {
	for _, p := range q.query {
		if p.name != "force" {
			continue
		}
		force, err := flag("force", q.last("force"))
		return force && q.minor >= 8, err
	}
	if !q.hasBody {
		return false, nil
	}
	v, _ := q.body.Get("force")
	switch v := v.(type) {
	case nil:
		return false, nil
	case bool:
		return v && q.minor >= 8, nil
	}
	if _, err := word(pyjson.Str(v)); err != nil {
		return false, err
	}
	return false, httpBadRequest("%s is not of type 'boolean'", pyjson.Repr(v))
}

// evalStatus judges a cluster by how many of its nodes are ACTIVE.
func evalStatus(tx *store.Tx, c *thing, operation string) error {
	nodes, err := members(tx, c.id())
	if err != nil {
		return err
	}
	active := 0
	for _, n := range nodes {
		if n.text("status") == "ACTIVE" {
			active++
		}
	}
	least, desired, most := c.number("min_size"), c.number("desired_capacity"), c.number("max_size")
	const is = "%s: number of active nodes is "
	switch {
	case active < least:
		c.setStatus("ERROR", fmt.Sprintf(is+"below min_size (%d).", operation, least))
	case active < desired:
		c.setStatus("WARNING", fmt.Sprintf(is+"below desired_capacity (%d).", operation, desired))
	case most < 0 || active <= most:
		c.setStatus("ACTIVE", fmt.Sprintf(is+"equal or above desired_capacity (%d).", operation, desired))
	default:
		c.setStatus("WARNING", fmt.Sprintf(is+"above max_size (%d).", operation, most))
	}
	return nil
}
