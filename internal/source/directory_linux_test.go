package source

import (
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"profilesync/internal/source/gittest"
)

// onDisk makes a directory with a document ok.yaml.
func onDisk(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	(&gittest.Repo{Dir: dir}).In(t).Write(map[string]string{"ok.yaml": "name: ok\n", "sub/ok.yaml": "name: sub\n"})
	return dir
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestOnDiskNothingThatMayStandForADocumentIsPassedOver(t *testing.T) {
	outside := filepath.Join(onDisk(t), "ok.yaml")
	rows := []struct {
		name string
		make func(dir string) error
		says []string // nothing: it is only noted
	}{
		{"a link to a document", func(d string) error { return os.Symlink("ok.yaml", d+"/web.yaml") }, []string{`"web.yaml"`, `a symbolic link to "ok.yaml"`}},
		{"a link out", func(d string) error { return os.Symlink(outside, d+"/web.yaml") }, []string{`"web.yaml"`}},
		{"a link out, named like no document", func(d string) error { return os.Symlink(outside, d+"/web") }, []string{`"web"`}},
		{"a link to a directory", func(d string) error { return os.Symlink("sub", d+"/us") }, []string{`"us"`, `"sub"`}},
		{"a link to nothing", func(d string) error { return os.Symlink("gone", d+"/us") }, []string{`"us"`}},
		{"a link around", func(d string) error { return os.Symlink(".", d+"/us") }, []string{`"us"`}},
		{"a pipe", func(d string) error { return syscall.Mkfifo(d+"/web.yaml", 0o600) }, []string{`"web.yaml"`, "neither a file nor a directory"}},
		{"an ignore file that is a pipe", func(d string) error { return syscall.Mkfifo(d+"/"+ignoreFile, 0o600) }, []string{"regular file"}},
		{"a pipe that is named otherwise", func(d string) error { return syscall.Mkfifo(d+"/pipe", 0o600) }, nil},
		{"a link to a file, named like no document", func(d string) error { return os.Symlink("ok.yaml", d+"/LICENSE") }, nil},
		{"an empty directory", func(d string) error { return os.Mkdir(d+"/module", 0o700) }, nil},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			dir := onDisk(t)
			must(t, row.make(dir))
			s, err := Directory{Dir: dir}.Read(t.Context())
			if row.says != nil {
				fails(t, err, ErrRefused, row.says...)
				return
			}
			must(t, err)
			same(t, contents(t, s.Files), map[string]string{"ok.yaml": "name: ok\n", "sub/ok.yaml": "name: sub\n"})
			if len(s.Notes) != 1 {
				t.Errorf("notes %v", s.Notes)
			}
		})
	}
}

// TestWhatCannotBeReadIsAnError takes away the rights root has, for one thread.
func TestWhatCannotBeReadIsAnError(t *testing.T) {
	const nobody = 65534
	for _, name := range []string{"sub", "ok.yaml", "sub/ok.yaml"} {
		t.Run(name, func(t *testing.T) {
			dir := onDisk(t)
			for d := dir; d != filepath.Dir(os.TempDir()) && len(d) > len(os.TempDir()); d = filepath.Dir(d) {
				must(t, os.Chmod(d, 0o755))
			}
			must(t, os.Chmod(filepath.Join(dir, name), 0))
			defer os.Chmod(filepath.Join(dir, name), 0o700)
			if os.Geteuid() == 0 {
				runtime.LockOSThread()
				defer runtime.UnlockOSThread()
				must(t, syscall.Setfsuid(nobody))
				defer func() { must(t, syscall.Setfsuid(0)) }()
			}
			_, err := Directory{Dir: dir}.Read(t.Context())
			fails(t, err, os.ErrPermission, `"`+name+`"`)
		})
	}
}

// TestAFileThatBecomesAnotherIsNotRead swaps a listed file before it is read.
func TestAFileThatBecomesAnotherIsNotRead(t *testing.T) {
	dir := onDisk(t)
	root, err := os.OpenRoot(dir)
	must(t, err)
	defer root.Close()
	tree := diskTree{root, 100}
	listed := entry{path: "ok.yaml"}
	must(t, os.Remove(dir+"/ok.yaml"))
	must(t, os.Symlink("sub/ok.yaml", dir+"/ok.yaml"))
	if content, err := tree.read(listed, 100); err == nil {
		t.Errorf("read %q through a link", content)
	}
	must(t, os.Remove(dir+"/ok.yaml"))
	must(t, syscall.Mkfifo(dir+"/ok.yaml", 0o600))
	if content, err := tree.read(listed, 100); err == nil {
		t.Errorf("read %q from a pipe", content)
	}
}
