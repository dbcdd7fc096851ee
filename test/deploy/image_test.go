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
// volumes, which are empty, without network and as the user of the image, which
// has no capability and cannot get any.
const enter = `set -eu
root=$1; shift
mount --bind "$root" "$root"
mount -o remount,bind,ro,nosuid,nodev "$root"
mount -t proc -o ro proc "$root/proc"
for volume in /var/lib/profilesync /var/cache/profilesync; do
  mount -t tmpfs -o size=16m,uid=65532,gid=65532,mode=0700 none "$root$volume"
done
mount --bind -o ro deploy "$root/etc/profilesync"
mount --bind -o ro examples/profiles "$root/etc/documents"
cd "$root"
exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin \
  STATE_DIRECTORY=/var/lib/profilesync CACHE_DIRECTORY=/var/cache/profilesync \
  setpriv --no-new-privs chroot --userspec=65532:65532 --groups= "$root" /profilesync "$@"`

// inside runs the program of an image and returns what it says.
func inside(t *testing.T, image string, arguments ...string) string {
	t.Helper()
	for _, dir := range append(writable(), "/etc/profilesync", "/etc/documents", "/proc") {
		if err := os.MkdirAll(filepath.Join(image, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	command := tool(t, "unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "sh", "-c", enter, "enter", image)
	command.Args = append(command.Args, arguments...)
	return output(t, command)
}

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
		said := inside(t, image, "version")
		if !strings.HasPrefix(said, "profilesync ") {
			t.Error(said)
		}
		t.Log(strings.TrimSpace(said))
	})
	for _, config := range []string{"profilesync.yaml", "kubernetes/base/profilesync.yaml", "kubernetes/trial/profilesync.yaml"} {
		t.Run("it takes "+config, func(t *testing.T) {
			t.Log(strings.TrimSpace(inside(t, image, "validate", "--config", "/etc/profilesync/"+config, "--worktree", "/etc/documents")))
		})
	}
}
