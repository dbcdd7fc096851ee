package diff

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
)

// Digest identifies what the plan would do: the same target, project, owner,
// revision and changes give the same digest, today and after the plan was read
// back from a file.
//
// Left out are the profiles in sync and who uses what: neither changes what is
// done. Nothing secret goes into it; that a spec is the one that was approved
// follows from the revision on the one side and from the immutable spec behind
// an id on the other.
func (p Plan) Digest() string {
	sum := sha256.New()
	encoder := json.NewEncoder(sum)
	write := func(parts ...any) { _ = encoder.Encode(parts) } // a hash takes everything
	write(FormatVersion, p.Target, p.Project, p.Owner, p.Revision)
	for _, c := range p.Changes {
		if c.Action == NoOp && c.Block == "" {
			continue
		}
		write(c.Action.String(), c.Name, c.ID(), earlierID(c), c.Reason, c.Block, c.Fields)
	}
	return "sha256:" + hex.EncodeToString(sum.Sum(nil))
}

// earlierID is the id of the earlier generation that takes part, or "".
func earlierID(c Change) string {
	if c.Earlier == nil {
		return ""
	}
	return c.Earlier.ID
}
