// Package metrics is what Prometheus is told about the daemon.
//
// How the targets are doing is read from the status at the moment of a scrape,
// so there is no second copy of it that could differ from the page. Only what
// happens is counted here: passes, changes, requests, reads of the source,
// hooks. Both go with the target: what the status does not name any more is
// dropped at the next scrape, counters too.
//
// The number of series is bounded by the number of targets. Words from outside
// are mapped to known ones, and names are cleaned and cut, so that nobody's
// branch, header or broken UTF-8 makes a scrape fail or grow.
//
// The package opens no port, reads no clock and knows no cloud.
package metrics

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"profilesync/internal/daemon/status"
)

// A scrape is answered from memory within milliseconds. More of them at once,
// or one that takes longer, means that something is wrong already.
const (
	scrapesAtOnce = 4
	scrapeTimeout = 10 * time.Second
)

// Metrics are the daemon's, in a registry of their own. All methods may be
// called from several goroutines at once, and none of them blocks.
type Metrics struct {
	registry *prometheus.Registry
	events   *events
}

// New makes the metrics of one process. The version is the program's; read is
// asked for the status once in each scrape, from other goroutines, and must not
// wait for long.
func New(version string, read func() status.Daemon) *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry(), events: newEvents()}
	m.registry.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		buildInfo(version),
		m.events.reads,
		m.events.hooks,
		newScraped(read, m.events),
	)
	return m
}

// Handler serves the metrics in the format that is asked for: text, OpenMetrics
// or protocol buffers, the last with native histograms. It answers 503 when
// more than four scrapes come at once or one takes longer than ten seconds, and
// 500 when anything cannot be told: half of the metrics would pass for all.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		ErrorHandling:       promhttp.HTTPErrorOnError,
		MaxRequestsInFlight: scrapesAtOnce,
		Timeout:             scrapeTimeout,
		EnableOpenMetrics:   true,
		Registry:            m.registry,
	})
}

// Passed counts a pass that has ended, and what it has changed.
func (m *Metrics) Passed(pass status.Pass) {
	m.events.passed(pass)
}

// Request counts one HTTP request to a target's cloud, logins and repeated ones
// included; code is 0 when no answer came.
func (m *Metrics) Request(target, method string, code int, took time.Duration) {
	m.events.request(target, method, code, took)
}

// GitRead counts one look at the source: whether it had something new, or why
// it could not be read.
func (m *Metrics) GitRead(fetched bool, err error) {
	result := "unchanged"
	switch {
	case err != nil:
		result = "failed"
	case fetched:
		result = "fetched"
	}
	m.events.reads.WithLabelValues(result).Inc()
}

// Hook counts one call of the hook: who sent it ("github", "gitlab", "gitea" or
// "generic") and what became of it ("accepted", "ignored", "denied" or
// "invalid"). Every other word counts as "other".
func (m *Metrics) Hook(sender, result string) {
	m.events.hooks.WithLabelValues(oneOf(senders(), sender), oneOf(results(), result)).Inc()
}
