package wire

import (
	"time"

	"profilesync/internal/daemon/status"
)

// StatusOf translates the whole of a daemon.
func StatusOf(d status.Daemon) Status {
	told := Status{
		FormatVersion: FormatVersion, Version: d.Version, Instance: d.Instance, Owner: d.Owner, Source: d.Source,
		Started: at(d.Started), Now: at(d.Now), Ready: d.Ready(), Targets: make([]Target, len(d.Targets)), Problems: ProblemsOf(d.Problems),
	}
	for i, t := range d.Targets {
		told.Targets[i] = TargetOf(t, d.Now)
	}
	return told
}

// TargetOf translates one target as of a moment.
func TargetOf(t status.Target, now time.Time) Target {
	told := Target{
		Name: t.Name, Cloud: t.Cloud, Region: t.Region, Mode: string(t.Mode), Schedule: t.Schedule,
		Next: at(t.Next), Retry: at(t.Retry), Failures: t.Failures, LastAttempt: at(t.LastAttempt), LastSuccess: at(t.LastSuccess),
		StaleAfterSeconds: seconds(t.StaleAfter), Revision: revisionOf(t.Revision),
	}
	told.Ready, told.Reason = t.Ready(now)
	if t.Window.Has {
		told.Window = &Window{Open: t.Window.Open, Changes: at(t.Window.Change)}
	}
	if t.Lease.Kind != "" {
		told.Lease = &Lease{Kind: t.Lease.Kind, Held: t.Lease.Held, Holder: t.Lease.Holder, Problem: t.Lease.Problem}
	}
	if t.Running != nil {
		told.Running = &Running{Trigger: string(t.Running.Trigger), Began: at(t.Running.Began)}
	}
	if t.Plan != nil {
		told.Plan = &Plan{At: at(t.Plan.At), Open: t.Plan.Open, Summary: Summary(t.Plan.Was)}
	}
	if t.Last != nil {
		last := PassOf(*t.Last)
		told.Last = &last
	}
	return told
}

// ProblemsOf translates the problems of the process.
func ProblemsOf(problems []status.Problem) []Problem {
	told := make([]Problem, len(problems))
	for i, p := range problems {
		told[i] = Problem{Kind: p.Kind, Text: p.Text, Since: at(p.Since)}
	}
	return told
}

// ReadinessOf says of each target whether it is ready.
func ReadinessOf(d status.Daemon) Readiness {
	told := Readiness{FormatVersion: FormatVersion, Ready: d.Ready(), Warnings: ProblemsOf(d.Problems)}
	for _, t := range d.Targets {
		ready, reason := t.Ready(d.Now)
		told.Targets = append(told.Targets, ReadyLine{Name: t.Name, Ready: ready, Reason: reason})
	}
	return told
}

// PassesOf translates a page of passes. When it is full there may be more.
func PassesOf(passes []status.Pass, limit int) Passes {
	told := Passes{FormatVersion: FormatVersion, Passes: make([]Pass, len(passes))}
	for i, p := range passes {
		told.Passes[i] = PassOf(p)
	}
	if n := len(passes); n > 0 && n >= limit && passes[n-1].ID > 1 {
		before := passes[n-1].ID
		told.Before = &before
	}
	return told
}

// PassOf translates one pass.
func PassOf(p status.Pass) Pass {
	told := Pass{
		ID: p.ID, Target: p.Target, Instance: p.Instance, Trigger: string(p.Trigger), By: p.By, Began: at(p.Began),
		TookSeconds: seconds(p.Took), Revision: revisionOf(p.Revision), Outcome: string(p.Outcome), Error: p.Error, Hint: p.Hint,
		Counts: Counts(p.Counts), Changes: make([]Change, len(p.Changes)), Omitted: p.Omitted,
	}
	for i, c := range p.Changes {
		told.Changes[i] = Change(c)
	}
	return told
}

func revisionOf(r status.Revision) *Revision {
	if r.ID == "" {
		return nil
	}
	return &Revision{ID: r.ID, Subject: r.Subject, Author: r.Author, Date: at(r.When), SignedBy: r.Signer}
}

func at(t time.Time) *Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC().Truncate(time.Millisecond)
	return &t
}

func seconds(d time.Duration) float64 { return d.Round(time.Millisecond).Seconds() }
