package daemon

import (
	"time"

	"profilesync/internal/apply"
	"profilesync/internal/daemon/status"
	"profilesync/internal/diff"
	"profilesync/internal/source"
)

// ending is what a pass leaves: the line of history, and the plan that remains.
type ending struct {
	pass    status.Pass
	plan    *status.Plan // nil when none could be made
	region  string
	warning string // what could not be kept of the source
	read    bool   // the source was read
	nothing bool   // it was ended before there was anything to tell
}

// judge says in one word how a pass ended, and counts.
func (w *worker) judge(target Target, r request, began time.Time, a attempt) ending {
	pass := status.Pass{
		Target: target.Name, Instance: w.daemon.options.Instance, Trigger: r.trigger, By: r.by,
		Began: began, Took: max(w.daemon.now().Sub(began), 0), Revision: revision(a.tree),
	}
	end := ending{warning: a.tree.Warning, read: a.tree.Revision != "", nothing: a.cut && a.err == nil && a.planned == nil}
	if a.err == nil && a.result != nil && a.result.Failed() && !(a.cut && stopped(*a.result)) {
		a.err = failures(*a.result)
	}
	if a.planned != nil {
		var outcomes []apply.Outcome
		pass.Counts, outcomes = count(a)
		pass.Changes, pass.Omitted = changes(outcomes)
		end.plan = remains(a, outcomes)
		end.region = a.planned.Region
	}
	pass.Outcome = outcome(pass.Counts, a.err)
	if a.err != nil {
		pass.Error, pass.Hint = bounded(a.err.Error()), w.daemon.options.Hint(a.err)
	}
	end.pass = pass
	return end
}

func outcome(c status.Counts, err error) status.Outcome {
	switch {
	case err != nil:
		return status.Failed
	case c.Pending > 0:
		return status.Drift
	case c.Blocked > 0:
		return status.Blocked
	case c.Changed() > 0:
		return status.Applied
	}
	return status.InSync
}

// count counts the changes by what became of them, and returns them with their
// status, "" for one that was only planned.
func count(a attempt) (status.Counts, []apply.Outcome) {
	var outcomes []apply.Outcome
	if a.result != nil {
		outcomes = a.result.Outcomes
	} else {
		for _, change := range a.planned.Changes {
			outcomes = append(outcomes, apply.Outcome{Change: change})
		}
	}
	var c status.Counts
	for _, o := range outcomes {
		switch {
		case o.Change.Kept():
			c.Superseded++
		case o.Blocked():
			c.Blocked++
		case o.Status == apply.Done:
			done(&c, o)
		case o.Action == diff.NoOp, o.Block != "":
			c.InSync++
		default:
			c.Pending++
			if o.Status == apply.Failed {
				c.Failed++
			}
		}
	}
	return c, outcomes
}

func done(c *status.Counts, o apply.Outcome) {
	switch o.Action {
	case diff.Create:
		c.Created++
	case diff.Update:
		c.Updated++
	case diff.Recreate:
		c.Recreated++
		if o.Kept {
			c.Superseded++
		}
	case diff.Delete:
		c.Deleted++
	}
}

// changes are the lines of history: what was done, was not done, or is held up.
func changes(outcomes []apply.Outcome) (lines []status.Change, omitted int) {
	for _, o := range outcomes {
		if o.Action == diff.NoOp && !o.Blocked() || o.Status == "" && !o.Pending() && !o.Blocked() {
			continue
		}
		if len(lines) == status.MaxChanges {
			omitted++
			continue
		}
		line := status.Change{
			Action: o.Action.String(), Name: o.Name, ID: o.ID(), Reason: string(o.Reason), Block: string(o.Block),
			Status: string(o.Status),
		}
		if o.Status == "" {
			line.Status = "pending"
		}
		if o.Blocked() {
			line.Status = string(apply.Blocked)
		}
		if o.Err != nil {
			line.Error = bounded(o.Err.Error())
		}
		if o.NewID != "" {
			line.ID = o.NewID
		}
		lines = append(lines, line)
	}
	return lines, omitted
}

// remains is the plan without what is in sync and what has been done. Its
// changes are copies, so that the snapshot of the cloud can be forgotten.
func remains(a attempt, outcomes []apply.Outcome) *status.Plan {
	plan := a.planned.Plan
	left := status.Plan{At: a.planned.At, Was: plan.Summary(), Plan: plan}
	left.Plan.Changes = nil
	for _, o := range outcomes {
		if o.Status == apply.Done || o.Action == diff.NoOp && !o.Change.Kept() {
			continue
		}
		left.Open = left.Open || o.Pending()
		left.Plan.Changes = append(left.Plan.Changes, detached(o.Change))
	}
	return &left
}

func detached(c diff.Change) diff.Change {
	if c.Before != nil {
		before := *c.Before
		c.Before = &before
	}
	if c.Earlier != nil {
		earlier := *c.Earlier
		c.Earlier = &earlier
	}
	return c
}

func revision(tree source.Snapshot) status.Revision {
	r := status.Revision{ID: tree.Revision, Subject: tree.Subject, Author: tree.Author, When: tree.When}
	if tree.Signature.By != "" {
		r.Signer = tree.Signature.By
	}
	return r
}

// maxText bounds what one error may bring into the status and the history.
const maxText = 4 << 10

func bounded(text string) string {
	if len(text) <= maxText {
		return text
	}
	cut := maxText
	for cut > 0 && text[cut]&0xC0 == 0x80 { // not within a character
		cut--
	}
	return text[:cut] + "…"
}
