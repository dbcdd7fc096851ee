package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"profilesync/internal/apply"
	"profilesync/internal/desired"
	"profilesync/internal/diff"
	"profilesync/internal/lease"
	"profilesync/internal/reconcile"
	"profilesync/internal/report"
	"profilesync/internal/source"
)

// job is one run of plan or apply: the documents, and an attempt per target.
type job struct {
	*settings
	from           reconcile.Source
	requireDescent bool
	set            desired.Set
	readOnly       bool
	keeper         lease.Keeper // of the leases for writing; nil for none
	unseen         bool         // nobody has approved a plan: whatever the documents ask for is meant
	attempts       []*attempt
}

// begin reads the configuration and the documents. Nothing is asked of a cloud
// before every document is known to be good.
func (s *settings) begin(cmd *cobra.Command, readOnly bool) (*job, error) {
	c, err := s.load(cmd)
	if err != nil {
		return nil, err
	}
	if c.Owner == "" {
		return nil, errNoOwner
	}
	targets, err := s.choose(c)
	if err != nil {
		return nil, err
	}
	from, err := s.from(c.Source)
	if err != nil {
		return nil, err
	}
	if asks := c.Source.RequireDescent || c.Source.Verify.policy().Asks(); asks && c.Source.Worktree != "" && !readOnly {
		return nil, errUnverifiable
	}
	set, tree, err := reconcile.Documents(cmd.Context(), from)
	if err != nil {
		return nil, err
	}
	s.note(tree)
	j := &job{settings: s, from: from, requireDescent: c.Source.RequireDescent, set: set, readOnly: readOnly}
	if !readOnly {
		if j.keeper, _, err = s.keeper(c.Lease, "apply"); err != nil {
			return nil, err
		}
	}
	for _, t := range targets {
		j.attempts = append(j.attempts, &attempt{target: t, commit: provenance(tree), pass: reconcile.Pass{
			Options: diff.Options{Target: t.Name, Cloud: t.Cloud, Owner: c.Owner, Prune: s.prune, Adopt: s.adopt},
			Limits:  s.limits(c.Limits),
			Apply:   apply.Options{Parallel: s.parallel, Patience: 2 * s.timeout},
		}})
	}
	return j, nil
}

// provenance is what reports say of the commit that was read, nil of a directory.
func provenance(tree source.Snapshot) *report.Commit {
	if tree.When.IsZero() {
		return nil
	}
	return &report.Commit{Subject: tree.Subject, Author: tree.Author, When: tree.When, Signer: signer(tree.Signature)}
}

// targetsAtOnce bounds the clouds that are read side by side.
const targetsAtOnce = 4

// planAll plans every target. One that fails keeps its error; the others go on.
func (j *job) planAll(ctx context.Context, want desired.Set) []*attempt {
	var group errgroup.Group
	group.SetLimit(targetsAtOnce)
	for _, a := range j.attempts {
		group.Go(func() error {
			a.err = j.planOne(ctx, a, want)
			return nil
		})
	}
	_ = group.Wait() // an attempt keeps its own error
	return j.attempts
}

func (j *job) planOne(ctx context.Context, a *attempt, want desired.Set) error {
	var fence lease.Fence
	if !j.readOnly {
		fence = &a.gate
	}
	client, err := j.connect(ctx, a.target, fence)
	if err != nil {
		return err
	}
	a.client, a.pass.Cloud = client, client
	planned, err := a.pass.Plan(ctx, want)
	a.plan = planned
	if err == nil {
		a.rewind = j.descended(ctx, a)
	}
	return err
}

// complain gathers what went wrong with single targets.
func (j *job) complain(attempts []*attempt) error {
	var problems error
	for _, a := range attempts {
		if a.err != nil {
			problems = errors.Join(problems, targetError{a.target.Name, a.err, len(attempts) > 1})
		}
	}
	return problems
}

func (j *job) close() {
	if j.keeper != nil {
		if err := j.keeper.Close(); err != nil {
			j.logger.Warn("locks not given back", "error", err)
		}
	}
	for _, a := range j.attempts {
		if a.client != nil {
			a.client.Close()
		}
	}
}

func newValidate(s *settings) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "validate",
		Short: "Check the documents, without any cloud",
		Long: `Check the documents, without any cloud: every problem of every file is reported
in one run, each as path:line:column: what is wrong.

Exit status: 0 every document is good; 1 at least one is not.`,
		Args: noArguments,
	}
	flags := cmd.Flags()
	s.configFlag(flags)
	s.sourceFlags(flags)
	cmd.MarkFlagsMutuallyExclusive("source", "worktree")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		r, err := s.read(cmd)
		if err != nil {
			return err
		}
		fmt.Fprintf(s.stdout, "Valid: %s in %s, revision %s.\n",
			count(len(r.set.Items), "profile"), count(files(r.set), "file"), report.ShortRevision(r.set.Revision))
		return nil
	}
	return cmd
}

func files(set desired.Set) int {
	names := map[string]bool{}
	for _, item := range set.Items {
		names[item.File] = true
	}
	return len(names)
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
