package daemon

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"profilesync/test/daemon/rig"
)

// quick is a target that is looked at as often as it can be, and soon told when
// it is not well.
const quick = `
owner: us
source: {url: docs, cache: none}
targets:
- {name: prod, cloud: prod}
daemon:
  schedule: "@every 10s"
  jitter: 0s
  stale_after: 10s
  retry: {first: 1s, most: 2s}
  state: state
  http: {auth: {bearer: {file: token}}}
  hooks: {generic: {token: {file: token}}}
`

// seen waits until an outage is told by the probe, the metrics and the page, in
// words that name it.
func seen(t *testing.T, d *rig.Daemon, words string, metric string, value float64) {
	t.Helper()
	for _, place := range []string{"/readyz", "/"} {
		rig.Eventually(t, 40*time.Second, place+" tells of "+words, func() bool {
			_, text := d.Get(place)
			return strings.Contains(text, words)
		})
	}
	rig.Eventually(t, 20*time.Second, "the metric "+metric, func() bool {
		got, known := d.Metric(metric)
		return known && got == value
	})
}

// healed waits until everything is well again, without anybody's help.
func healed(t *testing.T, d *rig.Daemon, words, metric string, value float64) {
	t.Helper()
	rig.Eventually(t, 40*time.Second, "it is ready again", d.Ready)
	rig.Eventually(t, 40*time.Second, "it no longer tells of "+words, func() bool {
		_, probe := d.Get("/readyz")
		return !strings.Contains(probe, words)
	})
	rig.Eventually(t, 20*time.Second, "the metric "+metric, func() bool {
		got, known := d.Metric(metric)
		return known && got == value
	})
}

const ready = `profilesync_target_ready{target="prod"}`

func TestTheCloudIsDown(t *testing.T) {
	t.Parallel()
	home, cloud, d := began(t, quick)
	cloud.Down(true)
	seen(t, d, "closed the connection", ready, 0)
	if d.Ready() {
		t.Error("it says to be ready")
	}
	home.Document("api", "m1.small")
	home.Commit("Ask for api")
	cloud.Down(false)
	healed(t, d, "closed the connection", ready, 1)
}

func TestGitIsDown(t *testing.T) {
	t.Parallel()
	home, _, d := began(t, quick)
	docs := filepath.Join(home.Dir, "docs")
	if err := os.Rename(docs, docs+".away"); err != nil {
		t.Fatal(err)
	}
	seen(t, d, "no Git repository", ready, 0)
	if err := os.Rename(docs+".away", docs); err != nil {
		t.Fatal(err)
	}
	healed(t, d, "no Git repository", ready, 1)
}

func TestABadConfigurationOnReload(t *testing.T) {
	t.Parallel()
	home, _, d := began(t, quick)
	home.Write("profilesync.yaml", quick+"nonsense: true\n")
	d.Signal(syscall.SIGHUP)
	seen(t, d, "nonsense", `profilesync_problems{kind="configuration"}`, 1)
	if !d.Ready() {
		t.Error("the old configuration does not go on")
	}
	home.Write("profilesync.yaml", quick)
	d.Signal(syscall.SIGHUP)
	healed(t, d, "nonsense", `profilesync_problems{kind="configuration"}`, 0)
}

func TestAReloadTakesUpANewTarget(t *testing.T) {
	t.Parallel()
	home, _, d := began(t, quick)
	home.Write("profilesync.yaml", strings.Replace(quick, "daemon:", "- {name: shadow, cloud: prod, mode: report}\ndaemon:", 1))
	d.Signal(syscall.SIGHUP)
	rig.Eventually(t, 10*time.Second, "the new target has a pass", func() bool {
		told, err := d.Status()
		return err == nil && len(told.Targets) == 2 && told.Targets[1].Last != nil
	})
}

// TestTheDiskIsFull needs a small file system of its own, and so root.
func TestTheDiskIsFull(t *testing.T) {
	if os.Geteuid() != 0 && os.Getenv("CI") == "" {
		t.Skip("a file system of a known size takes root")
	}
	t.Parallel()
	disk := t.TempDir()
	if output, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", disk).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	t.Cleanup(func() {
		if output, err := exec.Command("umount", "-l", disk).CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, output)
		}
	})
	_, _, d := began(t, strings.Replace(quick, "state: state", "state: "+disk, 1))
	ballast := filepath.Join(disk, "ballast")
	_ = os.WriteFile(ballast, make([]byte, 8<<20), 0o600) // as much as fits
	// Some passes still fit into pages that the file has already.
	for range 200 {
		d.Post("/hooks/git", "{}")
		time.Sleep(30 * time.Millisecond)
		if _, probe := d.Get("/readyz"); strings.Contains(probe, "no space left") {
			break
		}
	}
	seen(t, d, "no space left", `profilesync_problems{kind="history"}`, 1)
	if !d.Ready() {
		t.Error("a full disk stops the passes")
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	healed(t, d, "no space left", `profilesync_problems{kind="history"}`, 0)
}
