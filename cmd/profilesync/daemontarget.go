package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"profilesync/internal/apply"
	"profilesync/internal/daemon"
	"profilesync/internal/daemon/schedule"
	"profilesync/internal/diff"
	"profilesync/internal/lease"
	"profilesync/internal/reconcile"
	"profilesync/internal/source"
)

// build turns the configuration into what the daemon repeats. Nothing is asked
// of anybody yet.
func (s *settings) build(c config) (daemon.Config, error) {
	if c.Owner == "" {
		return daemon.Config{}, errNoOwner
	}
	targets, err := s.choose(c)
	if err != nil {
		return daemon.Config{}, err
	}
	from, err := s.from(c.Source)
	if err != nil {
		return daemon.Config{}, err
	}
	if asks := c.Source.RequireDescent || c.Source.Verify.policy().Asks(); asks && c.Source.Worktree != "" {
		return daemon.Config{}, errUnverifiable
	}
	built := daemon.Config{Owner: c.Owner, Source: fmt.Sprint(from), Documents: from, SideBySide: defaultSideBySide}
	if c.Daemon.SideBySide != nil {
		built.SideBySide = *c.Daemon.SideBySide
	}
	for _, t := range targets {
		target, err := s.buildTarget(c, t)
		if err != nil {
			return daemon.Config{}, fmt.Errorf("target %s: %w", quote(t.Name), err)
		}
		target.Approve = s.approve(c.Source, from)
		built.Targets = append(built.Targets, target)
	}
	return built, nil
}

func (s *settings) buildTarget(c config, t targetConfig) (daemon.Target, error) {
	mode, err := t.mode()
	if err != nil {
		return daemon.Target{}, err
	}
	expression := cmp.Or(t.Schedule, s.schedule, c.Daemon.Schedule, defaultSchedule)
	when, err := schedule.Parse(expression, cmp.Or(t.TimeZone, c.Daemon.TimeZone))
	if err != nil {
		return daemon.Target{}, err
	}
	windows, err := t.windows(c.Daemon.TimeZone)
	if err != nil {
		return daemon.Target{}, err
	}
	now := time.Now()
	deadline := c.Daemon.PassDeadline.or(defaultDeadline)
	return daemon.Target{
		Name: t.Name, Cloud: t.Cloud, Key: leaseKey(c.Owner, t.Name), Mode: mode, Schedule: when, Windows: windows,
		Jitter:     min(c.Daemon.Jitter.or(defaultJitter), when.Shortest(now)/4),
		Deadline:   deadline,
		StaleAfter: c.Daemon.StaleAfter.or(2*when.Interval(now) + time.Minute),
		Backoff:    schedule.Backoff{First: c.Daemon.Retry.First.or(defaultFirstRetry), Most: c.Daemon.Retry.Most.or(defaultMostRetry)},
		Pass: reconcile.Pass{
			Options: diff.Options{Target: t.Name, Cloud: t.Cloud, Owner: c.Owner, Prune: s.prune, Adopt: s.adopt},
			Limits:  s.limits(c.Limits),
			Apply:   apply.Options{Parallel: s.parallel, Patience: 2 * s.timeout},
		},
		Connect: func(ctx context.Context, fence lease.Fence) (daemon.Cloud, error) {
			client, err := s.connect(ctx, t, fence)
			if err != nil {
				return nil, err // not a client that is nil
			}
			return client, nil
		},
	}, nil
}

func (t targetConfig) windows(zone string) (schedule.Windows, error) {
	var windows schedule.Windows
	for _, w := range t.Windows {
		window, err := schedule.ParseWindow(w.Opens, time.Duration(w.For), cmp.Or(w.TimeZone, t.TimeZone, zone))
		if err != nil {
			return nil, err
		}
		windows = append(windows, window)
	}
	return windows, nil
}

// approve refuses revisions that do not descend from what is live, where the
// configuration asks for that. A single apply can permit one.
func (s *settings) approve(c sourceConfig, from reconcile.Source) func(context.Context, reconcile.Planned) error {
	git, isGit := from.(source.Git)
	if !c.RequireDescent || !isGit {
		return nil
	}
	return func(ctx context.Context, planned reconcile.Planned) error {
		return descends(ctx, git, planned)
	}
}

// daemonHint is the next step after a pass of the daemon that failed: what a
// flag permits once, a single apply does.
func daemonHint(err error) string {
	var limit *diff.LimitError
	var rewind rewindError
	switch {
	case errors.As(err, &limit):
		return limitHint(limit) + ", in a single run: profilesync apply"
	case errors.As(err, &rewind):
		return "if that is meant, permit it in a single run: profilesync apply --allow-rewind " + rewind.revision
	}
	return hintFor(err)
}
