package diff_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/yaml"

	"profilesync/internal/desired"
	"profilesync/internal/live"
	"profilesync/internal/profile"
)

// The short forms in which the files of testdata/table are written.
type (
	options struct {
		Owner        string
		Prune, Adopt bool
	}
	// document is written <name>.yaml, at revision r1.
	document struct {
		spec
		Name     string
		Metadata map[string]any
		Protect  *bool
	}
	// liveProfile is older than those that follow it.
	liveProfile struct {
		spec
		ID, Name                            string
		Owner, Source, Revision, Superseded string
		Protected                           bool
		Metadata                            map[string]any
	}
	// spec is an os.nova.server unless it says something else.
	spec struct {
		Type, Version string
		Properties    map[string]any
	}
)

const project = "p1"

func (s spec) value() profile.Spec {
	value := profile.Spec{Type: "os.nova.server", Version: "1.0", Properties: s.Properties}
	if s.Type != "" {
		value.Type = s.Type
	}
	if s.Version != "" {
		value.Version = s.Version
	}
	return value
}

func (d document) item() desired.Item {
	return desired.Item{
		Profile: profile.Profile{Name: d.Name, Metadata: d.Metadata, Spec: d.value()},
		File:    d.Name + ".yaml", Line: 1, Lifecycle: desired.Lifecycle{Protect: d.Protect},
	}
}

func (p liveProfile) profile(age int) live.Profile {
	marks := profile.Marks{
		Owner: p.Owner, Source: p.Source, Revision: p.Revision, Superseded: p.Superseded, Protected: p.Protected,
	}
	return live.Profile{
		Profile: profile.Profile{Name: p.Name, Metadata: marks.On(p.Metadata), Spec: p.value()},
		ID:      p.ID, Project: project, Created: time.Unix(int64(age), 0).UTC(),
	}
}

func setOf(documents []document) desired.Set {
	set := desired.Set{Revision: "r1"}
	for _, d := range documents {
		set.Items = append(set.Items, d.item())
	}
	return set
}

func snapshotOf(profiles []liveProfile) live.Snapshot {
	snapshot := live.Snapshot{Scope: live.Scope{Project: project, Region: "here"}}
	for age, p := range profiles {
		snapshot.Profiles = append(snapshot.Profiles, p.profile(age))
	}
	return snapshot
}

// withUsers reads users written "kind name status".
func withUsers(t *testing.T, snapshot live.Snapshot, users map[string][]string) live.Snapshot {
	t.Helper()
	snapshot.Users, snapshot.UsersRead = map[string][]live.User{}, true
	for id, texts := range users {
		for _, text := range texts {
			words := strings.Fields(text)
			if len(words) != 3 {
				t.Fatalf("user %q is not \"kind name status\"", text)
			}
			snapshot.Users[id] = append(snapshot.Users[id], live.User{
				Kind: live.Kind(words[0]), ID: words[1] + "-id", Name: words[1], Project: project, Status: words[2],
			})
		}
	}
	return snapshot
}

// decode reads YAML, or JSON where the text of a number matters.
func decode(t *testing.T, text string, into any) {
	t.Helper()
	data := []byte(text)
	if !strings.HasPrefix(text, "[") {
		var err error
		if data, err = yaml.YAMLToJSONStrict(data); err != nil {
			t.Fatal(err)
		}
	}
	if len(bytes.TrimSpace(data)) == 0 || string(data) == "null" {
		return
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
}
