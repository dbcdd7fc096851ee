package daemon

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"profilesync/test/daemon/rig"
)

// mostResident is what an idle daemon of twenty targets may have.
const mostResident = 60 << 20

func TestTwentyIdleTargetsNeedLittle(t *testing.T) {
	const targets, profiles = 20, 50
	var config strings.Builder
	config.WriteString("owner: us\nsource: {url: docs}\ndaemon: {schedule: \"@every 10s\", state: state}\ntargets:\n")
	var clouds []*rig.Cloud
	for n := range targets {
		name := fmt.Sprintf("cloud-%02d", n)
		clouds = append(clouds, rig.NewCloud(t, name))
		fmt.Fprintf(&config, "- {name: %s, cloud: %s}\n", name, name)
	}
	home := rig.NewHome(t, rig.Build(t), clouds...)
	home.Write("profilesync.yaml", config.String())
	for n := range profiles {
		home.Document(fmt.Sprintf("web-%d", n), "m1.small")
	}
	home.Commit("Ask for some")
	d := home.Start()
	rig.Eventually(t, 2*time.Minute, "every target is ready", d.Ready)
	passes := func() (n int) {
		for _, c := range clouds {
			for _, r := range c.Requests() {
				if r.Method == "GET" && strings.HasSuffix(r.Path, "/v1/profiles") {
					n++
				}
			}
		}
		return n
	}
	before := passes()
	rig.Eventually(t, time.Minute, "every target has had three idle passes", func() bool { return passes() >= before+targets*2*3 })
	resident := d.Resident()
	t.Logf("%d targets of %d profiles each: %.1f MiB resident, %d files open", targets, profiles, float64(resident)/(1<<20), d.Files())
	if resident > mostResident {
		t.Errorf("%d bytes are resident, more than %d", resident, mostResident)
	}
}
