package conformance

import (
	"encoding/json"
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
	const tries = 20
	for range tries {
		action := s.a.patch(t, path, toProfile("cluster", u.new)).begins(t, s.a)
		second := s.a.patch(t, path, `{"cluster":{"metadata":{"n":"`+unique("n")+`"}}}`)
		if second.status == 409 {
			secondRefused(t, second)
			s.heldUntil(t, u.old, action)
			return
		}
		s.a.succeeds(t, second.begins(t, s.a))
		s.a.succeeds(t, action)
		u.old, u.new = u.new, u.old
	}
	t.Errorf("%d times a second change was taken while the first could still be at work", tries)
}

// heldUntil expects a profile to be in use for as long as the action that leads away from it runs.
func (s suite) heldUntil(t *testing.T, profile, action string) {
	t.Helper()
	early := s.a.delete(t, "/v1/profiles/"+profile)
	if early.status == 204 {
		if status := s.a.get(t, action).want(t, 200).object(t, "action")["status"]; slices.Contains(unfinished, status) {
			t.Errorf("the profile could be deleted while the action was %v", status)
		}
		return
	}
	early.refused(t, 409, "ResourceInUse", "...")
	s.a.succeeds(t, action)
	s.a.delete(t, "/v1/profiles/"+profile).want(t, 204)
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
