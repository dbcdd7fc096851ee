package convergence

import (
	"fmt"
	"net/http"

	"profilesync/internal/profile"
)

// settle makes what is live when the history begins; finish ends the actions
// that are under way, so that only those begun afterwards stay unfinished.
func (w *world) settle(finish func()) {
	account, neighbour := w.account()
	base := w.makeProfile(account, "base", "base", nil)
	ids := make([]string, len(w.Live))
	clusters := make([]string, len(w.Live))
	for i, g := range w.Live {
		ids[i] = w.place(account, neighbour, g)
		switch name := fmt.Sprintf("c%d", i); {
		case ids[i] == "" || g.Whose == "elsewhere":
		case g.Use == "cluster":
			w.makeCluster(account, name, ids[i])
		case g.Use == "node":
			w.make(account, http.MethodPost, "/v1/nodes", map[string]any{"node": map[string]any{"name": name, "profile_id": ids[i]}})
		case g.Use == "hidden":
			w.makeCluster("admin", name, ids[i])
		case g.Use == "action":
			clusters[i] = w.makeCluster(account, name, base)
		}
	}
	finish()
	for i, cluster := range clusters {
		if cluster != "" {
			w.make(account, http.MethodPatch, "/v1/clusters/"+cluster, map[string]any{"cluster": map[string]any{"profile_id": ids[i]}})
		}
	}
}

// place makes one profile; it has no id when the server wants unique names.
func (w *world) place(account, neighbour string, g given) string {
	marks := profile.Marks{Owner: owner, Source: g.Name + ".yaml", Revision: "r0", Protected: g.Protected}
	switch g.Whose {
	case "them":
		marks.Owner = "them"
	case "nobody":
		marks = profile.Marks{}
	case "elsewhere":
		account = neighbour
	}
	labels := map[string]any{}
	if g.Drift {
		labels["drift"] = "x"
	}
	id := w.makeProfile(account, g.Name, g.Flavor, marks.On(labels))
	if g.Whose == "earlier" && id != "" {
		aside := profile.Profile{Name: g.Name, Metadata: marks.On(labels)}.Aside(id, owner)
		if g.Renamed != "" {
			aside.Name = g.Renamed // by hand
		}
		w.relabel(account, id, aside.Name, aside.Metadata)
	}
	return id
}

// interfere lets somebody else act on a profile of the program's project.
func (w *world) interfere(o other) {
	account, _ := w.account()
	var own []row
	for _, p := range w.list() {
		if p.Project == w.project {
			own = append(own, p)
		}
	}
	var p row
	if len(own) > 0 {
		p = own[o.Index%len(own)]
	}
	w.others++
	w.diary = append(w.diary, fmt.Sprintf("somebody: %s %s %q", o.Act, o.Name, p.ID))
	switch o.Act {
	case "create":
		w.makeProfile(account, o.Name, o.Flavor, nil)
	case "create ours":
		w.makeProfile(account, o.Name, o.Flavor, profile.Marks{Owner: owner}.On(nil))
	case "rename":
		w.relabel(account, p.ID, o.Name, p.Metadata)
	case "relabel":
		w.relabel(account, p.ID, p.Name, profile.Marks{Owner: "them"}.On(p.Metadata))
	case "strip":
		w.relabel(account, p.ID, p.Name, map[string]any{"note": "mine"})
	case "delete":
		if _, used := w.users()[p.ID]; !used {
			w.send(account, http.MethodDelete, "/v1/profiles/"+p.ID, nil)
		}
	case "use":
		if w.makeCluster(account, "late", p.ID) != "" {
			w.pass.taken[p.ID] = true
		}
	}
}

// between lets others act between plan and apply, where they may do anything.
func (w *world) between(p trouble) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, o := range p.Others {
		if o.Act != "use" || o.Request == 0 {
			w.judge() // so far all that happened is the program's doing
			w.pass.disturbed = true
			w.interfere(o)
			w.pass.foreign = w.foreign(w.pass.free)
		}
	}
}

// amid lets others use a profile just before a request; that is when Senlin's
// own 409 has to save it.
func (w *world) amid(p trouble, n int) {
	for _, o := range p.Others {
		if o.Act == "use" && o.Request == n {
			w.mu.Lock()
			w.interfere(o)
			w.mu.Unlock()
		}
	}
}
