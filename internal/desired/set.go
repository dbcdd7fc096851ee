package desired

import "profilesync/internal/profile"

// Set is everything the documents of one revision ask for.
type Set struct {
	Revision string // 40-hex commit, or a hash of the files for a plain directory
	Items    []Item // by name, each name once
}

// Item is one wanted profile and where it was asked for.
type Item struct {
	profile.Profile        // Metadata holds no marks
	File            string // slash-separated, relative to the source's path
	Line            int    // of the document's first line, from 1
	Lifecycle       Lifecycle
}

// Lifecycle is what a document says about how its profile may be treated.
type Lifecycle struct {
	// Protect forbids deleting the profile when its document goes. Nil says
	// nothing: a mark on the live profile stays as it is. Only false lifts it.
	Protect *bool
}
