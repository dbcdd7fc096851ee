package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"
)

// The built program is fed what nobody would write by mistake, and some of what
// people do write by mistake. Whatever it is, the program ends in time and
// within bounds of memory, with one clear line, and never with a stack trace.

// hostile is one input.
type hostile struct {
	name   string
	make   func(d *den) []string // lays it out and returns the arguments
	status int                   // 1 unless it is said otherwise; harmless means 0
	says   string                // a regular expression for the first line of standard error
	hint   string                // what the hint says; without it there may be one
	shows  string                // a part of standard output
	peak   int64                 // of memory, in MiB; ordinary unless it is said otherwise
}

const (
	harmless = -1 // as a status: it is read all the same
	ordinary = 64 // MiB; the program with nothing to do takes 20
	tooLong  = time.Minute
)

// den is where an input lives.
type den struct {
	t           *testing.T
	dir         string
	shared      *pit // what is expensive to make
	environment []string
	shell       string // run by sh with the program and its arguments in "$@"; "" is without a shell
	stdout      *os.File
}

func TestHostileInput(t *testing.T) {
	binary, shared := build(t), newPit(t)
	var mutex sync.Mutex
	tried, highest, highestName := 0, int64(0), ""
	t.Run("inputs", func(t *testing.T) {
		for _, group := range [][]hostile{
			hostileDocuments(), hostileWorktrees(), hostileRepositories(), hostileConfigurations(),
			hostileClouds(), hostilePlans(), hostileServers(), hostileProcesses(),
		} {
			for _, h := range group {
				t.Run(h.name, func(t *testing.T) {
					t.Parallel()
					used := h.try(t, binary, shared)
					mutex.Lock()
					defer mutex.Unlock()
					if tried++; used > highest {
						highest, highestName = used, h.name
					}
				})
			}
		}
	})
	t.Logf("%d hostile inputs; the most memory, %d MiB, was for: %s", tried, highest, highestName)
}

// try runs the program on the input and returns its peak of memory in MiB.
func (h hostile) try(t *testing.T, binary string, shared *pit) int64 {
	t.Helper()
	d := &den{t: t, dir: t.TempDir(), shared: shared}
	d.environment = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + d.dir, "PROFILESYNC_OWNER=us",
	}
	args := append([]string{binary}, h.make(d)...)
	if d.shell != "" {
		args = append([]string{"/bin/sh", "-c", d.shell, "sh"}, args...)
	}
	ctx, cancel := context.WithTimeout(t.Context(), tooLong)
	defer cancel()
	figure := filepath.Join(d.dir, "peak")
	cmd := exec.CommandContext(ctx, "peak", append([]string{figure}, args...)...)
	cmd.Dir, cmd.Env, cmd.WaitDelay = d.dir, d.environment, time.Second
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if d.stdout != nil {
		cmd.Stdout = d.stdout
	}
	err := cmd.Run()
	if ctx.Err() != nil {
		t.Errorf("it took longer than %s", tooLong)
	}
	want := max(h.status, 0)
	if h.status == 0 {
		want = exitFailed
	}
	if status := cmd.ProcessState.ExitCode(); status != want {
		t.Errorf("exit status %d, want %d (%v)\n%.2000s", status, want, err, &stderr)
	}
	h.judge(t, stdout.String(), stderr.String())
	text, err := os.ReadFile(figure)
	if err != nil {
		t.Fatal(err)
	}
	used, err := strconv.ParseInt(string(text), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	if limit := max(h.peak, ordinary); used > limit {
		t.Errorf("it took %d MiB, more than %d", used, limit)
	}
	return used
}

// judge holds what was said to what a person can use.
func (h hostile) judge(t *testing.T, stdout, stderr string) {
	t.Helper()
	first, rest, _ := strings.Cut(stderr, "\n")
	if !regexp.MustCompile(h.says).MatchString(first) {
		t.Errorf("the first line does not say %q:\n%.2000s", h.says, stderr)
	}
	if h.hint != "" && !regexp.MustCompile("(?m)^hint: .*"+h.hint).MatchString(rest) {
		t.Errorf("no hint says %q:\n%.2000s", h.hint, stderr)
	}
	if !strings.Contains(stdout, h.shows) {
		t.Errorf("standard output does not show %q:\n%.2000s", h.shows, stdout)
	}
	for _, said := range []string{stdout, stderr} {
		if strings.Contains(said, "goroutine ") || strings.Contains(said, "panic") || strings.Contains(said, ".go:") {
			t.Errorf("a stack trace:\n%.2000s", said)
		}
		if at := strings.IndexFunc(said, unfitForTerminal); at >= 0 || !utf8.ValidString(said) {
			t.Errorf("something that drives a terminal: %.200q", said[max(0, at-100):])
		}
	}
	if len(stderr) > 200<<10 {
		t.Errorf("standard error has %d bytes", len(stderr))
	}
	for line := range strings.Lines(stderr) {
		if len(line) > 2000 {
			t.Errorf("a line of %d bytes: %.300s", len(line), line)
		}
	}
}

// unfitForTerminal are control characters and what turns the direction of
// text.
func unfitForTerminal(r rune) bool {
	return r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r))
}

// peak runs a program and writes its peak of memory, in MiB, into a file. It is
// a process of its own since Linux counts for a new process what the one that
// started it had taken: the test's own memory would be measured.
//
//	peak FILE PROGRAM ARGUMENT...
func peak() {
	runtime.LockOSThread() // the death of a parent is that of its thread
	cmd := exec.Command(os.Args[2], os.Args[3:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Run(); cmd.ProcessState == nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	used := cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss >> 10
	if err := os.WriteFile(os.Args[1], []byte(strconv.FormatInt(used, 10)), 0o600); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	status := cmd.ProcessState.ExitCode()
	if signal := cmd.ProcessState.Sys().(syscall.WaitStatus); signal.Signaled() {
		status = 128 + int(signal.Signal())
	}
	os.Exit(status)
}

// write puts a file into the den.
func (d *den) write(name, text string) string {
	d.t.Helper()
	file := filepath.Join(d.dir, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		d.t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		d.t.Fatal(err)
	}
	return file
}

// large makes a file of 100 MB that takes no room on the disk.
func (d *den) large(name string) string {
	d.t.Helper()
	file := d.write(name, "owner: us\n#")
	if err := os.Truncate(file, 100_000_000); err != nil {
		d.t.Fatal(err)
	}
	return file
}

// good is a directory with one good document.
func (d *den) good() string { return filepath.Dir(d.write("good/web.yaml", goodDocument)) }

const goodDocument = "type: os.nova.server\nversion: 1.0\nproperties: {flavor: a, networks: []}\n"

// bomb is a text of YAML in which nine lists refer nine times to one another.
func bomb(indent string) string {
	var text strings.Builder
	text.WriteString(indent + "a0: &a0 [x, x, x, x, x, x, x, x, x]\n")
	for i := 1; i < 9; i++ {
		fmt.Fprintf(&text, "%sa%d: &a%d [%s]\n", indent, i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 9), ", "))
	}
	return text.String()
}

// nested are lists in each other.
func nested(depth int) string { return strings.Repeat("[", depth) + strings.Repeat("]", depth) }
