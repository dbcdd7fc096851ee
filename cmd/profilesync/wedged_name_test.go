package main

import (
	"net/http"
	"strings"
	"testing"

	"profilesync/internal/devcloud"
)

// Where the server wants names to be unique, an earlier generation that somebody
// calls like a document would have that refused in every pass.
func TestAnEarlierGenerationThatTookANameGivesItBack(t *testing.T) {
	t.Parallel()
	w := newWedge(t, devcloud.Options{NameUnique: true})
	somebody := &api{cloudsFile: w.clouds}
	s, err := somebody.logIn("tenant-a")
	if err != nil {
		t.Fatal(err)
	}
	send := func(method, path, body string) {
		t.Helper()
		status, header, text, err := s.do(method, path, body)
		if err == nil && header.Get("Location") != "" {
			err = s.wait(header.Get("Location"))
		}
		if err != nil || status >= http.StatusBadRequest {
			t.Fatalf("%s %s: status %d, %v\n%s", method, path, status, err, text)
		}
	}
	w.documents(1, "small")
	w.must("apply", "--yes")
	send(http.MethodPost, "/v1/clusters", `{"cluster":{"name":"asg","profile_id":"web00","desired_capacity":0}}`)
	w.documents(1, "large")
	w.must("apply", "--yes")
	all, err := somebody.things(s, "profiles")
	if err != nil || len(all) != 2 {
		t.Fatalf("live: %v, %v", all, err)
	}
	used := all[0]
	if !strings.Contains(used.Name, "~") {
		used = all[1]
	}
	send(http.MethodPatch, "/v1/profiles/"+used.ID, `{"profile":{"name":"web01"}}`)
	w.documents(2, "large")
	w.must("apply", "--yes")
	w.must("plan", "--detailed-exitcode")
	all, err = somebody.things(s, "profiles")
	if err != nil || len(all) != 3 {
		t.Fatalf("live: %v, %v", all, err)
	}
	for _, one := range all {
		if (one.ID == used.ID) != (one.Name == used.Name) {
			t.Errorf("%s is called %q", one.ID, one.Name)
		}
	}
}
