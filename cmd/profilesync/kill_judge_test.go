package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"profilesync/internal/profile"
)

// found is a profile as the cloud's list shows it.
type found struct {
	ID, Name, Project string
	Metadata          map[string]any
	Spec              struct{ Properties struct{ Flavor string } }
	raw               string
}

func (r found) marks() profile.Marks { return profile.MarksOf(r.Metadata) }

// current reports whether it is ours and no earlier generation.
func (r found) current() bool { return r.marks().Owner == owner && r.marks().Superseded == "" }

// sight is what somebody sees who looks at the cloud.
type sight struct {
	rows []found
	used map[string]bool // ids of profiles that a cluster or node holds on to
	free map[string]bool // ids of nobody's profiles that a pass may take over
}

// look reads the project past the program.
func (v *victim) look() sight {
	v.t.Helper()
	s := sight{used: map[string]bool{}, free: map[string]bool{}}
	for _, raw := range v.list("profiles") {
		var r found
		var compact bytes.Buffer
		if err := json.Unmarshal(raw, &r); err != nil {
			v.t.Fatal(err)
		}
		if err := json.Compact(&compact, raw); err != nil {
			v.t.Fatal(err)
		}
		if r.raw = compact.String(); r.Project == v.session.project {
			s.rows = append(s.rows, r)
		}
	}
	for _, kind := range []string{"clusters", "nodes"} {
		for _, raw := range v.list(kind) {
			var user thing
			if err := json.Unmarshal(raw, &user); err != nil {
				v.t.Fatal(err)
			}
			s.used[user.ProfileID] = true
		}
	}
	for _, r := range s.rows {
		_, wanted := v.want[r.Name]
		s.free[r.ID] = wanted && r.marks().Owner == "" && s.current()[r.Name] == 0
	}
	return s
}

func (v *victim) list(kind string) []json.RawMessage {
	v.t.Helper()
	status, _, text, err := v.session.do("GET", "/v1/"+kind, "")
	var body map[string][]json.RawMessage
	if err != nil || status != http.StatusOK || json.Unmarshal(text, &body) != nil {
		v.t.Fatalf("list of %s: status %d, %v: %s", kind, status, err, text)
	}
	return body[kind]
}

// current counts our profiles by name, earlier generations left out.
func (s sight) current() map[string]int {
	count := map[string]int{}
	for _, r := range s.rows {
		if r.current() {
			count[r.Name]++
		}
	}
	return count
}

// generations counts our profiles by the name that they have or had.
func (s sight) generations() map[string]int {
	count := s.current()
	for _, r := range s.rows {
		if r.marks().Owner == owner && !r.current() {
			count[r.marks().Superseded]++
		}
	}
	return count
}

// survived holds what is live to what must hold at any moment: what is used is
// there, as is what may not be pruned, and what is not ours is as it was before,
// to the byte. Nothing else was even asked for.
func (v *victim) survived(what string, before sight, said string) {
	v.t.Helper()
	now := map[string]string{}
	for _, r := range v.look().rows {
		now[r.ID] = r.raw
	}
	foreign := map[string]bool{}
	for _, r := range before.rows {
		if foreign[r.ID] = r.marks().Owner != owner && !before.free[r.ID]; foreign[r.ID] && now[r.ID] != r.raw {
			v.t.Errorf("%s: a profile that is not ours was changed:\n%s\n%s\n%s", what, r.raw, now[r.ID], said)
		}
		_, wanted := v.want[r.Name]
		if kept := before.used[r.ID] || !v.prune && r.current() && !wanted; kept && now[r.ID] == "" {
			v.t.Errorf("%s: a profile that had to stay is gone: %s\n%s", what, r.raw, said)
		}
	}
	for _, w := range v.senlin.written() {
		if foreign[w.id] || w.method == http.MethodDelete && before.used[w.id] {
			v.t.Errorf("%s: there was a %s of profile %q, which is used or not ours\n%s", what, w.method, w.id, said)
		}
	}
}

// momentarily holds what is live just after a death to what must hold at every
// moment of a pass: no name is borne by two of ours, unless it was before, and
// what a document asks for is not without any generation, if there was one.
func (v *victim) momentarily(what string, before sight) {
	v.t.Helper()
	now, then := v.look(), before.current()
	for name, bearers := range now.current() {
		if bearers > max(1, then[name]) {
			v.t.Errorf("%s: %d profiles of ours bear the name %q", what, bearers, name)
		}
	}
	generations := now.generations()
	for name, count := range before.generations() {
		if _, wanted := v.want[name]; wanted && count > 0 && generations[name] == 0 {
			v.t.Errorf("%s: no generation of %q is left", what, name)
		}
	}
}

// converged holds the end to the documents: each has its one profile, as it
// asks for, and what no document asks for is gone unless it is used or may not be
// pruned.
func (v *victim) converged(what string) {
	v.t.Helper()
	if plan := v.pending(); plan != "" {
		v.t.Errorf("%s: not converged: %s", what, plan)
	}
	s := v.look()
	current, taken := s.current(), map[string]bool{}
	for _, r := range s.rows {
		want, wanted := v.want[r.Name]
		switch {
		case r.marks().Owner != owner:
			taken[r.Name] = true
		case r.marks().Superseded != "" && current[r.marks().Superseded] > 0 && !s.used[r.ID]:
			v.t.Errorf("%s: an earlier generation is left over: %s", what, r.raw)
		case r.current() && v.prune && !wanted && !s.used[r.ID]:
			v.t.Errorf("%s: nobody asks for this one: %s", what, r.raw)
		case r.current() && wanted && (asked{r.Spec.Properties.Flavor, label(r)} != want):
			v.t.Errorf("%s: %q is not as wanted: %s", what, r.Name, r.raw)
		}
	}
	for name := range v.want {
		if current[name] != 1 && (current[name] > 1 || !taken[name]) {
			v.t.Errorf("%s: %d profiles of ours bear the name %q", what, current[name], name)
		}
	}
}

func label(r found) string {
	team, _ := r.Metadata["team"].(string)
	return team
}

// made is the id of what an answer shows.
func made(t *testing.T, answer []byte) string {
	t.Helper()
	var body map[string]thing
	if err := json.Unmarshal(answer, &body); err != nil {
		t.Fatal(err)
	}
	for kind, one := range body {
		if one.ID == "" {
			t.Fatalf("%s without an id: %s", kind, strings.TrimSpace(string(answer)))
		}
		return one.ID
	}
	return ""
}
