// Package live owns the snapshot of a cloud: the profiles of one project, and
// who holds on to them.
//
// It reads through a small [Reader] and keeps only what lies in the token's
// own project: an admin's token is shown every project's profiles by Senlin,
// and none of those may ever be changed.
//
// The package never writes to a cloud, never decides anything, and knows no
// HTTP.
package live

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"profilesync/internal/profile"
)

// Profile is a profile as the cloud holds it.
type Profile struct {
	profile.Profile
	ID      string    // dashed UUID; the only way this program addresses a profile
	Project string    // id of the project it lies in
	Created time.Time // whole seconds
	Updated time.Time // zero until the first change of its labels
}

// Marks reads this program's marks out of the profile's metadata.
func (p Profile) Marks() profile.Marks { return profile.MarksOf(p.Metadata) }

// Format writes the id and the profile with its properties redacted, whatever
// the verb.
func (p Profile) Format(state fmt.State, _ rune) {
	_, _ = fmt.Fprintf(state, "{%s %v}", p.ID, p.Profile)
}

// Kind says what holds on to a profile.
type Kind string

// The kinds of users. An action is an unfinished one that is about to move a
// cluster or node to the profile; Senlin itself does not count it as use.
const (
	Cluster Kind = "cluster"
	Node    Kind = "node"
	Action  Kind = "action"
)

// User is something that holds on to a profile.
type User struct {
	Kind    Kind
	ID      string
	Name    string
	Project string // id; may differ from the profile's own
	Status  string // Senlin's word: "ACTIVE", "UPDATING", "RUNNING", ...
}

// Scope is where a token's requests land.
type Scope struct {
	Project string // id
	Region  string // name, may be empty
}

// Reader reads a cloud. Its methods never change anything, may be called from
// several goroutines at once, and end within a deadline of their own.
type Reader interface {
	// Scope names the project the token belongs to.
	Scope(ctx context.Context) (Scope, error)
	// Profiles lists every profile the token can see, read whole whether the
	// server pages or not; the order does not matter.
	Profiles(ctx context.Context) ([]Profile, error)
	// Users lists what holds on to profiles, by profile id: clusters and nodes
	// in any status and any project the token can see, and unfinished actions.
	Users(ctx context.Context) (map[string][]User, error)
}

// Snapshot is one project's profiles at one moment.
type Snapshot struct {
	Scope
	Profiles  []Profile         // oldest first, ties by id
	Users     map[string][]User // by profile id; meaningful only when UsersRead
	UsersRead bool
}

// Read takes a snapshot of the profiles, without their users: they cost three
// more lists and matter only when something is to be deleted or superseded.
func Read(ctx context.Context, reader Reader) (Snapshot, error) {
	scope, err := reader.Scope(ctx)
	if err != nil {
		return Snapshot{}, fmt.Errorf("project of the token: %w", err)
	}
	if scope.Project == "" {
		return Snapshot{}, fmt.Errorf("token is not scoped to a project: %w", profile.ErrDenied)
	}
	all, err := reader.Profiles(ctx)
	if err != nil {
		return Snapshot{}, fmt.Errorf("list of profiles: %w", err)
	}
	own := make([]Profile, 0, len(all))
	for _, p := range all {
		if p.Project == scope.Project {
			own = append(own, p)
		}
	}
	slices.SortFunc(own, Older)
	// A list that shifts while it is paged can hold a profile twice; taken for two,
	// one would be deleted as the other's duplicate.
	own = slices.CompactFunc(own, func(a, b Profile) bool { return a.ID == b.ID })
	return Snapshot{Scope: scope, Profiles: own}, nil
}

// WithUsers returns the snapshot with the users read.
func (s Snapshot) WithUsers(ctx context.Context, reader Reader) (Snapshot, error) {
	users, err := reader.Users(ctx)
	if err != nil {
		return Snapshot{}, fmt.Errorf("list of clusters, nodes and actions: %w", err)
	}
	for _, list := range users {
		slices.SortFunc(list, func(a, b User) int {
			return strings.Compare(string(a.Kind)+a.Name+"\x00"+a.ID, string(b.Kind)+b.Name+"\x00"+b.ID)
		})
	}
	s.Users, s.UsersRead = users, true
	return s, nil
}

// Older orders profiles by age, oldest first, ties by id.
func Older(a, b Profile) int {
	if order := a.Created.Compare(b.Created); order != 0 {
		return order
	}
	return strings.Compare(a.ID, b.ID)
}
