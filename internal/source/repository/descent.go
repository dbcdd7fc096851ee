package repository

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/go-git/go-git/v5/plumbing"
)

// ErrNotDescended says that a commit is not among the ancestors of another.
var ErrNotDescended = errors.New("history does not lead there")

// Descends returns nil if revision is before or descends from it, by whichever
// parents, and an ErrNotDescended otherwise.
//
// A yes is proven by the hashes of the commits in between. Grafts and replaced
// objects are not looked at; where a shallow clone ends, nothing is known.
func (r *Repository) Descends(ctx context.Context, revision, before Hash) error {
	found, complete, err := leads(ctx, r.objects.commit, revision, before)
	switch {
	case err != nil || found:
		return err
	case !complete:
		return fmt.Errorf("%w: from %.12s back to %.12s, as far as the repository goes, which lacks some of its history (is it a shallow clone?)", ErrNotDescended, revision, before)
	}
	older, _, err := leads(ctx, r.objects.commit, before, revision)
	if err != nil {
		return err
	}
	return notDescended(revision, before, older)
}

// FetchDescent is Repository.Descends for a server, which is asked for the
// commits of revision that before does not have, and no files if it can leave
// them out. What it says counts for nothing: the commits it sends do.
//
// A server that does not know before sends the whole history, within the limits.
func FetchDescent(ctx context.Context, server Server, revision, before Hash, limits Limits) error {
	if revision == before {
		return nil
	}
	f := fetcher{server: since{server, before}, limits: limits}
	p, err := f.ask(ctx, []Hash{revision}, 0)
	given := !errors.Is(err, ErrNoPack)
	if !given { // as in fetch: not every server hands out a commit that no branch or tag points to
		p, err = f.ask(ctx, f.everything(), 0)
	}
	if err != nil {
		return err
	}
	objects := &store{packs: []*pack{p}}
	_, _, err = objects.readAny(revision, maxStructure)
	if errors.Is(err, errMissing) {
		return notDescended(revision, before, given) // before has it, or the server has it no more
	}
	found, _, err := leads(ctx, objects.commit, revision, before)
	if err != nil || found {
		return err
	}
	return notDescended(revision, before, false)
}

func notDescended(revision, before Hash, older bool) error {
	if older {
		return fmt.Errorf("%w: %.12s is an earlier revision than %.12s", ErrNotDescended, revision, before)
	}
	return fmt.Errorf("%w: %.12s does not descend from %.12s", ErrNotDescended, revision, before)
}

// since is a server that is asked for what is new since a commit.
type since struct {
	Server
	have Hash
}

// Pack asks the question with the commit in it.
func (s since) Pack(ctx context.Context, q Question) (io.ReadCloser, error) {
	q.Haves, q.CommitsOnly = []Hash{s.have}, true
	return s.Server.Pack(ctx, q)
}

// maxHistory bounds how many commits are gone through, some 60 bytes of memory each.
const maxHistory = 2_000_000

// leads goes from a commit back through its ancestors, nearest first, until it
// comes to another. complete is that none was missing on the way.
func leads(ctx context.Context, read func(Hash) ([]byte, error), from, to Hash) (found, complete bool, err error) {
	if from == to {
		return true, true, nil
	}
	complete = true
	seen := map[Hash]struct{}{from: {}}
	for queue := []Hash{from}; len(queue) > 0; queue = queue[1:] {
		if err := ctx.Err(); err != nil {
			return false, false, err
		}
		content, err := read(queue[0])
		if errors.Is(err, errMissing) {
			complete = false
			continue
		}
		if err != nil {
			return false, false, err
		}
		for _, parent := range parents(content) {
			if parent == to {
				return true, complete, nil
			}
			if _, twice := seen[parent]; !twice {
				seen[parent] = struct{}{}
				queue = append(queue, parent)
			}
		}
		if len(seen) > maxHistory {
			return false, false, fmt.Errorf("%w: more than %d commits of history", ErrLimit, maxHistory)
		}
	}
	return false, complete, nil
}

// commit returns the content of a commit.
func (s *store) commit(h Hash) ([]byte, error) {
	return s.read(plumbing.CommitObject, h, maxStructure)
}

// parents reads the lines behind the first of a commit that name its parents,
// and no others of that kind, as Git does.
func parents(content []byte) []Hash {
	var found []Hash
	_, rest, _ := bytes.Cut(content, []byte{'\n'})
	for {
		line, after, _ := bytes.Cut(rest, []byte{'\n'})
		id, is := bytes.CutPrefix(line, []byte("parent "))
		if !is || !plumbing.IsHash(string(id)) {
			return found
		}
		found = append(found, plumbing.NewHash(string(id)))
		rest = after
	}
}
