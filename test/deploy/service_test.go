package deploy

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// program builds the program as the image's is built.
func program(t *testing.T) (path string) {
	t.Helper()
	dir := t.TempDir()
	output(t, tool(t, root(t, build), dir))
	return filepath.Join(dir, "profilesync")
}

// The unit is started by a systemd of its own, sandbox and all: a directive that
// is well-formed may still keep the daemon from working.
func TestTheServiceWorksInItsSandbox(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("booting a systemd needs root; CI has it")
	}
	out := t.TempDir()
	for _, name := range []string{"story", "good.yaml", "bad.yaml"} {
		write(t, filepath.Join(out, name), read(t, "test", "deploy", "testdata", "systemd", name), 0o644)
	}
	boot := tool(t, "unshare", "--mount", "--pid", "--fork", "--kill-child", "--ipc", "--uts", "--net", "--cgroup",
		"sh", root(t, "test", "deploy", "testdata", "systemd", "boot"), root(t), program(t), out)
	console, err := boot.CombinedOutput()
	said, _ := os.ReadFile(filepath.Join(out, "said"))
	log, _ := os.ReadFile(filepath.Join(out, "log"))
	const want = `start: 0 active
ready: 0
CapEff: 0000000000000000 CapBnd: 0000000000000000 NoNewPrivs: 1 Seccomp: 2 (rights)
user: profilesync
kept: ./history.db
secrets: -r-------- profilesync
reload: 0 active
bad reload: 0 active
good reload: 0 active
the same process: 0
watchdog: 0 1 active
ready: 0
stop: 0 inactive success
`
	if got := strings.ReplaceAll(string(said), " \n", "\n"); err != nil || got != want {
		t.Errorf("%v\n%s\nsaid:\n%s\nlog:\n%s", err, console, got, log)
	}
}
