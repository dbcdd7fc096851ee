// Package repository reads one commit of a Git repository that lies on disk or
// is fetched from a server, and takes nothing on trust.
//
// Whoever reads desired state from a repository must never be handed fewer
// files than the commit has: a file that is missing is a profile to delete.
// go-git's own tree walk ends without an error at a subtree it cannot read, so
// this package decodes trees itself. Every object is hashed again after it was
// read and compared with the name it was asked for by, which makes a whole
// tree as trustworthy as the commit's own hash: a truncated pack, a flipped
// bit, an index that belongs to another pack or a server that sends too little
// ends in an error.
//
// It owns references, objects, trees and commits. It never runs git, never
// talks to a server itself, never writes anything, and knows nothing of what
// the files are.
package repository

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
)

// Sentinels of what can be wrong with a repository. Each comes wrapped with
// the particulars.
var (
	ErrNoRepository   = errors.New("no Git repository")
	ErrEmpty          = errors.New("the repository has no commits")
	ErrNoRevision     = errors.New("unresolved revision")
	ErrNoPath         = errors.New("no such directory")
	ErrAuthentication = errors.New("access denied")
	ErrUnreachable    = errors.New("server unavailable")
	ErrLimit          = errors.New("limit exceeded")
	ErrDamaged        = errors.New("repository damaged or incomplete")
)

// Hash names an object.
type Hash = plumbing.Hash

// maxStructure bounds a tree or a commit: a directory of half a million entries.
const maxStructure = 32 << 20

// Repository is an open repository. It is read by one goroutine at a time.
type Repository struct {
	refs    refs
	objects *store
	// Origin is where its objects came from.
	Origin Origin
}

// Origin is where the objects of a repository came from.
type Origin uint8

// The origins. Only those of Fetch with a Keeper are other than Afresh.
const (
	Afresh   Origin = iota // the disk, or a server, just now
	FromKept               // a Keeper alone: the server had nothing new
	FromBoth               // a Keeper and a server
)

// Close releases the files of a repository on disk.
func (r *Repository) Close() error { return r.objects.Close() }

// Blob returns the content of a file. One of more than limit bytes is an
// ErrLimit, and is not inflated.
func (r *Repository) Blob(h Hash, limit int64) ([]byte, error) {
	return r.objects.read(plumbing.BlobObject, h, limit)
}

// Tree returns the entries of a directory, in Git's order.
func (r *Repository) Tree(h Hash) ([]Entry, error) {
	content, err := r.objects.read(plumbing.TreeObject, h, maxStructure)
	if err != nil {
		return nil, err
	}
	entries, err := decodeTree(content)
	if err != nil {
		return nil, fmt.Errorf("%w: tree %s: %w", ErrDamaged, h, err)
	}
	return entries, nil
}

// Find returns the entry at name, which is slash-separated and clean, below
// the tree root; "." is the root itself. What is not there is an ErrNoPath, and
// so is a name that leads through a symbolic link or a submodule.
func (r *Repository) Find(root Hash, name string) (Entry, error) {
	at := Entry{Name: ".", Kind: Directory, Hash: root}
	if name == "." {
		return at, nil
	}
	walked := "."
	for part := range strings.SplitSeq(name, "/") {
		if at.Kind != Directory {
			return Entry{}, fmt.Errorf("%w: %q is a %s", ErrNoPath, walked, at.Kind)
		}
		entries, err := r.Tree(at.Hash)
		if err != nil {
			return Entry{}, err
		}
		walked = path.Join(walked, part)
		found := false
		for _, e := range entries {
			if e.Name == part {
				at, found = e, true
				break
			}
		}
		if !found {
			return Entry{}, fmt.Errorf("%w: %q", ErrNoPath, walked)
		}
	}
	return at, nil
}

// Commit resolves ref and returns the commit. ref is a branch, a tag (of
// either kind), a full reference name such as refs/heads/main, or a commit id,
// which may be shortened to 4 digits or more; "" is HEAD, the default branch of
// a server. A name that is both a branch and a tag is refused: git itself
// takes the tag here and the branch there.
func (r *Repository) Commit(ctx context.Context, ref string) (Commit, error) {
	named, err := resolve(r.refs, ref)
	if err != nil {
		return Commit{}, err
	}
	if named.prefix != "" {
		if named.hash, err = r.expand(ctx, named.prefix); err != nil {
			return Commit{}, err
		}
	}
	h, content, tags, err := r.peel(named)
	if err != nil {
		return Commit{}, err
	}
	c, err := decodeCommit(h, content)
	if err != nil {
		return Commit{}, fmt.Errorf("%w: commit %s: %w", ErrDamaged, h, err)
	}
	c.Tags, c.Ref = tags, named.reference()
	return c, nil
}

// maxPeel bounds how many tags may lead to a commit.
const maxPeel = 10

// peel follows annotated tags to their commit.
func (r *Repository) peel(named name) (Hash, []byte, []Tag, error) {
	h := named.hash
	var tags []Tag
	for range maxPeel {
		kind, content, err := r.objects.readAny(h, maxStructure)
		if errors.Is(err, errMissing) && named.literal {
			return h, nil, nil, fmt.Errorf("%w: no commit %q", ErrNoRevision, h)
		}
		if err != nil {
			return h, nil, nil, err
		}
		switch kind {
		case plumbing.CommitObject:
			return h, content, tags, nil
		case plumbing.TagObject:
			tags = append(tags, Tag{h, content})
			if h, err = tagTarget(content); err != nil {
				return h, nil, nil, fmt.Errorf("%w: tag %s: %w", ErrDamaged, h, err)
			}
			named.literal = false
		default:
			return h, nil, nil, fmt.Errorf("%w: %q is a %s, not a commit", ErrNoRevision, named.given, kind)
		}
	}
	return h, nil, nil, fmt.Errorf("%w: %q is a tag of a tag, more than %d deep", ErrNoRevision, named.given, maxPeel)
}

// expand finds the one commit whose id begins with prefix.
func (r *Repository) expand(ctx context.Context, prefix string) (Hash, error) {
	candidates, err := r.objects.withPrefix(ctx, prefix)
	if err != nil {
		return Hash{}, err
	}
	var commits []Hash
	for _, h := range candidates {
		kind, _, err := r.objects.readAny(h, maxStructure)
		if errors.Is(err, ErrLimit) {
			continue // a large file: no commit
		}
		if err != nil {
			return Hash{}, err
		}
		if kind == plumbing.CommitObject {
			commits = append(commits, h)
		}
	}
	switch len(commits) {
	case 0:
		return Hash{}, noSuch(r.refs, prefix)
	case 1:
		return commits[0], nil
	}
	return Hash{}, fmt.Errorf("%w: %q is short for several commits, among them %s and %s", ErrNoRevision, prefix, commits[0], commits[1])
}
