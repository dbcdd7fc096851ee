// Package wire is the JSON of the daemon's HTTP face, as docs/api.md describes
// it: for the server that writes it and for the command that reads it.
//
// Its types stand apart from those of package status, so that a field renamed
// there changes nothing that others read. The package translates; it opens no
// connection and decides nothing.
package wire

import "time"

// FormatVersion is the version of every document. Keys may be added under one
// version; none is removed, renamed or given another meaning.
const FormatVersion = 1

// Status is the whole of a daemon: GET /api/v1/status.
type Status struct {
	FormatVersion int       `json:"format_version"`
	Version       string    `json:"version"`
	Instance      string    `json:"instance"`
	Owner         string    `json:"owner"`
	Source        string    `json:"source"`
	Started       *Time     `json:"started"`
	Now           *Time     `json:"now"`
	Ready         bool      `json:"ready"`
	Targets       []Target  `json:"targets"`
	Problems      []Problem `json:"problems"`
}

// OneTarget is GET /api/v1/targets/NAME.
type OneTarget struct {
	FormatVersion int    `json:"format_version"`
	Target        Target `json:"target"`
}

// Target is how one target is doing. A pointer is null where there is nothing
// to tell.
type Target struct {
	Name              string    `json:"name"`
	Cloud             string    `json:"cloud"`
	Region            string    `json:"region"`
	Mode              string    `json:"mode"`
	Ready             bool      `json:"ready"`
	Reason            string    `json:"reason"` // why not, or why there is nothing to do
	Window            *Window   `json:"window"`
	Schedule          string    `json:"schedule"`
	Next              *Time     `json:"next"`
	Retry             *Time     `json:"retry"`
	Failures          int       `json:"failures"`
	Lease             *Lease    `json:"lease"`
	Running           *Running  `json:"running"`
	LastAttempt       *Time     `json:"last_attempt"`
	LastSuccess       *Time     `json:"last_success"`
	StaleAfterSeconds float64   `json:"stale_after_seconds"`
	Revision          *Revision `json:"revision"`
	Plan              *Plan     `json:"plan"`
	Last              *Pass     `json:"last"`
}

// Window is whether a target with windows may be written to now.
type Window struct {
	Open    bool  `json:"open"`
	Changes *Time `json:"changes"`
}

// Lease is who may serve a target.
type Lease struct {
	Kind    string `json:"kind"`
	Held    bool   `json:"held"`
	Holder  string `json:"holder"`
	Problem string `json:"problem"`
}

// Running is a pass under way.
type Running struct {
	Trigger string `json:"trigger"`
	Began   *Time  `json:"began"`
}

// Revision is a commit of the source, or the digest of a directory.
type Revision struct {
	ID       string `json:"id"`
	Subject  string `json:"subject"`
	Author   string `json:"author"`
	Date     *Time  `json:"date"`
	SignedBy string `json:"signed_by"`
}

// Plan counts what a target needs. The plan itself is at
// /api/v1/targets/NAME/plan.
type Plan struct {
	At      *Time   `json:"at"`
	Open    bool    `json:"open"`
	Summary Summary `json:"summary"`
}

// Summary counts the changes of a plan, each once.
type Summary struct {
	Create    int `json:"create"`
	Update    int `json:"update"`
	Recreate  int `json:"recreate"`
	Delete    int `json:"delete"`
	Blocked   int `json:"blocked"`
	Kept      int `json:"kept"`
	Unchanged int `json:"unchanged"`
}

// Problem is something wrong with the process as a whole.
type Problem struct {
	Kind  string `json:"kind"`
	Text  string `json:"text"`
	Since *Time  `json:"since"`
}

// Readiness is GET /readyz with Accept: application/json. Somebody who has not
// logged in where one should is told Ready and nothing else.
type Readiness struct {
	FormatVersion int         `json:"format_version"`
	Ready         bool        `json:"ready"`
	Targets       []ReadyLine `json:"targets,omitempty"`
	Warnings      []Problem   `json:"warnings,omitempty"`
}

// ReadyLine is one target of a Readiness.
type ReadyLine struct {
	Name   string `json:"name"`
	Ready  bool   `json:"ready"`
	Reason string `json:"reason"`
}

// Health is GET /healthz with Accept: application/json.
type Health struct {
	FormatVersion int      `json:"format_version"`
	Healthy       bool     `json:"healthy"`
	Stuck         []string `json:"stuck,omitempty"` // targets that do not move
}

// Request asks for a pass: the body of POST /api/v1/targets/NAME/pass. With
// Override, which says why, plans are carried out though no window is open.
type Request struct {
	Override *string `json:"override,omitempty"`
}

// Asked is the answer to a Request.
type Asked struct {
	FormatVersion int    `json:"format_version"`
	Target        string `json:"target"`
	Trigger       string `json:"trigger"`
	By            string `json:"by"`
}

// Error is every answer that refuses something.
type Error struct {
	FormatVersion int    `json:"format_version"`
	Error         string `json:"error"`
}

// Time is a moment, in UTC and to the millisecond.
type Time = time.Time
