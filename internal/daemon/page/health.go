package page

import (
	"fmt"
	"net/http"
	"strings"

	"profilesync/internal/daemon/page/wire"
	"profilesync/internal/daemon/status"
	"profilesync/internal/report"
)

// healthz says whether the process works: a supervisor restarts it otherwise.
// What a target lacks is no reason for that.
func (f *face) healthz(w http.ResponseWriter, r *http.Request) {
	stuck := f.Daemon.Stuck()
	code, text := http.StatusOK, "ok"
	if len(stuck) > 0 {
		code, text = http.StatusServiceUnavailable, "stuck"
	}
	if !callerOf(r).knows {
		stuck = nil
	}
	if wantsJSON(r) {
		writeJSON(w, code, wire.Health{FormatVersion: wire.FormatVersion, Healthy: code == http.StatusOK, Stuck: stuck})
		return
	}
	if len(stuck) > 0 {
		text += ": " + report.Clean(strings.Join(stuck, ", "))
	}
	writeText(w, code, text+"\n")
}

// readyz says whether every target had a good pass lately, and which not.
func (f *face) readyz(w http.ResponseWriter, r *http.Request) {
	now := f.Daemon.Status()
	told := wire.ReadinessOf(now)
	code := http.StatusOK
	if !told.Ready {
		code = http.StatusServiceUnavailable
	}
	knows := callerOf(r).knows
	switch {
	case wantsJSON(r) && knows:
		writeJSON(w, code, told)
	case wantsJSON(r):
		writeJSON(w, code, wire.Readiness{FormatVersion: wire.FormatVersion, Ready: told.Ready})
	case knows:
		writeText(w, code, readiness(now))
	default:
		writeText(w, code, readyWord(told.Ready)+"\n")
	}
}

func readyWord(ready bool) string {
	if ready {
		return "ready"
	}
	return "not ready"
}

// maxReason is how much of an error a line has.
const maxReason = 500

// readiness is a line for each target, after one for all, and before one for
// each problem of the process.
func readiness(now status.Daemon) string {
	var lines strings.Builder
	ready := 0
	for _, t := range now.Targets {
		is, reason := t.Ready(now.Now)
		if is {
			ready++
		}
		text := report.Clean(t.Name) + ": " + readyWord(is)
		if reason != "" {
			text += ", " + oneLine(reason)
		}
		_, _ = fmt.Fprintln(&lines, text)
	}
	for _, p := range now.Problems {
		_, _ = fmt.Fprintf(&lines, "warning: %s: %s\n", report.Clean(p.Kind), oneLine(p.Text))
	}
	return fmt.Sprintf("%s: %d of %d targets\n%s", readyWord(now.Ready()), ready, len(now.Targets), lines.String())
}

func oneLine(text string) string {
	return report.Short(strings.Join(strings.Fields(text), " "), maxReason)
}
