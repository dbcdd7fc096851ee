package conformance

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
)

func (s suite) emptyClusterMoves(t *testing.T) {
	u := s.withUsers(t)
	path := "/v1/clusters/" + u.cluster(t, u.old, 0)
	answer := s.a.patch(t, path, toProfile("cluster", u.new))
	action := answer.begins(t, s.a)
	if got := answer.object(t, "cluster")["profile_id"]; got != u.old {
		t.Errorf("the answer has profile %v, want the old one, %s: the change is yet to come", got, u.old)
	}
	done := s.a.succeeds(t, action)
	inputs, _ := done["inputs"].(map[string]any)
	if done["action"] != "CLUSTER_UPDATE" || inputs["new_profile_id"] != u.new {
		t.Errorf("got action %v, want a CLUSTER_UPDATE with new_profile_id %s", done, u.new)
	}
	if got := s.a.profileOf(t, path); got != u.new {
		t.Errorf("the cluster has profile %v, want the new one, %s", got, u.new)
	}
	s.a.delete(t, "/v1/profiles/"+u.old).want(t, 204)
	s.a.inUse(t, u.new)
}

// nodesOf are the profiles of a cluster's nodes, without repetition.
func (c caller) nodesOf(t testing.TB, cluster string) []string {
	t.Helper()
	var found []string
	for _, row := range c.get(t, "/v1/nodes?cluster_id="+cluster).want(t, 200).rows(t, "nodes") {
		if id, _ := row["profile_id"].(string); !slices.Contains(found, id) {
			found = append(found, id)
		}
	}
	return found
}

func (s suite) clusterMovesNodes(t *testing.T) {
	u := s.withUsers(t)
	id := u.cluster(t, u.old, 2)
	path := "/v1/clusters/" + id
	if nodes, _ := s.a.get(t, path).want(t, 200).object(t, "cluster")["nodes"].([]any); len(nodes) != 2 {
		t.Fatalf("got nodes %v, want two", nodes)
	}
	s.a.points(t, path, toProfile("cluster", u.new))
	if got := s.a.profileOf(t, path); got != u.new {
		t.Errorf("the cluster has profile %v, want %s", got, u.new)
	}
	if got := s.a.nodesOf(t, id); !slices.Equal(got, []string{u.new}) {
		t.Errorf("its nodes have profiles %v, want %s", got, u.new)
	}
	s.a.delete(t, "/v1/profiles/"+u.old).want(t, 204)
}

func (s suite) clusterMovesAlone(t *testing.T) {
	u := s.withUsers(t)
	id := u.cluster(t, u.old, 1)
	path := "/v1/clusters/" + id
	alone := `{"cluster":{"profile_id":"` + u.new + `","profile_only":true}}`
	modern := s.a.at("1.6")
	done := modern.points(t, path, alone)
	if inputs, _ := done["inputs"].(map[string]any); inputs["new_profile_id"] != u.new || inputs["profile_only"] != true {
		t.Errorf("got inputs %v, want the new profile, only", inputs)
	}
	if got := s.a.profileOf(t, path); got != u.new {
		t.Errorf("the cluster has profile %v, want %s", got, u.new)
	}
	if got := s.a.nodesOf(t, id); !slices.Equal(got, []string{u.old}) {
		t.Errorf("its node has profiles %v, want still %s", got, u.old)
	}
	s.a.inUse(t, u.old)
	s.a.inUse(t, u.new)
	t.Run("which needs no profile to be an action", func(t *testing.T) {
		modern.points(t, path, `{"cluster":{"profile_only":true}}`)
	})
	t.Run("below 1.6 the key is not heard, and nodes go along", func(t *testing.T) {
		third := s.a.profile(t, unique("third"))
		done := s.a.at("1.5").points(t, path, `{"cluster":{"profile_id":"`+third+`","profile_only":true}}`)
		if inputs, _ := done["inputs"].(map[string]any); inputs["profile_only"] != nil {
			t.Errorf("got inputs %v, want no profile_only", inputs)
		}
		if got := s.a.nodesOf(t, id); !slices.Equal(got, []string{third}) {
			t.Errorf("its node has profiles %v, want %s", got, third)
		}
		s.a.delete(t, "/v1/profiles/"+u.old).want(t, 204)
		s.a.delete(t, "/v1/profiles/"+u.new).want(t, 204)
		s.a.removesNow(t, path)
	})
}

// removesNow deletes a cluster or node and waits until it is gone.
func (c caller) removesNow(t testing.TB, path string) {
	t.Helper()
	c.delete(t, path).begins(t, c)
	eventually(t, path+" is gone", func() bool { return c.get(t, path).status == 404 })
}

// busyCluster tries a few times, as a change may be done before the next one arrives.
func (s suite) busyCluster(t *testing.T) {
	u := s.withUsers(t)
	path := "/v1/clusters/" + u.cluster(t, u.old, 2)
	const tries = 5
	for range tries {
		action := s.a.patch(t, path, toProfile("cluster", u.new)).begins(t, s.a)
		second := s.a.patch(t, path, `{"cluster":{"metadata":{"n":"`+unique("n")+`"}}}`)
		if second.status == 409 {
			s.a.delete(t, "/v1/profiles/"+u.old).refused(t, 409, "ResourceInUse", "...")
			secondRefused(t, second)
			s.a.succeeds(t, action)
			s.a.delete(t, "/v1/profiles/"+u.old).want(t, 204)
			return
		}
		s.a.succeeds(t, second.begins(t, s.a))
		s.a.succeeds(t, action)
		u.old, u.new = u.new, u.old
	}
	t.Errorf("%d times a second change was taken while the first could still be at work", tries)
}

// secondRefused checks the two forms of refusal, by the lock or by the list of actions.
func secondRefused(t *testing.T, second answer) {
	t.Helper()
	var doc struct{ Error struct{ Type string } }
	if err := json.Unmarshal([]byte(second.body), &doc); err != nil {
		t.Fatalf("%v in %s", err, second.excerpt())
	}
	if doc.Error.Type == "ResourceIsLocked" {
		second.refused(t, 409, "ResourceIsLocked", "CLUSTER_UPDATE for cluster '...' cannot be completed because it is already locked.")
		return
	}
	second.refused(t, 409, "ActionConflict", "The CLUSTER_UPDATE action for target ... conflicts with the following action(s): ...")
}

var nodeKeys = []string{
	"cluster_id", "created_at", "data", "dependents", "domain", "id", "index", "init_at", "metadata", "name", "physical_id", "profile_id",
	"profile_name", "project", "role", "status", "status_reason", "updated_at", "user",
}

func (s suite) nodes(t *testing.T) {
	u := s.withUsers(t)
	answer := s.a.post(t, "/v1/nodes", fmt.Sprintf(`{"node":{"name":%q,"profile_id":%q}}`, unique("node"), u.old[:13]))
	action := answer.begins(t, s.a)
	made := answer.object(t, "node")
	id, _ := made["id"].(string)
	path := "/v1/nodes/" + id
	s.a.removesLater(t, path)
	t.Run("202 names an action that makes it", func(t *testing.T) {
		if made["status"] != "INIT" || made["profile_id"] != u.old || made["cluster_id"] != "" {
			t.Errorf("got %v, want it to begin, in no cluster, with the profile's full id", made)
		}
		s.a.inUse(t, u.old)
		if done := s.a.succeeds(t, action); done["action"] != "NODE_CREATE" || done["target"] != id {
			t.Errorf("got action %v, want NODE_CREATE of %s", done, id)
		}
		shown := s.a.get(t, path).want(t, 200).object(t, "node")
		if shown["status"] != "ACTIVE" || !slices.Equal(sortedKeys(shown), nodeKeys) {
			t.Errorf("got %v, want it ACTIVE, with members %v", shown, nodeKeys)
		}
		rows := s.a.get(t, "/v1/nodes").want(t, 200).rows(t, "nodes")
		if len(rows) != 1 || rows[0]["id"] != id || rows[0]["profile_id"] != u.old || rows[0]["profile_name"] != shown["profile_name"] {
			t.Errorf("got the list %v, want just this node with its profile", rows)
		}
	})
	t.Run("a node on its own keeps its profile in use", func(t *testing.T) { s.a.inUse(t, u.old) })
	t.Run("from 1.13 on it says whether it is tainted", func(t *testing.T) {
		if got := s.a.at("1.13").get(t, path).want(t, 200).object(t, "node")["tainted"]; got != false {
			t.Errorf("got tainted %v, want false", got)
		}
	})
	for _, c := range []struct{ name, body, message string }{
		{"a profile of another type", `{"profile_id":"` + u.stack + `"}`, "Cannot update a node to a different profile type, operation aborted."},
		{"an unknown profile", `{"profile_id":"nosuch"}`, "The specified profile 'nosuch' could not be found."},
		{"the profile it has", `{"profile_id":"` + u.old + `"}`, nothingToDo},
		{"nothing", `{}`, nothingToDo},
	} {
		t.Run("it is not changed with "+c.name, func(t *testing.T) {
			s.a.patch(t, path, `{"node":`+c.body+`}`).refused(t, 400, "BadRequest", c.message)
		})
	}
	t.Run("it is not made with a profile that is not there", func(t *testing.T) {
		s.a.post(t, "/v1/nodes", `{"node":{"name":"x","profile_id":"nosuch"}}`).
			refused(t, 400, "BadRequest", "The specified profile 'nosuch' could not be found.")
		s.a.post(t, "/v1/nodes", `{"node":{"name":"x"}}`).refused(t, 400, "HTTPBadRequest", "'profile_id' is a required property")
	})
	t.Run("it is pointed at another profile", func(t *testing.T) {
		done := s.a.points(t, path, toProfile("node", u.new))
		inputs, _ := done["inputs"].(map[string]any)
		if done["action"] != "NODE_UPDATE" || inputs["new_profile_id"] != u.new || s.a.profileOf(t, path) != u.new {
			t.Errorf("got action %v, want a NODE_UPDATE to %s", done, u.new)
		}
		s.a.delete(t, "/v1/profiles/"+u.old).want(t, 204)
		s.a.inUse(t, u.new)
	})
	t.Run("nodes cannot be listed by profile", func(t *testing.T) {
		s.a.get(t, "/v1/nodes?profile_id=x").refused(t, 400, "HTTPBadRequest", "Invalid parameter profile_id")
	})
	t.Run("DELETE answers null, and frees the profile", func(t *testing.T) {
		if answer := s.a.delete(t, path); answer.body != "null" {
			t.Errorf("got body %s, want null", answer.excerpt())
		}
		eventually(t, "the node is gone", func() bool { return s.a.get(t, path).status == 404 })
		s.a.get(t, path).refused(t, 404, "ResourceNotFound", "The node '"+id+"' could not be found.")
		s.a.delete(t, "/v1/profiles/"+u.new).want(t, 204)
	})
}

func (s suite) actions(t *testing.T) {
	u := s.withUsers(t)
	id := u.cluster(t, u.old, 0)
	s.a.points(t, "/v1/clusters/"+id, toProfile("cluster", u.new))
	of := "/v1/actions?target=" + id
	t.Run("they are listed by target, in the order they came", func(t *testing.T) {
		rows := s.a.get(t, of).want(t, 200).rows(t, "actions")
		if len(rows) != 2 {
			t.Fatalf("got %v, want the create and the update", rows)
		}
		for _, row := range rows {
			if row["target"] != id || row["status"] != "SUCCEEDED" || row["cause"] != "RPC Request" {
				t.Errorf("got %v, want it done, for %s", row, id)
			}
			if one := s.a.get(t, fmt.Sprint("/v1/actions/", row["id"])).want(t, 200).object(t, "action"); fmt.Sprint(one) != fmt.Sprint(row) {
				t.Errorf("listed as\n\t%v, alone it is\n\t%v", row, one)
			}
		}
	})
	t.Run("by name of the action and by status", func(t *testing.T) {
		for query, want := range map[string]int{
			"&action=CLUSTER_UPDATE": 1, "&action=NODE_UPDATE": 0, "&status=SUCCEEDED": 2, "&status=RUNNING": 0,
			"&status=RUNNING&status=SUCCEEDED": 2, "&limit=1": 1,
		} {
			if rows := s.a.get(t, of+query).want(t, 200).rows(t, "actions"); len(rows) != want {
				t.Errorf("%s: got %d, want %d", query, len(rows), want)
			}
		}
		s.a.get(t, of+"&status=NOPE").refused(t, 400, "HTTPBadRequest", "Field value NOPE is invalid")
		s.a.get(t, of+"&nosuch=1").refused(t, 400, "HTTPBadRequest", "Invalid parameter nosuch")
	})
	t.Run("from 1.14 on with the cluster", func(t *testing.T) {
		row := s.a.at("1.14").get(t, of+"&limit=1").want(t, 200).rows(t, "actions")[0]
		if row["cluster_id"] != id {
			t.Errorf("got cluster_id %v, want %s", row["cluster_id"], id)
		}
		if row := s.a.at("1.13").get(t, of+"&limit=1").want(t, 200).rows(t, "actions")[0]; row["cluster_id"] != nil {
			t.Errorf("at 1.13: got cluster_id %v, want none", row["cluster_id"])
		}
	})
	t.Run("not another project's, nor what is not there", func(t *testing.T) {
		if rows := s.b.get(t, of).want(t, 200).rows(t, "actions"); len(rows) != 0 {
			t.Errorf("tenant-b sees %v, want nothing", rows)
		}
		s.a.get(t, "/v1/actions/nosuch").refused(t, 404, "ResourceNotFound", "The action 'nosuch' could not be found.")
	})
}
