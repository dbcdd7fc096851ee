//go:build openstack

package openstack

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// control is scripts/openstack, for the cloud that PROFILESYNC_OPENSTACK_STATE and PROFILESYNC_OPENSTACK_PORT tell of.
type control struct {
	script string
	clouds string // its clouds.yaml
}

// controlled returns the control over the cloud under test. Without one, the test cannot be run: the cloud is somebody's own, whose
// services nobody may stop.
func controlled(t *testing.T) control {
	t.Helper()
	script := os.Getenv("PROFILESYNC_TEST_OPENSTACK")
	if script == "" {
		const why = "not run: it has to stop services of the cloud, and PROFILESYNC_TEST_OPENSTACK names no scripts/openstack to do so"
		if os.Getenv("CI") != "" {
			t.Fatal(why)
		}
		t.Skip(why)
	}
	path, err := filepath.Abs(script)
	if err != nil {
		t.Fatal(err)
	}
	return control{path, cloudsFileOf(t, "PROFILESYNC_TEST_CLOUDS_FILE")}
}

// do carries out a command of the script. Settings are NAME=value.
func (c control) do(settings []string, args ...string) (output string, err error) {
	bounded, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(bounded, c.script, args...)
	cmd.Env = append(os.Environ(), settings...)
	cmd.WaitDelay = time.Second // what it starts lives on
	text, err := cmd.CombinedOutput()
	return string(text), err
}

func (c control) must(t *testing.T, args ...string) {
	t.Helper()
	if output, err := c.do(nil, args...); err != nil {
		t.Errorf("scripts/openstack %s: %v\n%s", strings.Join(args, " "), err, output)
	}
}

// set gives the cloud other settings until the test ends.
func (c control) set(t *testing.T, settings ...string) {
	t.Helper()
	t.Cleanup(func() { c.must(t, "start") })
	if output, err := c.do(settings, "start"); err != nil {
		t.Fatalf("%s scripts/openstack start: %v\n%s", strings.Join(settings, " "), err, output)
	}
}

// recover brings a service back and waits until Senlin answers again.
func (c control) recover(t *testing.T, service string) {
	t.Helper()
	c.must(t, "start", service)
	await(t, "a list of profiles is answered", func() bool {
		_, err := c.do(nil, "status")
		return err == nil
	})
}
