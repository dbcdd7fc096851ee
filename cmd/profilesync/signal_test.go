package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// build builds the program once for a test.
func build(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "profilesync")
	if output, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	return binary
}

func TestASignalLetsTheProfileInHandBeFinished(t *testing.T) {
	binary := build(t)
	for _, signal := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		t.Run(signal.String(), func(t *testing.T) {
			v := newVictim(t, binary)
			v.wants("a=1 x", "b=2 x", "c=3 x")
			cmd := v.command("apply", "--yes", "--parallel", "1")
			var stdout, stderr bytes.Buffer
			cmd.Stdout, cmd.Stderr = &stdout, &stderr
			err := v.signalled(cmd, aim{post: true}, func(p *os.Process) { _ = p.Signal(signal) })
			if cmd.ProcessState.ExitCode() != exitFailed {
				t.Errorf("exit: %v", err)
			}
			for _, want := range []string{"1 created", "2 skipped", "stopped before it was begun"} {
				if !strings.Contains(stdout.String(), want) {
					t.Errorf("standard output does not say %q:\n%s", want, &stdout)
				}
			}
			if !strings.Contains(stderr.String(), "stopped by a signal") || !strings.Contains(stderr.String(), "hint: run the same command again") {
				t.Errorf("standard error:\n%s", &stderr)
			}
			if live := v.profiles(); len(live) != 1 || live[0].Name != "a" {
				t.Errorf("live: %v", live)
			}
			v.converge()
			if live := v.profiles(); len(live) != 3 {
				t.Errorf("after the next pass: %v", live)
			}
		})
	}
}

func TestASecondSignalEndsAtOnce(t *testing.T) {
	v := newVictim(t, build(t))
	v.wants("a=1 x")
	cmd := v.command("apply", "--yes")
	begun := time.Now()
	err := v.signalled(cmd, aim{post: true}, func(p *os.Process) {
		_ = p.Signal(os.Interrupt)
		time.Sleep(100 * time.Millisecond) // the first one has been taken
		_ = p.Signal(os.Interrupt)
	})
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGINT {
		t.Errorf("ended with %v", err)
	}
	if took := time.Since(begun); took > 10*time.Second {
		t.Errorf("it took %s", took)
	}
}

func TestASignalEndsAPlan(t *testing.T) {
	v := newVictim(t, build(t))
	v.wants("a=1 x")
	cmd := v.command("plan")
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	begun := time.Now()
	_ = v.signalled(cmd, aim{at: 1}, func(p *os.Process) {
		_ = p.Signal(os.Interrupt)
		time.Sleep(2 * time.Second) // no answer in the meantime
	})
	if code := cmd.ProcessState.ExitCode(); code != exitFailed || strings.Count(output.String(), "\n") > 2 {
		t.Errorf("exit status %d\n%s", code, &output)
	}
	if took := time.Since(begun); took > 2*time.Second {
		t.Errorf("it took %s", took)
	}
}

// signalled runs a program and sends it signals while a request is in hand.
func (v *victim) signalled(cmd *exec.Cmd, a aim, send func(*os.Process)) error {
	process := make(chan *os.Process, 1)
	a.spare, a.do = true, func() { send(<-process) }
	v.senlin.take(a)
	if err := cmd.Start(); err != nil {
		return err
	}
	process <- cmd.Process
	return cmd.Wait()
}
