package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"profilesync/internal/diff"
	"profilesync/internal/lease"
	"profilesync/internal/reconcile"
	"profilesync/internal/report"
	"profilesync/internal/senlin"
)

func newPlan(s *settings) *cobra.Command {
	var out string
	var detailed bool
	cmd := &cobra.Command{
		Use:   "plan",
		Short: "Show what an apply would change",
		Long: `Show what an apply would change, and change nothing: a plan's connection to the
cloud refuses every request that writes.

The plan goes to standard output. --out keeps it in a file, without secrets, for
a later "apply --plan FILE", which carries out exactly that or nothing.

Exit status: 0 planned; 1 failed, or an apply would be refused; with
--detailed-exitcode also 2 changes pending, 3 nothing pending but something
asked for is blocked.`,
		Args: noArguments,
	}
	flags := cmd.Flags()
	s.passFlags(cmd)
	flags.StringVar(&out, "out", "", "write the plan to `FILE`, for apply --plan")
	flags.BoolVar(&detailed, "detailed-exitcode", false, "exit with 2 when changes are pending, with 3 when only blocked ones are")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return s.plan(cmd, out, detailed)
	}
	return cmd
}

func (s *settings) plan(cmd *cobra.Command, out string, detailed bool) error {
	j, err := s.begin(cmd, true)
	if err != nil {
		return err
	}
	defer j.close()
	targets := j.planAll(cmd.Context(), j.set)
	if err := s.printPlans(targets); err != nil {
		return err
	}
	problem := j.complain(targets)
	for _, t := range targets {
		if t.err == nil {
			problem = errors.Join(problem, j.refused(t, nil))
			problem = errors.Join(problem, t.wouldBeRefused(cmd.Context()))
		}
	}
	if problem != nil {
		return problem
	}
	if out != "" {
		if err := writePlan(out, targets); err != nil {
			return err
		}
	}
	if detailed {
		return detailedStatus(targets)
	}
	return nil
}

// detailedStatus tells a script whether there is something to do.
func detailedStatus(targets []*attempt) error {
	held := 0
	for _, t := range targets {
		if t.plan.Summary().Pending() > 0 {
			return statusError(exitPending)
		}
		held += t.plan.Held()
	}
	if held > 0 {
		return statusError(exitHeld)
	}
	return nil
}

// printPlans writes the plans to standard output.
func (s *settings) printPlans(attempts []*attempt) error {
	targets := make([]report.Target, len(attempts))
	for i, a := range attempts {
		targets[i] = a.report(a.err)
	}
	return s.print(targets)
}

// print writes a report in the format asked for.
func (s *settings) print(targets []report.Target) error {
	switch s.output {
	case "json":
		return report.JSON(s.stdout, targets)
	case "markdown":
		return report.Markdown(s.stdout, targets, 0)
	}
	return report.Text(s.stdout, targets, s.style())
}

// writePlan keeps the plans in a file, for a later apply.
func writePlan(file string, targets []*attempt) error {
	plans := make([]report.Target, len(targets))
	for i, t := range targets {
		plans[i] = t.report(nil)
	}
	return writeFile("plan file", file, func(w io.Writer) error { return report.WritePlan(w, plans) })
}

// attempt is what became of one target in this run.
type attempt struct {
	target targetConfig
	commit *report.Commit // nil for a directory
	pass   reconcile.Pass
	client *senlin.Client // nil when the login went wrong
	gate   lease.Gate     // of the client
	plan   reconcile.Planned
	rewind error // why the revision must not follow the one that is live
	err    error // why there is no plan
}

// report is what there is to say about the target before its plan is carried
// out, or when it was not.
func (a *attempt) report(err error) report.Target {
	target := report.Target{Name: a.target.Name, Err: err, Commit: a.commit}
	if a.err == nil {
		target.Plan = &a.plan.Plan
	}
	return target
}

// refused tells why an apply would refuse the plan as a whole, all of it.
func (j *job) refused(a *attempt, approved *diff.Plan) error {
	var all error
	for _, err := range []error{a.rewind, a.pass.Check(a.plan, approved)} {
		reasons := []error{err}
		if joined, ok := err.(interface{ Unwrap() []error }); ok {
			reasons = joined.Unwrap()
		}
		for _, reason := range reasons {
			if reason != nil {
				all = errors.Join(all, targetError{a.target.Name, reason, len(j.attempts) > 1})
			}
		}
	}
	return all
}

// targetError says to which of several targets an error belongs.
type targetError struct {
	target string
	err    error
	many   bool
}

func (e targetError) Error() string {
	if e.many {
		return fmt.Sprintf("target %q: %v", e.target, e.err)
	}
	return e.err.Error()
}
func (e targetError) Unwrap() error { return e.err }

// validateLimit bounds the questions a plan asks the server about new specs.
const validateLimit = 200

// wouldBeRefused asks the server whether it would take the new specs, so that a
// plan shows what an apply would run into. Nothing is stored by it.
func (a *attempt) wouldBeRefused(ctx context.Context) error {
	asked := map[string]bool{}
	var problems error
	for _, c := range a.plan.Changes {
		if !c.Pending() || c.Action != diff.Create && (c.Action != diff.Recreate || c.Reason == diff.Restores) {
			continue
		}
		key := fmt.Sprintf("%x", c.After.Spec.Fingerprint())
		if asked[key] || len(asked) == validateLimit {
			continue
		}
		asked[key] = true
		err := a.pass.Cloud.Validate(ctx, c.After.Spec)
		if ctx.Err() != nil { // nothing was refused: nobody waits for the answer
			return cmp.Or(err, ctx.Err())
		}
		if err != nil {
			problems = errors.Join(problems, fmt.Errorf("%s:%d: %q would be refused: %w", c.File, c.Line, c.Name, err))
		}
	}
	return problems
}
