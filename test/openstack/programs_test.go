//go:build openstack

package openstack

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// buildProfilesync builds the program and returns its path.
func buildProfilesync(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "profilesync")
	build := exec.Command("go", "build", "-o", program, "profilesync/cmd/profilesync")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, output)
	}
	return program
}

// serveDevcloud runs "profilesync devcloud" until the test ends and returns the clouds.yaml that it wrote.
func serveDevcloud(t *testing.T, program string) (cloudsFile string) {
	t.Helper()
	dir := t.TempDir()
	cloudsFile = filepath.Join(dir, "clouds.yaml")
	cmd := exec.Command(program, "devcloud", "--listen", "127.0.0.1:0", "--clouds-file", cloudsFile, "--state", filepath.Join(dir, "state"))
	cmd.Env = environment(dir, "")
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	output, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(output)
	for lines.Scan() && !strings.HasPrefix(lines.Text(), "Clouds ") {
	}
	drained := make(chan error, 1)
	go func() {
		_, err := io.Copy(io.Discard, output)
		drained <- err
	}()
	t.Cleanup(func() {
		if err := errors.Join(cmd.Process.Signal(os.Interrupt), <-drained, cmd.Wait()); err != nil {
			t.Errorf("profilesync devcloud: %v\n%s", err, &complaints)
		}
	})
	if _, err := os.Stat(cloudsFile); err != nil {
		t.Fatalf("profilesync devcloud has written no clouds file: %v", err)
	}
	return cloudsFile
}

// run carries out a command line in a directory that is also its home, and returns its exit status and what it wrote.
func run(t *testing.T, dir, cloudsFile, program string, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	bounded, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(bounded, program, args...)
	var out, complaints bytes.Buffer
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = dir, environment(dir, cloudsFile), &out, &complaints
	err := cmd.Run()
	if exit := (*exec.ExitError)(nil); err != nil && (!errors.As(err, &exit) || !exit.Exited()) {
		t.Fatalf("%s %s: %v\n%s", program, strings.Join(args, " "), err, &complaints)
	}
	return cmd.ProcessState.ExitCode(), out.String(), complaints.String()
}

// environment is all that a program gets to see: no proxy, no OS_ variable and no settings of the person who runs the tests.
func environment(home, cloudsFile string) []string {
	env := []string{"PATH=/usr/bin:/bin", "HOME=" + home, "LC_ALL=C.UTF-8"}
	if cloudsFile != "" {
		env = append(env, "OS_CLIENT_CONFIG_FILE="+cloudsFile)
	}
	return env
}

// needDebiansClients fails where openstacksdk or the openstack command with its cluster part is missing.
func needDebiansClients(t *testing.T) {
	t.Helper()
	const hint = "; scripts/openstack start installs Debian's python3-openstacksdk, python3-openstackclient and python3-senlinclient"
	for _, program := range []string{"/usr/bin/python3", "/usr/bin/openstack"} {
		if _, err := os.Stat(program); err != nil {
			t.Fatalf("%v%s", err, hint)
		}
	}
	if status, _, stderr := run(t, t.TempDir(), "", "/usr/bin/python3", "-c", "import openstack.clustering, senlinclient"); status != 0 {
		t.Fatalf("%s%s", strings.TrimSpace(stderr), hint)
	}
}
