package metrics

import (
	"slices"
	"time"

	"profilesync/internal/daemon/status"
)

// target is one target at the moment of a scrape.
type target struct {
	status.Target
	now time.Time
}

// served reports whether this instance looks after the target. What it knows of
// one that another instance serves is old, and would be counted twice.
func (t target) served() bool { return t.Lease.Kind == "" || t.Lease.Held }

// targetGauges are about one target each. Those from served on are told only by
// the instance that looks after it.
func targetGauges() []gauge[target] {
	return slices.Concat(standing(), served(timing()), served(planned()))
}

// served leaves the gauges out for a target that is not served here.
func served(gauges []gauge[target]) []gauge[target] {
	for i, g := range gauges {
		gauges[i].read = func(t target, set set) {
			if t.served() {
				g.read(t, set)
			}
		}
	}
	return gauges
}

// standing is what every instance tells of every target.
func standing() []gauge[target] {
	return []gauge[target]{
		targetGauge("info", "Always 1. Where the target is and what may be done to it: report, apply or suspended.",
			func(t target, set set) { set(1, t.Cloud, t.Region, string(t.Mode)) }, "cloud", "region", "mode"),
		targetGauge("ready", "1 when the target had a good pass lately, is suspended, or another instance serves it; else 0.",
			func(t target, set set) { ready, _ := t.Ready(t.now); set(truth(ready)) }),
		targetGauge("last_attempt_timestamp_seconds", "End of the last pass, good or not. Absent before the first.",
			func(t target, set set) { at(t.LastAttempt, set) }),
		targetGauge("last_success_timestamp_seconds", "End of the last good pass. Absent before the first.",
			func(t target, set set) { at(t.LastSuccess, set) }),
		targetGauge("stale_after_seconds", "How long after its last good pass the target is no longer ready.",
			func(t target, set set) { set(t.StaleAfter.Seconds()) }),
		targetGauge("lease_held", "1 when this instance holds the target's lease, else 0. Absent when no lease is asked for.",
			func(t target, set set) {
				if t.Lease.Kind != "" {
					set(truth(t.Lease.Held), t.Lease.Kind)
				}
			}, "kind"),
		targetGauge("lease_holder_info", "Always 1. The instance that serves the target, as far as this one knows. Absent when nobody is known to.",
			func(t target, set set) {
				if t.Lease.Holder != "" {
					set(1, t.Lease.Holder)
				}
			}, "holder"),
		targetGauge("lease_problem", "1 when the lease can be neither held nor learnt of, else 0.",
			func(t target, set set) { set(truth(t.Lease.Problem != "")) }),
	}
}

// timing is when passes are made, and how they went.
func timing() []gauge[target] {
	return []gauge[target]{
		targetGauge("window_open", "1 when the target may be written to now as far as its windows go, 0 outside of them. Always 1 without windows.",
			func(t target, set set) { set(truth(t.Window.Open || !t.Window.Has)) }),
		targetGauge("next_pass_timestamp_seconds", "When the next scheduled pass is due. Absent when there is none.",
			func(t target, set set) { at(t.Next, set) }),
		targetGauge("retry_timestamp_seconds", "Before when a failed pass is not repeated. Absent when none has failed.",
			func(t target, set set) { at(t.Retry, set) }),
		targetGauge("consecutive_failures", "Passes that have failed one after the other.",
			func(t target, set set) { set(float64(t.Failures)) }),
		targetGauge("running_since_timestamp_seconds", "When the pass under way began. Absent when none is.",
			func(t target, set set) {
				if t.Running != nil {
					at(t.Running.Began, set)
				}
			}),
		targetGauge("revision_info", "Always 1. The revision that was last read: a commit, or the digest of a directory. Absent before the first.",
			func(t target, set set) {
				if t.Revision.ID != "" {
					set(1, t.Revision.ID)
				}
			}, "revision"),
		targetGauge("revision_timestamp_seconds", "When the commit that was last read was made. Absent before the first, and for a directory.",
			func(t target, set set) { at(t.Revision.When, set) }),
	}
}
