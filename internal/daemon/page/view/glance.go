package view

import (
	"fmt"
	"net/url"

	"profilesync/internal/daemon/status"
)

// glance is how all targets are doing together.
type glance struct {
	Tone  tone
	Head  string // "3 of 4 targets are ready"
	Short string // for the title
	Rest  string // what else is of note
	Not   []notReady
}

// notReady is one that is not, and why.
type notReady struct {
	Name, Link string
	Why        []string
}

func glanceOf(d status.Daemon) glance {
	made := glance{Tone: good}
	var drift, blocked, failed, away int
	for _, t := range d.Targets {
		ready, why := t.Ready(d.Now)
		switch {
		case !ready:
			made.Not = append(made.Not, notReady{text(t.Name), "/targets/" + url.PathEscape(t.Name), lines(why)})
		case why != "":
			away++
		case t.Last == nil:
		case t.Last.Outcome == status.Failed:
			failed++
		case t.Last.Outcome == status.Drift:
			drift++
		case t.Last.Outcome == status.Blocked:
			blocked++
		}
	}
	made.Head, made.Short = headOf(len(d.Targets), len(d.Targets)-len(made.Not))
	made.Rest = listed(counted{failed, "with a failed pass"}, counted{drift, "with drift"}, counted{blocked, "with something blocked"}, counted{away, "left to others or suspended"})
	switch {
	case len(made.Not) > 0:
		made.Tone = bad
	case failed+drift+blocked+len(d.Problems) > 0:
		made.Tone = warn
	case len(d.Targets) == 0:
		made.Tone = idle
	}
	return made
}

func headOf(all, ready int) (head, short string) {
	switch {
	case all == 0:
		return "No target is configured", "no target"
	case all == 1 && ready == 1:
		return "The target is ready", "ready"
	case all == 1:
		return "The target is not ready", "not ready"
	case ready == all:
		return fmt.Sprintf("All %d targets are ready", all), fmt.Sprintf("%d of %d ready", ready, all)
	case ready == 0:
		return fmt.Sprintf("None of the %d targets is ready", all), fmt.Sprintf("0 of %d ready", all)
	}
	return fmt.Sprintf("%d of %d targets are ready", ready, all), fmt.Sprintf("%d of %d ready", ready, all)
}
