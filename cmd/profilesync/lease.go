package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"profilesync/internal/daemon"
	"profilesync/internal/lease"
	"profilesync/internal/lease/etcd"
)

// noLease is how to ask for none.
const noLease = "none"

// The kinds of leases, as the daemon tells them.
const (
	etcdLeases = "etcd"
	fileLeases = "file"
)

// instance is this process for others.
func instance() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return host + "/" + strconv.Itoa(os.Getpid())
}

// keeper opens the place where it is kept who writes to a target; nil where none
// is wanted, or where the default one cannot be had.
func (s *settings) keeper(c leaseConfig, command string) (keeper lease.Keeper, kind string, err error) {
	self := lease.Holder{Instance: instance(), Command: command}
	switch {
	case c.Directory == noLease:
		return nil, "", nil
	case c.Etcd != nil:
		options, err := s.etcdOptions(*c.Etcd, self)
		if err != nil {
			return nil, "", err
		}
		keeper, err := etcd.New(options)
		if err != nil {
			return nil, "", fmt.Errorf("leases in etcd: %w", err)
		}
		return keeper, etcdLeases, nil
	}
	dir := cmp.Or(c.Directory, filepath.Join(s.stateDir(""), "locks"))
	directory, err := lease.OpenDirectory(dir, self)
	switch {
	case err == nil:
		return directory, fileLeases, nil
	case c.Directory == "":
		s.logger.Warn("no lock protects the targets from another profilesync on this machine", "why", err)
		return nil, "", nil
	}
	return nil, "", err
}

func (s *settings) etcdOptions(c etcdConfig, self lease.Holder) (etcd.Options, error) {
	options := etcd.Options{
		Endpoints: c.Endpoints, Prefix: c.Prefix, TTL: c.TTL.or(etcd.DefaultTTL),
		CA: c.CA, Certificate: c.Certificate, Key: c.Key, Username: c.Username, Self: self,
	}
	if !c.Password.place().IsZero() {
		password, err := s.readSecret("password for etcd", c.Password)
		if err != nil {
			return etcd.Options{}, err
		}
		options.Password = password
	}
	return options, nil
}

// leaseKey is the same in every process that reads the same configuration.
func leaseKey(owner, target string) string { return owner + "/" + target }

// writes tells the requests that a lease is needed for. Logging in and
// validating change nothing.
func writes(r *http.Request) bool {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		return false
	case http.MethodPost:
		return !strings.HasSuffix(r.URL.Path, "/v1/profiles/validate") && !strings.HasSuffix(r.URL.Path, "/auth/tokens")
	}
	return true
}

// lockedError is a target that somebody else writes to.
type lockedError struct {
	target string
	holder lease.Holder
	waited time.Duration
}

func (e *lockedError) Error() string {
	text := fmt.Sprintf("target %q is being written to by %s", e.target, e.holder)
	if e.waited > 0 {
		text += fmt.Sprintf(", and still after %s", e.waited)
	}
	return text
}

// lock takes the lease for writing to a target, and lets its client write until
// unlock. A plan that was approved is made again before it is carried out, and
// refused when it would be another one: whoever had the lease may have written
// since.
func (j *job) lock(ctx context.Context, a *attempt) (unlock func(), err error) {
	if j.keeper == nil {
		a.gate.Open(nil)
		return a.gate.Shut, nil
	}
	held, err := j.take(ctx, a.target.Name, daemon.Writing(a.plan.Plan))
	if err != nil {
		return nil, err
	}
	a.gate.Open(held)
	a.plan.At = time.Time{}
	return func() {
		a.gate.Shut()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		if err := held.Release(ctx); err != nil {
			j.logger.Warn("lock not given back", "target", a.target.Name, "error", err)
		}
	}, nil
}

// planAgain makes the plan that is carried out under the lease, where nobody has
// approved one: who waited for somebody else mostly finds less to do.
func (j *job) planAgain(ctx context.Context, a *attempt) error {
	planned, err := a.pass.Plan(ctx, a.plan.Set)
	if err != nil {
		return fmt.Errorf("second look at the cloud: %w", err)
	}
	a.plan = planned
	a.rewind = j.descended(ctx, a)
	return errors.Join(a.rewind, a.pass.Check(planned, nil))
}

func (j *job) take(ctx context.Context, target, name string) (lease.Held, error) {
	held, err := j.keeper.Try(ctx, name)
	var busy *lease.BusyError
	if !errors.As(err, &busy) {
		return held, err
	}
	if j.waitLock <= 0 {
		return nil, &lockedError{target: target, holder: busy.Holder}
	}
	j.line(fmt.Sprintf("target %q is being written to by %s: waiting up to %s", target, busy.Holder, j.waitLock))
	waiting, stop := context.WithTimeout(ctx, j.waitLock)
	defer stop()
	held, err = lease.Acquire(waiting, j.keeper, name)
	if waiting.Err() != nil && ctx.Err() == nil && held == nil {
		holder, known, _ := j.keeper.Holder(ctx, name) // without it the one from before is told
		if !known {
			holder = busy.Holder
		}
		return nil, &lockedError{target: target, holder: holder, waited: j.waitLock}
	}
	return held, err
}

// around is what stands around a client's network: the fence, and whoever counts
// what goes out.
func (s *settings) around(target string, fence lease.Fence) func(http.RoundTripper) http.RoundTripper {
	return func(base http.RoundTripper) http.RoundTripper {
		if s.observe != nil {
			base = s.observe(target, base)
		}
		if fence != nil {
			base = lease.Guard{Base: base, Fence: fence, Writes: writes}
		}
		return base
	}
}
