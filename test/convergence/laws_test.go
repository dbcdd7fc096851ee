package convergence

import (
	"profilesync/internal/diff"
)

// book is what the laws must know about one pass.
type book struct {
	want      map[string]wanted
	free      map[string]bool   // nobody's profiles, which a document asks to take over
	foreign   map[string]string // everything else that is not ours, as the cloud gave it
	bearers   map[string]int    // our current profiles by name, before the pass
	owned     int               // our profiles before the pass
	taken     map[string]bool   // used by somebody in the course of the pass
	disturbed bool              // somebody acted between plan and apply
	posts     map[string]int    // profiles that were created, by name
	deletes   int               // that the limit counts
	writes    int
}

// open begins the book of a pass.
func (w *world) open(p trouble) {
	w.mu.Lock()
	defer w.mu.Unlock()
	rows := w.list()
	w.pass = book{
		want: map[string]wanted{}, free: map[string]bool{}, bearers: w.bearers(rows), taken: map[string]bool{}, posts: map[string]int{},
	}
	for _, item := range p.Want {
		w.pass.want[item.Name] = item
	}
	alone := map[string]int{}
	for _, r := range rows {
		if r.Project != w.project {
			continue
		}
		if r.marks().Owner == owner {
			w.pass.owned++
		} else {
			alone[r.Name]++
		}
	}
	for _, r := range rows {
		item, asked := w.pass.want[r.Name]
		if r.Project == w.project && r.marks().Owner == "" && asked && alone[r.Name] == 1 && w.pass.bearers[r.Name] == 0 &&
			(w.Adopt || r.Spec.Properties.Flavor == item.Flavor) {
			w.pass.free[r.ID] = true
		}
	}
	w.pass.foreign = w.foreign(w.pass.free)
}

// bearers counts our current profiles by name.
func (w *world) bearers(rows []row) map[string]int {
	count := map[string]int{}
	for _, r := range rows {
		if marks := r.marks(); r.Project == w.project && marks.Owner == owner && marks.Superseded == "" {
			count[r.Name]++
		}
	}
	return count
}

func (w *world) foreign(free map[string]bool) map[string]string {
	foreign := map[string]string{}
	for _, r := range w.list() {
		if (r.Project != w.project || r.marks().Owner != owner) && !free[r.ID] {
			foreign[r.ID] = r.raw
		}
	}
	return foreign
}

// judge holds what is live now against the book: what is not ours is identical
// to the byte, and whatever something holds on to is there.
func (w *world) judge() {
	now := map[string]string{}
	for _, r := range w.list() {
		now[r.ID] = r.raw
	}
	for id, raw := range w.pass.foreign {
		if now[id] != raw {
			w.breaks("a profile that is not ours was changed:\n  from %s\n  to   %s", raw, now[id])
		}
	}
	for id := range w.users() {
		if now[id] == "" {
			w.breaks("profile %q is gone, and something holds on to it", id)
		}
	}
	if w.Strict && len(w.pass.want) == 0 && w.pass.writes > 0 && w.late == 0 {
		w.breaks("%d writes for documents that ask for nothing", w.pass.writes)
	}
}

// converged judges the end of a history by the cloud alone.
func (w *world) converged() {
	rows, users := w.list(), w.users()
	bearers, taken := w.bearers(rows), map[string]bool{}
	for _, r := range rows {
		if r.Project == w.project && r.marks().Owner != owner {
			taken[r.Name] = true
		}
	}
	for name, item := range w.pass.want {
		if bearers[name] > 1 {
			w.breaks("%d profiles of ours bear the name %q", bearers[name], name)
		}
		if bearers[name] == 0 && !taken[name] {
			w.breaks("%q is wanted and not there", name)
		}
		for _, r := range rows {
			if marks := r.marks(); r.Project == w.project && marks.Owner == owner && marks.Superseded == "" && r.Name == name &&
				(r.Spec.Properties.Flavor != item.Flavor || r.Metadata["team"] != team(item)) {
				w.breaks("%q is not as wanted: %s", name, r.raw)
			}
		}
	}
	for _, r := range rows {
		_, asked := w.pass.want[r.Name]
		_, used := users[r.ID]
		marks := r.marks()
		if w.Prune && r.Project == w.project && marks.Owner == owner && marks.Superseded == "" && !asked && !used && !marks.Protected {
			w.breaks("%q is not wanted and still there", r.Name)
		}
	}
}

func team(item wanted) any {
	if item.Team == "" {
		return nil
	}
	return item.Team
}

// remains is what a further pass would do; what only a user that the program
// cannot see holds on to may be tried again and again.
func (w *world) remains(plan diff.Plan) {
	users := w.users()
	for _, change := range plan.Changes {
		if change.Pending() && !users[change.ID()].hidden {
			w.breaks("a further pass would %s %q (%s)", change.Action, change.Name, change.Reason)
		}
	}
}
