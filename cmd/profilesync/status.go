package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"profilesync/internal/daemon/page/wire"
	"profilesync/internal/report"
)

func newStatus(s *settings) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show how the running daemon is doing",
		Long: `Show how the running daemon is doing: each target, what is wrong, and with
--target its last passes. It is read from the daemon's API.

Exit status: 0 every target is ready; 1 one is not, or no daemon answers.`,
		Args: noArguments,
	}
	flags := cmd.Flags()
	s.configFlag(flags)
	s.addressFlag(flags)
	flags.StringVar(&s.target, "target", "", "only this target, with its last passes, by `NAME`")
	flags.StringVarP(&s.output, "output", "o", "text", "`format` of standard output: text or json")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return s.status(cmd) }
	return cmd
}

func (s *settings) status(cmd *cobra.Command) error {
	c, err := s.caller(cmd)
	if err != nil {
		return err
	}
	var told wire.Status
	text, err := c.call(cmd.Context(), http.MethodGet, "/api/v1/status", nil, nil, &told)
	if err != nil {
		return err
	}
	var passes wire.Passes
	if s.target != "" {
		if told.Targets = slices.DeleteFunc(told.Targets, func(t wire.Target) bool { return t.Name != s.target }); len(told.Targets) == 0 {
			return usageError{fmt.Errorf("the daemon has no target %s", quote(s.target))}
		}
		told.Ready = told.Targets[0].Ready
		if text, err = c.call(cmd.Context(), http.MethodGet, "/api/v1/passes", url.Values{"limit": {"20"}, "target": {s.target}}, nil, &passes); err != nil {
			return err
		}
	}
	if s.output == "json" {
		_, err = fmt.Fprintf(s.stdout, "%s\n", bytes.TrimRight(text, "\n"))
	} else {
		err = writeStatus(s.stdout, told, passes.Passes)
	}
	if err == nil && !told.Ready {
		return statusError(exitFailed)
	}
	return err
}

// writeStatus writes a line for each target, and below it what is wrong.
func writeStatus(w io.Writer, told wire.Status, passes []wire.Pass) error {
	ready := 0
	for _, t := range told.Targets {
		if t.Ready {
			ready++
		}
	}
	now := at(told.Now)
	var out strings.Builder
	fmt.Fprintf(&out, "%d of %s ready. %s has been running for %s.\n\n",
		ready, count(len(told.Targets), "target"), clean(told.Instance), span(now.Sub(at(told.Started))))
	table := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "TARGET\tREADY\tMODE\tREVISION\tLAST GOOD\tNEXT\tSTATE")
	for _, t := range told.Targets {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", clean(t.Name), yes(t.Ready), mode(t), revisionOf(t.Revision),
			ago(now, t.LastSuccess), until(now, t), state(t))
	}
	table.Flush() // to memory
	for _, t := range told.Targets {
		if t.Reason != "" && !t.Ready {
			fmt.Fprintf(&out, "\n%s is not ready: %s\n", clean(t.Name), clean(t.Reason))
			if t.Last != nil && t.Last.Hint != "" {
				fmt.Fprintf(&out, "hint: %s\n", clean(t.Last.Hint))
			}
		}
	}
	for _, p := range told.Problems {
		fmt.Fprintf(&out, "\n%s: %s\n", clean(p.Kind), clean(p.Text))
	}
	writePasses(&out, now, passes)
	_, err := io.WriteString(w, out.String())
	return err
}

func writePasses(out *strings.Builder, now time.Time, passes []wire.Pass) {
	if len(passes) == 0 {
		return
	}
	out.WriteString("\n")
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "PASS\tBEGAN\tTOOK\tTRIGGER\tREVISION\tOUTCOME")
	for _, p := range passes {
		outcome := p.Outcome
		if text := counts(p.Counts); text != "" {
			outcome += ": " + text
		}
		if p.Error != "" {
			outcome += ": " + firstLine(p.Error)
		}
		fmt.Fprintf(table, "%d\t%s\t%s\t%s\t%s\t%s\n", p.ID, ago(now, p.Began),
			time.Duration(p.TookSeconds*float64(time.Second)).Round(time.Millisecond), clean(p.Trigger), revisionOf(p.Revision), clean(outcome))
	}
	table.Flush() // to memory
}

// state is what a target is doing, or how its last pass ended.
func state(t wire.Target) string {
	switch {
	case t.Running != nil:
		return "pass under way (" + clean(t.Running.Trigger) + ")"
	case t.Lease != nil && !t.Lease.Held && t.Lease.Holder != "":
		return "served by " + clean(t.Lease.Holder)
	case t.Last == nil:
		return "no pass yet"
	}
	text := t.Last.Outcome
	if more := counts(t.Last.Counts); more != "" {
		text += ": " + more
	}
	if t.Failures > 1 {
		text += fmt.Sprintf(" (%d times)", t.Failures)
	}
	return clean(text)
}

// counts is what a pass did, and what it left.
func counts(c wire.Counts) string {
	var parts []string
	for _, row := range []struct {
		n    int
		word string
	}{
		{c.Created, "created"},
		{c.Updated, "updated"},
		{c.Recreated, "recreated"},
		{c.Deleted, "deleted"},
		{c.Pending, "pending"},
		{c.Blocked, "blocked"},
		{c.Superseded, "superseded"},
	} {
		if row.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", row.n, row.word))
		}
	}
	return strings.Join(parts, ", ")
}

func mode(t wire.Target) string {
	if t.Window == nil {
		return clean(t.Mode)
	}
	if t.Window.Open {
		return clean(t.Mode) + " (window open)"
	}
	return clean(t.Mode) + " (window closed)"
}

func revisionOf(r *wire.Revision) string {
	if r == nil || r.ID == "" {
		return "-"
	}
	return report.ShortRevision(r.ID)
}

func until(now time.Time, t wire.Target) string {
	next := t.Next
	if t.Retry != nil && (next == nil || t.Retry.Before(*next)) {
		next = t.Retry
	}
	if next == nil {
		return "-"
	}
	if !next.After(now) {
		return "now"
	}
	return "in " + span(next.Sub(now))
}

func ago(now time.Time, then *wire.Time) string {
	if then == nil {
		return "never"
	}
	return span(now.Sub(*then)) + " ago"
}

// span is a time in its two largest units.
func span(d time.Duration) string {
	d = max(d, 0).Round(time.Second)
	switch days := int(d.Hours()) / 24; {
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm %02ds", int(d.Minutes()), int(d.Seconds())%60)
	case days == 0:
		return fmt.Sprintf("%dh %02dm", int(d.Hours()), int(d.Minutes())%60)
	default:
		return fmt.Sprintf("%dd %02dh", days, int(d.Hours())%24)
	}
}

func at(t *wire.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}

func yes(is bool) string {
	if is {
		return "yes"
	}
	return "NO"
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}

func clean(text string) string { return report.Clean(text) }
