package daemon

import (
	"strings"
	"testing"
	"time"

	"profilesync/internal/daemon/status"
	"profilesync/internal/diff"
	"profilesync/internal/lease"
)

// keeper opens the locks that the instances of a story share.
func (w *world) keeper(instance, command string) *lease.Directory {
	w.Helper()
	if w.locks == "" {
		w.locks = w.TempDir()
	}
	keeper, err := lease.OpenDirectory(w.locks, lease.Holder{Instance: instance, Command: command})
	if err != nil {
		w.Fatal(err)
	}
	return keeper
}

// instance is a daemon that shares the targets with others, and how it ends.
func (w *world) instance(name string) (*Daemon, func()) {
	keeper := w.keeper(name, "daemon")
	options := w.options
	options.Instance, options.LeaseKind = name, "file"
	options.Leases = lease.NewSharing(keeper, Serving, func() int { return len(w.config.Targets) })
	d := New(options, w.config)
	stop := w.run(d)
	return d, func() {
		stop()
		if err := keeper.Close(); err != nil {
			w.Error(err)
		}
	}
}

func TestATargetIsServedByOneInstance(t *testing.T) {
	play(t, func(w *world) {
		w.config.Targets = append(w.config.Targets, w.target("test"))
		w.repo.commit("r1")
		for i := range w.config.Targets {
			w.config.Targets[i].Pass.Limits.AllowEmpty = true
		}
		one, stopOne := w.instance("host-1/1")
		two, stopTwo := w.instance("host-2/2")
		w.after(31 * time.Minute)
		made := map[string]string{}
		for _, p := range w.journal.all() {
			if before, known := made[p.Target]; known && before != p.Instance {
				t.Errorf("%q is served by %s and by %s", p.Target, before, p.Instance)
			}
			made[p.Target] = p.Instance
		}
		if made["prod"] == made["test"] {
			t.Errorf("the targets are not shared: %v", made)
		}
		for _, told := range append(one.Status().Targets, two.Status().Targets...) {
			if told.Lease.Holder != made[told.Name] || told.Lease.Kind != "file" {
				t.Errorf("%q is said to be served by %+v, not by %s", told.Name, told.Lease, made[told.Name])
			}
			if ready, why := told.Ready(time.Now()); !ready {
				t.Errorf("%q is not ready: %s", told.Name, why)
			}
		}
		stopOne()
		w.after(10 * time.Second)
		for _, told := range two.Status().Targets {
			if !told.Lease.Held || told.Last == nil {
				t.Errorf("%q was not taken over: %+v", told.Name, told.Lease)
			}
		}
		stopTwo()
	})
}

func TestAPassWaitsForWhoeverWrites(t *testing.T) {
	play(t, func(w *world) {
		d, stop := w.instance("host-1/1")
		w.after(time.Minute)
		told := d.Status().Targets[0]
		if told.Last == nil || told.Last.Outcome != status.Applied {
			t.Fatalf("got %+v", told.Last)
		}
		apply := w.keeper("host-9/9", "apply")
		held, err := apply.Try(t.Context(), Writing(told.Plan.Plan))
		if err != nil {
			t.Fatal(err)
		}
		w.repo.commit("r2", "web:m1.large")
		d.Push("github")
		w.asked()
		w.after(2 * time.Minute)
		w.wantNoWrites()
		if d.Status().Targets[0].Running == nil {
			t.Error("the pass does not wait")
		}
		// What the other one wrote makes the pass's first plan a thing of the past.
		w.carryOutByHand("r2", d)
		if err := held.Release(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.asked()
		w.after(time.Minute)
		w.wantNoWrites()
		if last := d.Status().Targets[0].Last; last.Outcome != status.InSync || last.Trigger != status.Push {
			t.Errorf("got %+v", last)
		}
		stop()
		if err := apply.Close(); err != nil {
			t.Error(err)
		}
	})
}

// carryOutByHand does what a single apply of the documents does.
func (w *world) carryOutByHand(revision string, d *Daemon) {
	w.Helper()
	set, _, err := newDocuments(w.repo).read(w.Context())
	if err != nil || set.Revision != revision {
		w.Fatalf("%v, revision %s", err, set.Revision)
	}
	gate := &lease.Gate{}
	gate.Open(nil)
	cloud, err := w.connect(w.Context(), gate)
	if err != nil {
		w.Fatal(err)
	}
	defer cloud.Close()
	pass := d.config.Targets[0].Pass
	pass.Cloud = cloud
	planned, err := pass.Plan(w.Context(), set)
	if err != nil {
		w.Fatal(err)
	}
	if _, err := pass.Carry(w.Context(), planned); err != nil {
		w.Fatal(err)
	}
}

func TestALeaseForWritingIsNamedAfterWhatIsWrittenTo(t *testing.T) {
	plan := diff.Plan{Target: "prod", Cloud: "north", Region: "RegionOne", Project: "4711", Owner: "us"}
	same := plan
	same.Target, same.Cloud = "production", "north-as-ops"
	if Writing(plan) != Writing(same) {
		t.Errorf("one project has two leases: %q, %q", Writing(plan), Writing(same))
	}
	for name, change := range map[string]func(*diff.Plan){
		"region":  func(p *diff.Plan) { p.Region = "RegionTwo" },
		"project": func(p *diff.Plan) { p.Project = "4712" },
		"owner":   func(p *diff.Plan) { p.Owner = "them" },
	} {
		other := plan
		change(&other)
		if Writing(plan) == Writing(other) || !strings.HasPrefix(Writing(other), "write/") {
			t.Errorf("another %s has the same lease", name)
		}
	}
}
