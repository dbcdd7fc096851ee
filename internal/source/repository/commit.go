package repository

import (
	"strings"
	"time"
	"unicode"

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
		Subject: printable(subject), Author: printable(c.Author.Name), When: c.Committer.When,
	}, nil
}

// maxText bounds what is shown of another's text, in runes.
const maxText = 200

// printable makes one harmless line of text that somebody else wrote: no
// control characters (which a terminal would obey), no invalid UTF-8, no novel.
func printable(s string) string {
	clean := strings.Map(func(c rune) rune {
		if unicode.IsPrint(c) {
			return c
		}
		return ' '
	}, strings.ToValidUTF8(s, "?"))
	clean = strings.Join(strings.Fields(clean), " ")
	if short := []rune(clean); len(short) > maxText {
		return string(short[:maxText]) + "…"
	}
	return clean
}
