package conformance

import (
	"strings"
	"testing"
)

// generic is what Senlin says when a wrong kind of value trips it up: no hint at all.
const generic = "The server could not comply with the request since it is either malformed or otherwise incorrect."

func (s suite) specErrors(t *testing.T) {
	for _, c := range badSpecs {
		t.Run(c.name, func(t *testing.T) {
			name := unique("bad")
			s.a.post(t, "/v1/profiles", newProfile(name, c.spec, "")).refused(t, c.status, c.kind, c.onCreate(name))
			s.a.misses(t, name)
		})
	}
}

func (s suite) specsTaken(t *testing.T) {
	for name, spec := range goodSpecs {
		t.Run(name, func(t *testing.T) { s.a.makes(t, newProfile(unique("good"), spec, "")) })
	}
}

func (s suite) bodyErrors(t *testing.T) {
	for _, c := range []struct{ name, body, kind, message string }{
		{"no spec", `{"profile":{"name":"x"}}`, "HTTPBadRequest", "'spec' is a required property"},
		{"no name", `{"profile":{"spec":` + server + `}}`, "HTTPBadRequest", "'name' is a required property"},
		{"spec null", `{"profile":{"name":"x","spec":null}}`, "HTTPBadRequest", "Field `spec' cannot be None"},
		{"spec a text", `{"profile":{"name":"x","spec":"abc"}}`, "HTTPBadRequest", "The value (abc) is not a valid JSON."},
		{"spec a list", `{"profile":{"name":"x","spec":[]}}`, "HTTPBadRequest", "..."},
		{"an unknown key", newProfile("x", server, `,"foo":1`), "HTTPBadRequest", "Additional properties are not allowed ('foo' was unexpected)"},
		{"no wrapper", `{"name":"x","spec":` + server + `}`, "HTTPBadRequest", "Request body missing 'profile' key."},
		{"profile null", `{"profile":null}`, "HTTPBadRequest", generic},
		{"a list", `[]`, "HTTPBadRequest", generic},
		{"broken JSON", `{"profile":`, "HTTPBadRequest", "..."},
	} {
		t.Run(c.name, func(t *testing.T) {
			s.a.post(t, "/v1/profiles", c.body).refused(t, 400, c.kind, c.message)
		})
	}
	t.Run("an empty body", func(t *testing.T) {
		s.a.do(t, "POST", "/v1/profiles", "").refused(t, 400, "HTTPBadRequest", generic)
	})
	t.Run("more than a mebibyte", func(t *testing.T) {
		body := newProfile(unique("big"), server, `,"metadata":{"k":"`+strings.Repeat("x", 1<<20)+`"}`)
		s.a.post(t, "/v1/profiles", body).refused(t, 400, "RequestLimitExceeded",
			"Request limit exceeded: JSON body size ("+itoa(len(body))+" bytes) exceeds maximum allowed size (1048576 bytes).")
	})
	t.Run("just a mebibyte is stored and read back", func(t *testing.T) {
		frame := newProfile(unique("big"), server, `,"metadata":{"k":""}`)
		value := strings.Repeat("x", 1<<20-len(frame))
		made := s.a.makes(t, strings.Replace(frame, `"k":""`, `"k":"`+value+`"`, 1))
		if got := made.object(t, "profile")["metadata"].(map[string]any)["k"]; got != value {
			t.Error("the value that came back is another one")
		}
	})
	t.Run("a key beside profile is ignored", func(t *testing.T) {
		s.a.makes(t, strings.Replace(newProfile(unique("beside"), server, ""), `{`, `{"other":1,`, 1))
	})
	t.Run("the content type", func(t *testing.T) {
		for _, kind := range []string{"text/plain", "-"} {
			s.a.with("Content-Type", kind).makes(t, newProfile(unique("kind"), server, ""))
		}
		s.a.with("Content-Type", "application/x-www-form-urlencoded").post(t, "/v1/profiles", newProfile("x", server, "")).
			refused(t, 400, "HTTPBadRequest", "...")
	})
}
