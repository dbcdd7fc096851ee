package view

import (
	"fmt"
	"time"

	"profilesync/internal/daemon/status"
	"profilesync/internal/diff"
	"profilesync/internal/live"
	"profilesync/internal/report"
)

const (
	fewChanges  = 20  // of a group on the overview
	manyChanges = 200 // on the target's own page
	fewUsers    = 20
	openLines   = 12 // a difference of so many lines is open at first
)

// plan is what a target needs.
type plan struct {
	Made     bool
	At       moment
	Revision string
	Project  string
	Counts   string
	Words    string // what is to become of it
	Change   moment // when it will, if a window says so
	Groups   []group
}

// group are the changes of one kind.
type group struct {
	Key, Title, Note string
	Changes          []change
	More             int // beyond the bound
}

// change is one line of a plan and what is below it.
type change struct {
	Key   string
	Tone  tone
	View  report.View
	Users []live.User
	More  int // users beyond the bound
	Lines string
	Open  bool // the difference is short
	Place string
}

func planOf(t status.Target, now time.Time, most int) plan {
	if t.Plan == nil {
		return plan{}
	}
	p := t.Plan.Plan
	made := plan{
		Made: true, At: momentOf(t.Plan.At, now), Revision: report.ShortRevision(p.Revision), Project: report.Short(p.Project, 80), Counts: summaryOf(t.Plan.Was),
	}
	made.Words, made.Change = becomes(t, now)
	groups := []group{
		{Key: "pending", Title: "To be done"},
		{Key: "blocked", Title: "Blocked", Note: "Asked for, and held up. The rest of the plan does not wait for it."},
		{Key: "kept", Title: "Earlier generations that stay", Note: "Their successors are in place. They go when nobody holds on to them any more."},
		{Key: "unasked", Title: "Left alone", Note: "No document asks for it. It stays because prune is off."},
	}
	for i := range groups {
		groups[i].fill(p.Changes, most)
		if len(groups[i].Changes) > 0 {
			made.Groups = append(made.Groups, groups[i])
		}
	}
	return made
}

// becomes says what is to become of a plan.
func becomes(t status.Target, now time.Time) (string, moment) {
	switch left := len(t.Plan.Plan.Changes); {
	case !t.Plan.Open && left == 0 && t.Plan.Was.Pending() > 0:
		return "It has been carried out.", moment{}
	case !t.Plan.Open && left == 0:
		return "Nothing is to be done.", moment{}
	case !t.Plan.Open && t.Plan.Was.Pending() > 0:
		return "It has been carried out. What remains:", moment{}
	case !t.Plan.Open:
		return "Nothing can be done now. What remains:", moment{}
	case t.Mode == status.Report:
		return "It is only reported: nothing is changed in this mode.", moment{}
	case t.Mode == status.Suspended:
		return "It was to be carried out when the target was suspended.", moment{}
	case t.Window.Has && !t.Window.Open:
		return "It waits for the window, which opens", momentOf(t.Window.Change, now)
	}
	return "It is still to be carried out.", moment{}
}

func summaryOf(s diff.Summary) string {
	words := listed(counted{s.Create, "to create"}, counted{s.Update, "to update in place"}, counted{s.Recreate, "to recreate"}, counted{s.Delete, "to delete"},
		counted{s.Blocked, "blocked"}, counted{s.Kept, "kept"}, counted{s.Unchanged, "in sync"})
	if words == "" {
		return "no profile asked for, none of ours live"
	}
	return words
}

// groupOf is the key of the group that a change belongs to; "" for what is in
// sync.
func groupOf(c diff.Change) string {
	switch {
	case c.Blocked():
		return "blocked"
	case c.Block != "":
		return "unasked"
	case c.Kept():
		return "kept"
	case c.Pending():
		return "pending"
	}
	return ""
}

func (g *group) fill(all []diff.Change, most int) {
	for _, c := range all {
		switch {
		case groupOf(c) != g.Key:
		case len(g.Changes) == most:
			g.More++
		default:
			g.Changes = append(g.Changes, plannedOf(c, g.Key))
		}
	}
}

func plannedOf(c diff.Change, key string) change {
	made := change{Key: key + " " + c.Action.String() + " " + text(c.Name) + " " + text(c.ID()), View: report.ViewOf(c), Tone: warn}
	made.Users = made.View.Users
	if len(made.Users) > fewUsers {
		made.Users, made.More = made.Users[:fewUsers], len(made.Users)-fewUsers
	}
	switch key {
	case "blocked":
		made.Tone = bad
	case "kept":
		made.Tone = idle
		if len(made.Users) > 0 { // they are listed
			made.View.Headline = "kept: " + string(diff.Superseded)
		}
	case "unasked":
		made.Tone = idle
	}
	if n := len(c.Fields); n > 0 {
		made.Lines = plural(n, "field")
		made.Open = len(made.View.Fields) <= openLines
	}
	if made.View.File != "" {
		made.Place = fmt.Sprintf("%s:%d", made.View.File, made.View.Line)
	}
	return made
}
