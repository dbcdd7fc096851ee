// Package leasetest says, as tests, what every keeper of leases does, whatever
// it keeps them in. It is made for tests only.
package leasetest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"profilesync/internal/lease"
)

// Rig is a place where leases are kept.
type Rig struct {
	// Open makes one more keeper there, as another process would have it. The test
	// closes it.
	Open func(t *testing.T, self lease.Holder) lease.Keeper
	// Free is within what time a dead process's leases are free.
	Free time.Duration
	// Child is the environment of a process that runs the test binary again and
	// calls [Child] with such a keeper.
	Child []string
}

// soon is far less than any lease lasts, and more than a busy machine takes.
const soon = 5 * time.Second

// Run runs all tests, on names that nobody else uses.
func Run(t *testing.T, rig Rig) {
	for _, story := range []struct {
		name string
		tell func(*testing.T, Rig)
	}{
		{"what somebody has is busy, and says who has it", taken},
		{"what is given back is free at once", released},
		{"a lease that was given back is lost for good", lostForGood},
		{"different names have nothing to do with each other", names},
		{"who waits can give up", givesUp},
		{"of many that want it, one has it at a time", contended},
		{"a closed keeper holds nothing", closed},
		{"what a killed process had is free", killed},
	} {
		t.Run(story.name, func(t *testing.T) {
			t.Parallel()
			story.tell(t, rig)
		})
	}
}

// open makes a keeper for the time of a test.
func (r Rig) open(t *testing.T, instance string) lease.Keeper {
	t.Helper()
	keeper := r.Open(t, lease.Holder{Instance: instance, Command: "test"})
	t.Cleanup(func() {
		if err := keeper.Close(); err != nil {
			t.Errorf("close %s: %v", instance, err)
		}
	})
	return keeper
}

func try(t *testing.T, keeper lease.Keeper, name string) lease.Held {
	t.Helper()
	held, err := keeper.Try(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	if err := held.Check(); err != nil {
		t.Fatalf("held, and %v", err)
	}
	return held
}

func release(t *testing.T, held lease.Held) {
	t.Helper()
	if err := held.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// Process is the test binary in a process of its own, which holds a lease.
type Process struct {
	command *exec.Cmd
	input   io.Closer // at its end the process gives its lease back
	output  *bufio.Reader
}

const nameVariable = "LEASETEST_NAME"

// Start runs the test binary again, and returns when it has the lease.
func (r Rig) Start(t *testing.T, name string) *Process {
	t.Helper()
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := &Process{command: exec.Command(binary, "-test.run=^$")}
	p.command.Env = append(append(os.Environ(), r.Child...), nameVariable+"="+name)
	p.command.Stderr = os.Stderr
	input, err := p.command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := p.command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	p.input, p.output = input, bufio.NewReader(output)
	t.Cleanup(func() {
		_ = input.Close()
		_ = p.command.Process.Kill() // it may have ended by itself
		_ = p.command.Wait()
	})
	if line := p.Line(t); line != "held" {
		t.Fatalf("the process said %q", line)
	}
	return p
}

// Line is the next line that the process says.
func (p *Process) Line(t *testing.T) string {
	t.Helper()
	line, err := p.output.ReadString('\n')
	if err != nil {
		t.Fatalf("the process said no more: %v", err)
	}
	return strings.TrimSpace(line)
}

// Signal sends a signal to the process.
func (p *Process) Signal(t *testing.T, signal os.Signal) {
	t.Helper()
	if err := p.command.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
}

// PID is the process's id.
func (p *Process) PID() int { return p.command.Process.Pid }

// Child is what the test binary does as [Process]: it takes the lease, says
// "held", and writes a line with the time to the file that WRITES names, if any,
// every few milliseconds as long as the lease permits it. Then it says "lost",
// or when its input has ended "released".
func Child(keeper lease.Keeper) error {
	held, err := lease.Acquire(context.Background(), keeper, os.Getenv(nameVariable))
	if err != nil {
		return err
	}
	fmt.Println("held")
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = io.Copy(io.Discard, os.Stdin) // it brings nothing but its end
	}()
	writes := io.Discard
	if path := os.Getenv("WRITES"); path != "" {
		file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		defer func() { _ = file.Close() }() // a child of a test
		writes = file
	}
	for {
		if err := held.Check(); errors.Is(err, lease.ErrLost) {
			fmt.Println("lost")
			return nil
		} else if err != nil {
			return err
		}
		if _, err := fmt.Fprintln(writes, time.Now().UnixNano()); err != nil {
			return err
		}
		select {
		case <-ended:
			fmt.Println("released")
			return held.Release(context.Background())
		case <-time.After(2 * time.Millisecond):
		}
	}
}
