// Package pagetest has a daemon that is only told of: its status and its passes
// are values that a test sets. The page is tested with it, and looked at in a
// browser.
package pagetest

import (
	"slices"
	"sync"
	"testing"
	"time"

	"profilesync/internal/daemon/status"
)

// Now is the moment of the values in tests that compare bytes.
func Now(testing.TB) time.Time { return time.Date(2026, 3, 2, 14, 2, 10, 0, time.UTC) }

// Asked is one request for a pass.
type Asked struct {
	Target  string
	Trigger status.Trigger
	By      string
}

// Daemon answers with what it is given. Its methods may be called from several
// goroutines.
type Daemon struct {
	mutex  sync.Mutex
	now    status.Daemon
	passes []status.Pass // the newest first
	unread error
	refuse error
	stuck  []string
	asked  []Asked
}

// New is a daemon that tells these values.
func New(now status.Daemon, passes []status.Pass) *Daemon {
	return &Daemon{now: now, passes: passes}
}

// Change changes what is told.
func (d *Daemon) Change(change func(now *status.Daemon, passes *[]status.Pass)) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	d.now.Targets = slices.Clone(d.now.Targets)
	d.passes = slices.Clone(d.passes)
	change(&d.now, &d.passes)
}

// Fail sets the errors of Passes and Ask, and what is stuck.
func (d *Daemon) Fail(passes, ask error, stuck ...string) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	d.unread, d.refuse, d.stuck = passes, ask, stuck
}

// Status is what was set.
func (d *Daemon) Status() status.Daemon {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	return d.now
}

// Passes are those of a target before an ID.
func (d *Daemon) Passes(target string, before uint64, limit int) ([]status.Pass, error) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	if d.unread != nil {
		return nil, d.unread
	}
	var found []status.Pass
	for _, p := range d.passes {
		if (target == "" || p.Target == target) && (before == 0 || p.ID < before) && len(found) < limit {
			found = append(found, p)
		}
	}
	return found, nil
}

// Ask notes the request.
func (d *Daemon) Ask(target string, trigger status.Trigger, by string) error {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	if d.refuse != nil {
		return d.refuse
	}
	d.asked = append(d.asked, Asked{target, trigger, by})
	return nil
}

// Stuck is what was set.
func (d *Daemon) Stuck() []string {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	return d.stuck
}

// Asked are the requests so far.
func (d *Daemon) Asked() []Asked {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	return slices.Clone(d.asked)
}
