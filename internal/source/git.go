package source

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path"
	"strings"
	"time"

	"profilesync/internal/source/remote"
	"profilesync/internal/source/repository"
	"profilesync/internal/source/trust"
)

// Git is one revision of a Git repository.
type Git struct {
	// URL is a local path, a file:// URL (which is read like a path), or an
	// http:// or https:// URL, which may carry a user name and a password.
	// Proxies and further certificate authorities come from the environment,
	// as in any Go program.
	URL string
	// Ref is a branch, a tag, a full reference name or a commit id, which may
	// be short; "" is HEAD, the default branch of a server. A name that is
	// both a branch and a tag is refused.
	Ref string
	// Path is the directory to read, from the root of the repository; "" is all of it.
	Path string
	// Trust says whose signature the revision needs. Its files are read at each Read.
	Trust  trust.Policy
	Limits Limits
}

// String returns the URL without user name and password.
func (g Git) String() string { return redact(g.URL) }

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
	root, err := cleanPath(g.Path)
	if err != nil {
		return Snapshot{}, err
	}
	keys, err := g.Trust.Load(readKeys)
	if err != nil {
		return Snapshot{}, err
	}
	repo, err := g.open(ctx, limits)
	if err != nil {
		return Snapshot{}, err
	}
	defer repo.Close()
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
		Files: w.files, Notes: w.notes, Signature: signature,
	}, nil
}

const (
	// maxObject bounds any one object a server sends, also those outside Path:
	// without partial clones it sends them all.
	maxObject = 64 << 20
	// maxInflated bounds all of them together. It bounds time, not memory.
	maxInflated = 8 << 30
)

func (g Git) open(ctx context.Context, limits Limits) (*repository.Repository, error) {
	dir, address, err := locate(g.URL)
	if err != nil {
		return nil, err
	}
	if address == nil {
		return repository.Open(dir)
	}
	server, err := g.dial(ctx, address, limits)
	if err != nil {
		return nil, err
	}
	defer server.Close()
	return repository.Fetch(ctx, server, g.Ref, packLimits())
}

func (g Git) dial(ctx context.Context, address *url.URL, limits Limits) (*remote.Conversation, error) {
	return remote.Server{Address: address, Limit: limits.WireBytes}.Dial(ctx)
}

func packLimits() repository.Limits {
	return repository.Limits{Object: maxObject, Inflated: maxInflated}
}

// locate tells a directory from a server.
func locate(raw string) (dir string, address *url.URL, err error) {
	scheme, _, isURL := strings.Cut(raw, "://")
	switch scheme = strings.ToLower(scheme); {
	case raw == "":
		return "", nil, fmt.Errorf("%w: neither a path nor a URL", ErrNoRepository)
	case !isURL && scpLike(raw), isURL && scheme != "file" && scheme != "http" && scheme != "https":
		return "", nil, fmt.Errorf("%w: what can be read is a local path, file://, http:// and https://", ErrNoRepository)
	case !isURL:
		return raw, nil, nil
	}
	// What is wrong with a URL is not repeated: a part of it may be a password
	// that was not written as URLs want it.
	u, err := url.Parse(raw)
	if err != nil || u.Opaque != "" {
		return "", nil, fmt.Errorf("%w: malformed URL (in a user name or password, write other characters than letters and digits as %%XX)", ErrNoRepository)
	}
	if u.RawQuery != "" || u.Fragment != "" || strings.Contains(u.EscapedPath(), "@") {
		return "", nil, fmt.Errorf("%w: a URL with ?, # or @ after the host (in a user name or password, write them as %%3F, %%23, %%40)", ErrNoRepository)
	}
	if scheme != "file" {
		if u.Hostname() == "" {
			return "", nil, fmt.Errorf("%w: a URL without a host", ErrNoRepository)
		}
		return "", u, nil
	}
	if u.Host != "" && u.Host != "localhost" {
		return "", nil, fmt.Errorf("%w: file:// is followed by an absolute path, as in file:///srv/repository", ErrNoRepository)
	}
	return u.Path, nil, nil
}

// scpLike recognises [user@]host:path, which Git takes for SSH unless there is such a file.
func scpLike(raw string) bool {
	colon := strings.IndexByte(raw, ':')
	if colon <= 1 || strings.ContainsAny(raw[:colon], `/\`) { // 1: a drive letter
		return false
	}
	_, err := os.Lstat(raw)
	return err != nil
}

// redact cuts what may be a secret out of a URL: all between the scheme and
// the last "@", and all from "?" or "#" on. A path comes back as it is.
func redact(raw string) string {
	at := strings.LastIndexByte(raw, '@')
	scheme, rest, isURL := strings.Cut(raw, "://")
	if !isURL {
		if colon := strings.IndexAny(raw, `:/\`); colon >= 0 && colon < at && raw[colon] == ':' {
			return raw[at+1:] // meant to be a URL
		}
		return raw
	}
	rest = rest[strings.LastIndexByte(rest, '@')+1:]
	if i := strings.IndexAny(rest, "?#"); i >= 0 {
		rest = rest[:i]
	}
	return scheme + "://" + rest
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
