package senlin

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"profilesync/internal/devcloud"
	"profilesync/internal/live"
	"profilesync/internal/profile"
)

func TestWhoUsesAProfile(t *testing.T) {
	r := connect(t, devcloud.Options{ActionTime: 1 << 40}, demo())
	old, next := r.create(t, server("old")), r.create(t, server("new"))
	r.send(t, http.MethodPost, "clusters", `{"cluster": {"name": "c", "profile_id": "`+old.ID+`", "desired_capacity": 1}}`, 202)
	if err := r.cloud.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	users, err := r.Users(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if kinds := kindsOf(users[old.ID]); !slices.Equal(kinds, []live.Kind{live.Cluster, live.Node}) || users[old.ID][0].Name != "c" || len(users) != 1 {
		t.Errorf("users %+v", users)
	}
	if err := r.Delete(t.Context(), old.ID); !errors.Is(err, profile.ErrInUse) {
		t.Errorf("got %v", err)
	}
	r.send(t, http.MethodPatch, "clusters/"+users[old.ID][0].ID, `{"cluster": {"profile_id": "`+next.ID+`"}}`, 202)
	r.since()
	users, err = r.Users(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if kinds := kindsOf(users[next.ID]); !slices.Contains(kinds, live.Action) || slices.Contains(kinds, live.Cluster) {
		t.Errorf("users of the next one: %+v", users)
	}
	scope, _ := r.Scope(context.Background())
	if user := users[next.ID][0]; user.Project != scope.Project || user.Status == "" || user.ID == "" {
		t.Errorf("user %+v", user)
	}
	const unfinished = "GET /v1/actions?status=INIT&status=WAITING&status=READY&status=RUNNING&status=WAITING_LIFECYCLE_COMPLETION&status=SUSPENDED"
	if first := r.since()[0]; first != unfinished {
		t.Errorf("the actions must be read before what they change, %q was", first)
	}
}

func kindsOf(users []live.User) []live.Kind {
	var kinds []live.Kind
	for _, user := range users {
		kinds = append(kinds, user.Kind)
	}
	slices.Sort(kinds)
	return kinds
}

func TestWhereAUserMayNameAProfile(t *testing.T) {
	r := connect(t, devcloud.Options{}, demo())
	r.between(func(req *http.Request, next http.RoundTripper) (*http.Response, error) {
		body := map[string]string{
			"/v1/actions": `{"actions": [{"id": "a1", "name": "update", "project": "p", "status": "RUNNING", "inputs": {"new_profile_id": "x"}},
				{"id": "a2", "inputs": {"new_profile_id": 5}}, {"id": "a3", "inputs": null}, {"id": "a4", "inputs": {"name": "y"}}]}`,
			"/v1/clusters": `{"clusters": [{"id": "c1", "profile_id": "x", "dependents": {"profiles": ["y", 5, "z"]}}, {"id": "c2", "profile_id": null}]}`,
			"/v1/nodes":    `{"nodes": [{"id": "n1", "profile_id": "x", "dependents": {}, "created_at": "2016-01-03T16:22:23", "index": 1e3}], "links": []}`,
		}[req.URL.Path]
		if req.URL.Query().Has("marker") {
			body = `{"` + strings.TrimPrefix(req.URL.Path, "/v1/") + `": []}`
		}
		return says(req, 200, body)
	})
	users, err := r.Users(t.Context())
	if err != nil || len(users) != 3 {
		t.Fatalf("got %v, %v", users, err)
	}
	for id, want := range map[string]string{"x": "a1 c1 n1", "y": "c1", "z": "c1"} {
		var ids []string
		for _, user := range users[id] {
			ids = append(ids, user.ID)
		}
		if got := strings.Join(ids, " "); got != want {
			t.Errorf("%s is used by %s, want %s", id, got, want)
		}
	}
}
