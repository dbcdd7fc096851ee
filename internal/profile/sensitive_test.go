package profile

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

const secret = "hunter2"

// secretive holds a secret in every place that has one.
func secretive() Spec {
	return Spec{Type: "os.nova.server", Version: "1.0", Properties: Properties{
		"flavor":      "m1.small",
		"admin_pass":  secret,
		"user_data":   secret,
		"personality": []any{map[string]any{"path": "/etc/x", "contents": secret}},
		"parameters":  map[string]any{"db": secret},
		"files":       map[string]any{"a": secret},
		"environment": map[string]any{"b": []any{secret}},
		"context":     map[string]any{"auth_token": secret, "auth_token_info": map[string]any{"t": secret}, "region_name": "here"},
		"networks":    []any{map[string]any{"network": "private", "password": secret}, []any{map[string]any{"admin_pass": secret}}},
	}}
}

func TestEveryVerbPrintsTheRedactedForm(t *testing.T) {
	type holder struct {
		Spec    Spec
		Pointer *Profile
		Map     map[string]Spec
		List    []Properties
	}
	spec := secretive()
	things := map[string]any{
		"the properties": spec.Properties, "a spec": spec, "a pointer to a spec": &spec, "a profile": Profile{Name: "web", Spec: spec},
		"a struct that holds them": holder{spec, &Profile{Spec: spec}, map[string]Spec{"a": spec}, []Properties{spec.Properties}},
	}
	for name, thing := range things {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%T", "%10.3v"} {
			if text := fmt.Sprintf(verb, thing); strings.Contains(text, secret) || strings.Contains(text, fmt.Sprintf("%x", secret)) {
				t.Errorf("%s with %s: %s", name, verb, text)
			}
		}
		if text, err := json.Marshal(thing); err != nil || strings.Contains(string(text), secret) {
			t.Errorf("%s as JSON: %s, %v", name, text, err)
		}
	}
}

func TestWhatIsNotSecretIsShown(t *testing.T) {
	text := fmt.Sprintf("%v", secretive())
	for _, shown := range []string{"m1.small", "here", "private", Redacted, "admin_pass"} {
		if !strings.Contains(text, shown) {
			t.Errorf("%q is missing in %s", shown, text)
		}
	}
}

func TestRedactedFormIsJSON(t *testing.T) {
	for name, p := range map[string]Properties{
		`{}`: nil, `{"a":5.0,"user_data":"(sensitive)"}`: {"a": json.Number("5.0"), "user_data": nil},
	} {
		if got := fmt.Sprint(p); got != name {
			t.Errorf("printed as %s, not %s", got, name)
		}
	}
	// What cannot be marshalled is not shown by another way.
	if got := fmt.Sprint(Properties{"a": json.Number("x"), "b": secret}); got != "{}" {
		t.Errorf("printed as %s", got)
	}
}

func TestRedactingLeavesTheOriginalAlone(t *testing.T) {
	spec := secretive()
	before := spec.Fingerprint()
	spec.Properties.Redact()["flavor"] = "changed"
	RedactValue(map[string]any(spec.Properties)).(map[string]any)["networks"].([]any)[0] = "changed"
	if spec.Fingerprint() != before {
		t.Error("the properties were written to")
	}
}

func TestSensitivePaths(t *testing.T) {
	for _, row := range []struct {
		path string
		want bool
	}{
		{"user_data", true},
		{"parameters/db/0", true},
		{"context/auth_token", true},
		{"networks/0/password", true},
		{"flavor", false},
		{"metadata/user_data", false},
		{"networks/0/files", false},
		{"", false},
	} {
		if got := Sensitive(strings.Split(row.path, "/")...); got != row.want {
			t.Errorf("Sensitive(%q) = %v", row.path, got)
		}
	}
	if Sensitive() {
		t.Error("no path is a secret")
	}
}

// Law: a leaf is shown in the redacted form exactly when its path is not
// sensitive.
func TestRedactAndSensitiveAgree(t *testing.T) {
	keys := rapid.SampledFrom([]string{"user_data", "password", "auth_token", "admin_pass", "files", "a", "context"})
	rapid.Check(t, func(t *rapid.T) {
		path := rapid.SliceOfN(keys, 1, 4).Draw(t, "path")
		var value any = secret
		for i := len(path) - 1; i > 0; i-- {
			value = map[string]any{path[i]: value}
			if rapid.Bool().Draw(t, "in a list") {
				value = []any{value}
			}
		}
		text := fmt.Sprint(Properties{path[0]: value})
		if hidden := !strings.Contains(text, secret); hidden != Sensitive(path...) {
			t.Errorf("%q is printed as %s", path, text)
		}
	})
}
