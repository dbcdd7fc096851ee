package desired

// kind is what a property of a profile type holds.
type kind uint8

const (
	textKind kind = iota
	integerKind
	booleanKind
	mapKind
	listKind
)

// property is one entry of a type's schema. The schemas are those of Senlin
// 14.0, with what 16.0 added. A map without fields holds anything.
type property struct {
	kind      kind
	required  bool
	fields    schema    // of a map
	shorthand string    // of a map: the field that a string in its place was meant for
	items     *property // of a list
}

// schema is what a map may hold, by key.
type schema map[string]property

// builtinVersion is the only version under which Senlin registers its types.
const builtinVersion = "1.0"

const (
	serverType = "os.nova.server"
	stackType  = "os.heat.stack"
	dockerType = "container.dockerinc.docker"
)

// builtin holds the types that come with every Senlin. An operator may add
// others; nothing is known about those here.
var builtin = map[string]schema{
	serverType: {
		"admin_pass":        {},
		"auto_disk_config":  {kind: booleanKind},
		"availability_zone": {},
		"block_device_mapping_v2": {kind: listKind, items: &property{kind: mapKind, fields: schema{
			"boot_index":            {kind: integerKind},
			"delete_on_termination": {kind: booleanKind},
			"destination_type":      {required: true},
			"device_name":           {},
			"device_type":           {},
			"disk_bus":              {},
			"guest_format":          {},
			"source_type":           {required: true},
			"uuid":                  {},
			"volume_size":           {kind: integerKind, required: true},
			"volume_type":           {}, // since 16.0
		}}},
		"config_drive": {kind: booleanKind},
		"context":      {kind: mapKind},
		"flavor":       {required: true},
		"image":        {},
		"key_name":     {},
		"metadata":     {kind: mapKind},
		"name":         {},
		// Not marked as required by Senlin, which answers 400 without it.
		"networks": {kind: listKind, required: true, items: &property{kind: mapKind, shorthand: "network", fields: schema{
			"fixed_ip":         {},
			"floating_ip":      {},
			"floating_network": {},
			"network":          {},
			"port":             {},
			"security_groups":  {kind: listKind, items: &property{}},
			"subnet":           {}, // since 16.0
			"vnic_type":        {},
		}}},
		"personality": {kind: listKind, items: &property{kind: mapKind, fields: schema{
			"contents": {required: true},
			"path":     {required: true},
		}}},
		"scheduler_hints": {kind: mapKind},
		"security_groups": {kind: listKind, items: &property{}},
		"user_data":       {},
	},
	stackType: {
		"context":          {kind: mapKind},
		"disable_rollback": {kind: booleanKind},
		"environment":      {kind: mapKind},
		"files":            {kind: mapKind},
		"parameters":       {kind: mapKind},
		"template":         {kind: mapKind},
		"template_url":     {},
		"timeout":          {kind: integerKind},
	},
	dockerType: {
		"command":      {},
		"context":      {kind: mapKind},
		"host_cluster": {},
		"host_node":    {},
		"image":        {required: true},
		"name":         {},
		"port":         {kind: integerKind},
	},
}
