package conformance

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// users is what the cluster and node tests share: two server profiles and one of another type.
type users struct {
	caller
	old, new, stack string
}

func (s suite) withUsers(t *testing.T) users {
	t.Helper()
	u := users{caller: s.a, old: s.a.profile(t, unique("old")), new: s.a.profile(t, unique("new"))}
	stack := stack(`"template":{"a":1}`)
	u.stack, _ = s.a.makes(t, newProfile(unique("stack"), stack, "")).object(t, "profile")["id"].(string)
	return u
}

func (s suite) clusters(t *testing.T) {
	t.Run("202 names an action that makes it", s.clusterCreation)
	t.Run("bodies that are refused", s.clusterRefusals)
	t.Run("an empty cluster is pointed at another profile", s.emptyClusterMoves)
	t.Run("clusters cannot be listed by profile", func(t *testing.T) {
		s.a.get(t, "/v1/clusters?profile_id=x").refused(t, 400, "HTTPBadRequest", "Invalid parameter 'profile_id'")
	})
	t.Run("another project's cluster is not there", func(t *testing.T) {
		u := s.withUsers(t)
		id := u.cluster(t, u.old, 0)
		s.b.get(t, "/v1/clusters/"+id).refused(t, 404, "ResourceNotFound", "The cluster '"+id+"' could not be found.")
		s.admin.get(t, "/v1/clusters/"+id).want(t, 200)
		if rows := s.b.get(t, "/v1/clusters").want(t, 200).rows(t, "clusters"); len(rows) != 0 {
			t.Errorf("tenant-b sees %v, want nothing", rows)
		}
	})
	// Changes of nodes take the real engine seconds in which it does nothing, so these wait together.
	for name, test := range map[string]func(*testing.T){
		"a cluster takes its nodes along":          s.clusterMovesNodes,
		"its own profile only, from 1.6 on":        s.clusterMovesAlone,
		"a cluster at work refuses another change": s.busyCluster,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t)
		})
	}
}

// begins checks a 202 and returns the address of its action.
func (a answer) begins(t testing.TB, c caller) string {
	t.Helper()
	a.want(t, 202).hasVersionHeaders(t)
	base := c.base + "/v1/actions/"
	id, ok := strings.CutPrefix(a.header.Get("Location"), base)
	if !ok || !dashedID.MatchString(id) {
		t.Fatalf("%s: got Location %q, want %s<id>", a.request, a.header.Get("Location"), base)
	}
	return "/v1/actions/" + id
}

// unfinished are the statuses an action passes through.
var unfinished = []any{"INIT", "WAITING", "READY", "RUNNING"}

// succeeds waits for an action to end and returns it.
func (c caller) succeeds(t testing.TB, action string) map[string]any {
	t.Helper()
	var ended map[string]any
	eventually(t, "GET "+action+" ends", func() bool {
		ended = c.get(t, action).want(t, 200).object(t, "action")
		return !slices.Contains(unfinished, ended["status"])
	})
	if ended["status"] != "SUCCEEDED" {
		t.Fatalf("the action ended %v: %v", ended["status"], ended["status_reason"])
	}
	return ended
}

// cluster makes a cluster of some nodes, waits until it is there, and deletes it when the test ends.
func (c caller) cluster(t testing.TB, profile string, nodes int) string {
	t.Helper()
	body := fmt.Sprintf(`{"cluster":{"name":%q,"profile_id":%q,"desired_capacity":%d}}`, unique("cluster"), profile, nodes)
	answer := c.post(t, "/v1/clusters", body)
	action := answer.begins(t, c)
	id, _ := answer.object(t, "cluster")["id"].(string)
	c.removesLater(t, "/v1/clusters/"+id)
	c.succeeds(t, action)
	return id
}

// removesLater deletes a cluster or node at the end of the test, and waits until it is gone. A delete may be refused while
// an action runs, so it is asked for again.
func (c caller) removesLater(t testing.TB, path string) {
	t.Cleanup(func() {
		eventually(t, path+" is gone", func() bool { return c.delete(t, path).status == 404 })
	})
}

// points sends the change of profile, waits for its action and returns it.
func (c caller) points(t testing.TB, path, body string) map[string]any {
	t.Helper()
	return c.succeeds(t, c.patch(t, path, body).begins(t, c))
}

// profileOf is the id of the profile that a cluster or node says it has.
func (c caller) profileOf(t testing.TB, path string) any {
	t.Helper()
	kind := strings.TrimSuffix(strings.Split(path, "/")[2], "s")
	return c.get(t, path).want(t, 200).object(t, kind)["profile_id"]
}

// inUse expects a profile's DELETE to be refused because a cluster or node has it.
func (c caller) inUse(t testing.TB, profile string) {
	t.Helper()
	c.delete(t, "/v1/profiles/"+profile).refused(t, 409, "ResourceInUse",
		"The profile '"+profile+"' cannot be deleted: still referenced by some clusters and/or nodes.")
}

var clusterKeys = []string{
	"config", "created_at", "data", "dependents", "desired_capacity", "domain", "id", "init_at", "max_size", "metadata", "min_size", "name",
	"nodes", "policies", "profile_id", "profile_name", "project", "status", "status_reason", "timeout", "updated_at", "user",
}

func (s suite) clusterCreation(t *testing.T) {
	profileName, name := unique("profile"), unique("cluster")
	profile := s.a.profile(t, profileName)
	answer := s.a.post(t, "/v1/clusters", fmt.Sprintf(`{"cluster":{"name":%q,"profile_id":%q,"desired_capacity":0}}`, name, profileName))
	action := answer.begins(t, s.a)
	made := answer.object(t, "cluster")
	id, _ := made["id"].(string)
	s.a.removesLater(t, "/v1/clusters/"+id)
	if got := sortedKeys(made); !slices.Equal(got, clusterKeys) {
		t.Errorf("got members %v, want %v", got, clusterKeys)
	}
	if made["status"] != "INIT" || made["profile_id"] != profile || made["profile_name"] != profileName || made["project"] != s.a.project {
		t.Errorf("got %v, want it to begin with the profile's full id and name", made)
	}
	s.a.inUse(t, profile)
	done := s.a.succeeds(t, action)
	if done["action"] != "CLUSTER_CREATE" || done["target"] != id || done["status_reason"] != "Action completed successfully." {
		t.Errorf("got action %v, want CLUSTER_CREATE of %s", done, id)
	}
	shown := s.a.get(t, "/v1/clusters/"+name).want(t, 200).object(t, "cluster")
	if shown["id"] != id || shown["status"] != "ACTIVE" || fmt.Sprint(shown["nodes"]) != "[]" {
		t.Errorf("got %v, want it ACTIVE with no nodes", shown)
	}
	rows := s.a.get(t, "/v1/clusters").want(t, 200).rows(t, "clusters")
	if len(rows) != 1 || fmt.Sprint(rows[0]) != fmt.Sprint(shown) {
		t.Errorf("got the list %v, want just what GET answers: %v", rows, shown)
	}
	t.Run("a profile's new name shows at once", func(t *testing.T) {
		renamedTo := unique("renamed")
		s.a.patch(t, "/v1/profiles/"+profile, renamed(renamedTo)).want(t, 200)
		if got := s.a.get(t, "/v1/clusters/"+id).want(t, 200).object(t, "cluster")["profile_name"]; got != renamedTo {
			t.Errorf("got profile_name %v, want %s", got, renamedTo)
		}
	})
	t.Run("DELETE answers null, and frees the profile", func(t *testing.T) {
		s.a.inUse(t, profile)
		answer := s.a.delete(t, "/v1/clusters/"+id)
		answer.begins(t, s.a)
		if answer.body != "null" {
			t.Errorf("got body %s, want null", answer.excerpt())
		}
		eventually(t, "the cluster is gone", func() bool { return s.a.get(t, "/v1/clusters/"+id).status == 404 })
		s.a.get(t, "/v1/clusters/"+id).refused(t, 404, "ResourceNotFound", "The cluster '"+id+"' could not be found.")
		s.a.delete(t, "/v1/clusters/"+id).refused(t, 404, "ResourceNotFound", "The cluster '"+id+"' could not be found.")
		s.a.delete(t, "/v1/profiles/"+profile).want(t, 204)
	})
}

func (s suite) clusterRefusals(t *testing.T) {
	u := s.withUsers(t)
	for _, c := range []struct{ name, body, kind, message string }{
		{"an unknown profile", `{"name":"x","profile_id":"nosuch"}`, "BadRequest", "The specified profile 'nosuch' could not be found."},
		{"no profile", `{"name":"x"}`, "HTTPBadRequest", "'profile_id' is a required property"},
		{"no name", `{"profile_id":"` + u.old + `"}`, "HTTPBadRequest", "'name' is a required property"},
		{"a name with a space", `{"name":"a b","profile_id":"` + u.old + `"}`, "HTTPBadRequest", "The value for the 'name' (a b) contains illegal characters. ..."},
		{"an unknown key", `{"name":"x","profile_id":"` + u.old + `","nosuch":1}`, "HTTPBadRequest", "Additional properties are not allowed ('nosuch' was unexpected)"},
	} {
		t.Run("created with "+c.name, func(t *testing.T) {
			s.a.post(t, "/v1/clusters", `{"cluster":`+c.body+`}`).refused(t, 400, c.kind, c.message)
		})
	}
	id := u.cluster(t, u.old, 0)
	for _, c := range []struct{ name, body, kind, message string }{
		{"a profile of another type", `{"profile_id":"` + u.stack + `"}`, "BadRequest", "Cannot update a cluster to a different profile type, operation aborted."},
		{"an unknown profile", `{"profile_id":"nosuch"}`, "BadRequest", "The specified profile 'nosuch' could not be found."},
		{"the profile it has", `{"profile_id":"` + u.old + `"}`, "BadRequest", nothingToDo},
		{"nothing", `{}`, "BadRequest", nothingToDo},
		{"nothing that 1.0 knows", `{"profile_only":true}`, "BadRequest", nothingToDo},
		{"an unknown key", `{"nosuch":1}`, "HTTPBadRequest", "Additional properties are not allowed ('nosuch' was unexpected)"},
	} {
		t.Run("changed with "+c.name, func(t *testing.T) {
			s.a.patch(t, "/v1/clusters/"+id, `{"cluster":`+c.body+`}`).refused(t, 400, c.kind, c.message)
		})
	}
	s.a.patch(t, "/v1/clusters/nosuch", `{"cluster":{}}`).refused(t, 404, "ResourceNotFound", "The cluster 'nosuch' could not be found.")
}

func toProfile(kind, profile string) string {
	return `{"` + kind + `":{"profile_id":"` + profile + `"}}`
}

func sortedKeys(object map[string]any) []string { return slices.Sorted(maps.Keys(object)) }
