// Package profiletype knows Senlin's profile types: their properties, as the service publishes them, and the
// checks that a spec has to pass, with the service's own texts. Names, types, defaults and the order of properties
// (which decides what is complained about first) are those of Senlin 14.
//
// It is pure: no clock, network or file. What only a real Nova, Neutron or Heat can know (whether a flavor
// exists) it takes for granted.
package profiletype

import (
	_ "embed"
	"encoding/json"
	"fmt"

	"profilesync/internal/devcloud/pyjson"
)

//go:embed types.json
var typesJSON []byte

// Type is a profile type. All of them have the version Version.
type Type struct {
	Type       string      `json:"type"` // "os.nova.server"
	Status     string      `json:"status"`
	Since      string      `json:"since"`
	Properties []Property  `json:"properties"`
	Operations []Operation `json:"operations"`
}

// Version is the version of every registered type.
const Version = "1.0"

// Property is a property of a type, a key in a map, or the item of a list.
type Property struct {
	Name        string          `json:"name"`
	Kind        string          `json:"type"` // String, Integer, Boolean, Map or List
	Description string          `json:"description"`
	Required    bool            `json:"required"`
	Updatable   bool            `json:"updatable"` // a cluster can roll from one value to another
	Default     json.RawMessage `json:"default"`
	Allowed     []string        `json:"allowed"` // what an operation's parameter may be
	Item        *Property       `json:"item"`    // what a list consists of
	Fields      []Property      `json:"fields"`  // the keys of a map; none: anything goes
}

// Operation is something that nodes of a type can be told to do.
type Operation struct {
	Name        string     `json:"name"`
	Description string     `json:"description"`
	Parameters  []Property `json:"parameters"`
	Property    bool       `json:"property"` // described in the form of a property, a slip of os.heat.stack
}

// Registry is the set of types that a service has.
type Registry struct {
	types []Type
}

// Load returns the registry of Senlin 14, ordered by name.
func Load() (*Registry, error) {
	r := &Registry{}
	if err := json.Unmarshal(typesJSON, &r.types); err != nil {
		return nil, fmt.Errorf("profile types: %w", err)
	}
	return r, nil
}

// Types returns every type, ordered by name.
func (r *Registry) Types() []Type { return r.types }

// Find returns the type of a full name, "os.nova.server-1.0".
func (r *Registry) Find(name string) (*Type, bool) {
	for i := range r.types {
		if r.types[i].Name() == name {
			return &r.types[i], true
		}
	}
	return nil, false
}

// Name returns the type's full name.
func (t *Type) Name() string { return t.Type + "-" + Version }

// Support returns the support_status document of the type.
func (t *Type) Support() map[string]any {
	return map[string]any{Version: []any{map[string]any{"since": t.Since, "status": t.Status}}}
}

// Schema returns the schema document of the type.
func (t *Type) Schema() map[string]any { return schemas(t.Properties, true) }

// Ops returns the operations document of the type.
func (t *Type) Ops() map[string]any {
	all := map[string]any{}
	for _, o := range t.Operations {
		d := map[string]any{"description": o.Description}
		if o.Property {
			d["type"], d["required"], d["updatable"] = "Map", false, false
		} else {
			d["parameters"] = schemas(o.Parameters, false)
		}
		all[o.Name] = d
	}
	return all
}

func schemas(list []Property, updatable bool) map[string]any {
	all := map[string]any{}
	for i := range list {
		all[list[i].Name] = list[i].schema(updatable)
	}
	return all
}

func (p *Property) schema(updatable bool) map[string]any {
	d := map[string]any{"type": p.Kind, "description": p.Description, "required": p.Required}
	if updatable {
		d["updatable"] = p.Updatable
	}
	if p.Default != nil {
		d["default"] = p.defaultValue()
	}
	if len(p.Allowed) > 0 {
		d["constraints"] = []any{map[string]any{"type": "AllowedValues", "constraint": p.Allowed}}
	}
	switch {
	case p.Item != nil:
		d["schema"] = map[string]any{"*": p.Item.schema(updatable)}
	case len(p.Fields) > 0:
		d["schema"] = schemas(p.Fields, updatable)
	}
	return d
}

// defaultValue returns the default, or nil.
func (p *Property) defaultValue() any {
	if p.Default == nil {
		return nil
	}
	v, err := pyjson.Decode(p.Default)
	if err != nil {
		panic(err) // a part of types.json, which Load has read
	}
	return v
}
