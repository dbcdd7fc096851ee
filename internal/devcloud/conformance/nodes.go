package conformance

import (
	"fmt"
	"slices"
	"testing"
)

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
	s.nodeRefusals(t, u, path)
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

// pagesLikeAll expects pages of two, by marker, to hold what a list without limit holds, in the same order.
func (c caller) pagesLikeAll(t *testing.T, kind, filter string) {
	t.Helper()
	ids := func(query string) []string {
		var found []string
		for _, row := range c.get(t, "/v1/"+kind+"?"+filter+query).want(t, 200).rows(t, kind) {
			id, _ := row["id"].(string)
			found = append(found, id)
		}
		return found
	}
	all := ids("")
	var paged []string
	for marker := ""; len(paged) <= len(all); {
		page := ids("&limit=2&marker=" + marker)
		if len(page) == 0 {
			break
		}
		marker = page[len(page)-1]
		paged = append(paged, page...)
	}
	if len(all) < 3 || !slices.Equal(all, paged) {
		t.Errorf("%s?%s: pages give %v, all at once is %v", kind, filter, paged, all)
	}
	if again := ids("&marker=00000000-0000-4000-8000-000000000000"); !slices.Equal(again, all) {
		t.Errorf("%s?%s: a marker that names nothing gives %v, want all, %v", kind, filter, again, all)
	}
}

// otherLists checks that clusters, nodes and actions are read as profiles are.
func (s suite) otherLists(t *testing.T) {
	profile := s.b.profile(t, unique("lists"))
	for range 3 {
		s.b.cluster(t, profile, 0)
		answer := s.b.post(t, "/v1/nodes", fmt.Sprintf(`{"node":{"name":%q,"profile_id":%q}}`, unique("node"), profile))
		action := answer.begins(t, s.b)
		s.b.removesLater(t, fmt.Sprint("/v1/nodes/", answer.object(t, "node")["id"]))
		s.b.succeeds(t, action)
	}
	for _, kind := range []string{"clusters", "nodes", "actions"} {
		t.Run(kind, func(t *testing.T) {
			s.b.pagesLikeAll(t, kind, "sort=name")
			s.b.pagesLikeAll(t, kind, "sort=created_at:desc")
			s.b.pagesLikeAll(t, kind, "")
			s.b.get(t, "/v1/"+kind+"?global_project=true").refused(t, 403, "Forbidden", "You are not authorized to complete this operation.")
			s.b.get(t, "/v1/"+kind+"?limit=-1").refused(t, 400, "HTTPBadRequest", "Value must be >= 0 for field 'limit'.")
			s.b.get(t, "/v1/"+kind+"?sort=nosuch").refused(t, 400, "HTTPBadRequest", "Unsupported sort key 'nosuch' for 'sort'.")
			for _, row := range s.a.get(t, "/v1/"+kind).want(t, 200).rows(t, kind) {
				if row["project"] != s.a.project {
					t.Errorf("tenant-a sees %v, which is not its own", row)
				}
			}
			seen := false
			for _, row := range s.admin.get(t, "/v1/"+kind).want(t, 200).rows(t, kind) {
				seen = seen || row["project"] == s.b.project
			}
			if !seen {
				t.Error("as admin, tenant-b's are not listed")
			}
		})
	}
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

func (s suite) nodeRefusals(t *testing.T, u users, path string) {
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
}
