package diff

import "fmt"

// The default limit: more than one delete, and more than this share of what we
// own, is taken for an accident.
const (
	freeDeletes      = 1
	maxDeletePercent = 30
)

// Limits are the guards against a mass delete. The zero value is the strictest
// useful one: the default rule, and no empty set.
type Limits struct {
	// Deletes permits up to this many deletes, instead of the default rule. Nil
	// leaves the rule in force.
	Deletes *int
	// AllowEmpty permits documents that ask for nothing at all.
	AllowEmpty bool
}

// LimitError refuses a whole plan. Nothing of it may be carried out.
type LimitError struct {
	Empty   bool     // the documents ask for nothing
	Deletes []Change // every delete the plan would carry out
	Owned   int      // profiles we own
	Allowed int      // deletes the limit permits
}

func (e *LimitError) Error() string {
	if e.Empty {
		return fmt.Sprintf("the documents ask for no profile at all, and %d of ours are live", e.Owned)
	}
	return fmt.Sprintf("%d of our %d profiles would be deleted, at most %d may be", len(e.Deletes), e.Owned, e.Allowed)
}

// Check refuses a plan that looks like an accident: an empty desired set, or
// more deletes than the limits permit. It returns nil or a [*LimitError] that
// lists everything that would go.
//
// Counted are deletes of what is not desired and of duplicates. An earlier
// generation that has lost its last user is not: its successor was approved.
func (p Plan) Check(limits Limits) error {
	var deletes []Change
	for _, c := range p.Changes {
		if c.Action == Delete && c.Block == "" && c.Reason != Superseded {
			deletes = append(deletes, c)
		}
	}
	if p.Desired == 0 && !limits.AllowEmpty {
		return &LimitError{Empty: true, Deletes: deletes, Owned: p.Owned}
	}
	allowed := max(freeDeletes, p.Owned*maxDeletePercent/100)
	if limits.Deletes != nil {
		allowed = *limits.Deletes
	}
	if len(deletes) > allowed {
		return &LimitError{Deletes: deletes, Owned: p.Owned, Allowed: allowed}
	}
	return nil
}
