// Package deploy holds the files of deploy/ to what reads them: Kubernetes' own
// types, Docker's parser, systemd and Prometheus. It is a module of its own, so
// that none of these come near the program. scripts/test-deploy gets the tools
// and runs it; by hand it needs -count=1, for Go does not see when a file outside
// of the module has changed.
package deploy

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// root is the checkout, below it what is looked at.
func root(t *testing.T, below ...string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join(append([]string{"..", ".."}, below...)...))
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func read(t *testing.T, below ...string) string {
	t.Helper()
	text, err := os.ReadFile(root(t, below...))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func write(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

// tool is a command that ends within its time, in the checkout.
func tool(t *testing.T, name string, arguments ...string) *exec.Cmd {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("%s is missing: scripts/test-deploy gets it", name)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	t.Cleanup(cancel)
	command := exec.CommandContext(ctx, path, arguments...)
	command.Dir = root(t)
	command.WaitDelay = 5 * time.Second // for what a command that was ended has left running
	return command
}

// output is what a command says; it has to end well.
func output(t *testing.T, command *exec.Cmd) string {
	t.Helper()
	said, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%.200q: %v\n%s", command.Args, err, said)
	}
	return string(said)
}
