package profiletype_test

import (
	"strings"
	"testing"

	"profilesync/internal/devcloud/profiletype"
	"profilesync/internal/devcloud/pyjson"
)

func load(t testing.TB) *profiletype.Registry {
	t.Helper()
	r, err := profiletype.Load()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func decode(t testing.TB, text string) *pyjson.Object {
	t.Helper()
	v, err := pyjson.Decode([]byte(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v.(*pyjson.Object)
}

// check validates a spec as a create does, and returns what is said of it: "" for nothing.
func check(t testing.TB, r *profiletype.Registry, spec string) string {
	t.Helper()
	o := decode(t, spec)
	kind, err := r.FindFor(o)
	if err == nil {
		err = kind.Early(o)
	}
	if err == nil {
		err = kind.Validate(o, "p")
	}
	if err == nil {
		return ""
	}
	return []string{"schema", "invalid", "malformed", "not found", "internal"}[err.Class] + ": " + err.Message
}

// The specs and answers are those of a running Senlin 14. What follows is put into properties that are fine otherwise.
func TestServerProperties(t *testing.T) {
	r := load(t)
	const (
		device  = `"block_device_mapping_v2":[{"source_type":"image","destination_type":"local"`
		boolean = "schema: The value '%' is not a valid Boolean"
		integer = "schema: The value '%' is not a valid Integer"
		text    = "schema: The value 'None' is not a valid string."
		list    = "schema: '%' is not a List"
		dict    = "schema: '%' is not a Map"
		unknown = "schema: Unrecognizable spec item '%'"
		needed  = "schema: Required spec item '%' not provided"
		python  = "schema: int() argument must be a string, a bytes-like object or a real number, not '%'"
	)
	for _, c := range []struct{ properties, said, about string }{
		{`"networks":[]`, "", ""},
		{`"networks":""`, "", ""},
		{`"networks":null`, list, "None"},
		{`"networks":{}`, list, "{}"},
		{`"networks":"abc"`, dict, "a"},
		{`"networks":["x"]`, dict, "x"},
		{`"networks":[{}]`, "invalid: One of 'port' and 'network' must be provided", ""},
		{`"networks":[{"nosuch":1}]`, unknown, "nosuch"},
		{`"networks":[{"port":null,"network":"x"}]`, text, ""},
		{`"networks":[{"network":"x","vnic_type":"weird"}]`, "invalid: vnic_type: 'weird' is not supported.(supported types are: normal, direct, macvtap)", ""},
		{`"networks":[{"network":"x","vnic_type":"direct"}]`, "", ""},
		{`"networks":[{"port":"x","fixed_ip":"10.0.0.1"}]`, "invalid: The 'port' property and the 'fixed_ip' property cannot be specified at the same time", ""},
		{`"networks":[{"network":"x","floating_network":"n"}]`, "", ""},
		{`"networks":[{"network":"x","security_groups":[null]}]`, text, ""},
		{`"networks":[{"network":"x","security_groups":{}}]`, list, "{}"},
		{`"flavor":null`, text, ""},
		{`"flavor":5,"name":7,"user_data":["é",1.0,true,null]`, "", ""},
		{`"nosuch":1`, unknown, "nosuch"},
		{`"nosuch":1,"image":null`, text, ""},
		{`"context":{"foo":1,"bar":2}`, "schema: Some keys in 'context' are invalid: ['foo', 'bar']", ""},
		{`"context":{"region_name":"x"}`, "", ""},
		{`"context":null`, dict, "None"},
		{`"context":"x"`, dict, "x"},
		{`"metadata":"{}"`, dict, "{}"},
		{`"metadata":[]`, dict, "[]"},
		{`"auto_disk_config":1,"config_drive":"yes"`, "", ""},
		{`"auto_disk_config":" TRUE "`, "", ""},
		{`"auto_disk_config":2`, boolean, "2"},
		{`"auto_disk_config":1.0`, boolean, "1.0"},
		{`"auto_disk_config":null`, boolean, "None"},
		{`"auto_disk_config":[]`, boolean, "[]"},
		{`"security_groups":"default"`, "", ""},
		{`"security_groups":[["a"],1]`, "", ""},
		{`"security_groups":[1,null]`, text, ""},
		{`"security_groups":5`, list, "5"},
		{`"scheduler_hints":{"group":1}`, "", ""},
		{`"personality":[{"path":"/a"}]`, needed, "contents"},
		{`"personality":[{"path":"","contents":""}]`, "", ""},
		{`"personality":{"path":1}`, list, "{'path': 1}"},
		{`"block_device_mapping_v2":[{}]`, needed, "source_type"},
		{`"block_device_mapping_v2":[{},"x"]`, dict, "x"},
		{`"block_device_mapping_v2":["{}"]`, dict, "{}"},
		{device + `}]`, needed, "volume_size"},
		{device + `,"volume_size":1,"volume_type":"x"}]`, unknown, "volume_type"},
		{device + `,"volume_size":"ten"}]`, integer, "ten"},
		{device + `,"volume_size":"1.0"}]`, integer, "1.0"},
		{device + `,"volume_size":NaN}]`, integer, "nan"},
		{device + `,"volume_size":1e400}]`, "internal: cannot convert float infinity to integer", ""},
		{device + `,"volume_size":[1]}]`, python, "list"},
		{device + `,"volume_size":{"a":1}}]`, python, "dict"},
		{device + `,"volume_size":1.5}]`, "", ""},
		{device + `,"volume_size":null}]`, "", ""},
		{device + `,"volume_size":" 1_0 "}]`, "", ""},
		{device + `,"volume_size":1,"delete_on_termination":"x"}]`, boolean, "x"},
	} {
		t.Run(c.properties, func(t *testing.T) {
			properties := c.properties
			if !strings.Contains(properties, `"flavor"`) {
				properties = `"flavor":"a",` + properties
			}
			if !strings.Contains(properties, `"networks"`) {
				properties = `"networks":[],` + properties
			}
			want := strings.Replace(c.said, "%", c.about, 1)
			if got := check(t, r, `{"type":"os.nova.server","version":"1.0","properties":{`+properties+`}}`); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}

func TestSpecs(t *testing.T) {
	r := load(t)
	const (
		server    = `{"type":"os.nova.server","version":"1.0"`
		stack     = `{"type":"os.heat.stack","version":"1.0","properties":{`
		container = `{"type":"container.dockerinc.docker","version":"1.0","properties":{`
		neither   = "invalid: Both template and template_url are not specified for profile 'p'."
	)
	for _, c := range []struct{ spec, said string }{
		{`{}`, "schema: The 'type' key is missing from the provided spec map."},
		{`{"profile":"os.nova.server","version":"1.0"}`, "schema: The 'type' key is missing from the provided spec map."},
		{`{"type":"a"}`, "schema: The 'version' key is missing from the provided spec map."},
		{`{"type":"os.nova.server","version":1}`, "not found: The profile_type 'os.nova.server-1' could not be found."},
		{`{"type":"os.nova.server","version":"1.00"}`, "not found: The profile_type 'os.nova.server-1.00' could not be found."},
		{`{"type":"os.nova.server","version":null}`, "not found: The profile_type 'os.nova.server-None' could not be found."},
		{`{"type":"a","version":{"x":[1,"y",null,true,1.5]}}`, "not found: The profile_type 'a-{'x': [1, 'y', None, True, 1.5]}' could not be found."},
		{`{"type":5,"version":1}`, "malformed: "},
		{`{"type":"os.nova.server","version":1.00,"properties":{"flavor":"a","networks":[]}}`, ""},
		{server + `}`, "schema: Required spec item 'properties' not provided"},
		{server + `,"foo":1}`, "schema: Required spec item 'properties' not provided"},
		{server + `,"foo":1,"properties":{}}`, "schema: Unrecognizable spec item 'foo'"},
		{server + `,"properties":null}`, "malformed: "},
		{server + `,"properties":5}`, "malformed: "},
		{server + `,"properties":[]}`, "schema: '[]' is not a Map"},
		{server + `,"properties":"x"}`, "schema: 'x' is not a Map"},
		{server + `,"properties":"the context"}`, "malformed: "},
		{server + `,"properties":["context"]}`, "malformed: "},
		{server + `,"properties":{}}`, "schema: Required spec item 'flavor' not provided"},
		{server + `,"properties":{"nosuch":1}}`, "schema: Required spec item 'flavor' not provided"},
		{server + `,"properties":{"flavor":"a"}}`, "malformed: "},
		{stack + `}}`, neither},
		{stack + `"template":{}}}`, neither},
		{stack + `"template_url":""}}`, neither},
		{stack + `"template":{"a":1}}}`, ""},
		{stack + `"template":"x"}}`, "schema: 'x' is not a Map"},
		{stack + `"template_url":null}}`, "schema: The value 'None' is not a valid string."},
		{stack + `"template_url":"u","timeout":null,"context":{"foo":1}}}`, ""},
		{stack + `"template_url":"u","timeout":"x"}}`, "schema: The value 'x' is not a valid Integer"},
		{stack + `"name":"x"}}`, "schema: Unrecognizable spec item 'name'"},
		{container + `}}`, "schema: Required spec item 'image' not provided"},
		{container + `"image":"x","host_node":""}}`, "invalid: Either 'host_cluster' or 'host_node' must be specified."},
		{container + `"image":"x","host_node":"n","host_cluster":"c"}}`, "invalid: Either 'host_cluster' or 'host_node' must be specified, but not both."},
		{container + `"image":"x","host_node":"n"}}`, "internal: 'dict' object has no attribute 'is_admin'"},
		{container + `"image":"x","host_node":"n","context":{"foo":1}}}`, "schema: Some keys in 'context' are invalid: ['foo']"},
	} {
		t.Run(c.spec, func(t *testing.T) {
			if got := check(t, r, c.spec); got != c.said {
				t.Errorf("got  %s\nwant %s", got, c.said)
			}
		})
	}
}

// TestCanRoll: a server follows to another flavor, not to another key; and it is the meaning of a value that counts.
func TestCanRoll(t *testing.T) {
	r := load(t)
	server, _ := r.Find("os.nova.server-1.0")
	spec := func(properties string) *pyjson.Object {
		return decode(t, `{"type":"os.nova.server","version":"1.0","properties":{"networks":[],`+properties+`}}`)
	}
	base := spec(`"flavor":"a","image":"i","auto_disk_config":true`)
	for _, c := range []struct {
		name, to       string
		can, withImage bool
	}{
		{"another flavor", `"flavor":"b","image":"i"`, true, true},
		{"a default written out otherwise", `"flavor":"a","image":"i","auto_disk_config":"yes"`, true, true},
		{"another default", `"flavor":"a","image":"i","auto_disk_config":"no"`, false, true},
		{"a key", `"flavor":"a","image":"i","key_name":"k"`, false, true},
		{"no image", `"flavor":"a"`, true, false},
	} {
		if got := server.CanRoll(base, spec(c.to)); got != c.can {
			t.Errorf("%s: can roll: got %t", c.name, got)
		}
		if got := server.HasImage(spec(c.to)); got != c.withImage {
			t.Errorf("%s: has an image: got %t", c.name, got)
		}
	}
}
