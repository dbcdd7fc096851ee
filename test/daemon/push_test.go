package daemon

import (
	"fmt"
	"net/http"
	"os"
	"testing"
	"time"

	"profilesync/test/daemon/rig"
)

// configuration is one target that is looked at once an hour, and hooks.
const configuration = `
owner: us
source: {url: docs}
targets:
- {name: prod, cloud: prod}
daemon:
  schedule: "@every 1h"
  stale_after: 2h
  state: state
  http: {auth: {bearer: {file: token}}}
  hooks: {generic: {token: {file: token}}}
`

// began starts a daemon on one cloud with one document, and waits for its first
// pass.
func began(t *testing.T, config string) (*rig.Home, *rig.Cloud, *rig.Daemon) {
	t.Helper()
	cloud := rig.NewCloud(t, "prod")
	home := rig.NewHome(t, rig.Build(t), cloud)
	home.Write("token", "a-secret-of-the-tests\n")
	home.Write("profilesync.yaml", config)
	home.Document("web", "m1.small")
	home.Commit("Ask for web")
	d := home.Start()
	d.Token = "a-secret-of-the-tests"
	rig.Eventually(t, 10*time.Second, "the first pass", d.Ready)
	return home, cloud, d
}

func TestAPushIsAppliedWithinASecond(t *testing.T) {
	home, cloud, d := began(t, configuration)
	best := time.Hour
	for n := range 5 {
		name := fmt.Sprintf("web-%d", n)
		home.Document(name, "m1.small")
		home.Commit("Ask for " + name)
		before := len(cloud.Writes())
		pushed := time.Now()
		if status, text := d.Post("/hooks/git", `{"ref": "refs/heads/main"}`); status/100 != 2 {
			t.Fatalf("the hook was answered with %d: %s", status, text)
		}
		rig.Eventually(t, 10*time.Second, "the push is applied", func() bool { return len(cloud.Writes()) > before })
		best = min(best, time.Since(pushed))
	}
	t.Logf("from the hook to the cloud: %s at best of 5", best.Round(time.Millisecond))
	if best > time.Second {
		t.Errorf("a push took %s", best)
	}
}

func TestAHookWithoutTheSecretIsNotHeard(t *testing.T) {
	home, cloud, d := began(t, configuration)
	home.Document("evil", "m1.small")
	home.Commit("Not asked for by anybody who may")
	before := len(cloud.Requests())
	d.Token = "a guess"
	if status, _ := d.Post("/hooks/git", `{"ref": "refs/heads/main"}`); status != http.StatusUnauthorized && status != http.StatusForbidden {
		t.Errorf("it was answered with %d", status)
	}
	time.Sleep(300 * time.Millisecond) // nothing may follow
	if after := len(cloud.Requests()); after != before {
		t.Errorf("%d requests to the cloud followed", after-before)
	}
}

func TestARestartGoesOnWhereItWas(t *testing.T) {
	home, cloud, d := began(t, configuration)
	if status := d.Stop(); status != 0 {
		t.Errorf("exit status %d after SIGTERM", status)
	}
	cloud.Down(true)
	d = home.Start()
	d.Token = "a-secret-of-the-tests"
	rig.Eventually(t, 10*time.Second, "a failed pass", func() bool {
		told, err := d.Status()
		return err == nil && told.Targets[0].Failures > 0
	})
	told, err := d.Status()
	if err != nil {
		t.Fatal(err)
	}
	if last := told.Targets[0].LastSuccess; last == nil || last.After(*told.Started) {
		t.Errorf("the last good pass was %v, and the process began %v", last, told.Started)
	}
	if _, err := os.Stat(home.Dir + "/state/history.db"); err != nil {
		t.Error(err)
	}
}
