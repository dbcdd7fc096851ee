package diff

import (
	"profilesync/internal/live"
	"profilesync/internal/profile"
)

// FormatVersion is the version of a plan's meaning: a plan of another version
// cannot be compared with this program's.
const FormatVersion = 1

// Plan is what one pass wants to do to one target. It is a plain value and
// holds everything that carrying it out takes.
type Plan struct {
	Target   string // name of the target in the configuration
	Cloud    string // entry of clouds.yaml, or "devcloud"
	Region   string // may be empty
	Project  string // id
	Revision string // of the documents
	Owner    string
	Desired  int      // profiles the documents ask for
	Owned    int      // live profiles that bear our mark, earlier generations left out
	Changes  []Change // by name; for one name: the current profile, duplicates, earlier generations

	// NeedsUsers says that the plan would delete or supersede something and was
	// made without knowing who uses what. Such a plan is not to be carried out:
	// read the users and compare again.
	NeedsUsers bool
}

// Action is what a change does to a profile; its value is the glyph people see.
type Action rune

// The actions. NoOp covers a profile in sync and an earlier generation that is
// kept for its users.
const (
	NoOp     Action = '='
	Create   Action = '+'
	Update   Action = '~' // relabel in place: the id, and so every cluster, stays
	Recreate Action = '±' // set aside, create (or restore), delete what is no longer used
	Delete   Action = '-'
)

// String names the action as machine-readable output does.
func (a Action) String() string {
	switch a {
	case Create:
		return "create"
	case Update:
		return "update"
	case Recreate:
		return "recreate"
	case Delete:
		return "delete"
	}
	return "none"
}

// Reason says why a change is made, for people. Two of them also say how: what
// [Restores] an earlier generation creates nothing, and a [Superseded] profile
// has a successor that was approved.
type Reason string

// The reasons. [AsideAgain] frees a name, so it comes before everything else.
const (
	InSync       Reason = "in sync"
	Missing      Reason = "missing"
	LabelsDiffer Reason = "metadata differs"
	SpecDiffers  Reason = "spec differs"
	Restores     Reason = "restores an earlier generation"
	Renamed      Reason = "renamed"
	Adopted      Reason = "adopted"
	TakenOver    Reason = "adopted, spec differs"
	Duplicate    Reason = "duplicate"
	NotDesired   Reason = "not desired"
	Superseded   Reason = "superseded"
	AsideAgain   Reason = "superseded, set aside again"
)

// Block says why a change is not made. The empty block is none.
type Block string

// The blocks; [OwnedBy] makes one more.
const (
	InUse     Block = "in use"
	Protected Block = "protected"
	PruneOff  Block = "prune is off"
	NotOurs   Block = "not ours"
	Ambiguous Block = "ambiguous"
)

// OwnedBy blocks a change of a profile that another owner manages.
func OwnedBy(owner string) Block { return Block("owned by " + owner) }

// Change is the decision about one profile.
type Change struct {
	Action Action
	Name   string // of the profile: the desired one where there is one, else the live one
	Reason Reason
	Block  Block
	Fields []Field     // what differs, secrets redacted
	Users  []live.User // who holds on to Before

	// Before is the live profile the change is about; nil when one is created.
	Before *live.Profile
	// After is the profile as it will be, marks included; nil for NoOp and Delete.
	// Only the Delete of a duplicate has one: how it is set aside if the server
	// says that something holds on to it after all.
	After *profile.Profile
	// Earlier is an earlier generation that takes part. When Reason is Restores it
	// becomes the current one: it is relabelled and nothing is created. For
	// Create and any other Recreate it is the newest one, which gets its name back
	// if the server refuses the new spec for good.
	Earlier *live.Profile

	File string // document that asks for it; empty when none does
	Line int    // of the document, from 1; 0 when none
}

// ID is the id of the live profile the change is about, or "".
func (c Change) ID() string {
	if c.Before == nil {
		return ""
	}
	return c.Before.ID
}

// Pending reports whether carrying out the plan would do something for this
// change.
func (c Change) Pending() bool { return c.Action != NoOp && c.Block == "" }

// Blocked reports whether something that was asked for is held up. What stays
// only because prune is off was not asked for.
func (c Change) Blocked() bool { return c.Block != "" && c.Block != PruneOff }

// Kept reports whether the change is an earlier generation that stays until its
// users have gone.
func (c Change) Kept() bool {
	return c.Action == NoOp && c.Reason == Superseded && c.Block == ""
}

// Summary counts a plan's changes; each is counted once.
type Summary struct {
	Create, Update, Recreate, Delete int
	Blocked, Kept, Unchanged         int
}

// Pending is the number of changes that would be carried out.
func (s Summary) Pending() int { return s.Create + s.Update + s.Recreate + s.Delete }

// Summary counts the plan's changes.
func (p Plan) Summary() Summary {
	var s Summary
	for _, change := range p.Changes {
		*s.counter(change)++
	}
	return s
}

func (s *Summary) counter(change Change) *int {
	switch {
	case change.Block != "":
		return &s.Blocked
	case change.Kept():
		return &s.Kept
	}
	switch change.Action {
	case Create:
		return &s.Create
	case Update:
		return &s.Update
	case Recreate:
		return &s.Recreate
	case Delete:
		return &s.Delete
	}
	return &s.Unchanged
}

// Held is the number of changes that were asked for and are blocked; it leaves
// out what merely stays because prune is off.
func (p Plan) Held() int {
	held := 0
	for _, change := range p.Changes {
		if change.Blocked() {
			held++
		}
	}
	return held
}
