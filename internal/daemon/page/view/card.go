package view

import (
	"fmt"
	"net/url"
	"time"

	"profilesync/internal/daemon/status"
	"profilesync/internal/report"
)

// tone is how something is to be taken. It picks a colour and a sign; the word
// beside it says the same.
type tone string

const (
	good tone = "good"
	warn tone = "warn"
	bad  tone = "bad"
	idle tone = "idle"
)

// Sign is the mark in front of a word of this tone.
func (t tone) Sign() string {
	switch t {
	case good:
		return "✓"
	case warn:
		return "!"
	case bad:
		return "✗"
	}
	return "–"
}

// state is how a target is doing, in a word.
type state struct {
	Tone tone
	Word string
	Why  []string // in more words
}

func stateOf(t status.Target, now time.Time) state {
	ready, why := t.Ready(now)
	switch {
	case !ready:
		return state{bad, "not ready", lines(why)}
	case t.Mode == status.Suspended:
		return state{idle, "suspended", []string{"No pass is made until that is changed in the configuration."}}
	case why != "":
		return state{idle, "standby", lines(why)}
	case t.Last == nil:
		return state{good, "ready", nil}
	case t.Last.Outcome == status.Failed:
		return state{warn, "last pass failed", lines(t.Last.Error)}
	case t.Last.Outcome == status.Drift, t.Last.Outcome == status.Blocked:
		return state{warn, text(string(t.Last.Outcome)), nil}
	}
	return state{good, text(string(t.Last.Outcome)), nil}
}

// card is one target.
type card struct {
	Name, Link string
	State      state
	Hint       string // the next step after a failed pass
	Mode       mode
	Running    *running
	Cloud      string
	Revision   *revision
	Success    moment
	Attempt    moment
	Next       moment
	Schedule   string
	Retry      moment
	Failures   string
	Lease      lease
	Plan       plan
}

// mode is what may be done to a target, and when.
type mode struct {
	Word   string
	Window string // "" without windows
	Change moment // of the window
}

type running struct {
	Trigger string
	Began   moment
}

type revision struct {
	ID, Subject, Author, Signer string
	When                        moment
}

type lease struct {
	Words string
	Tone  tone
}

func cardOf(t status.Target, now time.Time, most int) card {
	made := card{
		Name: report.Short(t.Name, maxText), Link: "/targets/" + url.PathEscape(t.Name), State: stateOf(t, now), Mode: modeOf(t, now),
		Cloud: text(t.Cloud), Revision: revisionOf(t.Revision, now), Success: momentOf(t.LastSuccess, now), Attempt: momentOf(t.LastAttempt, now),
		Next: momentOf(t.Next, now), Schedule: text(t.Schedule), Lease: leaseOf(t.Lease), Plan: planOf(t, now, most),
	}
	if t.Region != "" {
		made.Cloud += ", region " + text(t.Region)
	}
	if t.Failures > 0 {
		made.Failures = "the last pass"
		if t.Failures > 1 {
			made.Failures = fmt.Sprintf("the last %d passes", t.Failures)
		}
		made.Retry = momentOf(t.Retry, now)
	}
	if t.Last != nil && t.Last.Outcome == status.Failed {
		made.Hint = text(t.Last.Hint)
	}
	if t.Running != nil {
		made.Running = &running{text(string(t.Running.Trigger)), momentOf(t.Running.Began, now)}
	}
	return made
}

func modeOf(t status.Target, now time.Time) mode {
	made := mode{Word: text(string(t.Mode))}
	if t.Mode != status.Apply || !t.Window.Has {
		return made
	}
	made.Window, made.Change = "window closed, opens", momentOf(t.Window.Change, now)
	if t.Window.Open {
		made.Window = "window open, closes"
	}
	return made
}

func revisionOf(r status.Revision, now time.Time) *revision {
	if r.ID == "" {
		return nil
	}
	return &revision{report.ShortRevision(r.ID), report.Short(r.Subject, 100), report.Short(r.Author, 60), report.Short(r.Signer, 80), momentOf(r.When, now)}
}

func leaseOf(l status.Lease) lease {
	kind := text(l.Kind)
	switch {
	case l.Kind == "":
		return lease{}
	case l.Problem != "":
		return lease{"not known (" + kind + ")", bad}
	case l.Held:
		return lease{"held here (" + kind + ")", good}
	case l.Holder != "":
		return lease{"held by " + text(l.Holder) + " (" + kind + ")", idle}
	}
	return lease{"held by nobody (" + kind + ")", warn}
}
