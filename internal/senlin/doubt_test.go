package senlin

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"profilesync/internal/devcloud"
	"profilesync/internal/live"
	"profilesync/internal/profile"
)

// losing breaks the connection of requests with this method, before the cloud
// sees them or after it has acted.
func losing(method string, after bool) func(*http.Request, http.RoundTripper) (*http.Response, error) {
	return func(req *http.Request, next http.RoundTripper) (*http.Response, error) {
		if req.Method != method || strings.HasSuffix(req.URL.Path, "/tokens") {
			return next.RoundTrip(req)
		}
		if after {
			if _, err := next.RoundTrip(req); err != nil {
				return nil, err
			}
		}
		return nil, io.ErrUnexpectedEOF
	}
}

func asked(all []string, method string) (n int) {
	for _, one := range all {
		if strings.HasPrefix(one, method+" /v1") {
			n++
		}
	}
	return n
}

func TestACreateWhoseReplyIsLostIsInDoubtAndNeverRepeated(t *testing.T) {
	for name, after := range map[string]bool{"before the cloud acted": false, "after it": true} {
		t.Run(name, func(t *testing.T) {
			r := connect(t, devcloud.Options{}, demo())
			r.between(losing(http.MethodPost, after))
			_, err := r.Create(t.Context(), server("web"))
			if !errors.Is(err, profile.ErrInDoubt) {
				t.Errorf("got %v", err)
			}
			if n := asked(r.since(), http.MethodPost); n != 1 {
				t.Errorf("%d requests, want 1", n)
			}
			if all, err := r.Profiles(t.Context()); err != nil || (len(all) == 1) != after {
				t.Errorf("%v are there, %v", all, err)
			}
		})
	}
}

func TestACreateWithAnAnswerThatCannotBeReadIsInDoubt(t *testing.T) {
	for name, body := range map[string]string{"half": `{"profile": {"id": "x`, "a page": "<html>", "nothing": "", "no profile": "{}"} {
		t.Run(name, func(t *testing.T) {
			r := connect(t, devcloud.Options{}, demo())
			r.between(func(req *http.Request, _ http.RoundTripper) (*http.Response, error) { return says(req, 201, body) })
			if _, err := r.Create(t.Context(), server("web")); !errors.Is(err, profile.ErrInDoubt) || !errors.Is(err, ErrNotSenlin) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestADeleteWhoseReplyIsLostIsSettledByALook(t *testing.T) {
	for _, row := range []struct {
		name  string
		after bool
		want  error
	}{{"the cloud had acted", true, nil}, {"it had not, and may still", false, profile.ErrInDoubt}} {
		t.Run(row.name, func(t *testing.T) {
			r := connect(t, devcloud.Options{}, demo())
			made := r.create(t, server("web"))
			namesake := r.create(t, server(made.ID))
			r.since()
			r.between(losing(http.MethodDelete, row.after))
			if err := r.Delete(t.Context(), made.ID); !errors.Is(err, row.want) {
				t.Errorf("got %v, want %v", err, row.want)
			}
			if n := asked(r.since(), http.MethodDelete); n != 1 {
				t.Errorf("%d requests, want 1", n)
			}
			if _, err := r.Profile(t.Context(), namesake.ID); err != nil {
				t.Error("the profile that is named like the id:", err)
			}
		})
	}
}

func TestAnUpdateWhoseReplyIsLostIsSettledByALook(t *testing.T) {
	for _, row := range []struct {
		name  string
		after bool
		want  error
	}{{"the cloud had acted", true, nil}, {"it had not, and may still", false, profile.ErrInDoubt}} {
		t.Run(row.name, func(t *testing.T) {
			r := connect(t, devcloud.Options{}, demo())
			made := r.create(t, server("web"))
			r.since()
			r.between(losing(http.MethodPatch, row.after))
			got, err := r.Update(t.Context(), made.ID, "new", map[string]any{"a": "b"})
			if !errors.Is(err, row.want) || (err == nil && (got.Name != "new" || got.ID != made.ID)) {
				t.Errorf("got %v, %v, want %v", got, err, row.want)
			}
			if n := asked(r.since(), http.MethodPatch); n != 1 {
				t.Errorf("%d requests, want 1", n)
			}
		})
	}
}

func TestAWriteThatSurelyDidNotHappenIsRepeated(t *testing.T) {
	for _, method := range []string{http.MethodPost, http.MethodPatch, http.MethodDelete} {
		inBubble(t, method, func(t *testing.T) {
			r := connect(t, devcloud.Options{}, demo())
			made := r.create(t, server("web"))
			r.since()
			busy := true
			r.between(func(req *http.Request, next http.RoundTripper) (*http.Response, error) {
				if req.Method == method && busy {
					busy = false
					return says(req, 503, "no server is available")
				}
				return next.RoundTrip(req)
			})
			err := map[string]func() error{
				http.MethodPost:   func() error { return second(r.Create(t.Context(), server("two"))) },
				http.MethodPatch:  func() error { return second(r.Update(t.Context(), made.ID, "two", nil)) },
				http.MethodDelete: func() error { return r.Delete(t.Context(), made.ID) },
			}[method]()
			if n := asked(r.since(), method); err != nil || n != 2 {
				t.Errorf("%d requests, want 2, %v", n, err)
			}
		})
	}
}

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
	if first := r.since()[0]; !strings.HasPrefix(first, "GET /v1/actions?") {
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
