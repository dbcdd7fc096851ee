package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"profilesync/internal/reconcile"
	"profilesync/internal/report"
	"profilesync/internal/source"
)

func newSource(s *settings) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "source",
		Short: "Show what would be read: revision, signature, files",
		Long: `Show what would be read: the revision, who has signed it, the documents, their
size and the time it took. It is read as plan and apply read it, and checked as
validate does; no cloud is asked.

Exit status: 0 it can be read; 1 it cannot.`,
		Args: noArguments,
	}
	flags := cmd.Flags()
	s.configFlag(flags)
	s.sourceFlags(flags)
	s.outputFlag(flags)
	cmd.MarkFlagsMutuallyExclusive("source", "worktree")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := s.load(cmd)
		if err != nil {
			return err
		}
		from, err := s.from(c.Source)
		if err != nil {
			return err
		}
		begun := time.Now()
		set, tree, err := reconcile.Documents(cmd.Context(), from)
		if err != nil {
			return err
		}
		s.note(tree)
		return s.printSource(report.Source{
			From: fmt.Sprint(from), Ref: c.Source.Ref, Path: c.Source.Path, Revision: tree.Revision, Commit: provenance(tree),
			Files: files(set), Profiles: len(set.Items), Bytes: tree.Size, Received: tree.Received, Cached: tree.Cached,
			Took: time.Since(begun),
		})
	}
	return cmd
}

// note tells what was seen and not read, and what could not be kept.
func (s *settings) note(tree source.Snapshot) {
	for _, note := range tree.Notes {
		s.logger.Warn("not read", "path", note.Path, "what", note.What)
	}
	if tree.Warning != "" {
		s.logger.Warn("nothing is kept for the next run", "why", tree.Warning)
	}
}

func (s *settings) printSource(read report.Source) error {
	switch s.output {
	case "json":
		return report.SourceJSON(s.stdout, read)
	case "markdown":
		return report.SourceMarkdown(s.stdout, read)
	}
	return report.SourceText(s.stdout, read, s.style())
}
