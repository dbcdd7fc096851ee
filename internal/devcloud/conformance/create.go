package conformance

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func (s suite) creating(t *testing.T) {
	t.Run("201 carries the whole profile and no Location", s.createAnswers)
	t.Run("the spec comes back as it was sent, keys sorted", s.specEcho)
	t.Run("metadata keeps any value under any key", s.metadataEcho)
	t.Run("a spec that is not one", s.specErrors)
	t.Run("a spec that one would not think to be one", s.specsTaken)
	t.Run("a body that is not one", s.bodyErrors)
	t.Run("names", s.names)
}

// profileKeys are the members of a profile, the same in every answer.
var profileKeys = []string{"created_at", "domain", "id", "metadata", "name", "project", "spec", "type", "updated_at", "user"}

func (s suite) createAnswers(t *testing.T) {
	name := unique("create")
	made := s.a.makes(t, newProfile(name, server, ""))
	made.hasRequestID(t)
	if got := made.header.Get("Location"); got != "" {
		t.Errorf("got Location %q, want none", got)
	}
	profile := made.object(t, "profile")
	if got := sortedKeys(profile); !slices.Equal(got, profileKeys) {
		t.Errorf("got members %v, want %v", got, profileKeys)
	}
	id, _ := profile["id"].(string)
	if !dashedID.MatchString(id) {
		t.Errorf("got id %q, want a UUID with dashes", id)
	}
	if created, _ := profile["created_at"].(string); !wholeTime.MatchString(created) {
		t.Errorf("got created_at %v, want whole seconds in UTC", profile["created_at"])
	}
	for key, want := range map[string]any{
		"name": name, "type": "os.nova.server-1.0", "updated_at": nil, "domain": nil, "project": s.a.project, "user": s.a.user,
	} {
		if profile[key] != want {
			t.Errorf("got %s %v, want %v", key, profile[key], want)
		}
	}
	if got := made.raw(t, "profile", "metadata"); got != "{}" {
		t.Errorf("got metadata %s, want {}", got)
	}
	again := s.a.get(t, "/v1/profiles/"+id).want(t, 200)
	for _, key := range profileKeys {
		if got, want := again.raw(t, "profile", key), made.raw(t, "profile", key); got != want {
			t.Errorf("GET has %s %s, the create answer %s", key, got, want)
		}
	}
}

func (s suite) specEcho(t *testing.T) {
	for _, c := range []struct{ name, sent, want string }{
		{"a plain server", server, server},
		{
			"keys in any order", `{"version":"1.0","type":"os.nova.server","properties":{"networks":[],"flavor":"f"}}`,
			`{"properties":{"flavor":"f","networks":[]},"type":"os.nova.server","version":"1.0"}`,
		},
		{
			"the version as the number 1.0", `{"properties":{"flavor":"f","networks":[]},"type":"os.nova.server","version":1.0}`,
			`{"properties":{"flavor":"f","networks":[]},"type":"os.nova.server","version":1.0}`,
		},
		{
			"the version as 1.00", `{"properties":{"flavor":"f","networks":[]},"type":"os.nova.server","version":1.00}`,
			`{"properties":{"flavor":"f","networks":[]},"type":"os.nova.server","version":1.0}`,
		},
		{
			"the version as 1.0e0", `{"properties":{"flavor":"f","networks":[]},"type":"os.nova.server","version":1.0e0}`,
			`{"properties":{"flavor":"f","networks":[]},"type":"os.nova.server","version":1.0}`,
		},
		{
			"numbers where text is meant", `{"properties":{"flavor":5,"name":7,"networks":[]},"type":"os.nova.server","version":"1.0"}`,
			`{"properties":{"flavor":5,"name":7,"networks":[]},"type":"os.nova.server","version":"1.0"}`,
		},
		{
			"a list where text is meant", `{"properties":{"flavor":["a"],"networks":[]},"type":"os.nova.server","version":"1.0"}`,
			`{"properties":{"flavor":["a"],"networks":[]},"type":"os.nova.server","version":"1.0"}`,
		},
		{
			"text where a boolean is meant", `{"properties":{"config_drive":"yes","flavor":"f","networks":[]},"type":"os.nova.server","version":"1.0"}`,
			`{"properties":{"config_drive":"yes","flavor":"f","networks":[]},"type":"os.nova.server","version":"1.0"}`,
		},
		{
			"free values in a map", `{"properties":{"flavor":"f","metadata":{"z":12345678901234567890,"a":[1.0,1e2,-0.0,null,true,{"y":1,"b":2}]},"networks":[]},"type":"os.nova.server","version":"1.0"}`,
			`{"properties":{"flavor":"f","metadata":{"a":[1.0,100.0,-0.0,null,true,{"b":2,"y":1}],"z":12345678901234567890},"networks":[]},"type":"os.nova.server","version":"1.0"}`,
		},
		{
			"a stack with its template", `{"type":"os.heat.stack","version":"1.0","properties":{"template":{"heat_template_version":"2018-08-31"}}}`,
			`{"properties":{"template":{"heat_template_version":"2018-08-31"}},"type":"os.heat.stack","version":"1.0"}`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			made := s.a.makes(t, newProfile(unique("spec"), c.sent, ""))
			if got := made.raw(t, "profile", "spec"); got != c.want {
				t.Errorf("created with spec\n\t%s, want\n\t%s", got, c.want)
			}
			id, _ := made.object(t, "profile")["id"].(string)
			if got := s.a.get(t, "/v1/profiles/"+id).want(t, 200).raw(t, "profile", "spec"); got != c.want {
				t.Errorf("read back with spec\n\t%s, want\n\t%s", got, c.want)
			}
		})
	}
}

func (s suite) metadataEcho(t *testing.T) {
	long := strings.Repeat("k", 300)
	for _, c := range []struct{ name, sent, want string }{
		{"left out", ``, `{}`},
		{"empty", `,"metadata":{}`, `{}`},
		{"null", `,"metadata":null`, `{}`},
		{"text", `,"metadata":{"team":"web"}`, `{"team":"web"}`},
		{"an integer beyond 64 bits", `,"metadata":{"n":12345678901234567890}`, `{"n":12345678901234567890}`},
		{"a float that is whole", `,"metadata":{"n":1.0}`, `{"n":1.0}`},
		{"an exponent", `,"metadata":{"n":1e3,"m":1e100,"o":1.5e-7}`, `{"m":1e+100,"n":1000.0,"o":1.5e-07}`},
		{"a float with too many digits", `,"metadata":{"n":0.1234567890123456789}`, `{"n":0.12345678901234568}`},
		{"an integer and a float that are equal", `,"metadata":{"i":1,"f":1.0}`, `{"f":1.0,"i":1}`},
		{"nested", `,"metadata":{"b":{"d":[1,null,{"y":true,"x":false}],"c":{}},"a":[]}`, `{"a":[],"b":{"c":{},"d":[1,null,{"x":false,"y":true}]}}`},
		{"null under a key", `,"metadata":{"n":null}`, `{"n":null}`},
		{"keys with any character", `,"metadata":{"a.b/c:d$e'f g":1,"":2}`, `{"":2,"a.b/c:d$e'f g":1}`},
		{"a long key", `,"metadata":{"` + long + `":1}`, `{"` + long + `":1}`},
		{"the last of a repeated key", `,"metadata":{"k":1,"k":2}`, `{"k":2}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			made := s.a.makes(t, newProfile(unique("meta"), server, c.sent))
			if got := made.raw(t, "profile", "metadata"); got != c.want {
				t.Errorf("created with metadata %s, want %s", got, c.want)
			}
			id, _ := made.object(t, "profile")["id"].(string)
			if got := s.a.get(t, "/v1/profiles/"+id).want(t, 200).raw(t, "profile", "metadata"); got != c.want {
				t.Errorf("read back with metadata %s, want %s", got, c.want)
			}
		})
	}
	t.Run("text of every script", func(t *testing.T) {
		want := map[string]any{"größe": "日本 🚀 \u0000 \u2028 </script> \\ \""}
		made := s.a.makes(t, newProfile(unique("meta"), server, `,"metadata":`+quote(want)))
		if got := made.object(t, "profile")["metadata"]; fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("got metadata %q, want %q", got, want)
		}
	})
	t.Run("beyond any float it makes the answer no JSON", func(t *testing.T) {
		name := unique("meta")
		made := s.a.post(t, "/v1/profiles", newProfile(name, server, `,"metadata":{"n":1e400}`)).want(t, 201)
		s.a.deletesLater(t, "/v1/profiles/"+name)
		if !strings.Contains(made.body, `"metadata": {"n": Infinity}`) {
			t.Errorf("got %s, want the number as Infinity", made.excerpt())
		}
	})
	for name, c := range map[string]struct{ sent, message string }{
		"a list":   {`[]`, "[] is not of type 'object', 'null'"},
		"a number": {`5`, "5 is not of type 'object', 'null'"},
		"true":     {`true`, "True is not of type 'object', 'null'"},
		"text":     {`"x"`, "..."},
	} {
		t.Run(name+" is refused", func(t *testing.T) {
			s.a.post(t, "/v1/profiles", newProfile(unique("meta"), server, `,"metadata":`+c.sent)).refused(t, 400, "HTTPBadRequest", c.message)
		})
	}
}
