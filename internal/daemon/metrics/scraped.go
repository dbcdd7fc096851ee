package metrics

import (
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"profilesync/internal/daemon/status"
)

// scraped tells Prometheus what the status says at the moment it is asked.
type scraped struct {
	read    func() status.Daemon
	events  *events
	process []gauge[status.Daemon]
	target  []gauge[target]
}

func newScraped(read func() status.Daemon, events *events) *scraped {
	return &scraped{read: read, events: events, process: processGauges(), target: targetGauges()}
}

// Describe implements [prometheus.Collector].
func (s *scraped) Describe(descriptions chan<- *prometheus.Desc) {
	for _, g := range s.process {
		descriptions <- g.description
	}
	for _, g := range s.target {
		descriptions <- g.description
	}
	for _, of := range s.events.ofTargets() {
		of.Describe(descriptions)
	}
}

// Collect implements [prometheus.Collector].
func (s *scraped) Collect(metrics chan<- prometheus.Metric) {
	daemon := s.read()
	for _, g := range s.process {
		g.collect(daemon, metrics)
	}
	names := map[string]bool{}
	for _, t := range daemon.Targets {
		name := clean(t.Name)
		if names[name] { // one name twice would fail the scrape
			continue
		}
		names[name] = true
		for _, g := range s.target {
			g.collect(target{t, daemon.Now}, metrics, name)
		}
	}
	s.events.keep(names)
	for _, of := range s.events.ofTargets() {
		of.Collect(metrics)
	}
}

// set gives one series its value.
type set func(value float64, labels ...string)

// gauge is a metric that is read off a value: off the whole status, or off one
// target. What it does not set is absent from the scrape.
type gauge[From any] struct {
	description *prometheus.Desc
	read        func(from From, set set)
}

// collect sends what the gauge reads. The first labels are the same for all.
func (g gauge[From]) collect(from From, metrics chan<- prometheus.Metric, first ...string) {
	g.read(from, func(value float64, labels ...string) {
		all := append([]string(nil), first...)
		for _, word := range labels {
			all = append(all, clean(word))
		}
		metrics <- prometheus.MustNewConstMetric(g.description, prometheus.GaugeValue, value, all...)
	})
}

func processGauge(name, help string, read func(status.Daemon, set), labels ...string) gauge[status.Daemon] {
	return gauge[status.Daemon]{prometheus.NewDesc("profilesync_"+name, help, labels, nil), read}
}

func targetGauge(name, help string, read func(target, set), labels ...string) gauge[target] {
	all := append([]string{"target"}, labels...)
	return gauge[target]{prometheus.NewDesc("profilesync_target_"+name, help, all, nil), read}
}

// processGauges are about the process as a whole.
func processGauges() []gauge[status.Daemon] {
	return []gauge[status.Daemon]{
		processGauge("instance_info", "Always 1. The id is how the other instances and the lease call this one.",
			func(d status.Daemon, set set) { set(1, d.Instance, d.Owner) }, "id", "owner"),
		processGauge("started_timestamp_seconds", "When the daemon was started.",
			func(d status.Daemon, set set) { at(d.Started, set) }),
		processGauge("ready", "1 when every target is ready, as /readyz answers; else 0.",
			func(d status.Daemon, set set) { set(truth(d.Ready())) }),
		processGauge("problems", "What is wrong with the process itself, by kind.", problemsByKind, "kind"),
	}
}

func problemsByKind(d status.Daemon, set set) {
	count := map[string]int{}
	for _, kind := range problems() {
		count[kind] = 0
	}
	for _, problem := range d.Problems {
		count[oneOf(problems(), problem.Kind)]++
	}
	for kind, n := range count {
		set(float64(n), kind)
	}
}

// buildInfo says which program this is, in the customary form.
func buildInfo(version string) prometheus.Collector {
	info := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "profilesync_build_info",
		Help: "Always 1. The version of the program, and of the Go that built it.",
	}, []string{"version", "goversion"})
	info.WithLabelValues(clean(version), runtime.Version()).Set(1)
	return info
}

// at sets a moment; one that is not known is left out, for 1970 is no answer.
func at(moment time.Time, set set, labels ...string) {
	if !moment.IsZero() {
		set(float64(moment.UnixMilli())/1000, labels...)
	}
}

func truth(is bool) float64 {
	if is {
		return 1
	}
	return 0
}
