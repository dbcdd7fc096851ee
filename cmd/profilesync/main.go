// Command profilesync keeps OpenStack Senlin profiles as a Git repository
// describes them: it reads the documents, compares them with the live cloud,
// shows a plan and carries it out.
//
// This package owns what a process has only one of: the command line, the
// configuration, the environment, signals, the terminal, exit statuses, and the
// hints that follow an error. It wires the rooms together and never decides
// anything about a profile.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		cancel()
		endBy(<-signals)
	}()
	os.Exit(run(ctx, process{
		args: os.Args[1:], lookup: os.LookupEnv,
		stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr,
	}))
}

// endBy ends the process as the signal does where nobody catches it, so that
// whoever waits for the process sees which one it was.
func endBy(s os.Signal) {
	signal.Reset(s)
	if number, ok := s.(syscall.Signal); ok {
		_ = syscall.Kill(os.Getpid(), number) // its own process may always be killed
	}
}
