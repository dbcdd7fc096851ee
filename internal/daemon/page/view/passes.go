package view

import (
	"fmt"
	"net/url"
	"time"

	"profilesync/internal/daemon/status"
	"profilesync/internal/report"
)

// passes are the last ones.
type passes struct {
	Unread bool
	Rows   []pass
	Full   bool // there may be more
}

// pass is one row.
type pass struct {
	Key        string
	Target     string
	Link       string
	Tone       tone
	Outcome    string
	Began      moment
	Trigger    string
	By         string
	Took       string
	Revision   string
	Subject    string
	Counts     string
	Error      []string
	Hint       string
	Changes    []passChange
	Omitted    int
	ChangeWord string // "3 changes"
}

type passChange struct {
	Tone                              tone
	Status, Action, Name, Why, ID, No string
}

// fullPage is the number of passes after which there may be more.
const fullPage = 100

func toneOf(o status.Outcome) tone {
	switch o {
	case status.InSync, status.Applied:
		return good
	case status.Failed:
		return bad
	}
	return warn
}

func changeTone(word string) tone {
	switch word {
	case "done", "unchanged":
		return good
	case "failed":
		return bad
	}
	return warn
}

func countsOf(c status.Counts) string {
	return listed(counted{c.Created, "created"}, counted{c.Updated, "updated"}, counted{c.Recreated, "recreated"}, counted{c.Deleted, "deleted"},
		counted{c.Failed, "failed"}, counted{c.Pending - c.Failed, "pending"}, counted{c.Blocked, "blocked"}, counted{c.Superseded, "kept"}, counted{c.InSync, "in sync"})
}

func changeOf(c status.Change) passChange {
	made := passChange{
		Tone: changeTone(c.Status), Status: text(c.Status), Action: text(c.Action), Name: text(c.Name), Why: text(c.Reason), ID: report.Short(c.ID, 80),
	}
	if c.Block != "" {
		made.No = text(c.Block)
	}
	if c.Error != "" {
		made.No = text(c.Error)
	}
	return made
}

func passesOf(data Data, now time.Time) passes {
	made := passes{Unread: data.Unread, Full: len(data.Passes) >= fullPage}
	known := map[string]bool{}
	for _, t := range data.Daemon.Targets {
		known[t.Name] = true
	}
	for _, p := range data.Passes {
		row := passOf(p, now)
		if !known[p.Target] { // it was configured then
			row.Link = ""
		}
		made.Rows = append(made.Rows, row)
	}
	return made
}

func passOf(p status.Pass, now time.Time) pass {
	made := pass{
		Key: fmt.Sprintf("%d %d %s", p.ID, p.Began.UnixNano(), text(p.Target)), Target: text(p.Target), Link: "/targets/" + url.PathEscape(p.Target),
		Tone: toneOf(p.Outcome), Outcome: text(string(p.Outcome)), Began: momentOf(p.Began, now), Trigger: text(string(p.Trigger)), By: text(p.By),
		Took: took(p.Took), Revision: report.ShortRevision(p.Revision.ID), Subject: report.Short(p.Revision.Subject, 100), Counts: countsOf(p.Counts),
		Error: lines(p.Error), Hint: text(p.Hint), Omitted: p.Omitted, ChangeWord: plural(len(p.Changes)+p.Omitted, "change"),
	}
	if made.Counts == "" && p.Outcome != status.Failed { // a failed one may not have come to a plan
		made.Counts = "no profile asked for, none of ours live"
	}
	for _, c := range p.Changes {
		made.Changes = append(made.Changes, changeOf(c))
	}
	return made
}
