package metrics

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"profilesync/internal/daemon/status"
)

// events count what happens. Those of targets are collected by [scraped], which
// knows the targets; reads and hooks belong to the process.
type events struct {
	passes, triggers, changes, failures *prometheus.CounterVec
	requests                            *prometheus.CounterVec
	passTime, requestTime               *prometheus.HistogramVec

	reads, hooks *prometheus.CounterVec

	// mu keeps a count of a target from being made behind the back of keep.
	mu      sync.Mutex
	targets map[string]bool
}

func newEvents() *events {
	e := &events{
		passes: counter("profilesync_passes_total",
			"Passes that have ended, by how.", "target", "outcome"),
		triggers: counter("profilesync_pass_triggers_total",
			"Passes that have ended, by why they were made.", "target", "trigger"),
		changes: counter("profilesync_changes_total",
			"Changes carried out, by action.", "target", "action"),
		failures: counter("profilesync_change_failures_total",
			"Changes that were tried and failed.", "target"),
		requests: counter("profilesync_cloud_requests_total",
			"HTTP requests to the target's cloud, Keystone included, by method and status code. The code is none when no answer came.",
			"target", "method", "code"),
		passTime: histogram("profilesync_pass_duration_seconds",
			"How long passes take.",
			[]float64{0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800}, "target"),
		requestTime: histogram("profilesync_cloud_request_duration_seconds",
			"How long HTTP requests to the target's cloud take, until the answer begins.",
			[]float64{0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60}, "target"),
		reads: counter("profilesync_source_reads_total",
			"Looks at the source of the documents, by what they found.", "result"),
		hooks: counter("profilesync_hooks_total",
			"Calls of the hook, by who sent them and what became of them.", "sender", "result"),
		targets: map[string]bool{},
	}
	for _, result := range []string{"unchanged", "fetched", "failed"} {
		e.reads.WithLabelValues(result)
	}
	for _, sender := range senders() {
		for _, result := range results() {
			e.hooks.WithLabelValues(sender, result)
		}
	}
	return e
}

func counter(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
}

// histogram has classic buckets for every Prometheus, and native ones, within a
// tenth of the true value, for those that take them. A hundred native buckets
// reach from a millisecond to ten seconds; when more are needed they widen.
func histogram(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: name, Help: help, Buckets: buckets,
		NativeHistogramBucketFactor:     1.1,
		NativeHistogramMaxBucketNumber:  100,
		NativeHistogramMinResetDuration: time.Hour,
	}, labels)
}

func (e *events) passed(pass status.Pass) {
	e.mu.Lock()
	defer e.mu.Unlock()
	target := e.begin(pass.Target)
	e.passes.WithLabelValues(target, oneOf(outcomes(), string(pass.Outcome))).Inc()
	e.triggers.WithLabelValues(target, oneOf(triggers(), string(pass.Trigger))).Inc()
	e.passTime.WithLabelValues(target).Observe(max(0, pass.Took.Seconds()))
	for action, count := range byAction(pass.Counts) {
		e.changes.WithLabelValues(target, action).Add(float64(max(0, count)))
	}
	e.failures.WithLabelValues(target).Add(float64(max(0, pass.Counts.Failed)))
}

func byAction(c status.Counts) map[string]int {
	return map[string]int{"create": c.Created, "update": c.Updated, "recreate": c.Recreated, "delete": c.Deleted}
}

func (e *events) request(target, method string, code int, took time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	target = e.begin(target)
	e.requests.WithLabelValues(target, oneOf(methods(), method), codeWord(code)).Inc()
	e.requestTime.WithLabelValues(target).Observe(max(0, took.Seconds()))
}

// begin starts the counts of a target at zero, so that the first event is an
// increase to Prometheus and not the beginning of a series, and returns the
// name as a label. The caller holds mu.
func (e *events) begin(name string) string {
	target := clean(name)
	if e.targets[target] {
		return target
	}
	e.targets[target] = true
	for _, outcome := range outcomes() {
		e.passes.WithLabelValues(target, label(outcome))
	}
	for _, trigger := range triggers() {
		e.triggers.WithLabelValues(target, label(trigger))
	}
	for action := range byAction(status.Counts{}) {
		e.changes.WithLabelValues(target, action)
	}
	e.failures.WithLabelValues(target)
	e.passTime.WithLabelValues(target)
	e.requestTime.WithLabelValues(target)
	return target
}

// keep starts the counts of the named targets and drops all others.
func (e *events) keep(targets map[string]bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for target := range targets {
		e.begin(target)
	}
	for target := range e.targets {
		if !targets[target] {
			delete(e.targets, target)
			for _, of := range e.ofTargets() {
				of.DeletePartialMatch(prometheus.Labels{"target": target})
			}
		}
	}
}

// series are the counts of all targets under one name.
type series interface {
	prometheus.Collector
	DeletePartialMatch(labels prometheus.Labels) int
}

func (e *events) ofTargets() []series {
	return []series{e.passes, e.triggers, e.changes, e.failures, e.requests, e.passTime, e.requestTime}
}
