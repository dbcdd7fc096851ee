package live_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"profilesync/internal/live"
	"profilesync/internal/profile"
)

// cloud is a Reader that answers what it holds.
type cloud struct {
	scope                          live.Scope
	profiles                       []live.Profile
	users                          map[string][]live.User
	scopeErr, profilesErr, userErr error
}

func (c cloud) Scope(context.Context) (live.Scope, error)             { return c.scope, c.scopeErr }
func (c cloud) Profiles(context.Context) ([]live.Profile, error)      { return c.profiles, c.profilesErr }
func (c cloud) Users(context.Context) (map[string][]live.User, error) { return c.users, c.userErr }

func at(id, project string, second int64) live.Profile {
	return live.Profile{ID: id, Project: project, Created: time.Unix(second, 0)}
}

func ids(profiles []live.Profile) []string {
	var all []string
	for _, p := range profiles {
		all = append(all, p.ID)
	}
	return all
}

func TestASnapshotHoldsOnlyTheTokensProject(t *testing.T) {
	snapshot, err := live.Read(t.Context(), cloud{
		scope:    live.Scope{Project: "mine", Region: "north"},
		profiles: []live.Profile{at("a", "mine", 1), at("b", "theirs", 2), at("c", "", 3), at("d", "MINE", 4), at("e", "mine", 5)},
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := ids(snapshot.Profiles); !slices.Equal(got, []string{"a", "e"}) {
		t.Errorf("holds %q", got)
	}
	if snapshot.Project != "mine" || snapshot.Region != "north" || snapshot.UsersRead || snapshot.Users != nil {
		t.Errorf("snapshot of %+v", snapshot.Scope)
	}
}

func TestASnapshotIsOrderedByAgeAndThenByID(t *testing.T) {
	snapshot, err := live.Read(t.Context(), cloud{
		scope:    live.Scope{Project: "p"},
		profiles: []live.Profile{at("c", "p", 2), at("b", "p", 3), at("d", "p", 2), at("a", "p", 2), at("z", "p", 1)},
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := ids(snapshot.Profiles); !slices.Equal(got, []string{"z", "a", "c", "d", "b"}) {
		t.Errorf("in the order %q", got)
	}
}

func TestAProfileListedTwiceIsHeldOnce(t *testing.T) {
	moved := at("a", "p", 2)
	moved.Name = "renamed between two pages"
	snapshot, err := live.Read(t.Context(), cloud{
		scope:    live.Scope{Project: "p"},
		profiles: []live.Profile{at("a", "p", 2), at("b", "p", 2), moved, at("b", "p", 2)},
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := ids(snapshot.Profiles); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("holds %q", got)
	}
}

func TestATokenWithoutAProjectReadsNothing(t *testing.T) {
	_, err := live.Read(t.Context(), cloud{profiles: []live.Profile{at("a", "", 1)}})
	if !errors.Is(err, profile.ErrDenied) {
		t.Errorf("error is %v", err)
	}
}

func TestErrorsSayWhatWasRead(t *testing.T) {
	cause := fmt.Errorf("server is down: %w", profile.ErrUnavailable)
	scoped := live.Scope{Project: "p"}
	for _, row := range []struct {
		name   string
		reader cloud
		says   string
	}{
		{"the scope", cloud{scopeErr: cause}, "project of the token: server is down"},
		{"the profiles", cloud{scope: scoped, profilesErr: cause}, "list of profiles: server is down"},
		{"the users", cloud{scope: scoped, userErr: cause}, "list of clusters, nodes and actions: server is down"},
	} {
		t.Run(row.name, func(t *testing.T) {
			snapshot, err := live.Read(t.Context(), row.reader)
			if err == nil {
				snapshot, err = snapshot.WithUsers(t.Context(), row.reader)
			}
			if !errors.Is(err, profile.ErrUnavailable) || !strings.HasPrefix(err.Error(), row.says) {
				t.Errorf("error is %v", err)
			}
			if !reflect.DeepEqual(snapshot, live.Snapshot{}) {
				t.Error("half a snapshot was returned")
			}
		})
	}
}

func TestUsersAreOrderedByKindNameAndID(t *testing.T) {
	reader := cloud{scope: live.Scope{Project: "p"}, users: map[string][]live.User{"a": {
		{Kind: live.Node, Name: "n1", ID: "5"},
		{Kind: live.Cluster, Name: "b", ID: "4"},
		{Kind: live.Cluster, Name: "a", ID: "3"},
		{Kind: live.Cluster, Name: "a", ID: "2"},
		{Kind: live.Cluster, Name: "a1", ID: "1"},
		{Kind: live.Action, Name: "z", ID: "0"},
	}}}
	without, err := live.Read(t.Context(), reader)
	if err != nil {
		t.Fatal(err)
	}
	with, err := without.WithUsers(t.Context(), reader)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, user := range with.Users["a"] {
		got = append(got, user.ID)
	}
	if !slices.Equal(got, []string{"0", "2", "3", "1", "4", "5"}) {
		t.Errorf("in the order %q", got)
	}
	if !with.UsersRead || without.UsersRead || without.Users != nil {
		t.Error("the snapshot without users was written to")
	}
}

func TestPrintingALiveProfileNamesItsIDAndNoSecret(t *testing.T) {
	p := at("0a1b", "p", 1)
	p.Name, p.Spec.Properties = "web", profile.Properties{"user_data": "hunter2"}
	holder := struct{ P *live.Profile }{&p}
	for _, text := range []string{fmt.Sprintf("%+v", p), fmt.Sprintf("%s", holder), fmt.Sprintf("%v", &p)} {
		if !strings.Contains(text, "0a1b") || !strings.Contains(text, "web") || strings.Contains(text, "hunter2") {
			t.Errorf("printed as %s", text)
		}
	}
}
