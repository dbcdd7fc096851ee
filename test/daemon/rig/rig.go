// Package rig puts the built program, as a daemon, in front of embedded clouds
// that tests can break: several processes, real signals, real connections.
//
// It is for tests only, and judges nothing: it starts, stops, asks and counts.
package rig

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"profilesync/internal/devcloud"
)

// Build builds the program, without the race detector.
func Build(t testing.TB) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "profilesync")
	root, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "profilesync").Output() // a nested module has not all that it takes
	if err != nil {
		t.Fatal(err)
	}
	build := exec.Command("go", "build", "-o", binary, "./cmd/profilesync")
	build.Dir = strings.TrimSpace(string(root))
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, bytes.TrimSpace(output))
	}
	return binary
}

// Home is a directory with a clouds.yaml, documents in Git and a configuration.
type Home struct {
	testing.TB
	Dir, Binary string
}

// NewHome makes one for some clouds.
func NewHome(t testing.TB, binary string, clouds ...*Cloud) *Home {
	t.Helper()
	h := &Home{t, t.TempDir(), binary}
	var yaml strings.Builder
	yaml.WriteString("clouds:\n")
	for _, c := range clouds {
		account := devcloud.Accounts()[0]
		fmt.Fprintf(&yaml, "  %s:\n    auth: {auth_url: %q, username: %s, password: %s, project_name: %s, "+
			"user_domain_name: Default, project_domain_name: Default}\n    region_name: %s\n",
			c.Name, devcloud.AuthURL(c.URL), account.Name, account.Password, account.Project, c.Region)
	}
	h.Write("clouds.yaml", yaml.String())
	h.Git("init", "-q", "-b", "main", "docs")
	return h
}

// Write writes a file.
func (h *Home) Write(name, text string) {
	h.Helper()
	file := filepath.Join(h.Dir, name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o700), os.WriteFile(file, []byte(text), 0o600)); err != nil {
		h.Fatal(err)
	}
}

// Git runs git in the home.
func (h *Home) Git(args ...string) {
	h.Helper()
	git := exec.Command("git", append([]string{"-c", "user.name=Operator", "-c", "user.email=operator@example.org", "-c", "commit.gpgsign=false"}, args...)...)
	git.Dir = h.Dir
	git.Env = append(os.Environ(), "HOME="+h.Dir, "GIT_CONFIG_NOSYSTEM=1")
	if output, err := git.CombinedOutput(); err != nil {
		h.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, output)
	}
}

// Document writes one into the repository, without committing it.
func (h *Home) Document(name, flavor string) {
	h.Write("docs/"+name+".yaml", fmt.Sprintf(
		"name: %s\nspec: {type: os.nova.server, version: \"1.0\", properties: {flavor: %s, networks: []}}\n", name, flavor))
}

// Commit commits all documents.
func (h *Home) Commit(message string) {
	h.Git("-C", "docs", "add", "-A")
	h.Git("-C", "docs", "commit", "-q", "--allow-empty", "-m", message)
}

// Command is the program, with the home as its only home.
func (h *Home) Command(ctx context.Context, args ...string) *exec.Cmd {
	command := exec.CommandContext(ctx, h.Binary, args...)
	command.Dir = h.Dir
	command.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + h.Dir, "OS_CLIENT_CONFIG_FILE=" + filepath.Join(h.Dir, "clouds.yaml"),
		"GIT_CONFIG_NOSYSTEM=1",
	}
	return command
}

// Eventually waits until something holds.
func Eventually(t testing.TB, within time.Duration, what string, holds func() bool) {
	t.Helper()
	deadline := time.Now().Add(within)
	for !holds() {
		if time.Now().After(deadline) {
			t.Fatalf("not within %s: %s", within, what)
		}
		time.Sleep(20 * time.Millisecond)
	}
}
