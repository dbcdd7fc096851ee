// Package status is what the daemon knows of itself, as plain values: how each
// target is doing, which passes there were, and what is wrong with the process
// as a whole. Everybody who shows or keeps it (the page, the metrics, the
// history, the notifications) reads these values and nothing else.
//
// The package judges one thing only: whether a target is ready. It never reads
// a clock, a file or a network, and its values hold no secrets.
package status

import (
	"time"

	"profilesync/internal/diff"
)

// Daemon is the whole of it at one moment.
type Daemon struct {
	Version  string
	Instance string // who this process is for other instances: "host-1/4711"
	Owner    string
	Source   string // where the documents are read from, for people, without secrets
	Started  time.Time
	Now      time.Time // when the value was made
	Targets  []Target  // in the configuration's order
	Problems []Problem // of the process as a whole: it goes on, but somebody should know
}

// Problem is something wrong with the process and not with one target.
type Problem struct {
	Kind  string // one of the constants below
	Text  string // for people: "profilesync.yaml was refused: ...: the one read at 14:02 goes on"
	Since time.Time
}

// The kinds of problems.
const (
	ConfigProblem  = "configuration" // a reload was refused
	HistoryProblem = "history"       // passes cannot be kept, such as on a full disk
	CacheProblem   = "cache"         // what the Git server sent cannot be kept
	ClockProblem   = "clock"         // the wall clock jumped lately
	LeaseProblem   = "lease"         // etcd, or the lock directory, cannot be reached
	NotifyProblem  = "notifications" // a receiver does not take them
)

// Mode is what may be done to a target.
type Mode string

// The modes. With windows, Apply carries plans out only inside of them.
const (
	Report    Mode = "report" // plan only, show drift
	Apply     Mode = "apply"
	Suspended Mode = "suspended" // no pass at all
)

// Target is how one target is doing.
type Target struct {
	Name   string
	Cloud  string // entry of clouds.yaml, or devcloud
	Region string // "" until the first plan
	Mode   Mode
	Window Window

	Schedule string    // as configured
	Next     time.Time // scheduled pass; zero when suspended or standby
	Retry    time.Time // a failed pass is not repeated before; zero when none failed
	Failures int       // passes that failed one after the other
	Lease    Lease
	Running  *Running // the pass that is under way, nil when none is

	LastAttempt time.Time // end of the last pass, good or not
	LastSuccess time.Time // end of the last good one
	StaleAfter  time.Duration
	Revision    Revision // last read
	Plan        *Plan    // of the last pass that came as far; nil before
	Last        *Pass    // nil before the first one
}

// Window is whether a target in mode Apply may be written to now.
type Window struct {
	Has    bool      // there are windows at all
	Open   bool      // one is open now; true also when there are none
	Change time.Time // when Open changes next; zero without windows
}

// Lease is who may serve the target.
type Lease struct {
	Kind    string // "etcd", "file" or "" when there is none
	Held    bool   // by this instance
	Holder  string // "host-2/311"; "" when nobody does or it is not known
	Problem string // why it can be neither held nor learnt of; "" when all is well
}

// Running is a pass under way.
type Running struct {
	Trigger Trigger
	Began   time.Time
}

// Revision is a commit of the source, or the digest of a directory.
type Revision struct {
	ID      string
	Subject string // "" of a directory
	Author  string
	When    time.Time
	Signer  string // "" when nobody's signature was asked for
}

// Plan is what a target needs, as of one pass. Profiles in sync are counted and
// left out of Changes; earlier generations that are kept are in.
type Plan struct {
	At   time.Time // before the cloud was read
	Plan diff.Plan
	Was  diff.Summary // counts of the whole plan, those in sync too
	// Open says that Plan is still to be carried out: it was only reported, or it
	// was refused or failed in parts. Otherwise it has been carried out, and what
	// is blocked or kept in it is what remains.
	Open bool
}

// Trigger is why a pass was made.
type Trigger string

// The triggers.
const (
	Start    Trigger = "start"    // first one of a process, of a lease, or after a reload
	Schedule Trigger = "schedule" // its time had come
	Push     Trigger = "push"     // a hook was called
	Retry    Trigger = "retry"    // after a failed one
	Manual   Trigger = "manual"   // somebody asked for it
	Override Trigger = "override" // somebody asked for it outside the windows
)

// Outcome is how a pass ended, in one word.
type Outcome string

// The outcomes, from good to bad. All but Failed are good passes: what is
// blocked is told, and is no failure of the pass.
const (
	InSync  Outcome = "in sync"
	Applied Outcome = "applied" // everything that could be done was done
	Drift   Outcome = "drift"   // something is to be done and the mode or the window forbids it
	Blocked Outcome = "blocked" // something asked for is held up; the rest was done
	Failed  Outcome = "failed"
)

// Pass is one pass as history keeps it.
type Pass struct {
	ID       uint64    `json:"id"` // grows with time, over restarts too; 0 before it is kept
	Target   string    `json:"target"`
	Instance string    `json:"instance"`
	Trigger  Trigger   `json:"trigger"`
	By       string    `json:"by,omitempty"` // who asked and why, for Manual and Override; the sender's words for Push
	Began    time.Time `json:"began"`
	// Took is how long it took.
	Took     time.Duration `json:"took"`
	Revision Revision      `json:"revision"`
	Outcome  Outcome       `json:"outcome"`
	Error    string        `json:"error,omitempty"` // for people, without secrets
	Hint     string        `json:"hint,omitempty"`  // the next step
	Counts   Counts        `json:"counts"`
	Changes  []Change      `json:"changes,omitempty"` // at most MaxChanges, what was done or failed or is blocked
	Omitted  int           `json:"omitted,omitempty"` // changes beyond that
}

// MaxChanges bounds the changes that one kept pass lists.
const MaxChanges = 50

// Counts are the changes of a pass by what became of them.
type Counts struct {
	Created    int `json:"created"`
	Updated    int `json:"updated"`
	Recreated  int `json:"recreated"`
	Deleted    int `json:"deleted"`
	InSync     int `json:"in_sync"`
	Pending    int `json:"pending"`    // to be done, and not done: reported only, skipped or failed
	Failed     int `json:"failed"`     // of those, tried
	Blocked    int `json:"blocked"`    // asked for and held up
	Superseded int `json:"superseded"` // earlier generations kept for their users
}

// Changed is the number of changes carried out.
func (c Counts) Changed() int { return c.Created + c.Updated + c.Recreated + c.Deleted }

// Change is one line of a kept pass.
type Change struct {
	Action string `json:"action"` // as diff.Action names it: "create", "delete", ...
	Name   string `json:"name"`
	ID     string `json:"id,omitempty"`
	Reason string `json:"reason,omitempty"`
	Block  string `json:"block,omitempty"`
	Status string `json:"status"`          // "pending" when only reported; else as apply.Status
	Error  string `json:"error,omitempty"` // without secrets
}

// Ready reports whether the target had a good pass lately, and if not, why, for
// people. One that is suspended, or that another instance is known to serve, is
// ready: there is nothing this process should be doing.
func (t Target) Ready(now time.Time) (bool, string) {
	switch {
	case t.Mode == Suspended:
		return true, "suspended"
	case t.Lease.Problem != "":
		return false, t.Lease.Problem
	case t.Lease.Kind != "" && !t.Lease.Held && t.Lease.Holder != "":
		return true, "served by " + t.Lease.Holder
	case t.Lease.Kind != "" && !t.Lease.Held:
		return false, "waiting for the lease"
	case t.LastSuccess.IsZero() && t.Last != nil:
		return false, "no good pass yet: " + t.Last.Error
	case t.LastSuccess.IsZero():
		return false, "no pass yet"
	case now.Sub(t.LastSuccess) > t.StaleAfter && t.Last != nil && t.Last.Error != "":
		return false, "no good pass since " + t.LastSuccess.UTC().Format(time.RFC3339) + ": " + t.Last.Error
	case now.Sub(t.LastSuccess) > t.StaleAfter:
		return false, "no good pass since " + t.LastSuccess.UTC().Format(time.RFC3339)
	}
	return true, ""
}

// Ready reports whether every target is ready.
func (d Daemon) Ready() bool {
	for _, t := range d.Targets {
		if ready, _ := t.Ready(d.Now); !ready {
			return false
		}
	}
	return true
}
