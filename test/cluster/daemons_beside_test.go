package cluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"profilesync/test/daemon/rig"
)

// slow is a write that leaves time for looking at what goes on beside it.
const slow = 700 * time.Millisecond

// alone is one daemon with one target, settled.
func alone(t *testing.T) (*fleet, *rig.Daemon) {
	t.Helper()
	f := muster(t, 1, 1)
	for n := range 3 {
		f.home.Document(fmt.Sprintf("web-%d", n), "m1.small")
	}
	f.home.Commit("Ask for some")
	d := f.begin(0)
	rig.Eventually(t, 30*time.Second, "the daemon is ready", d.Ready)
	return f, d
}

// bring asks for three more profiles.
func (f *fleet) bring(prefix string) {
	for n := range 3 {
		f.home.Document(fmt.Sprintf("%s-%d", prefix, n), "m1.small")
	}
	f.home.Commit("Ask for more")
}

// apply runs a single apply beside the daemons.
func (f *fleet) apply(args ...string) (code int, said string) {
	f.Helper()
	ctx, cancel := context.WithTimeout(f.Context(), time.Minute)
	defer cancel()
	command := f.home.Command(ctx, append([]string{"apply", "--yes"}, args...)...)
	var output bytes.Buffer
	command.Stdout, command.Stderr = &output, &output
	var exit *exec.ExitError
	if err := command.Run(); err != nil && !errors.As(err, &exit) {
		f.Fatal(err)
	}
	return command.ProcessState.ExitCode(), output.String()
}

// inTurn wants the writes since a moment to come from one process after the
// other, and all to have been permitted.
func (f *fleet) inTurn(since int, writers int) {
	f.Helper()
	var turns []string
	for _, w := range f.clouds[0].Writes()[since:] {
		if len(turns) == 0 || turns[len(turns)-1] != w.By {
			turns = append(turns, w.By)
		}
		if !strings.HasPrefix(w.Note, w.By+"@") {
			f.Errorf("%s of %s by %s, while %s had the lease", w.Method, w.Path, w.By, w.Note)
		}
	}
	if len(turns) != writers {
		f.Errorf("wrote one after the other: %q, not %d processes", turns, writers)
	}
}

func TestAnApplySaysWhomItWaitsFor(t *testing.T) {
	t.Parallel()
	f, d := alone(t)
	cloud := f.clouds[0]
	cloud.Delay(slow)
	before := len(cloud.Writes())
	f.bring("api")
	d.Post("/hooks/git", "{}")
	writing := func() bool { return strings.HasPrefix(f.seen.now(writeKey(cloud)), d.Instance()+"@") }
	rig.Eventually(t, 20*time.Second, "the daemon writes", writing)
	code, said := f.apply()
	if !writing() {
		t.Logf("the daemon's pass was over before the apply was") // a machine that is too busy to tell
	}
	for _, want := range []string{`"cloud-00" is being written to by ` + d.Instance() + " (daemon)", "--wait-lock"} {
		if code != 1 || !strings.Contains(said, want) {
			t.Errorf("exit status %d, and it does not say %q:\n%s", code, want, said)
		}
	}
	rig.Eventually(t, 30*time.Second, "the daemon's pass is over", func() bool { return len(cloud.Profiles(t)) == 6 && !writing() })
	f.inTurn(before, 1)
}

func TestAnApplyWaitsForADaemonThatWrites(t *testing.T) {
	t.Parallel()
	f, d := alone(t)
	cloud := f.clouds[0]
	cloud.Delay(slow)
	f.bring("api")
	d.Post("/hooks/git", "{}")
	rig.Eventually(t, 20*time.Second, "the daemon writes", func() bool {
		return strings.HasPrefix(f.seen.now(writeKey(cloud)), d.Instance()+"@")
	})
	code, said := f.apply("--wait-lock", "30s")
	if code != 0 || !strings.Contains(said, "is being written to by "+d.Instance()+" (daemon)") || !strings.Contains(said, "waiting up to 30s") {
		t.Errorf("exit status %d:\n%s", code, said)
	}
	if live := len(cloud.Profiles(t)); live != 6 {
		t.Errorf("%d profiles", live)
	}
	f.inTurn(0, 1) // the daemon has left nothing to be done
}

func TestADaemonWaitsForAnApply(t *testing.T) {
	t.Parallel()
	f, d := alone(t)
	cloud := f.clouds[0]
	cloud.Delay(slow)
	before := len(cloud.Writes())
	f.home.Document("own-0", "m1.small")
	f.home.Document("own-1", "m1.small")
	f.home.Commit("Ask for what is applied by hand")
	type end struct {
		code int
		said string
	}
	ended := make(chan end, 1)
	go func() {
		code, said := f.apply("--parallel", "1")
		ended <- end{code, said}
	}()
	others := func() bool {
		holder := f.seen.now(writeKey(cloud))
		return holder != nobody && !strings.HasPrefix(holder, d.Instance()+"@")
	}
	rig.Eventually(t, 20*time.Second, "the apply writes", others)
	f.bring("api") // for the daemon, and not for the apply
	d.Post("/hooks/git", "{}")
	rig.Eventually(t, 30*time.Second, "both are through", func() bool { return len(cloud.Profiles(t)) == 8 })
	if e := <-ended; e.code != 0 {
		t.Errorf("exit status %d:\n%s", e.code, e.said)
	}
	f.inTurn(before, 2)
	rig.Eventually(t, 20*time.Second, "the daemon is ready", d.Ready)
}

// TestEtcdIsDown looks at an outage from outside: it is told, nothing is
// written, and it heals by itself.
func TestEtcdIsDown(t *testing.T) {
	t.Parallel()
	f, d := alone(t)
	cloud := f.clouds[0]
	rig.Eventually(t, 20*time.Second, "the pass has given its lease back", func() bool { return f.seen.now(writeKey(cloud)) == nobody })
	f.seen.down(f.networks)
	const words = "leases are unavailable"
	problem, ready := `profilesync_problems{kind="lease"}`, `profilesync_target_ready{target="cloud-00"}`
	for _, place := range []string{"/readyz", "/"} {
		rig.Eventually(t, 30*time.Second, place+" tells of it", func() bool {
			_, text := d.Get(place)
			return strings.Contains(text, words)
		})
	}
	rig.Eventually(t, 30*time.Second, "the metrics tell of it", func() bool {
		value, known := d.Metric(problem)
		is, told := d.Metric(ready)
		return known && value == 1 && told && is == 0 && !d.Ready()
	})
	before := len(cloud.Writes())
	f.bring("api")
	d.Post("/hooks/git", "{}")
	time.Sleep(ttl) // nothing may follow
	if code, said := f.apply(); code != 1 || !strings.Contains(said, words) {
		t.Errorf("a single apply ended with %d:\n%s", code, said)
	}
	if after := len(cloud.Writes()); after != before {
		t.Errorf("%d writes without a lease", after-before)
	}
	f.seen.back(t)
	rig.Eventually(t, time.Minute, "it heals", func() bool { return d.Ready() && len(cloud.Profiles(t)) == 6 })
	rig.Eventually(t, 30*time.Second, "the metrics tell of that", func() bool {
		value, known := d.Metric(problem)
		return known && value == 0
	})
	if _, text := d.Get("/"); strings.Contains(text, words) {
		t.Error("the page still tells of it")
	}
	f.inTurn(0, 1)
}
