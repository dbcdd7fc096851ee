package senlin

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"profilesync/internal/live"
	"profilesync/internal/profile"
)

// listOf is an answer with n profiles of an ordinary size, 4.7 MB for 10,000.
func listOf(n int) []byte {
	var list strings.Builder
	list.WriteString(`{"profiles": [`)
	for i := range n {
		if i > 0 {
			list.WriteString(", ")
		}
		fmt.Fprintf(&list, `{"created_at": "2026-11-22T19:35:15Z", "domain": null, "id": "%08x-2d8d-4883-929c-5c2be1164c8b", `+
			`"metadata": {"profilesync.owner": "ops", "team": "web", "n": 12345678901234567890}, "name": "web-%d", `+
			`"project": "1a9e911bc3cf4a528a53c113ab6e0a63", "spec": {"properties": {"flavor": "m1.small", "image": "cirros", `+
			`"key_name": "k", "name": "srv", "networks": [{"network": "private"}]}, "type": "os.nova.server", "version": 1.0}, `+
			`"type": "os.nova.server-1.0", "updated_at": null, "user": "7e091ce202bd4c08b155eaea164d222c"}`, i, i)
	}
	list.WriteString(`]}`)
	return []byte(list.String())
}

func BenchmarkDecodeProfiles(b *testing.B) {
	body := listOf(10_000)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		profiles, err := decodeProfiles(body)
		if err != nil || len(profiles) != 10_000 {
			b.Fatal(len(profiles), err)
		}
	}
}

func TestHowAProfileIsRead(t *testing.T) {
	const id = `"id": "x", "name": "web", "project": "p"`
	day := time.Date(2026, 11, 22, 19, 35, 15, 0, time.UTC)
	for _, row := range []struct {
		name, fields string
		check        func(live.Profile) bool
	}{
		{"version as text", `"spec": {"version": "1.0"}`, func(p live.Profile) bool { return p.Spec.Version == "1.0" }},
		{"version as a number", `"spec": {"version": 1.0}`, func(p live.Profile) bool { return p.Spec.Version == "1.0" }},
		{"version with an escape", `"spec": {"version": "1\u002e0"}`, func(p live.Profile) bool { return p.Spec.Version == "1.0" }},
		{"version null", `"spec": {"version": null, "type": null}`, func(p live.Profile) bool { return p.Spec.Version == "" }},
		{"no spec", `"spec": null`, func(p live.Profile) bool { return p.Spec.Type == "" }},
		{"metadata null", `"metadata": null`, func(p live.Profile) bool { return len(p.Metadata) == 0 }},
		{"a number keeps its text", `"metadata": {"n": 1.50}`, func(p live.Profile) bool { return p.Metadata["n"] == json.Number("1.50") }},
		{"a big number", `"spec": {"properties": {"n": [12345678901234567890]}}`, func(p live.Profile) bool {
			return p.Spec.Properties["n"].([]any)[0] == json.Number("12345678901234567890")
		}},
		{"an infinity", `"metadata": {"n": Infinity, "m": -Infinity, "o": NaN, "Infinity": "say \"NaN\", Infinity\\"}`, func(p live.Profile) bool {
			return p.Metadata["n"] == json.Number("1e999") && p.Metadata["m"] == json.Number("-1e999") && p.Metadata["o"] == "NaN" &&
				p.Metadata["Infinity"] == `say "NaN", Infinity\`
		}},
		{"a time", `"created_at": "2026-11-22T19:35:15Z"`, func(p live.Profile) bool { return p.Created.Equal(day) }},
		{"a time without a zone", `"created_at": "2026-11-22T19:35:15"`, func(p live.Profile) bool { return p.Created.Equal(day) }},
		{"a time with parts of seconds", `"created_at": "2026-11-22T19:35:15.000000"`, func(p live.Profile) bool { return p.Created.Equal(day) }},
		{"a time of another zone", `"created_at": "2026-11-22T20:35:15+01:00"`, func(p live.Profile) bool { return p.Created.Equal(day) }},
		{"a time with a space", `"created_at": "2026-11-22 19:35:15"`, func(p live.Profile) bool { return p.Created.Equal(day) }},
		{"no time yet", `"updated_at": null`, func(p live.Profile) bool { return p.Updated.IsZero() }},
		{"an empty time", `"updated_at": ""`, func(p live.Profile) bool { return p.Updated.IsZero() }},
		{"not a time", `"updated_at": {"a": [1]}`, func(p live.Profile) bool { return p.Updated.IsZero() }},
		{"fields that nobody knows", `"domain": null, "user": "u", "location": {"cloud": "x"}`, func(p live.Profile) bool { return p.Name == "web" }},
	} {
		t.Run(row.name, func(t *testing.T) {
			p, err := decodeProfile([]byte(`{"profile": {` + id + ", " + row.fields + "}}"))
			if err != nil || p.ID != "x" || p.Project != "p" || !row.check(p) {
				t.Errorf("got %v, %v", p, err)
			}
		})
	}
}

func TestWhatIsEmptyIsWrittenAsAnEmptyObject(t *testing.T) {
	body, err := encode(map[string]any{"metadata": wireMetadata(nil), "spec": wireSpec(profile.Spec{Type: "t", Version: "1.0"})})
	want := `{"profile":{"metadata":{},"spec":{"properties":{},"type":"t","version":"1.0"}}}`
	if err != nil || string(body) != want {
		t.Errorf("got %s, %v, want %s", body, err, want)
	}
}

// values are JSON values as a profile holds them.
func values() *rapid.Generator[any] {
	leaf := rapid.OneOf(
		rapid.Just(any(nil)),
		rapid.Map(rapid.Bool(), func(b bool) any { return b }),
		rapid.Map(rapid.StringMatching(`[a-z<&"\\é\n ]{0,8}`), func(s string) any { return s }),
		rapid.Map(rapid.StringMatching(`-?(0|[1-9][0-9]{0,25})(\.[0-9]{1,4})?([eE][+-]?[0-9]{1,3})?`), func(s string) any { return json.Number(s) }),
	)
	return rapid.OneOf(leaf,
		rapid.Map(rapid.SliceOfN(leaf, 0, 4), func(list []any) any { return list }),
		rapid.Map(rapid.MapOfN(rapid.StringMatching(`[a-z_]{0,6}`), leaf, 0, 4), func(m map[string]any) any { return m }),
	)
}

func TestWhatIsWrittenIsReadBackToTheDigit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		object := rapid.MapOfN(rapid.StringMatching(`[a-z]{1,6}`), values(), 0, 5)
		metadata, properties := object.Draw(t, "metadata"), object.Draw(t, "properties")
		spec := profile.Spec{Type: "os.nova.server", Version: rapid.StringMatching(`[0-9]\.[0-9]{1,2}`).Draw(t, "version"), Properties: properties}
		body, err := encode(map[string]any{"id": "x", "metadata": wireMetadata(metadata), "spec": wireSpec(spec)})
		if err != nil {
			t.Fatal(err)
		}
		p, err := decodeProfile(body)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(map[string]any(p.Spec.Properties), properties) || !reflect.DeepEqual(p.Metadata, metadata) ||
			p.Spec.Version != spec.Version {
			t.Fatalf("%s came back as %v", body, p)
		}
	})
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"profiles": [{"id": "x", "created_at": "2026-11-22T19:35:15Z", "spec": {"version": 1.0, "properties": {"n": NaN}}}]}`))
	f.Add([]byte(`{"profile": {"id": "x", "metadata": {"a": -Infinity}}}`))
	f.Add([]byte(`{"actions": [{"id": "x", "inputs": {"new_profile_id": "y"}, "dependents": {"profiles": ["z"]}}]}`))
	f.Add([]byte(`{"profiles": [{"id": "x"`))
	f.Fuzz(func(t *testing.T, body []byte) {
		if all, err := decodeProfiles(body); err == nil {
			for _, p := range all {
				if p.ID == "" {
					t.Error("a profile without an id")
				}
				if _, err := encode(map[string]any{"metadata": p.Metadata, "spec": wireSpec(p.Spec)}); err != nil {
					t.Error("what was read cannot be written:", err)
				}
			}
		}
		if p, err := decodeProfile(body); err == nil && p.ID == "" {
			t.Error("a profile without an id")
		}
		if all, err := holders(live.Action, "actions", nil).decode(body); err == nil {
			for _, h := range all {
				if h.user.ID == "" {
					t.Error("an action without an id")
				}
			}
		}
	})
}

func BenchmarkList10000(b *testing.B) {
	body := string(listOf(10_000))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodPost:
			w.Header().Set("X-Subject-Token", "t")
			w.WriteHeader(http.StatusCreated)
			fmt.Fprintf(w, `{"token": {"project": {"id": "p"}, "catalog": [{"type": "clustering", "endpoints": [{"interface": "public", "url": "http://%s"}]}]}}`, r.Host)
		case r.URL.Path == "/v1":
			fmt.Fprint(w, `{"version": {"min_version": "1.0", "max_version": "1.14"}}`)
		case r.URL.RawQuery != "":
			fmt.Fprint(w, `{"profiles": []}`)
		default:
			fmt.Fprint(w, body)
		}
	}))
	defer server.Close()
	c, err := Connect(b.Context(), Options{Login: &Login{AuthURL: server.URL + "/v3", Username: "u", Password: "p", Project: "p"}})
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	b.ReportAllocs()
	for b.Loop() {
		if all, err := c.Profiles(b.Context()); err != nil || len(all) != 10_000 {
			b.Fatal(len(all), err)
		}
	}
}
