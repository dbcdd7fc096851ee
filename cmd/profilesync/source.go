package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"profilesync/internal/desired"
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
		r, err := s.read(cmd)
		if err != nil {
			return err
		}
		return s.printSource(report.Source{
			From: fmt.Sprint(r.from), Ref: r.config.Ref, Path: r.config.Path, Revision: r.tree.Revision, Commit: provenance(r.tree),
			Files: files(r.set), Profiles: len(r.set.Items), Bytes: r.tree.Size, Received: r.tree.Received, Cached: r.tree.Cached,
			Took: r.took,
		})
	}
	return cmd
}

// reading is documents that were read for their own sake, not to be applied.
type reading struct {
	config sourceConfig
	from   reconcile.Source
	set    desired.Set
	tree   source.Snapshot
	took   time.Duration
}

func (s *settings) read(cmd *cobra.Command) (reading, error) {
	c, err := s.load(cmd)
	if err != nil {
		return reading{}, err
	}
	r := reading{config: c.Source}
	if r.from, err = s.from(c.Source); err != nil {
		return reading{}, err
	}
	begun := time.Now()
	if r.set, r.tree, err = reconcile.Documents(cmd.Context(), r.from); err != nil {
		return reading{}, err
	}
	r.took = time.Since(begun)
	s.note(r.tree)
	return r, nil
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
