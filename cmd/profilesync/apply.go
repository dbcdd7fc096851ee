package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"profilesync/internal/apply"
	"profilesync/internal/diff"
	"profilesync/internal/report"
)

func newApply(s *settings) *cobra.Command {
	var yes bool
	var planFile string
	cmd := &cobra.Command{
		Use:   "apply",
		Short: "Plan, ask, and carry the plan out",
		Long: `Plan, ask on a terminal, and carry the plan out.

With --plan FILE the approved plan is carried out: its commit is read and planned
again, and if that is not the very plan of the file, nothing is done.

Creates, updates and recreates come first, deletes last. One failure never stops
the others. After an interrupt the profile in hand is finished, no further one is
begun; a second interrupt ends at once, and the next apply goes on from there.

Exit status: 0 done, or in sync; 1 failed; 3 everything else was done, but
something asked for is blocked.`,
		Args: noArguments,
	}
	flags := cmd.Flags()
	s.passFlags(cmd)
	flags.BoolVar(&yes, "yes", false, "do not ask")
	flags.DurationVar(&s.waitLock, "wait-lock", 0, "wait up to this `TIME` for another profilesync that writes to the target")
	flags.StringVar(&planFile, "plan", "", "carry out the approved plan of `FILE`, or nothing")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return s.apply(cmd, yes, planFile)
	}
	return cmd
}

var errNotAsked = errors.New("nobody can be asked: that takes a terminal and -o text")

func (s *settings) apply(cmd *cobra.Command, yes bool, planFile string) error {
	approved, err := s.approved(planFile)
	if err != nil {
		return err
	}
	asks := !yes && approved == nil
	if asks && (!terminal(s.stdin) || s.output != "text") {
		return errNotAsked
	}
	j, err := s.begin(cmd, false)
	if err != nil {
		return err
	}
	defer j.close()
	j.unseen = yes && approved == nil
	attempts := j.planAll(cmd.Context(), j.set)
	problem := j.complain(attempts)
	for _, a := range attempts {
		if a.err != nil {
			continue
		}
		var plan *diff.Plan
		if approved != nil {
			if plan, err = pick(approved, a.plan.Plan); err != nil {
				return err
			}
		}
		problem = errors.Join(problem, j.refused(a, plan))
	}
	if asks {
		if err := s.printPlans(attempts); err != nil {
			return err
		}
	}
	if problem != nil { // one target's refusal stops the others too: nothing has been done yet
		return problem
	}
	if asks && pending(attempts) {
		if err := s.ask(cmd.Context()); err != nil {
			return err
		}
	}
	return j.carry(cmd.Context(), attempts, asks)
}

// approved reads the plan file and pins the source to its commit.
func (s *settings) approved(file string) ([]diff.Plan, error) {
	if file == "" {
		return nil, nil
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("plan file %q: %w", file, unwrapPath(err))
	}
	defer f.Close()
	plans, err := report.ReadPlan(f)
	if err != nil {
		return nil, fmt.Errorf("plan file %q: %w", file, err)
	}
	s.pinned = plans[0].Revision
	return plans, nil
}

// pick finds the approved plan of a target.
func pick(approved []diff.Plan, now diff.Plan) (*diff.Plan, error) {
	for i := range approved {
		if approved[i].Target == now.Target {
			return &approved[i], nil
		}
	}
	return nil, fmt.Errorf("plan file holds no plan for target %q", now.Target)
}

func pending(attempts []*attempt) bool {
	for _, a := range attempts {
		if a.plan.Summary().Pending() > 0 {
			return true
		}
	}
	return false
}

var errDeclined = errors.New("not applied: the answer was not yes")

// ask waits for a person's yes, or for the interrupt.
func (s *settings) ask(ctx context.Context) error {
	fmt.Fprint(s.stderr, "\nApply these changes? Only \"yes\" is taken as an answer: ")
	answer := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(s.stdin).ReadString('\n') // no answer is no
		answer <- strings.TrimSpace(line)
	}()
	select {
	case <-ctx.Done():
		fmt.Fprintln(s.stderr)
		return errDeclined
	case line := <-answer:
		if line != "yes" {
			return errDeclined
		}
		return nil
	}
}

// carry carries the plans out, one target after the other, and reports.
func (j *job) carry(ctx context.Context, attempts []*attempt, shown bool) error {
	targets := make([]report.Target, len(attempts))
	var results []apply.Result
	defer j.announceStop(ctx)()
	failed, held := false, 0
	var problems error
	for i, a := range attempts {
		progress := j.progress(a)
		a.pass.Apply.Progress = progress.note
		result, err := j.carryOne(ctx, a)
		progress.clear()
		if err != nil {
			problems = errors.Join(problems, targetError{a.target.Name, err, len(attempts) > 1})
			targets[i] = a.report(err)
			continue
		}
		targets[i] = report.Target{Name: a.target.Name, Result: &result, Commit: a.commit}
		results = append(results, result)
		failed = failed || result.Failed()
		held += result.Held()
	}
	if shown {
		fmt.Fprintln(j.stdout)
	}
	if err := j.print(targets); err != nil {
		return err
	}
	switch {
	case problems != nil:
		return problems
	case failed && ctx.Err() != nil:
		return errInterrupted
	case failed:
		j.advise(results)
		return statusError(exitFailed)
	case held > 0:
		return statusError(exitHeld)
	}
	return nil
}

// carryOne carries out the plan of one target, if nobody else writes to it.
func (j *job) carryOne(ctx context.Context, a *attempt) (apply.Result, error) {
	if a.plan.Summary().Pending() > 0 {
		unlock, err := j.lock(ctx, a)
		if err != nil {
			return apply.Result{}, err
		}
		defer unlock()
		if j.unseen {
			if err := j.planAgain(ctx, a); err != nil {
				return apply.Result{}, err
			}
		}
	}
	return a.pass.Carry(ctx, a.plan)
}

var errInterrupted = errors.New("stopped by a signal: what is above was done, the rest was not begun")

// announceStop says on a signal that the program has taken it, since what is in
// hand may take a while. The function returned ends that.
func (j *job) announceStop(ctx context.Context) (end func()) {
	said := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(said)
		j.line("stopping: the profiles in hand are finished first; a second signal ends at once")
	})
	return func() {
		if !stop() {
			<-said
		}
	}
}

// progress is the one line on a terminal that tells how far an apply is.
type progress struct {
	s     *settings
	total int
	mutex sync.Mutex
	done  int
	line  bool
}

func (j *job) progress(a *attempt) *progress {
	return &progress{s: j.settings, total: a.plan.Summary().Pending()}
}

func (p *progress) note(outcome apply.Outcome) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.done++
	p.s.logger.Info("change ended", "profile", outcome.Name, "action", outcome.Action.String(),
		"status", string(outcome.Status), "took", outcome.Took)
	if terminal(p.s.stderr) && !p.s.verbose {
		p.line = true
		fmt.Fprintf(p.s.stderr, "\r\x1b[Kapplying: %d of %d", p.done, p.total)
	}
}

func (p *progress) clear() {
	if p.line {
		fmt.Fprint(p.s.stderr, "\r\x1b[K")
	}
}
