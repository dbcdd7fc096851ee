package source

import (
	"context"
	"fmt"

	"github.com/go-git/go-git/v5/plumbing"

	"profilesync/internal/source/repository"
)

// Descends returns nil if revision, which is a Snapshot's, is before or has it
// among its ancestors, and an ErrNotDescended that names both otherwise: a
// branch was set back, or history was written anew. Both are whole commit ids; of a
// revision that is none, such as a directory's, nothing descends.
//
// A server is asked anew. That costs as much as the commits in between, unless
// it does not know before: then as much as the whole history, within the Limits.
func (g Git) Descends(ctx context.Context, revision, before string) error {
	limits := g.Limits.withDefaults()
	_, err := limits.inTime(ctx, func(ctx context.Context) (Snapshot, error) {
		return Snapshot{}, g.descends(ctx, revision, before, limits)
	})
	if err != nil {
		return fmt.Errorf("source %q: %w", g, err)
	}
	return nil
}

func (g Git) descends(ctx context.Context, revision, before string, limits Limits) error {
	for _, id := range []string{revision, before} {
		if !plumbing.IsHash(id) || len(id) != 2*len(plumbing.Hash{}) {
			return fmt.Errorf("%w: revision %q is not a commit", ErrNotDescended, repository.Printable(id))
		}
	}
	from, to := plumbing.NewHash(revision), plumbing.NewHash(before)
	if from == to {
		return nil
	}
	dir, address, err := locate(g.URL)
	if err != nil {
		return err
	}
	if address == nil {
		repo, err := repository.Open(dir)
		if err != nil {
			return err
		}
		defer repo.Close()
		return repo.Descends(ctx, from, to)
	}
	server, err := g.dial(ctx, address, limits)
	if err != nil {
		return err
	}
	defer server.Close()
	return repository.FetchDescent(ctx, server, from, to, packLimits())
}
