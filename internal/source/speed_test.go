package source

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"profilesync/internal/source/gittest"
)

// childCommand is the variable that makes the test program run a command, in
// JSON, and tell what it took: a process is told the size of the one that
// started it as its own, and this one is small.
const childCommand = "PROFILESYNC_TEST_RUN"

// figures are of one process, with those it started.
type figures struct {
	Wall   time.Duration
	CPU    time.Duration
	Memory int64 // KiB, of the largest
}

func measureAsChild(command string) (status int) {
	var args []string
	if err := json.Unmarshal([]byte(command), &args); err != nil {
		return 1
	}
	os.Unsetenv(childCommand)
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stderr = os.Stderr
	began := time.Now()
	if err := cmd.Run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	usage := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	_ = json.NewEncoder(os.Stdout).Encode(figures{time.Since(began), cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), usage.Maxrss})
	return 0
}

func measure(b *testing.B, cmd *exec.Cmd) figures {
	b.Helper()
	command, err := json.Marshal(cmd.Args)
	if err != nil {
		b.Fatal(err)
	}
	run := exec.Command(os.Args[0])
	run.Env = append(append(os.Environ(), cmd.Env...), childCommand+"="+string(command), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null")
	run.Stderr = os.Stderr
	out, err := run.Output()
	if err != nil {
		b.Fatal(err)
	}
	var f figures
	if err := json.Unmarshal(out, &f); err != nil {
		b.Fatal(err)
	}
	return f
}

// beside runs a reading and git in turn, and reports the medians of both, and of the ratios.
func beside(b *testing.B, each func(), ours, git func() *exec.Cmd) {
	b.Helper()
	var our, its []figures
	var ratios []float64
	for b.Loop() {
		each()
		our = append(our, measure(b, ours()))
		its = append(its, measure(b, git()))
		ratios = append(ratios, float64(our[len(our)-1].Wall)/float64(its[len(its)-1].Wall))
	}
	slices.Sort(ratios)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(ratios[len(ratios)/2], "ratio")
	for who, all := range map[string][]figures{"": our, "git-": its} {
		b.ReportMetric(median(all, func(f figures) float64 { return f.Wall.Seconds() * 1000 }), who+"ms")
		b.ReportMetric(median(all, func(f figures) float64 { return f.CPU.Seconds() * 1000 }), who+"cpu-ms")
		b.ReportMetric(median(all, func(f figures) float64 { return float64(f.Memory) / 1024 }), who+"MiB")
	}
}

func median(all []figures, of func(figures) float64) float64 {
	var values []float64
	for _, f := range all {
		values = append(values, of(f))
	}
	slices.Sort(values)
	return values[len(values)/2]
}

// imported is a bare repository of what write feeds to git fast-import.
func imported(b *testing.B, write func(io.Writer)) *gittest.Repo {
	b.Helper()
	r := gittest.New(b)
	cmd := exec.Command("git", "-C", r.Dir, "fast-import", "--quiet")
	stdin, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	buffered := bufio.NewWriter(stdin)
	write(buffered)
	buffered.Flush()
	stdin.Close()
	if err := cmd.Wait(); err != nil {
		b.Fatal(err)
	}
	r.Git("gc", "-q")
	return r
}

func put(w io.Writer, name, content string) {
	fmt.Fprintf(w, "M 100644 inline %s\ndata %d\n%s\n", name, len(content), content)
}

func commitLine(w io.Writer, at int) {
	fmt.Fprintf(w, "commit refs/heads/main\ncommitter Ada <ada@example.com> %d +0000\ndata 4\nmany\n", 1767323045+at)
}

// BenchmarkBesideGit runs whole processes, this program's reading and git's, in
// turn against one server: go test -run '^$' -bench BesideGit -benchtime 15x
func BenchmarkBesideGit(b *testing.B) {
	history := imported(b, func(w io.Writer) {
		for i := range 2000 {
			commitLine(w, i)
			put(w, fmt.Sprintf("profiles/t%02d/p%05d.yaml", i%20, i), document(i))
		}
	})
	monorepo := imported(b, func(w io.Writer) {
		commitLine(w, 0)
		for i := range 100_000 {
			put(w, fmt.Sprintf("d%03d/p%06d.yaml", i/500, i), document(i))
		}
		for version := 1; version < 50; version++ {
			commitLine(w, version)
			for i := range 20 {
				changed := (version*20 + i) * 97 % 100_000
				put(w, fmt.Sprintf("d%03d/p%06d.yaml", changed/500, changed), fmt.Sprintf("%s# version %d\n", document(changed), version))
			}
		}
	})
	b.Run("2000 files", func(b *testing.B) { besideGit(b, history, "profiles", "profiles/t00/p00000.yaml") })
	b.Run("100000 files, 500 read", func(b *testing.B) { besideGit(b, monorepo, "d007", "d007/p003500.yaml") })
}

func besideGit(b *testing.B, r *gittest.Repo, path, changing string) {
	address := r.In(b).Serve(nil).URL + "/" + r.Name()
	dir := b.TempDir()
	fresh, kept, copied := filepath.Join(dir, "fresh"), filepath.Join(dir, "kept"), filepath.Join(dir, "copied")
	clean := func() {
		if err := os.RemoveAll(fresh); err != nil {
			b.Fatal(err)
		}
	}
	read := func(cache string) func() *exec.Cmd {
		return func() *exec.Cmd { return child(b, Git{URL: address, Path: path, Cache: cache}) }
	}
	git := func(args ...string) func() *exec.Cmd {
		return func() *exec.Cmd { clean(); return exec.Command("git", args...) }
	}
	b.Run("first, in memory", func(b *testing.B) {
		beside(b, clean, read(""), git("clone", "-q", "--depth", "1", "--bare", address, fresh))
	})
	b.Run("first, kept", func(b *testing.B) {
		beside(b, clean, read(fresh), git("clone", "-q", "--depth", "1", "--bare", address, fresh))
	})
	measure(b, read(kept)())
	measure(b, git("clone", "-q", "--depth", "1", "--bare", address, copied)())
	b.Run("nothing new, in memory", func(b *testing.B) { beside(b, clean, read(""), git("ls-remote", address, "main")) })
	b.Run("nothing new, kept", func(b *testing.B) { beside(b, clean, read(kept), git("ls-remote", address, "main")) })
	version := 0
	commit := func() {
		version++
		var stream strings.Builder
		fmt.Fprintf(&stream, "commit refs/heads/main\ncommitter Ada <ada@example.com> %d +0000\ndata 4\nmore\nfrom refs/heads/main^0\n", 1767400000+version)
		put(&stream, changing, fmt.Sprintf("%s# now %d\n", document(version), version))
		r.In(b).Input(stream.String(), "fast-import", "--quiet")
	}
	b.Run("one commit, in memory", func(b *testing.B) {
		beside(b, commit, read(""), git("-C", copied, "fetch", "-q", "origin", "+main:main"))
	})
	b.Run("one commit, kept", func(b *testing.B) {
		beside(b, commit, read(kept), git("-C", copied, "fetch", "-q", "origin", "+main:main"))
	})
}
