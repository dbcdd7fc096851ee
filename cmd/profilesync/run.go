package main

import (
	"context"
	"errors"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// process is what the operating system hands to the program.
type process struct {
	args           []string
	lookup         func(string) (string, bool) // environment
	stdin          io.Reader
	stdout, stderr io.Writer
	timeout        time.Duration // of one request to a cloud; 0 means the client's own
}

// The exit statuses, the same for every command and output format.
const (
	exitDone    = 0 // done, or in sync
	exitFailed  = 1
	exitPending = 2 // changes pending: only plan --detailed-exitcode
	exitHeld    = 3 // everything else was done, but something asked for is blocked
)

// statusError ends the program with a status when everything there is to say
// has been said.
type statusError int

func (e statusError) Error() string { return "" }

// run is the program.
func run(ctx context.Context, p process) int {
	s := &settings{process: p}
	defer s.close()
	root := newRoot(s)
	root.SetArgs(p.args)
	root.SetIn(p.stdin)
	root.SetOut(p.stdout)
	root.SetErr(p.stderr)
	err := root.ExecuteContext(ctx)
	var status statusError
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &status):
		return int(status)
	}
	p.say(err)
	return exitFailed
}

const longHelp = `profilesync keeps OpenStack Senlin profiles as a Git repository describes them.

It reads profile documents (YAML), compares them with the live cloud, shows a
plan, and carries it out: labels are changed in place, a changed spec becomes a
new profile, and a profile that a cluster or node holds on to is never deleted.

Every flag can be set in the environment too: --max-deletes is
PROFILESYNC_MAX_DELETES. A flag wins over the environment, the environment over
the configuration file.

Exit status: 0 done, or in sync; 1 failed; 2 changes pending (only plan
--detailed-exitcode); 3 everything else was done, but something asked for is
blocked.`

func newRoot(s *settings) *cobra.Command {
	root := &cobra.Command{
		Use:           "profilesync",
		Short:         "Keep OpenStack Senlin profiles as a Git repository describes them",
		Long:          longHelp,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			text := "no command " + quote(args[0])
			if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
				text += ": did you mean " + quote(near[0]) + "?"
			}
			return usageError{errors.New(text)}
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			return s.fromEnvironment(cmd)
		},
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.CompletionOptions.HiddenDefaultCmd = false
	s.logFlags(root)
	root.AddCommand(
		newPlan(s), newApply(s), newValidate(s), newSource(s),
		newDaemon(s), newStatus(s), newTrigger(s),
		newList(s), newShow(s), newDevcloud(s), newVersion(s),
	)
	return root
}

// usageError is a command line that makes no sense.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// noArguments refuses what is left over on the command line.
func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return usageError{errors.New("unexpected argument " + quote(args[0]) + " for " + cmd.CommandPath())}
}

// terminal reports whether a stream is one.
func terminal(stream any) bool {
	file, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}
