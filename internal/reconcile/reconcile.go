// Package reconcile is one pass of the program, from documents to result. It is
// the page to read first:
//
//	source ──▶ desired ┐
//	                   ├─▶ diff ─▶ plan ─▶ apply ─▶ result
//	senlin ──▶ live    ┘
//
// [Documents] reads what is wanted; a [Pass] compares it with one cloud and
// carries the plan out. Showing a plan is a pass that stops half-way.
//
// The package holds the order of the steps and nothing else: it decides
// nothing about a profile, knows no Git and no HTTP, and prints nothing.
package reconcile

import (
	"context"
	"fmt"
	"time"

	"profilesync/internal/apply"
	"profilesync/internal/desired"
	"profilesync/internal/diff"
	"profilesync/internal/live"
	"profilesync/internal/source"
)

// Source reads a tree of documents at one revision: a Git repository or a
// directory.
type Source interface {
	// Read returns the whole tree or an error, never a part of it.
	Read(ctx context.Context) (source.Snapshot, error)
}

// Cloud is all a pass asks of a cloud: to look, and to write.
type Cloud interface {
	apply.Looker
	apply.Target
}

// Documents reads what is wanted. One bad document fails the whole: a half-read
// repository must not look like deletions.
func Documents(ctx context.Context, from Source) (desired.Set, source.Snapshot, error) {
	tree, err := from.Read(ctx)
	if err != nil {
		return desired.Set{}, source.Snapshot{}, err
	}
	set, err := desired.Load(tree.Files, tree.Revision)
	return set, tree, err
}

// Pass is one reconciling of one target.
type Pass struct {
	Cloud   Cloud
	Options diff.Options
	Limits  diff.Limits
	Apply   apply.Options
	Fresh   time.Duration // age from which a plan is made again before it is carried out; 0 means 10 seconds
}

const defaultFresh = 10 * time.Second

// Planned is a plan together with what it was made from and when.
type Planned struct {
	diff.Plan
	Set  desired.Set
	Last []string  // revisions the owner's profiles were last written from; see live.LastRevisions
	At   time.Time // before the cloud was read
}

// Plan compares what is wanted with what is live. Who uses what is read only
// when the plan would delete or supersede something.
func (p Pass) Plan(ctx context.Context, want desired.Set) (Planned, error) {
	at := time.Now()
	have, err := live.Read(ctx, p.Cloud)
	if err != nil {
		return Planned{}, err
	}
	plan := diff.Compare(want, have, p.Options)
	if plan.NeedsUsers {
		if have, err = have.WithUsers(ctx, p.Cloud); err != nil {
			return Planned{}, err
		}
		plan = diff.Compare(want, have, p.Options)
	}
	last := live.LastRevisions(have.Profiles, p.Options.Owner)
	return Planned{Plan: plan, Set: want, Last: last, At: at}, nil
}

// StaleError refuses a plan because the cloud or the documents are no longer
// what it was made from.
type StaleError struct {
	Approved diff.Plan // as it was shown
	Now      diff.Plan // as it would be now
}

func (e *StaleError) Error() string { return "plan is stale: it would be another one now" }

// Check refuses a plan that looks like an accident, or that is not the one that
// was approved; approved may be nil.
func (p Pass) Check(planned Planned, approved *diff.Plan) error {
	if approved != nil && approved.Digest() != planned.Digest() {
		return &StaleError{Approved: *approved, Now: planned.Plan}
	}
	return planned.Check(p.Limits)
}

// Carry carries a plan out. A plan that has waited, for a person's answer or in
// a queue, is made again first and refused when it would be another one.
func (p Pass) Carry(ctx context.Context, planned Planned) (apply.Result, error) {
	fresh := p.Fresh
	if fresh <= 0 {
		fresh = defaultFresh
	}
	if time.Since(planned.At) > fresh {
		again, err := p.Plan(ctx, planned.Set)
		if err != nil {
			return apply.Result{}, fmt.Errorf("second look at the cloud: %w", err)
		}
		if err := p.Check(again, &planned.Plan); err != nil {
			return apply.Result{}, err
		}
		planned = again
	}
	if err := planned.Check(p.Limits); err != nil {
		return apply.Result{}, err
	}
	return apply.Run(ctx, planned.Plan, p.Cloud, p.Cloud, p.Apply)
}
