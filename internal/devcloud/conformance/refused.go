package conformance

import (
	"strings"
	"testing"
)

// generic is what Senlin says when a wrong kind of value trips it up: no hint at all.
const generic = "The server could not comply with the request since it is either malformed or otherwise incorrect."

// badSpec is a spec that create and validate refuse with the same words, but for a prefix: create names the profile before
// the errors of the schema, and not before those that the type's own code finds.
type badSpec struct {
	name, spec    string
	status        int
	kind, message string
}

// prefix stands before the messages that create puts the profile's name to.
const prefix = "Failed in creating profile %: "

// onCreate is the message in the answer to a create of the name, onValidate that to a validate.
func (b badSpec) onCreate(name string) string { return strings.Replace(b.message, "%", name, 1) }
func (b badSpec) onValidate() string          { return strings.TrimPrefix(b.message, prefix) }

var badSpecs = []badSpec{
	{"version 1 as text", versioned(`"1"`), 404, "ResourceNotFound", "The profile_type 'os.nova.server-1' could not be found."},
	{"version 1 as a number", versioned(`1`), 404, "ResourceNotFound", "The profile_type 'os.nova.server-1' could not be found."},
	{"version 1.00 as text", versioned(`"1.00"`), 404, "ResourceNotFound", "The profile_type 'os.nova.server-1.00' could not be found."},
	{"version 2.0", versioned(`"2.0"`), 404, "ResourceNotFound", "The profile_type 'os.nova.server-2.0' could not be found."},
	{"version null", versioned(`null`), 404, "ResourceNotFound", "The profile_type 'os.nova.server-None' could not be found."},
	{"an unknown type", `{"type":"os.nova.nope","version":"1.0","properties":{}}`, 404, "ResourceNotFound", "The profile_type 'os.nova.nope-1.0' could not be found."},
	{"no version", `{"type":"os.nova.server","properties":{}}`, 500, "ESchema", "The 'version' key is missing from the provided spec map."},
	{"no type", `{"version":"1.0","properties":{}}`, 500, "ESchema", "The 'type' key is missing from the provided spec map."},
	{"nothing in it", `{}`, 500, "ESchema", "The 'type' key is missing from the provided spec map."},
	{"the key profile for type", `{"profile":"os.nova.server","version":"1.0","properties":{}}`, 500, "ESchema", "The 'type' key is missing from the provided spec map."},
	{"an unknown property", serverWith(`"nosuch":1`), 400, "InvalidSpec", prefix + "Unrecognizable spec item 'nosuch'"},
	{"a description", `{"type":"os.nova.server","version":"1.0","description":"x","properties":{"flavor":"f","networks":[]}}`, 400, "InvalidSpec", prefix + "Unrecognizable spec item 'description'"},
	{"no flavor", properties(`{"networks":[]}`), 400, "InvalidSpec", prefix + "Required spec item 'flavor' not provided"},
	{"empty properties", properties(`{}`), 400, "InvalidSpec", prefix + "Required spec item 'flavor' not provided"},
	{"no properties", `{"type":"os.nova.server","version":"1.0"}`, 400, "InvalidSpec", prefix + "Required spec item 'properties' not provided"},
	{"properties null", properties(`null`), 400, "HTTPBadRequest", generic},
	{"properties a list", properties(`[]`), 400, "InvalidSpec", prefix + "'[]' is not a Map"},
	{"no networks", properties(`{"flavor":"f"}`), 400, "HTTPBadRequest", generic},
	{"networks a map", properties(`{"flavor":"f","networks":{}}`), 400, "InvalidSpec", prefix + "... is not a List"},
	{"an empty network", properties(`{"flavor":"f","networks":[{}]}`), 400, "InvalidSpec", "One of 'port' and 'network' must be provided"},
	{"an unknown key in a network", properties(`{"flavor":"f","networks":[{"nosuch":"x"}]}`), 400, "InvalidSpec", prefix + "Unrecognizable spec item 'nosuch'"},
	{"a null in a network", properties(`{"flavor":"f","networks":[{"port":null,"network":"n"}]}`), 400, "InvalidSpec", prefix + "The value 'None' is not a valid string."},
	{"flavor null", properties(`{"flavor":null,"networks":[]}`), 400, "InvalidSpec", prefix + "The value 'None' is not a valid string."},
	{"text for an integer", serverWith(`"block_device_mapping_v2":[{"source_type":"image","destination_type":"volume","volume_size":"ten"}]`), 400, "InvalidSpec", prefix + "The value 'ten' is not a valid Integer"},
	{"no destination for a volume", serverWith(`"block_device_mapping_v2":[{"source_type":"image","volume_size":1}]`), 400, "InvalidSpec", prefix + "Required spec item 'destination_type' not provided"},
	{"text for a boolean", serverWith(`"config_drive":"maybe"`), 400, "InvalidSpec", prefix + "The value 'maybe' is not a valid Boolean"},
	{"another text for a boolean", serverWith(`"auto_disk_config":"notabool"`), 400, "InvalidSpec", prefix + "The value 'notabool' is not a valid Boolean"},
	{"metadata a list", serverWith(`"metadata":[]`), 400, "InvalidSpec", prefix + "'[]' is not a Map"},
	{"an unknown key in context", serverWith(`"context":{"nosuch":1}`), 400, "InvalidSpec", prefix + "Some keys in 'context' are invalid: ..."},
	{"a stack with no template", `{"type":"os.heat.stack","version":"1.0","properties":{}}`, 400, "InvalidSpec", "Both template and template_url are not specified for profile '...'."},
	{"a stack with a name", `{"type":"os.heat.stack","version":"1.0","properties":{"name":"x","template":{"a":1}}}`, 400, "InvalidSpec", prefix + "Unrecognizable spec item 'name'"},
	{"a container nowhere", `{"type":"container.dockerinc.docker","version":"1.0","properties":{"image":"i"}}`, 400, "InvalidSpec", "Either 'host_cluster' or 'host_node' must be specified."},
	{"a container in two places", `{"type":"container.dockerinc.docker","version":"1.0","properties":{"image":"i","host_node":"n","host_cluster":"c"}}`, 400, "InvalidSpec", "Either 'host_cluster' or 'host_node' must be specified, but not both."},
	{"a container in a cluster", `{"type":"container.dockerinc.docker","version":"1.0","properties":{"image":"i","host_cluster":"c"}}`, 500, "AttributeError", "'dict' object has no attribute 'is_admin'"},
}

func versioned(version string) string {
	return `{"type":"os.nova.server","version":` + version + `,"properties":{"flavor":"f","networks":[]}}`
}

func properties(text string) string {
	return `{"type":"os.nova.server","version":"1.0","properties":` + text + `}`
}

func (s suite) specErrors(t *testing.T) {
	for _, c := range badSpecs {
		t.Run(c.name, func(t *testing.T) {
			name := unique("bad")
			s.a.post(t, "/v1/profiles", newProfile(name, c.spec, "")).refused(t, c.status, c.kind, c.onCreate(name))
			s.a.misses(t, name)
		})
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
