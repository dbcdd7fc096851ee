package main

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// The program is told to stop while the cloud is at a request. That it has taken
// the signal is seen in its log: the changes after the one in hand are skipped,
// one after the other, beside it.

func TestSignals(t *testing.T) {
	binary := build(t)
	for _, signal := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		t.Run("one lets the profiles in hand be finished: "+signal.String(), func(t *testing.T) {
			finishes(newVictim(t, binary, onDevcloud), signal)
		})
	}
	t.Run("a second one ends an apply at once", func(t *testing.T) { endsAtOnce(newVictim(t, binary, onDevcloud)) })
	t.Run("one ends a plan at once", func(t *testing.T) { endsAPlan(newVictim(t, binary, onDevcloud)) })
}

// soon is how long a person waits for a program that is to stop at once.
const soon = time.Second

// many is how many profiles are wanted: so many that a signal is taken before
// the last is begun.
const many = 60

func finishes(v *victim, signal os.Signal) {
	t := v.t
	a := v.applying()
	err := a.signalled(aim{post: true}, func(program *os.Process, r *http.Request) {
		_ = program.Signal(signal)
		a.hasSkipped(r)
	})
	if a.cmd.ProcessState.ExitCode() != exitFailed {
		t.Errorf("exit: %v", err)
	}
	live := len(v.look().rows)
	if live == 0 || live == many {
		t.Errorf("%d of %d are live", live, many)
	}
	said := a.stdout.String()
	for _, want := range []string{fmt.Sprintf(" %d created", live), fmt.Sprintf(" %d skipped", many-live), "stopped before it was begun"} {
		if !strings.Contains(said, want) {
			t.Errorf("standard output does not say %q:\n%s", want, said)
		}
	}
	if strings.Contains(said, "failed") {
		t.Errorf("standard output says that something failed:\n%s", said)
	}
	for _, want := range []string{"stopped by a signal", "hint: run the same command again"} {
		if !strings.Contains(a.stderr.String(), want) {
			t.Errorf("standard error does not say %q:\n%s", want, a.stderr.String())
		}
	}
	v.converge("after the signal")
	v.converged("after the signal")
}

func endsAtOnce(v *victim) {
	a := v.applying()
	var second time.Time
	err := a.signalled(aim{post: true}, func(program *os.Process, r *http.Request) {
		_ = program.Signal(os.Interrupt)
		a.hasSkipped(r)
		second = time.Now()
		_ = program.Signal(os.Interrupt)
		<-r.Context().Done() // the request is never answered
	})
	took := time.Since(second)
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGINT {
		v.t.Errorf("ended with %v", err)
	}
	if took > soon {
		v.t.Errorf("it took %s after the second signal", took)
	}
}

func endsAPlan(v *victim) {
	v.wants("a=1 x")
	a := &told{victim: v, cmd: v.command("plan")}
	var first time.Time
	_ = a.signalled(aim{at: 1}, func(program *os.Process, r *http.Request) {
		first = time.Now()
		_ = program.Signal(os.Interrupt)
		<-r.Context().Done() // there is never an answer
	})
	took, said := time.Since(first), a.stdout.String()+a.stderr.String()
	if code := a.cmd.ProcessState.ExitCode(); code != exitFailed || strings.Count(said, "\n") > 2 {
		v.t.Errorf("exit status %d\n%s", code, said)
	}
	if took > soon {
		v.t.Errorf("it took %s", took)
	}
}

// told is a run of the program that is told something.
type told struct {
	victim         *victim
	cmd            *exec.Cmd
	stdout, stderr transcript
}

// applying is an apply with many profiles to create, two at a time, which logs
// each change as it ends.
func (v *victim) applying() *told {
	var items []string
	for i := range many {
		items = append(items, fmt.Sprintf("p%02d=f%d x", i, i))
	}
	v.wants(items...)
	return &told{victim: v, cmd: v.command("apply", "--yes", "--parallel", "2", "--verbose", "--log-format", "json")}
}

// hasSkipped waits until a change has been skipped, or the program is gone.
func (a *told) hasSkipped(r *http.Request) { a.stderr.wait(`"status":"skipped"`, r.Context().Done()) }

// signalled runs the program and sends it signals while a request is in hand,
// which is served afterwards.
func (a *told) signalled(at aim, send func(*os.Process, *http.Request)) error {
	process := make(chan *os.Process, 1)
	at.way, at.do = spared, func(r *http.Request) { send(<-process, r) }
	a.victim.senlin.take(at)
	a.cmd.Stdout, a.cmd.Stderr = &a.stdout, &a.stderr
	if err := a.cmd.Start(); err != nil {
		return err
	}
	process <- a.cmd.Process
	return a.cmd.Wait()
}

// transcript is what a program has said so far.
type transcript struct {
	mutex sync.Mutex
	text  bytes.Buffer
	more  chan struct{} // closed when there is more
}

func (s *transcript) Write(text []byte) (int, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.more != nil {
		close(s.more)
		s.more = nil
	}
	return s.text.Write(text)
}

func (s *transcript) String() string {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.text.String()
}

// wait waits until a word has been said, or for the end.
func (s *transcript) wait(word string, end <-chan struct{}) {
	for {
		s.mutex.Lock()
		if strings.Contains(s.text.String(), word) {
			s.mutex.Unlock()
			return
		}
		if s.more == nil {
			s.more = make(chan struct{})
		}
		more := s.more
		s.mutex.Unlock()
		select {
		case <-more:
		case <-end:
			return
		}
	}
}
