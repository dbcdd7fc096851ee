package diff_test

import (
	"fmt"
	"maps"
	"time"

	"pgregory.net/rapid"

	"profilesync/internal/desired"
	"profilesync/internal/diff"
	"profilesync/internal/live"
	"profilesync/internal/profile"
)

// world is one input of Compare.
type world struct {
	want desired.Set
	have live.Snapshot
	opts diff.Options
}

func (w world) plan() diff.Plan { return diff.Compare(w.want, w.have, w.opts) }

// planted stands in every secret of every world.
const planted = "planted-secret"

// worlds draws inputs in which everything collides: few names, few specs, few
// labels, few moments, many states.
func worlds() *rapid.Generator[world] {
	return rapid.Custom(func(t *rapid.T) world {
		w := world{want: desired.Set{Revision: "r1"}, opts: diff.Options{
			Target: "prod", Cloud: "north", Owner: "us",
			Prune: rapid.Bool().Draw(t, "prune"), Adopt: rapid.Bool().Draw(t, "adopt"),
		}}
		for _, name := range rapid.SliceOfNDistinct(names(), 0, 4, rapid.ID).Draw(t, "desired") {
			w.want.Items = append(w.want.Items, drawItem(t, name))
		}
		w.have = live.Snapshot{Scope: live.Scope{Project: project, Region: "here"}, UsersRead: true, Users: map[string][]live.User{}}
		for n := range rapid.IntRange(0, 8).Draw(t, "profiles") {
			p := drawProfile(t, n)
			w.have.Profiles = append(w.have.Profiles, p)
			if rapid.IntRange(0, 2).Draw(t, "use") == 0 {
				w.have.Users[p.ID] = []live.User{{Kind: live.Cluster, ID: "c-" + p.ID, Name: "front", Status: "ACTIVE"}}
			}
		}
		return w
	})
}

func names() *rapid.Generator[string] {
	return rapid.SampledFrom([]string{"web", "db", "api", "job"})
}

func drawItem(t *rapid.T, name string) desired.Item {
	item := desired.Item{
		Profile: profile.Profile{Name: name, Metadata: labels(t), Spec: drawSpec(t)},
		File:    name + ".yaml", Line: rapid.IntRange(1, 9).Draw(t, "line"),
	}
	if protect := rapid.IntRange(0, 3).Draw(t, "protect"); protect < 2 {
		item.Lifecycle.Protect = new(protect == 1)
	}
	return item
}

func drawProfile(t *rapid.T, n int) live.Profile {
	p := live.Profile{
		Profile: profile.Profile{Name: names().Draw(t, "name"), Spec: drawSpec(t)},
		ID:      fmt.Sprintf("%08d-live", n), Project: project,
		Created: time.Unix(int64(rapid.IntRange(0, 3).Draw(t, "created")), 0),
	}
	marks := profile.Marks{Owner: "us", Protected: rapid.IntRange(0, 5).Draw(t, "protected") == 0}
	switch rapid.IntRange(0, 7).Draw(t, "kind") {
	case 0:
		marks.Owner = "them"
	case 1:
		marks.Owner = ""
	case 2, 3:
		marks.Superseded, p.Name = p.Name, profile.AsideName(p.Name, p.ID)
		if rapid.IntRange(0, 3).Draw(t, "renamed by hand") == 0 {
			p.Name = rapid.SampledFrom([]string{"web", "DB", "api", "precious"}).Draw(t, "hand's name")
		}
	}
	p.Metadata = marks.On(labels(t))
	return p
}

func labels(t *rapid.T) map[string]any {
	return maps.Clone(rapid.SampledFrom([]map[string]any{
		nil,
		{"team": "a"},
		{"team": nil},
		{"team": map[string]any{"lead": "x"}, "tier": []any{"front", nil}},
	}).Draw(t, "labels"))
}

// drawSpec draws one of a few specs; each holds a secret, some where a shape
// changes from one to the other.
func drawSpec(t *rapid.T) profile.Spec {
	properties := rapid.SampledFrom([]profile.Properties{
		{"user_data": planted},
		{"user_data": planted + " too", "context": map[string]any{"auth_token": planted, "region_name": "r"}},
		{"context": "none", "parameters": map[string]any{"a": planted}},
		{"context": []any{map[string]any{"password": planted}}, "parameters": nil},
	}).Draw(t, "properties")
	return profile.Spec{Type: "os.nova.server", Version: "1.0", Properties: properties}
}
