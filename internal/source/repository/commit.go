package repository

import (
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// Commit is what a plan says about the revision it was made from.
type Commit struct {
	Hash    Hash
	Tree    Hash
	Subject string // first line of the message, fit for one line of a terminal
	Author  string // name of the author, without the address
	When    time.Time
	Raw     []byte // the object itself, which a signature in it is over
	Tags    []Tag  // annotated tags that led to the commit, the outermost first
	Ref     string // full name of the reference that was asked for, such as refs/tags/v1 or HEAD; "" when it was a commit id
}

// Tag is an annotated tag.
type Tag struct {
	Hash Hash
	Raw  []byte // the object itself
}

// decodeCommit reads a commit. Its tree is taken from the first line alone, as
// Git does; the rest is for people and decoded leniently.
func decodeCommit(h Hash, content []byte) (Commit, error) {
	tree, err := header(content, "tree ")
	if err != nil {
		return Commit{}, err
	}
	raw := &plumbing.MemoryObject{}
	raw.SetType(plumbing.CommitObject)
	if _, err := raw.Write(content); err != nil {
		return Commit{}, err
	}
	var c object.Commit
	if err := c.Decode(raw); err != nil {
		return Commit{}, err
	}
	subject, _, _ := strings.Cut(strings.TrimLeft(c.Message, "\n"), "\n")
	return Commit{
		Hash: h, Tree: tree,
		Subject: Printable(subject), Author: Printable(c.Author.Name), When: c.Committer.When,
		Raw: content,
	}, nil
}
