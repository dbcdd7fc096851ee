package report

import (
	"strings"
	"time"
)

// Commit is what is known of the revision a plan was made from, besides its hash.
type Commit struct {
	Subject string    // first line of the message
	Author  string    // the author's name
	When    time.Time // it was committed
	Signer  string    // whose signature was verified; empty when none was asked for
}

// line says in one line what the commit is; "" when nothing is known.
func (c *Commit) line() string {
	if c == nil {
		return ""
	}
	text := Clean(short(c.Subject, 72))
	var rest []string
	if c.Author != "" {
		rest = append(rest, Clean(short(c.Author, 40)))
	}
	if !c.When.IsZero() {
		rest = append(rest, c.When.UTC().Format("2006-01-02 15:04 UTC"))
	}
	if c.Signer != "" {
		rest = append(rest, "signed by "+Clean(short(c.Signer, 64)))
	}
	return strings.TrimSpace(text + " (" + strings.Join(rest, ", ") + ")")
}

type jsonCommit struct {
	Subject  string    `json:"subject"`
	Author   string    `json:"author"`
	Date     time.Time `json:"date,omitzero"`
	SignedBy string    `json:"signed_by,omitempty"`
}

func commitOf(c *Commit) *jsonCommit {
	if c == nil {
		return nil
	}
	return &jsonCommit{Subject: c.Subject, Author: c.Author, Date: c.When.UTC(), SignedBy: c.Signer}
}
