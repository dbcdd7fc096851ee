package live

import (
	"slices"
	"time"
)

// LastRevisions returns the revisions that the owner's profiles were last
// written from, sorted: those in the marks of the profile that was created or
// updated last. They are several only if profiles of different revisions were
// written within one second, which is all that the cloud's clock tells; whoever
// asks what a revision may follow has to ask for each. There is none when
// nothing of the owner's bears a revision.
//
// An earlier generation counts only where there is nothing else: setting it
// aside was a write that left the mark of the one before.
//
// The marks tell of writes, not of passes. A pass that wrote nothing, or only
// deleted, leaves none, and where somebody else has touched a profile last, or
// a refused create has given a name back, the answer is the revision that
// profile bears: an older one, which asks less of the next.
func LastRevisions(profiles []Profile, owner string) []string {
	current, earlier := latest{}, latest{}
	for _, p := range profiles {
		marks := p.Marks()
		switch {
		case marks.Owner != owner || marks.Revision == "":
		case marks.Superseded == "":
			current = current.with(p, marks.Revision)
		default:
			earlier = earlier.with(p, marks.Revision)
		}
	}
	if len(current.revisions) == 0 {
		current = earlier
	}
	slices.Sort(current.revisions)
	return slices.Compact(current.revisions)
}

// latest is what was written at the latest of some times.
type latest struct {
	at        time.Time
	revisions []string
}

func (l latest) with(p Profile, revision string) latest {
	written := p.Created
	if p.Updated.After(written) {
		written = p.Updated
	}
	switch order := written.Compare(l.at); {
	case order > 0 || len(l.revisions) == 0:
		return latest{written, []string{revision}}
	case order == 0:
		l.revisions = append(l.revisions, revision)
	}
	return l
}
