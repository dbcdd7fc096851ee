package main

import (
	"context"
	"errors"
	"fmt"

	"profilesync/internal/reconcile"
	"profilesync/internal/report"
	"profilesync/internal/source"
)

// rewindError refuses a revision that does not descend from what is live.
type rewindError struct {
	revision string // that would be applied
	err      error
}

func (e rewindError) Error() string {
	return fmt.Sprintf("revision %s may not follow what is live: %v", report.ShortRevision(e.revision), e.err)
}

func (e rewindError) Unwrap() error { return e.err }

// descended refuses the plan of a revision that does not descend from the one
// the target's profiles were last written from. A plan that changes nothing is
// let through, and so is the one revision that --allow-rewind names.
func (j *job) descended(ctx context.Context, a *attempt) error {
	git, isGit := j.from.(source.Git)
	if !j.requireDescent || !isGit || j.allowRewind == a.plan.Revision || a.plan.Summary().Pending() == 0 {
		return nil
	}
	return descends(ctx, git, a.plan)
}

// descends refuses a plan whose revision does not descend from each one that
// the profiles were last written from.
func descends(ctx context.Context, git source.Git, planned reconcile.Planned) error {
	var problems error
	for _, before := range planned.Last {
		if before == planned.Revision {
			continue
		}
		err := git.Descends(ctx, planned.Revision, before)
		if errors.Is(err, source.ErrNotDescended) {
			err = rewindError{planned.Revision, err}
		}
		problems = errors.Join(problems, err)
	}
	return problems
}

// checkRewind wants a whole commit id: a part of one may fit others, too.
func (s *settings) checkRewind() error {
	if s.allowRewind != "" && len(s.allowRewind) != 40 {
		return usageError{fmt.Errorf("--allow-rewind %q: want the 40 digits of a commit", s.allowRewind)}
	}
	return nil
}
