package convergence

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"

	"profilesync/internal/devcloud"
	"profilesync/internal/profile"
)

// world is a cloud with everything in it, and the book that the laws are judged
// by. It speaks to the cloud past everything that can go wrong.
type world struct {
	history
	cloud   http.Handler
	tokens  map[string]string // by account
	project string            // the program's

	mu     sync.Mutex
	pass   book
	late   int      // writes that were abandoned, in all passes
	broken []string // the laws that were
	diary  []string

	requests, befallen, deaths, others int // of disturbed passes, for the tally
}

// row is a profile as the cloud's list gives it.
type row struct {
	ID, Name, Project string
	Metadata          map[string]any
	Spec              struct {
		Properties struct{ Flavor string }
	}
	raw string
}

func (r row) marks() profile.Marks { return profile.MarksOf(r.Metadata) }

// account is who the program works as, and neighbour is who owns another
// project with profiles that bear our mark.
func (h history) account() (account, neighbour string) {
	if h.Admin {
		return "admin", "demo"
	}
	return "demo", "tenant-b"
}

func newWorld(h history, cloud *devcloud.Cloud) *world {
	w := &world{history: h, cloud: cloud.Handler(), tokens: map[string]string{}}
	account, _ := h.account()
	for _, a := range devcloud.Accounts() {
		w.logIn(a)
		if a.Name == account {
			w.project = a.ProjectID()
		}
	}
	return w
}

func (w *world) logIn(a devcloud.Account) {
	body := fmt.Sprintf(`{"auth":{"identity":{"methods":["password"],"password":{"user":{"name":%q,"domain":{"id":"default"},`+
		`"password":%q}}},"scope":{"project":{"name":%q,"domain":{"id":"default"}}}}}`, a.Name, a.Password, a.Project)
	answer := w.send("", http.MethodPost, "/identity/v3/auth/tokens", []byte(body))
	w.tokens[a.Name] = answer.Header().Get("X-Subject-Token")
}

// send asks the cloud for something, as an account.
func (w *world) send(account, method, path string, body []byte) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(context.Background(), method, devcloud.InProcessURL+path, bytes.NewReader(body))
	r.Header.Set("X-Auth-Token", w.tokens[account])
	r.Header.Set("Accept", "application/json")
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("OpenStack-API-Version", "clustering 1.14")
	answer := httptest.NewRecorder()
	w.cloud.ServeHTTP(answer, r)
	return answer
}

// make sends a body and returns the id of what came of it, or "".
func (w *world) make(account, method, path string, body map[string]any) string {
	text, err := json.Marshal(body)
	if err != nil {
		panic(err) // of maps of strings
	}
	answer := w.send(account, method, path, text)
	var made map[string]struct{ ID string }
	if answer.Code >= 300 || json.Unmarshal(answer.Body.Bytes(), &made) != nil {
		return ""
	}
	for _, thing := range made {
		return thing.ID
	}
	return ""
}

func (w *world) makeProfile(account, name, flavor string, metadata map[string]any) string {
	s := spec(flavor)
	return w.make(account, http.MethodPost, "/v1/profiles", map[string]any{"profile": map[string]any{
		"name": name, "metadata": metadata,
		"spec": map[string]any{"type": s.Type, "version": s.Version, "properties": map[string]any(s.Properties)},
	}})
}

func (w *world) makeCluster(account, name, id string) string {
	return w.make(account, http.MethodPost, "/v1/clusters", map[string]any{"cluster": map[string]any{
		"name": name, "profile_id": id, "desired_capacity": 0,
	}})
}

func (w *world) relabel(account, id, name string, metadata map[string]any) {
	w.make(account, http.MethodPatch, "/v1/profiles/"+id, map[string]any{"profile": map[string]any{"name": name, "metadata": metadata}})
}

// list reads every project's profiles, oldest first.
func (w *world) list() []row {
	var answer struct{ Profiles []json.RawMessage }
	if err := json.Unmarshal(w.send("admin", http.MethodGet, "/v1/profiles", nil).Body.Bytes(), &answer); err != nil {
		panic(err) // the cloud itself is not disturbed
	}
	rows := make([]row, len(answer.Profiles))
	for i, raw := range answer.Profiles {
		if err := json.Unmarshal(raw, &rows[i]); err != nil {
			panic(err)
		}
		rows[i].raw = string(raw)
	}
	return rows
}

// held is a profile that something holds on to.
type held struct {
	hidden bool // from the program's token
	action bool // nothing but an unfinished action
}

// users reads who holds on to which profile.
func (w *world) users() map[string]held {
	users := map[string]held{}
	for _, path := range []string{"actions?status=INIT&status=WAITING&status=READY&status=RUNNING", "clusters", "nodes"} {
		var answer map[string][]struct {
			Project string
			Profile string         `json:"profile_id"`
			Inputs  map[string]any `json:"inputs"`
		}
		body := w.send("admin", http.MethodGet, "/v1/"+path+global(path), nil).Body.Bytes()
		if err := json.Unmarshal(body, &answer); err != nil {
			panic(err)
		}
		for _, things := range answer {
			for _, thing := range things {
				next, _ := thing.Inputs["new_profile_id"].(string)
				for _, id := range []string{thing.Profile, next} {
					if before, known := users[id]; id != "" {
						hidden := !w.Admin && thing.Project != w.project
						action := thing.Profile == ""
						users[id] = held{hidden && (!known || before.hidden), action && (!known || before.action)}
					}
				}
			}
		}
	}
	return users
}

func global(path string) string {
	if path == "clusters" || path == "nodes" {
		return "?global_project=true"
	}
	return "&global_project=true"
}

// breaks notes that a law was broken.
func (w *world) breaks(format string, args ...any) {
	w.broken = append(w.broken, fmt.Sprintf(format, args...))
}
