package deploy

import (
	"debug/buildinfo"
	"debug/elf"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
)

// build is the script that the Dockerfile calls.
const build = "deploy/container/build"

// writable are the directories that the daemon writes to, in the unit, the image
// and the pods alike.
func writable() []string { return []string{"/var/lib/profilesync", "/var/cache/profilesync"} }

// image lays out the last stage of the Dockerfile: what its COPY lines name, from
// what the build made and from this machine in place of Go's image.
func image(t *testing.T, built string) (root string) {
	t.Helper()
	root = t.TempDir()
	all := stages(t)
	for _, copies := range commands[*instructions.CopyCommand](all[len(all)-1]) {
		if copies.From != "build" {
			t.Fatalf("%v does not come from the build", copies)
		}
		for _, path := range copies.SourcePaths {
			from := path
			if inside, is := strings.CutPrefix(path, "/out/"); is {
				from = filepath.Join(built, inside)
			}
			to := filepath.Join(root, copies.DestPath)
			if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
				t.Fatal(err)
			}
			output(t, tool(t, "cp", "-r", from, to))
			if copies.Chown != "" {
				output(t, tool(t, "chown", copies.Chown, to))
			}
		}
	}
	return root
}

// enter makes a directory the root of a program: read only but for the two
// volumes, which are empty, without a network but its own loopback, and as the
// user of the image, which has no capability and cannot get any.
const enter = `set -eu
root=$1 environment=$2; shift 2
mount -t sysfs none /sys
echo 0x1 >/sys/class/net/lo/flags
mount --bind "$root" "$root"
mount -o remount,bind,ro,nosuid,nodev "$root"
mount -t proc -o ro proc "$root/proc"
for volume in /var/lib/profilesync /var/cache/profilesync; do
  mount -t tmpfs -o size=16m,uid=65532,gid=65532,mode=0700 none "$root$volume"
done
mount --bind -o ro deploy "$root/etc/profilesync"
mount --bind -o ro examples/profiles "$root/etc/documents"
cd "$root"
program() {
  # Its words are to be split: NAME=VALUE, as the image has them.
  exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin $environment setpriv --no-new-privs chroot --userspec=65532:65532 --groups= "$root" /profilesync "$@"
}
`

// environment is what the image sets.
func environment(t *testing.T) string {
	t.Helper()
	all := stages(t)
	var words []string
	for _, command := range commands[*instructions.EnvCommand](all[len(all)-1]) {
		for _, pair := range command.Env {
			words = append(words, pair.Key+"="+pair.Value)
		}
	}
	return strings.Join(words, " ")
}

// inside tells a story of the program of an image, in shell, and returns what
// was said.
func inside(t *testing.T, image, story string, arguments ...string) string {
	t.Helper()
	for _, dir := range append(writable(), "/etc/profilesync", "/etc/documents", "/proc") {
		if err := os.MkdirAll(filepath.Join(image, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	command := tool(t, "unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "sh", "-c", enter+story, "enter", image, environment(t))
	command.Args = append(command.Args, arguments...)
	return output(t, command)
}

// daemonStory starts the daemon, asks for its health as the image does until it
// is well, and ends it as Docker does.
const daemonStory = `
program daemon --config /etc/trial.yaml &
daemon=$!
tries=200
until said=$(program status --config /etc/trial.yaml 2>&1); do
  tries=$((tries - 1))
  [ "$tries" -gt 0 ] || { echo "$said"; exit 1; }
  sleep 0.1
done
echo "$said"
kill -TERM "$daemon"
wait "$daemon"
find "$root/var" -type f
`

// trial is a daemon that needs nobody else, and the time zones.
const trial = `owner: trial
source: {worktree: /etc/documents}
targets:
- name: local
  cloud: devcloud
  windows:
  - {opens: "0 0 * * *", for: 12h, time_zone: Europe/Berlin}
  - {opens: "0 12 * * *", for: 12h, time_zone: Europe/Berlin}
`

func isStatic(t *testing.T, program string) {
	t.Helper()
	file, err := elf.Open(program)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, part := range file.Progs {
		if part.Type == elf.PT_INTERP || part.Type == elf.PT_DYNAMIC {
			t.Errorf("the program wants a dynamic linker, which an empty root has not")
		}
	}
}

// knowsTimeZones looks for Go's copy of the time zones, since there is no other.
func knowsTimeZones(t *testing.T, program string) {
	t.Helper()
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(info.Settings, debug.BuildSetting{Key: "-tags", Value: "timetzdata"}) {
		t.Errorf("it is built with %v", info.Settings)
	}
}

func TestTheProgramRunsInAnEmptyReadOnlyRoot(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("an empty root needs root; CI has it")
	}
	built := t.TempDir()
	output(t, tool(t, root(t, build), built))
	isStatic(t, filepath.Join(built, "profilesync"))
	knowsTimeZones(t, filepath.Join(built, "profilesync"))
	image := image(t, built)

	t.Run("it tells its version", func(t *testing.T) {
		said := inside(t, image, "program version")
		if !strings.HasPrefix(said, "profilesync ") {
			t.Error(said)
		}
		t.Log(strings.TrimSpace(said))
	})
	for _, config := range []string{"profilesync.yaml", "kubernetes/base/profilesync.yaml", "kubernetes/trial/profilesync.yaml"} {
		t.Run("it takes "+config, func(t *testing.T) {
			t.Log(strings.TrimSpace(inside(t, image, `program validate --config "$1" --worktree /etc/documents`, "/etc/profilesync/"+config)))
		})
	}
	t.Run("it serves, is well, and ends", func(t *testing.T) {
		write(t, filepath.Join(image, "etc", "trial.yaml"), trial, 0o644)
		said := inside(t, image, daemonStory)
		for _, want := range []string{"1 of 1 target ready", "INF stopped", "/var/lib/profilesync/history.db"} {
			if !strings.Contains(said, want) {
				t.Errorf("no %q in\n%s", want, said)
			}
		}
		t.Log(said)
	})
}
