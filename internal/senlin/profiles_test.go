package senlin

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"profilesync/internal/devcloud"
	"profilesync/internal/profile"
)

func TestALifeOfAProfile(t *testing.T) {
	r := connect(t, devcloud.Options{}, demo())
	want := server("web")
	want.Spec.Properties["auto_disk_config"] = true
	want.Spec.Properties["metadata"] = map[string]any{"n": json.Number("12345678901234567890"), "f": json.Number("1.50"), "s": "<&>"}
	want.Metadata = map[string]any{"team": "web", "n": json.Number("9007199254740993")}

	if err := r.Validate(t.Context(), want.Spec); err != nil {
		t.Fatal(err)
	}
	made := r.create(t, want)
	scope, err := r.Scope(t.Context())
	if err != nil || made.Project != scope.Project || scope.Region != "RegionOne" {
		t.Errorf("made in project %q, scope %+v, %v", made.Project, scope, err)
	}
	if !made.Spec.Equal(want.Spec) || !profile.Equal(made.Metadata, want.Metadata) || made.Created.IsZero() || !made.Updated.IsZero() {
		t.Errorf("made %+v", made)
	}
	if n := made.Spec.Properties["metadata"].(map[string]any)["n"]; n != json.Number("12345678901234567890") {
		t.Errorf("the number became %v", n)
	}
	read, err := r.Profile(t.Context(), made.ID)
	if err != nil || read.ID != made.ID || !read.Spec.Equal(want.Spec) {
		t.Errorf("read %+v, %v", read, err)
	}
	listed, err := r.Profiles(t.Context())
	if err != nil || len(listed) != 1 || !listed[0].Spec.Equal(want.Spec) || !profile.Equal(listed[0].Metadata, want.Metadata) {
		t.Errorf("listed %+v, %v", listed, err)
	}

	changed, err := r.Update(t.Context(), made.ID, "web~1", map[string]any{"n": json.Number("1.0")})
	if err != nil || changed.Name != "web~1" || !profile.Equal(changed.Metadata, map[string]any{"n": json.Number("1.0")}) || changed.Updated.IsZero() {
		t.Errorf("changed %+v, %v", changed, err)
	}
	cleared, err := r.Update(t.Context(), made.ID, "web~1", nil)
	if err != nil || len(cleared.Metadata) != 0 {
		t.Errorf("cleared %+v, %v", cleared, err)
	}
	if _, err = r.Update(t.Context(), made.ID, "web~1", nil); !errors.Is(err, profile.ErrUnchanged) {
		t.Errorf("a change of nothing: %v", err)
	}
	if err := r.Delete(t.Context(), made.ID); err != nil {
		t.Error(err)
	}
	_, readErr := r.Profile(t.Context(), made.ID)
	_, updateErr := r.Update(t.Context(), made.ID, "web", nil)
	for what, err := range map[string]error{"delete": r.Delete(t.Context(), made.ID), "read": readErr, "update": updateErr} {
		if !errors.Is(err, profile.ErrNotFound) {
			t.Errorf("%s of a profile that is gone: %v", what, err)
		}
	}
}

func TestValidatingStoresNothing(t *testing.T) {
	r := connect(t, devcloud.Options{}, Options{Login: demo().Login, ReadOnly: true})
	good := server("web").Spec
	if err := r.Validate(t.Context(), good); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(*profile.Spec){
		"a property that it has not": func(s *profile.Spec) {
			s.Properties = profile.Properties{"flavor": "x", "nosuch": "y", "networks": []any{}}
		},
		"no properties":              func(s *profile.Spec) { s.Properties = nil },
		"an unknown type":            func(s *profile.Spec) { s.Type = "os.nova.nope" },
		"a version without its zero": func(s *profile.Spec) { s.Version = "1" },
		"no type":                    func(s *profile.Spec) { s.Type = "" },
		"what JSON cannot say":       func(s *profile.Spec) { s.Properties = profile.Properties{"flavor": json.Number("x")} },
	} {
		spec := good
		change(&spec)
		if err := r.Validate(t.Context(), spec); !errors.Is(err, profile.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := r.Create(t.Context(), server("web")); !errors.Is(err, ErrReadOnly) || errors.Is(err, profile.ErrInDoubt) {
		t.Errorf("a read-only client created: %v", err)
	}
	if all, err := r.Profiles(t.Context()); err != nil || len(all) != 0 {
		t.Errorf("%v are there, %v", all, err)
	}
}

func TestAnErrorDoesNotShowWhatIsSecret(t *testing.T) {
	r := connect(t, devcloud.Options{}, demo())
	r.between(func(req *http.Request, _ http.RoundTripper) (*http.Response, error) {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return nil, err
		}
		message, err := json.Marshal("cannot use " + string(body))
		if err != nil {
			return nil, err
		}
		return says(req, 400, `{"error": {"type": "InvalidSpec", "message": `+string(message)+`}}`)
	})
	const secret = "correct horse"
	for name, value := range map[string]any{
		"user_data": "#cloud-config\n" + secret + "\n", "admin_pass": secret, "personality": []any{map[string]any{"contents": secret}},
		"parameters": map[string]any{"db": map[string]any{"n": json.Number("20261122"), "password": secret}}, "files": map[string]any{"a": secret},
		"context": map[string]any{"auth_token": secret},
	} {
		bad := server("web")
		bad.Spec.Properties = profile.Properties{"flavor": "m1.small", name: value}
		for _, err := range []error{r.Validate(t.Context(), bad.Spec), second(r.Create(t.Context(), bad))} {
			if err == nil || strings.Contains(err.Error(), "horse") || strings.Contains(err.Error(), "20261122") ||
				!strings.Contains(err.Error(), "m1.small") || !strings.Contains(err.Error(), profile.Redacted) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

func TestOnlyAFullIDIsAskedFor(t *testing.T) {
	r := connect(t, devcloud.Options{}, demo())
	made := r.create(t, server("web"))
	r.since()
	for _, id := range []string{"", "web", "%", "_", made.ID[:8], strings.ReplaceAll(made.ID, "-", ""), made.ID + " ", "../clusters", strings.Repeat("-", 36)} {
		_, readErr := r.Profile(t.Context(), id)
		_, updateErr := r.Update(t.Context(), id, "x", nil)
		for _, err := range []error{readErr, updateErr, r.Delete(t.Context(), id)} {
			if !errors.Is(err, profile.ErrNotFound) {
				t.Errorf("%q: %v", id, err)
			}
		}
	}
	if asked := r.since(); len(asked) != 0 {
		t.Errorf("asked %q", asked)
	}
	if _, err := r.Profile(t.Context(), strings.ToUpper(made.ID)); err != nil {
		t.Error(err)
	}
}

func TestAProfileThatIsNamedLikeTheIDIsNotIt(t *testing.T) {
	const id = "00000000-1111-2222-3333-444444444444"
	r := connect(t, devcloud.Options{}, demo())
	other := r.create(t, server(id))
	if _, err := r.Profile(t.Context(), id); !errors.Is(err, profile.ErrNotFound) {
		t.Errorf("got %v", err)
	}
	if _, err := r.Update(t.Context(), id, "x", nil); !errors.Is(err, profile.ErrNotFound) || !strings.Contains(err.Error(), other.ID) {
		t.Errorf("got %v", err)
	}
	r.create(t, server(id))
	r.create(t, server(id))
	if _, err := r.Profile(t.Context(), id); !errors.Is(err, profile.ErrNotFound) {
		t.Errorf("several bear it: %v", err)
	}
}
