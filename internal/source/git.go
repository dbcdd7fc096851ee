package source

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path"
	"strings"
	"time"

	"profilesync/internal/source/cache"
	"profilesync/internal/source/remote"
	"profilesync/internal/source/repository"
	"profilesync/internal/source/trust"
)

// Git is one revision of a Git repository.
type Git struct {
	// URL is a local path, a file:// URL (which is read like a path), an
	// http:// or https:// URL, which may carry a user name and a password, or
	// ssh://user@host/path or user@host:path.
	URL string
	// Login says how to get into a server. Without it, proxies and authorities
	// come from the environment, as in any Go program.
	Login remote.Login
	// Ref is a branch, a tag, a full reference name or a commit id, which may
	// be short; "" is HEAD, the default branch of a server. A name that is
	// both a branch and a tag is refused.
	Ref string
	// Path is the directory to read, from the root of the repository; "" is all of it.
	Path string
	// Cache is a directory in which to keep what a server sent, so that the next
	// Read fetches only what is new. It is made if there is none, and not used if
	// others may write to it. Without one everything stays in memory.
	Cache string
	// Trust says whose signature the revision needs. Its files are read at each Read.
	Trust  trust.Policy
	Limits Limits
}

// String returns the URL without user name and password.
func (g Git) String() string { return redact(g.URL) }

// GoString shows no more than String.
func (g Git) GoString() string { return fmt.Sprintf("source.Git{URL: %q, Ref: %q}", g, g.Ref) }

// Read returns the files of the revision. Every object it takes is hashed
// again: it returns all files or an error. No error shows a password.
func (g Git) Read(ctx context.Context) (Snapshot, error) {
	limits := g.Limits.withDefaults()
	s, err := limits.inTime(ctx, func(ctx context.Context) (Snapshot, error) { return g.read(ctx, limits) })
	if err != nil {
		return Snapshot{}, fmt.Errorf("source %q: %w", g, err)
	}
	return s, nil
}

func (g Git) read(ctx context.Context, limits Limits) (Snapshot, error) {
	kept := g.kept()
	s, origin, err := g.readWith(ctx, limits, kept)
	if origin == repository.Afresh || !doubtful(err) {
		return s, err
	}
	kept.Forget()
	s, _, err = g.readWith(ctx, limits, kept)
	return s, err
}

// doubtful tells the errors that a damaged cache may be behind.
func doubtful(err error) bool {
	return errors.Is(err, ErrDamaged) || errors.Is(err, ErrLimit) || errors.Is(err, ErrNoRevision)
}

// kept returns nil if nothing is kept.
func (g Git) kept() *cache.Cache {
	if g.Cache == "" {
		return nil
	}
	return cache.New(g.Cache, g.String())
}

func (g Git) readWith(ctx context.Context, limits Limits, kept *cache.Cache) (Snapshot, repository.Origin, error) {
	root, err := cleanPath(g.Path)
	if err != nil {
		return Snapshot{}, repository.Afresh, err
	}
	keys, err := g.Trust.Load(readKeys)
	if err != nil {
		return Snapshot{}, repository.Afresh, err
	}
	repo, received, err := g.open(ctx, limits, kept)
	if err != nil {
		return Snapshot{}, repository.Afresh, err
	}
	defer repo.Close()
	s, err := g.snapshot(ctx, repo, root, keys, limits)
	if err != nil {
		return Snapshot{}, repo.Origin, err
	}
	s.Received, s.Cached = received, repo.Origin == repository.FromKept
	if kept != nil && kept.Problem() != nil {
		s.Warning = kept.Problem().Error()
	}
	return s, repo.Origin, nil
}

// snapshot reads the directory root of the revision.
func (g Git) snapshot(ctx context.Context, repo *repository.Repository, root string, keys trust.Keys, limits Limits) (Snapshot, error) {
	commit, err := repo.Commit(ctx, g.Ref)
	if err != nil {
		return Snapshot{}, err
	}
	signature, err := keys.Check(commit, time.Now()) // before anything in the commit is looked at
	if err != nil {
		return Snapshot{}, err
	}
	found, err := repo.Find(commit.Tree, root)
	if err == nil && found.Kind != repository.Directory {
		err = fmt.Errorf("%w: %q is a %s", ErrNoPath, root, found.Kind)
	}
	if err != nil {
		return Snapshot{}, fmt.Errorf("commit %.12s: %w", commit.Hash, err)
	}
	w, err := collect(ctx, commitTree{repo, commit.Tree}, entry{path: root, kind: directory, hash: found.Hash}, limits)
	if err != nil {
		return Snapshot{}, fmt.Errorf("commit %.12s: %w", commit.Hash, err)
	}
	return Snapshot{
		Revision: commit.Hash.String(),
		Subject:  commit.Subject, Author: commit.Author, When: commit.When,
		Files: w.files, Notes: w.notes, Signature: signature, Size: w.files.size(),
	}, nil
}

const (
	// maxObject bounds any one object a server sends, also those outside Path:
	// without partial clones it sends them all.
	maxObject = 64 << 20
	// maxInflated bounds all of them together. It bounds time, not memory.
	maxInflated = 8 << 30
)

// open also returns how many bytes a server sent.
func (g Git) open(ctx context.Context, limits Limits, kept *cache.Cache) (*repository.Repository, int64, error) {
	dir, address, err := locate(g.URL)
	if err != nil {
		return nil, 0, err
	}
	if address == nil {
		repo, err := repository.Open(dir)
		return repo, 0, err
	}
	server, err := g.dial(ctx, address, limits)
	if err != nil {
		return nil, 0, err
	}
	defer server.Close()
	var keeper repository.Keeper
	if kept != nil {
		keeper = kept
	}
	repo, err := repository.Fetch(ctx, server, g.Ref, keeper, packLimits())
	return repo, server.Received(), err
}

func (g Git) dial(ctx context.Context, address *url.URL, limits Limits) (*remote.Conversation, error) {
	return remote.Server{Address: address, Login: g.Login, Limit: limits.WireBytes}.Dial(ctx)
}

func packLimits() repository.Limits {
	return repository.Limits{Object: maxObject, Inflated: maxInflated}
}

// cleanPath normalises a path inside a tree; "." is the root.
func cleanPath(p string) (string, error) {
	clean := path.Clean(p)
	if path.IsAbs(p) {
		return "", fmt.Errorf("%w: %q is absolute: write it from the root of the repository, without the first slash", ErrNoPath, p)
	}
	if clean == ".." || strings.HasPrefix(clean, "../") {
		return "", fmt.Errorf("%w: %q leads out of the repository", ErrNoPath, p)
	}
	return clean, nil
}

// commitTree is the tree of a commit.
type commitTree struct {
	repo *repository.Repository
	root repository.Hash
}

func (t commitTree) list(dir entry) ([]entry, error) {
	listed, err := t.repo.Tree(dir.hash)
	entries := make([]entry, len(listed))
	for i, l := range listed {
		entries[i] = entry{path: path.Join(dir.path, l.Name), kind: kindOf(l.Kind), hash: l.Hash}
	}
	return entries, err
}

func kindOf(k repository.Kind) kind {
	switch k {
	case repository.Directory:
		return directory
	case repository.Symlink:
		return symlink
	case repository.Submodule:
		return submodule
	}
	return file
}

func (t commitTree) read(file entry, limit int64) ([]byte, error) {
	return t.repo.Blob(file.hash, limit)
}

// maxTarget bounds what a symbolic link says; Linux has the same limit.
const maxTarget = 4 << 10

func (t commitTree) follow(link entry) (target string, toFile bool, err error) {
	content, err := t.repo.Blob(link.hash, maxTarget)
	if err != nil {
		return "", false, err
	}
	target = string(content)
	inside, err := cleanPath(path.Join(path.Dir(link.path), target))
	if err != nil || path.IsAbs(target) {
		return target, false, nil
	}
	found, err := t.repo.Find(t.root, inside)
	if errors.Is(err, ErrNoPath) {
		return target, false, nil
	}
	return target, found.Kind == repository.File, err
}
