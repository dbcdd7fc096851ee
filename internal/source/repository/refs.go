package repository

import (
	"errors"
	"fmt"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
)

// ref is the value of a reference: a hash, or the name of another reference.
type ref struct {
	hash   Hash
	target string
}

// refs are the references of a repository, on disk or as a server advertises them.
type refs interface {
	// lookup returns the reference of exactly this full name, errNoRef when there is none.
	lookup(name string) (ref, error)
	// empty reports whether there is no reference at all.
	empty() (bool, error)
}

var errNoRef = errors.New("no such reference")

// name is what the text of a revision stands for.
type name struct {
	given   string
	hash    Hash
	literal bool   // the text is the hash itself, so that its absence is the asker's mistake
	prefix  string // the text may be the beginning of a commit id
}

// reference is the full name of the reference, "" for a commit id.
func (n name) reference() string {
	if n.literal || n.prefix != "" {
		return ""
	}
	return n.given
}

const (
	hashDigits   = 2 * len(Hash{})
	prefixDigits = 4 // Git's own minimum for a short commit id
)

// resolve finds what given stands for. See Repository.Commit for the rules.
func resolve(r refs, given string) (name, error) {
	switch {
	case given == "" || given == "HEAD":
		return head(r)
	case len(given) == hashDigits && plumbing.IsHash(given):
		return name{given: given, hash: plumbing.NewHash(given), literal: true}, nil
	case plumbing.ReferenceName("refs/heads/"+given).Validate() != nil || strings.HasPrefix(given, "-"):
		return name{}, fmt.Errorf("%w: %q is not the name of a branch, a tag or a commit", ErrNoRevision, given)
	case strings.HasPrefix(given, "refs/"):
		h, err := follow(r, given)
		if errors.Is(err, errNoRef) {
			return name{}, noSuch(r, given)
		}
		return name{given: given, hash: h}, err
	}
	return short(r, given)
}

// short resolves the name of a branch or a tag.
func short(r refs, given string) (name, error) {
	var found []name
	for _, space := range []string{"refs/heads/", "refs/tags/", "refs/remotes/"} {
		h, err := follow(r, space+given)
		if errors.Is(err, errNoRef) {
			continue
		}
		if err != nil {
			return name{}, err
		}
		found = append(found, name{given: space + given, hash: h})
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1:
		return name{}, fmt.Errorf("%w: %q is both %s and %s: write one of them in full", ErrNoRevision, given, found[0].given, found[1].given)
	case isPrefix(given):
		return name{given: given, prefix: strings.ToLower(given)}, nil
	}
	return name{}, noSuch(r, given)
}

func isPrefix(s string) bool {
	return len(s) >= prefixDigits && len(s) < hashDigits && strings.Trim(strings.ToLower(s), "0123456789abcdef") == ""
}

// head resolves the default revision.
func head(r refs) (name, error) {
	h, err := follow(r, "HEAD")
	if !errors.Is(err, errNoRef) {
		return name{given: "HEAD", hash: h}, err
	}
	if none, err := r.empty(); err != nil {
		return name{}, err
	} else if none {
		return name{}, ErrEmpty
	}
	return name{}, fmt.Errorf("%w: the repository's HEAD names no branch that exists: say which branch", ErrNoRevision)
}

// noSuch says that nothing is called given, and what there is instead.
func noSuch(r refs, given string) error {
	if none, err := r.empty(); err != nil {
		return err
	} else if none {
		return ErrEmpty
	}
	if at, err := r.lookup("HEAD"); err == nil {
		if branch, ok := strings.CutPrefix(at.target, "refs/heads/"); ok {
			return fmt.Errorf("%w: no branch, tag or commit %q (the default branch is %q)", ErrNoRevision, given, branch)
		}
	}
	return fmt.Errorf("%w: no branch, tag or commit %q", ErrNoRevision, given)
}

// maxSymbolic bounds how many references may lead to a hash, as Git does.
const maxSymbolic = 5

func follow(r refs, full string) (Hash, error) {
	for range maxSymbolic {
		at, err := r.lookup(full)
		if err != nil {
			return Hash{}, err
		}
		if at.target == "" {
			return at.hash, nil
		}
		full = at.target
	}
	return Hash{}, fmt.Errorf("%w: reference %q leads through more than %d others", ErrDamaged, full, maxSymbolic)
}
