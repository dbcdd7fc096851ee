package conformance

import "strings"

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
	{"text for an integer", volume(`"volume_size":"ten"`), 400, "InvalidSpec", prefix + "The value 'ten' is not a valid Integer"},
	{"no destination for a volume", serverWith(`"block_device_mapping_v2":[{"source_type":"image","volume_size":1}]`), 400, "InvalidSpec", prefix + "Required spec item 'destination_type' not provided"},
	{"text for a boolean", serverWith(`"config_drive":"maybe"`), 400, "InvalidSpec", prefix + "The value 'maybe' is not a valid Boolean"},
	{"another text for a boolean", serverWith(`"auto_disk_config":"notabool"`), 400, "InvalidSpec", prefix + "The value 'notabool' is not a valid Boolean"},
	{"metadata a list", serverWith(`"metadata":[]`), 400, "InvalidSpec", prefix + "'[]' is not a Map"},
	{"an unknown key in context", serverWith(`"context":{"nosuch":1}`), 400, "InvalidSpec", prefix + "Some keys in 'context' are invalid: ..."},
	{"a null type", `{"type":null,"version":"1.0","properties":{}}`, 400, "HTTPBadRequest", generic},
	{"a type in capitals", `{"type":"OS.NOVA.SERVER","version":"1.0","properties":{}}`, 404, "ResourceNotFound", "The profile_type 'OS.NOVA.SERVER-1.0' could not be found."},
	{"the version in the type", `{"type":"os.nova.server-1.0","version":"1.0","properties":{}}`, 404, "ResourceNotFound", "The profile_type 'os.nova.server-1.0-1.0' could not be found."},
	{"an unknown property and no flavor", properties(`{"nosuch":1}`), 400, "InvalidSpec", prefix + "Required spec item 'flavor' not provided"},
	{"properties a text", properties(`"x"`), 400, "InvalidSpec", prefix + "'x' is not a Map"},
	{"networks null", properties(`{"flavor":"f","networks":null}`), 400, "InvalidSpec", prefix + "'None' is not a List"},
	{"networks a text", properties(`{"flavor":"f","networks":"x"}`), 400, "InvalidSpec", prefix + "'x' is not a Map"},
	{"a text in networks", properties(`{"flavor":"f","networks":["x"]}`), 400, "InvalidSpec", prefix + "'x' is not a Map"},
	{"a vnic_type that is none", properties(`{"flavor":"f","networks":[{"network":"n","vnic_type":"bad"}]}`), 400, "InvalidSpec", "vnic_type: 'bad' is not supported.(supported types are: normal, direct, macvtap)"},
	{"a file with no contents", serverWith(`"personality":[{"path":"p"}]`), 400, "InvalidSpec", prefix + "Required spec item 'contents' not provided"},
	{"a password null", serverWith(`"admin_pass":null`), 400, "InvalidSpec", prefix + "The value 'None' is not a valid string."},
	{"metadata null", serverWith(`"metadata":null`), 400, "InvalidSpec", prefix + "'None' is not a Map"},
	{"metadata as JSON in a text", serverWith(`"metadata":"{\"a\":1}"`), 400, "InvalidSpec", prefix + `'{"a":1}' is not a Map`},
	{"security groups a map", serverWith(`"security_groups":{}`), 400, "InvalidSpec", prefix + "'{}' is not a List"},
	{"a null security group", serverWith(`"security_groups":[null]`), 400, "InvalidSpec", prefix + "The value 'None' is not a valid string."},
	{"2 for a boolean", serverWith(`"config_drive":2`), 400, "InvalidSpec", prefix + "The value '2' is not a valid Boolean"},
	{"1.0 for a boolean", serverWith(`"config_drive":1.0`), 400, "InvalidSpec", prefix + "The value '1.0' is not a valid Boolean"},
	{"null for a boolean", serverWith(`"config_drive":null`), 400, "InvalidSpec", prefix + "The value 'None' is not a valid Boolean"},
	{"nothing for a boolean", serverWith(`"config_drive":""`), 400, "InvalidSpec", prefix + "The value '' is not a valid Boolean"},
	{"a decimal text for an integer", volume(`"volume_size":"1.5"`), 400, "InvalidSpec", prefix + "The value '1.5' is not a valid Integer"},
	{"an unknown key in a volume", volume(`"volume_size":1,"nosuch":1`), 400, "InvalidSpec", prefix + "Unrecognizable spec item 'nosuch'"},
	{"a null text in a volume", volume(`"volume_size":1,"uuid":null`), 400, "InvalidSpec", prefix + "The value 'None' is not a valid string."},
	{"a template's file name", stack(`"template":"x.yaml"`), 400, "InvalidSpec", prefix + "'x.yaml' is not a Map"},
	{"an empty template", stack(`"template":{}`), 400, "InvalidSpec", "Both template and template_url are not specified for profile '...'."},
	{"a stack's timeout in words", stack(`"template":{"a":1},"timeout":"ten"`), 400, "InvalidSpec", prefix + "The value 'ten' is not a valid Integer"},
	{"a stack's parameters null", stack(`"template":{"a":1},"parameters":null`), 400, "InvalidSpec", prefix + "'None' is not a Map"},
	{"a container with no image", `{"type":"container.dockerinc.docker","version":"1.0","properties":{}}`, 400, "InvalidSpec", prefix + "Required spec item 'image' not provided"},
	{"a stack with no template", stack(``), 400, "InvalidSpec", "Both template and template_url are not specified for profile '...'."},
	{"a stack with a name", stack(`"name":"x","template":{"a":1}`), 400, "InvalidSpec", prefix + "Unrecognizable spec item 'name'"},
	{"a container nowhere", `{"type":"container.dockerinc.docker","version":"1.0","properties":{"image":"i"}}`, 400, "InvalidSpec", "Either 'host_cluster' or 'host_node' must be specified."},
	{"a container in two places", `{"type":"container.dockerinc.docker","version":"1.0","properties":{"image":"i","host_node":"n","host_cluster":"c"}}`, 400, "InvalidSpec", "Either 'host_cluster' or 'host_node' must be specified, but not both."},
	{"a container in a cluster", `{"type":"container.dockerinc.docker","version":"1.0","properties":{"image":"i","host_cluster":"c"}}`, 500, "AttributeError", "'dict' object has no attribute 'is_admin'"},
}

// goodSpecs are specs that create and validate take, though a look at the schema may not let one think so: text is made of
// anything, an integer or a boolean of what Python makes one of, and a text is a list of letters.
var goodSpecs = map[string]string{
	"a port of each kind":             properties(`{"flavor":"f","networks":[{"network":"n","vnic_type":"direct"}]}`),
	"a network by number":             properties(`{"flavor":"f","networks":[{"network":5}]}`),
	"networks an empty text":          properties(`{"flavor":"f","networks":""}`),
	"a flavor that is true":           properties(`{"flavor":true,"networks":[]}`),
	"an empty flavor":                 properties(`{"flavor":"","networks":[]}`),
	"a map for a text":                serverWith(`"name":{"a":1}`),
	"1 for a boolean":                 serverWith(`"config_drive":1`),
	"on for a boolean":                serverWith(`"config_drive":"ON"`),
	"t for a boolean":                 serverWith(`"config_drive":"t"`),
	"yes with blanks for a boolean":   serverWith(`"config_drive":" yes "`),
	"off for a boolean":               serverWith(`"auto_disk_config":"off"`),
	"text for an integer":             volume(`"volume_size":"10"`),
	"text with blanks for an integer": volume(`"volume_size":" 10 "`),
	"a decimal for an integer":        volume(`"volume_size":1.5`),
	"true for an integer":             volume(`"volume_size":true`),
	"null for an integer":             volume(`"volume_size":1,"boot_index":null`),
	"null for a required integer":     volume(`"volume_size":null`),
	"no volumes":                      serverWith(`"block_device_mapping_v2":[]`),
	"security groups an empty text":   serverWith(`"security_groups":""`),
	"a text for security groups":      serverWith(`"security_groups":"default"`),
	"a number in security groups":     serverWith(`"security_groups":["a",5]`),
	"a region":                        serverWith(`"context":{"region_name":"RegionOne"}`),
	"an empty context":                serverWith(`"context":{}`),
	"a file":                          serverWith(`"personality":[{"path":"p","contents":"c"}]`),
	"a stack from a URL":              stack(`"template_url":"http://example.com/t.yaml"`),
	"a stack's timeout as text":       stack(`"template":{"a":1},"timeout":"60"`),
}

func versioned(version string) string {
	return `{"type":"os.nova.server","version":` + version + `,"properties":{"flavor":"f","networks":[]}}`
}

func properties(text string) string {
	return `{"type":"os.nova.server","version":"1.0","properties":` + text + `}`
}

// volume is a server with one block device of which the properties beside its two ends are given.
func volume(rest string) string {
	return serverWith(`"block_device_mapping_v2":[{"source_type":"image","destination_type":"volume",` + rest + `}]`)
}

func stack(properties string) string {
	return `{"type":"os.heat.stack","version":"1.0","properties":{` + properties + `}}`
}
