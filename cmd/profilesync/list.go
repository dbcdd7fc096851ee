package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"profilesync/internal/live"
	"profilesync/internal/report"
)

func newList(s *settings) *cobra.Command {
	var q query
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the live profiles: whose, which generation, used by whom",
		Long: `List the live profiles of the project: whose they are, which generation, and who
holds on to them. Without --all only the owner's are listed.

Exit status: 0 listed, 1 failed.`,
		Args: noArguments,
	}
	flags := cmd.Flags()
	s.configFlag(flags)
	s.cloudFlags(flags)
	s.outputFlag(flags)
	flags.StringVar(&q.sort, "sort", "name", "order: `KEY[:asc|desc],...` with the keys name, type, owner, created, updated, id")
	flags.StringVar(&q.profileType, "type", "", "only this type, with or without its version: os.nova.server, os.heat.stack-1.0")
	flags.IntVar(&q.limit, "limit", 0, "at most `N` profiles; 0 lists all")
	flags.StringVar(&q.marker, "marker", "", "begin after the profile with this `ID`")
	flags.BoolVar(&q.all, "all", false, "also list what is not ours")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if _, err := q.order(); err != nil {
			return err
		}
		have, owner, err := s.look(cmd, q.all)
		if err != nil {
			return err
		}
		profiles, err := q.choose(have.Profiles, owner)
		if err != nil {
			return err
		}
		return s.printList(rows(have, profiles))
	}
	return cmd
}

// look takes a snapshot, with users, of the one target chosen.
func (s *settings) look(cmd *cobra.Command, all bool) (live.Snapshot, string, error) {
	c, err := s.load(cmd)
	if err != nil {
		return live.Snapshot{}, "", err
	}
	if c.Owner == "" && !all {
		return live.Snapshot{}, "", errNoOwner
	}
	targets, err := s.choose(c)
	if err != nil {
		return live.Snapshot{}, "", err
	}
	if len(targets) > 1 {
		return live.Snapshot{}, "", usageError{fmt.Errorf("the configuration has %d targets: choose one with --target", len(targets))}
	}
	client, err := s.connect(cmd.Context(), targets[0], nil)
	if err != nil {
		return live.Snapshot{}, "", err
	}
	defer client.Close()
	have, err := live.Read(cmd.Context(), client)
	if err == nil {
		have, err = have.WithUsers(cmd.Context(), client)
	}
	return have, c.Owner, err
}

// rows puts profiles and their users together.
func rows(have live.Snapshot, profiles []live.Profile) []report.Row {
	rows := make([]report.Row, len(profiles))
	for i, p := range profiles {
		rows[i] = report.Row{Profile: p, Users: have.Users[p.ID]}
	}
	return rows
}

func (s *settings) printList(rows []report.Row) error {
	switch s.output {
	case "json":
		return report.ListJSON(s.stdout, rows)
	case "markdown":
		return report.ListMarkdown(s.stdout, rows, 0)
	}
	return report.ListText(s.stdout, rows, s.style())
}

// query says which live profiles are listed, and in which order.
type query struct {
	sort        string
	profileType string
	limit       int
	marker      string
	all         bool
}

// choose filters, orders and cuts the profiles.
func (q query) choose(profiles []live.Profile, owner string) ([]live.Profile, error) {
	compare, err := q.order()
	if err != nil {
		return nil, err
	}
	var chosen []live.Profile
	for _, p := range profiles {
		ours := q.all || p.Marks().Owner == owner
		typed := q.profileType == "" || q.profileType == p.Spec.Type || q.profileType == p.Spec.TypeName()
		if ours && typed {
			chosen = append(chosen, p)
		}
	}
	slices.SortStableFunc(chosen, compare)
	if q.marker != "" {
		at := slices.IndexFunc(chosen, func(p live.Profile) bool { return p.ID == q.marker })
		if at < 0 {
			return nil, fmt.Errorf("--marker %q: no such profile is listed", q.marker)
		}
		chosen = chosen[at+1:]
	}
	if q.limit > 0 && len(chosen) > q.limit {
		chosen = chosen[:q.limit]
	}
	return chosen, nil
}

// sortKeys are what profiles can be ordered by; Senlin's own words for the
// times are understood too.
func sortKeys() map[string]func(a, b live.Profile) int {
	created := func(a, b live.Profile) int { return a.Created.Compare(b.Created) }
	updated := func(a, b live.Profile) int { return a.Updated.Compare(b.Updated) }
	return map[string]func(a, b live.Profile) int{
		"name":       func(a, b live.Profile) int { return cmp.Compare(a.Name, b.Name) },
		"type":       func(a, b live.Profile) int { return cmp.Compare(a.Spec.TypeName(), b.Spec.TypeName()) },
		"owner":      func(a, b live.Profile) int { return cmp.Compare(a.Marks().Owner, b.Marks().Owner) },
		"id":         func(a, b live.Profile) int { return cmp.Compare(a.ID, b.ID) },
		"created":    created,
		"created_at": created,
		"updated":    updated,
		"updated_at": updated,
	}
}

// order builds the comparison from the --sort flag. Ties are broken by id, so
// that a marker always means the same place.
func (q query) order() (func(a, b live.Profile) int, error) {
	if q.limit < 0 {
		return nil, usageError{fmt.Errorf("--limit %d: want a count", q.limit)}
	}
	keys := sortKeys()
	var steps []func(a, b live.Profile) int
	for part := range strings.SplitSeq(q.sort, ",") {
		key, direction, _ := strings.Cut(strings.TrimSpace(part), ":")
		step, ok := keys[key]
		if !ok {
			return nil, usageError{fmt.Errorf("--sort %q: no key %q; there are name, type, owner, created, updated, id", q.sort, key)}
		}
		switch direction {
		case "", "asc":
			steps = append(steps, step)
		case "desc":
			steps = append(steps, func(a, b live.Profile) int { return step(b, a) })
		default:
			return nil, usageError{fmt.Errorf("--sort %q: a direction is asc or desc, not %q", q.sort, direction)}
		}
	}
	steps = append(steps, keys["id"])
	return func(a, b live.Profile) int {
		for _, step := range steps {
			if order := step(a, b); order != 0 {
				return order
			}
		}
		return 0
	}, nil
}
