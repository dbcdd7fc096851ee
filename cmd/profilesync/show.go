package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"profilesync/internal/live"
	"profilesync/internal/report"
)

func newShow(s *settings) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "show NAME|ID",
		Short: "Show one live profile",
		Long: `Show one live profile, by its full id or by its name. Secrets are left out. When
several profiles bear the name, all of them are listed.

Exit status: 0 shown; 1 failed, or no profile, or more than one bears the name.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usageError{fmt.Errorf("show takes one name or id, not %d", len(args))}
			}
			return nil
		},
	}
	flags := cmd.Flags()
	s.configFlag(flags)
	s.cloudFlags(flags)
	s.outputFlag(flags)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		have, _, err := s.look(cmd, true)
		if err != nil {
			return err
		}
		found := rows(have, find(have.Profiles, args[0]))
		switch len(found) {
		case 0:
			return fmt.Errorf("no profile has the name or id %q", args[0])
		case 1:
			return s.printShow(found)
		}
		if err := s.printList(found); err != nil {
			return err
		}
		return fmt.Errorf("%d profiles bear the name %q: show one by its id", len(found), args[0])
	}
	return cmd
}

func (s *settings) printShow(rows []report.Row) error {
	switch s.output {
	case "json":
		return report.ShowJSON(s.stdout, rows)
	case "markdown":
		return report.ShowMarkdown(s.stdout, rows, 0)
	}
	return report.ShowText(s.stdout, rows, s.style())
}

// find returns the profile with this id, or else those of this very name.
func find(profiles []live.Profile, nameOrID string) []live.Profile {
	var named []live.Profile
	for _, p := range profiles {
		if p.ID == nameOrID {
			return []live.Profile{p}
		}
		if p.Name == nameOrID {
			named = append(named, p)
		}
	}
	return named
}
