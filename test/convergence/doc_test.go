// Package convergence plays random histories of the whole program, through its
// real HTTP client, on a devcloud: whatever is wanted, whatever is live,
// whatever goes wrong with any request, wherever the process dies, and whatever
// others do between plan and apply.
//
// It stands beside the rooms, since no room owns what it says: it takes the
// program as its command does, from a desired set to a written report. The
// laws are judged by what the cloud was asked and by what it holds, never by
// what the program says about itself (laws_test.go, watch_test.go).
//
// A history runs in a time of its own (testing/synctest), with the real
// time-outs and pauses, which cost nothing there. A few hundred run with every
// go test; for more:
//
//	go test ./test/convergence -rapid.checks=20000 -timeout 1h -v
package convergence

import (
	"flag"
	"fmt"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// histories are played unless -rapid.checks says how many.
const histories = "300"

func TestMain(m *testing.M) {
	if err := flag.Set("rapid.checks", histories); err != nil { // before the command line is read
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	goleak.VerifyTestMain(m)
}

// tally is what a run has played.
type tally struct {
	histories, disturbed, deaths, requests, befallen, others int
	begun                                                    time.Time
}

func (t *tally) add(w *world) {
	t.histories++
	t.requests += w.requests
	t.befallen += w.befallen
	t.deaths += w.deaths
	t.others += w.others
	if w.befallen+w.deaths > 0 {
		t.disturbed++
	}
}

// String says it in figures.
func (t *tally) String() string {
	took := time.Since(t.begun)
	return fmt.Sprintf("%d histories in %s (%.0f a second), %d of them with a fault or a death: %d faults, %d deaths, "+
		"%d acts of others, %d requests", t.histories, took.Round(time.Millisecond), float64(t.histories)/took.Seconds(),
		t.disturbed, t.befallen, t.deaths, t.others, t.requests)
}
