package devcloud_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"profilesync/internal/devcloud"
)

// TestAnActionGoesOnWhereverItWasInterrupted restarts the cloud between any two steps of a roll.
func TestAnActionGoesOnWhereverItWasInterrupted(t *testing.T) {
	o := devcloud.Options{Path: filepath.Join(t.TempDir(), "cloud.db"), ActionTime: time.Hour}
	cloud := open(t, o)
	c := logIn(t, cloud, "tenant-a")
	c.send(t, "POST", "/v1/profiles", profileBody("old", "")).want(t, 201)
	next := c.send(t, "POST", "/v1/profiles", profileBody("new", "")).want(t, 201).id(t)
	c.send(t, "POST", "/v1/clusters", `{"cluster":{"name":"c","profile_id":"old","desired_capacity":1}}`).want(t, 202)
	settle(t, cloud)
	c.send(t, "PATCH", "/v1/clusters/c", `{"cluster":{"profile_id":"new"}}`).want(t, 202)
	for range 5 { // each start does the step that is due
		cloud = reopen(t, cloud, o)
		c.transport = cloud.Transport()
	}
	settle(t, cloud)
	if got := c.send(t, "GET", "/v1/clusters/c", "").want(t, 200); got.field(t, "profile_id") != next || got.field(t, "status") != "ACTIVE" {
		t.Errorf("got %s, want it on %s", got.body, next)
	}
	if n := strings.Count(c.send(t, "GET", "/v1/nodes", "").body, `"profile_id": "`+next); n != 1 {
		t.Errorf("got %d nodes on the new profile, want the one there is", n)
	}
	c.send(t, "DELETE", "/v1/profiles/old", "").want(t, 204)
}

// TestARollThatCannotBe: a server cannot take another key in place. Senlin accepts the change, fails, leaves the node in
// UPDATING and the cluster locked for a while.
func TestARollThatCannotBe(t *testing.T) {
	cloud := open(t, devcloud.Options{})
	c := logIn(t, cloud, "tenant-a")
	for _, p := range []struct{ name, extra string }{{"old", ""}, {"keyed", `,"key_name":"k"`}} {
		c.send(t, "POST", "/v1/profiles", profileBody(p.name, p.extra)).want(t, 201)
	}
	c.send(t, "POST", "/v1/clusters", `{"cluster":{"name":"c","profile_id":"old","desired_capacity":1}}`).want(t, 202)
	settle(t, cloud)
	action := c.send(t, "PATCH", "/v1/clusters/c", `{"cluster":{"profile_id":"keyed"}}`).want(t, 202).header.Get("Location")
	settle(t, cloud)
	action = strings.TrimPrefix(action, devcloud.InProcessURL)
	if got := c.send(t, "GET", action, "").want(t, 200); got.field(t, "status") != "FAILED" || got.field(t, "status_reason") != "Failed in updating nodes." {
		t.Errorf("got %s", got.body)
	}
	if got := c.send(t, "GET", "/v1/clusters/c", "").want(t, 200); got.field(t, "status") != "WARNING" || got.field(t, "profile_name") != "old" {
		t.Errorf("got %s, want it to be what it was, and WARNING", got.body)
	}
	if got := c.send(t, "GET", "/v1/nodes", "").want(t, 200); !strings.Contains(got.body, `"status": "UPDATING"`) {
		t.Errorf("got %s, want the node stuck in UPDATING", got.body)
	}
	c.send(t, "DELETE", "/v1/profiles/keyed", "").want(t, 204)
}

// TestTheTargetOfARunningRollCanBeDeleted, as in Senlin, which does not count what an action names; the roll then fails.
func TestTheTargetOfARunningRollCanBeDeleted(t *testing.T) {
	cloud := open(t, devcloud.Options{ActionTime: time.Hour})
	c := logIn(t, cloud, "tenant-a")
	for _, name := range []string{"old", "new"} {
		c.send(t, "POST", "/v1/profiles", profileBody(name, "")).want(t, 201)
	}
	c.send(t, "POST", "/v1/clusters", `{"cluster":{"name":"c","profile_id":"old"}}`).want(t, 202)
	settle(t, cloud)
	c.send(t, "PATCH", "/v1/clusters/c", `{"cluster":{"profile_id":"new"}}`).want(t, 202)
	c.send(t, "DELETE", "/v1/profiles/new", "").want(t, 204)
	settle(t, cloud)
	if got := c.send(t, "GET", "/v1/clusters/c", "").want(t, 200); got.field(t, "profile_name") != "old" {
		t.Errorf("got %s, want it to have stayed", got.body)
	}
}

// TestAClusterKeepsItsBounds: a node may be asked to join or leave, and its action then finds out.
func TestAClusterKeepsItsBounds(t *testing.T) {
	cloud := open(t, devcloud.Options{})
	c := logIn(t, cloud, "tenant-a")
	c.send(t, "POST", "/v1/profiles", profileBody("web", "")).want(t, 201)
	c.send(t, "POST", "/v1/clusters", `{"cluster":{"name":"c","profile_id":"web","desired_capacity":1,"min_size":1,"max_size":2}}`).want(t, 202)
	settle(t, cloud)
	capacity := func(want int) {
		t.Helper()
		got := c.send(t, "GET", "/v1/clusters/c", "").want(t, 200)
		if got.field(t, "desired_capacity") != float64(want) || len(got.field(t, "nodes").([]any)) != want || got.field(t, "status") != "ACTIVE" {
			t.Errorf("got %s, want it ACTIVE with %d nodes", got.body, want)
		}
	}
	ends := func(r reply, status, reason string) {
		t.Helper()
		settle(t, cloud)
		action := c.send(t, "GET", strings.TrimPrefix(r.want(t, 202).header.Get("Location"), devcloud.InProcessURL), "").want(t, 200)
		if action.field(t, "status") != status || action.field(t, "status_reason") != reason {
			t.Errorf("got %s, want %s: %s", action.body, status, reason)
		}
	}
	const done = "Action completed successfully."
	join := `{"node":{"name":"n","profile_id":"web","cluster_id":"c"}}`
	second := c.send(t, "POST", "/v1/nodes", join)
	ends(second, "SUCCEEDED", done)
	capacity(2)
	third := c.send(t, "POST", "/v1/nodes", join)
	ends(third, "FAILED", "The target capacity (3) is greater than the cluster's max_size (2).")
	capacity(2)
	if got := c.send(t, "GET", "/v1/nodes/"+third.id(t), ""); got.field(t, "status") != "ERROR" || got.field(t, "cluster_id") != "" {
		t.Errorf("got %s, want it alone and in error", got.body)
	}
	ends(c.send(t, "DELETE", "/v1/nodes/"+second.id(t), ""), "SUCCEEDED", done)
	capacity(1)
	last := c.send(t, "GET", "/v1/clusters/c", "").field(t, "nodes").([]any)[0].(string)
	ends(c.send(t, "DELETE", "/v1/nodes/"+last, ""), "FAILED", "The target capacity (0) is less than the cluster's min_size (1).")
	capacity(1)
}
