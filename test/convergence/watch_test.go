package convergence

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
)

// ServeHTTP is the cloud as the program reaches it once nothing goes wrong: it
// judges every write by what was live just before.
func (w *world) ServeHTTP(out http.ResponseWriter, r *http.Request) {
	id, isProfile := strings.CutPrefix(r.URL.Path, "/v1/profiles")
	id = strings.TrimPrefix(id, "/")
	if !isProfile || r.Method == http.MethodGet || id == "validate" {
		w.cloud.ServeHTTP(out, r)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	answer := httptest.NewRecorder()

	w.mu.Lock()
	defer w.mu.Unlock()
	before := w.list()
	w.cloud.ServeHTTP(answer, r)
	w.pass.writes++
	switch r.Method {
	case http.MethodPost:
		w.created(body, before, answer.Code)
	case http.MethodPatch:
		if strings.Contains(answer.Body.String(), "No property needs an update") && w.late == 0 {
			w.breaks("a PATCH of %q changes nothing", id)
		}
	case http.MethodDelete:
		w.deleted(id, before, answer.Code)
	}
	maps.Copy(out.Header(), answer.Header())
	out.WriteHeader(answer.Code)
	_, _ = out.Write(answer.Body.Bytes())
}

// created judges a create: never a second one of a name, and never while the
// old one bears the name.
func (w *world) created(body []byte, before []row, status int) {
	var asked struct{ Profile struct{ Name string } }
	if status != http.StatusCreated || json.Unmarshal(body, &asked) != nil || w.late > 0 {
		return
	}
	name := asked.Profile.Name
	if w.pass.posts[name]++; w.pass.posts[name] > 1 {
		w.breaks("%q was created twice in one pass", name)
	}
	if w.pass.bearers[name] < 2 && !w.pass.disturbed && w.bearers(before)[name] > 0 {
		w.breaks("%q was created while another of ours bears the name", name)
	}
}

// deleted judges a delete.
func (w *world) deleted(id string, before []row, status int) {
	users := w.users()
	user, used := users[id]
	if status == http.StatusConflict && !user.hidden && !w.pass.taken[id] {
		w.breaks("whether %q is in use was learnt by deleting it", id)
	}
	if status != http.StatusNoContent {
		return
	}
	var p row
	for _, one := range before {
		if one.ID == id {
			p = one
		}
	}
	if used {
		w.breaks("%q was deleted, and something holds on to it", p.Name)
	}
	w.allowed(p, before)
}

// allowed judges whether a profile was one to delete.
func (w *world) allowed(p row, before []row) {
	marks := p.marks()
	_, wanted := w.pass.want[p.Name]
	_, successor := w.pass.want[marks.Superseded]
	switch {
	case p.Project != w.project || marks.Owner != owner:
		w.breaks("%q is not ours, and was deleted", p.Name)
	case w.late > 0 || w.pass.disturbed: // what comes late was right when it was sent
	case marks.Superseded == "" && !wanted && !w.Prune:
		w.breaks("%q was deleted without prune", p.Name)
	case marks.Superseded == "" && !wanted && marks.Protected:
		w.breaks("%q was deleted, and is protected", p.Name)
	case successor && w.bearers(before)[marks.Superseded] == 0:
		w.breaks("an earlier generation of %q was deleted before its successor was there", marks.Superseded)
	}
	if marks.Superseded == "" {
		w.pass.deletes++
	}
	if w.Strict && w.late == 0 && w.pass.deletes > max(1, w.pass.owned*30/100) {
		w.breaks("%d of %d were deleted in one pass, in spite of the limit", w.pass.deletes, w.pass.owned)
	}
}
