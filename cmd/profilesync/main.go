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
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	go func() { // a second signal ends the process at once
		<-ctx.Done()
		stop()
	}()
	os.Exit(run(ctx, process{
		args: os.Args[1:], lookup: os.LookupEnv,
		stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr,
	}))
}
