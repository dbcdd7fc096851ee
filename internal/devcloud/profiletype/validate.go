package profiletype

import (
	"slices"
	"strings"

	"profilesync/internal/devcloud/pyjson"
)

// FindFor returns the type that a spec names. A spec that names none is a Schema error, an unknown one NotFound.
func (r *Registry) FindFor(spec *pyjson.Object) (*Type, *Error) {
	for _, key := range []string{"type", "version"} {
		if !spec.Has(key) {
			return nil, schemaError("The '%s' key is missing from the provided spec map.", key)
		}
	}
	kind, _ := spec.Get("type")
	name, ok := kind.(string)
	if !ok {
		return nil, &Error{Class: Malformed}
	}
	version, _ := spec.Get("version")
	full := name + "-" + pyjson.Str(version)
	t, ok := r.Find(full)
	if !ok {
		return nil, &Error{Class: NotFound, Message: "The profile_type '" + full + "' could not be found."}
	}
	return t, nil
}

// Early checks what Senlin looks at when it makes a profile in memory, before it validates anything: the context.
// Its Schema errors come out as 500 where the profile is only validated.
func (t *Type) Early(spec *pyjson.Object) *Error {
	v, ok := spec.Get("properties")
	if !ok {
		return nil
	}
	switch v := v.(type) {
	case *pyjson.Object:
		_, err := resolveKey(&Property{Name: "context", Kind: "Map"}, v)
		return err
	case []any: // Python's "in" looks through a list, and what follows fails if it finds something
		if !slices.ContainsFunc(v, func(item any) bool { return item == "context" }) {
			return nil
		}
	case string:
		if !strings.Contains(v, "context") {
			return nil
		}
	}
	return &Error{Class: Malformed}
}

// Validate checks a spec against the type, in the order in which the service does. The name is that of the
// profile; one message quotes it.
func (t *Type) Validate(spec *pyjson.Object, name string) *Error {
	if err := checkSpec(spec); err != nil {
		return err
	}
	given, _ := spec.Get("properties")
	values, err := resolveAll(t.Properties, given.(*pyjson.Object))
	if err != nil {
		return err
	}
	switch t.Type {
	case "os.nova.server":
		if err := checkContext(values); err != nil {
			return err
		}
		return checkServer(values)
	case "os.heat.stack":
		return checkStack(values, name)
	}
	if err := checkContext(values); err != nil {
		return err
	}
	return checkContainer(values)
}

func checkSpec(spec *pyjson.Object) *Error {
	_, err := resolveAll([]Property{
		{Name: "type", Kind: "String", Required: true},
		{Name: "version", Kind: "String", Required: true},
		{Name: "properties", Kind: "Map", Required: true},
	}, spec)
	return err
}

// contextKeys are the parameters of Senlin's request context.
func contextKeys() []string {
	return []string{
		"self", "auth_token", "user_id", "project_id", "domain_id", "user_domain_id", "project_domain_id", "is_admin",
		"read_only", "show_deleted", "request_id", "auth_url", "trusts", "user_name", "project_name", "domain_name",
		"user_domain_name", "project_domain_name", "auth_token_info", "region_name", "roles", "password", "api_version",
	}
}

func checkContext(values *pyjson.Object) *Error {
	v, _ := values.Get("context")
	context, ok := v.(*pyjson.Object)
	if !ok {
		return nil
	}
	var bad []any
	for _, key := range context.Keys() {
		if !slices.Contains(contextKeys(), key) {
			bad = append(bad, key)
		}
	}
	if len(bad) > 0 {
		return schemaError("Some keys in 'context' are invalid: %s", pyjson.Repr(bad))
	}
	return nil
}

// checkServer does without what only Nova, Glance and Neutron know: whether what a spec names exists.
func checkServer(values *pyjson.Object) *Error {
	v, _ := values.Get("networks")
	networks, ok := v.([]any)
	if !ok {
		return &Error{Class: Malformed} // the service walks through it without looking whether it is there
	}
	for _, n := range networks {
		if err := checkNetwork(n.(*pyjson.Object)); err != nil {
			return err
		}
	}
	return nil
}

func checkNetwork(n *pyjson.Object) *Error {
	network, _ := n.Get("network")
	port, _ := n.Get("port")
	address, _ := n.Get("fixed_ip")
	kind, _ := n.Get("vnic_type")
	switch {
	case network == nil && port == nil:
		return invalid("One of 'port' and 'network' must be provided")
	case port != nil && pyjson.Truthy(address):
		return invalid("The 'port' property and the 'fixed_ip' property cannot be specified at the same time")
	case kind != nil && kind != "normal" && kind != "direct" && kind != "macvtap":
		return invalid("vnic_type: '" + pyjson.Str(kind) + "' is not supported.(supported types are: normal, direct, macvtap)")
	}
	return nil
}

func invalid(message string) *Error { return &Error{Class: Invalid, Message: message} }

func checkStack(values *pyjson.Object, name string) *Error {
	template, _ := values.Get("template")
	url, _ := values.Get("template_url")
	if !pyjson.Truthy(template) && !pyjson.Truthy(url) {
		return invalid("Both template and template_url are not specified for profile '" + name + "'.")
	}
	return nil
}

// checkContainer cannot pass: Senlin's look-up of the host fails on its own context, whether the host exists or not.
func checkContainer(values *pyjson.Object) *Error {
	cluster, _ := values.Get("host_cluster")
	node, _ := values.Get("host_node")
	switch {
	case pyjson.Truthy(cluster) && pyjson.Truthy(node):
		return invalid("Either 'host_cluster' or 'host_node' must be specified, but not both.")
	case !pyjson.Truthy(cluster) && !pyjson.Truthy(node):
		return invalid("Either 'host_cluster' or 'host_node' must be specified.")
	}
	return &Error{Class: Internal, Type: "AttributeError", Message: "'dict' object has no attribute 'is_admin'"}
}

// CanRoll reports whether a server or stack can be updated in place from one spec to another: only updatable
// properties may differ, compared in their canonical forms. Both specs must have passed Validate.
func (t *Type) CanRoll(from, to *pyjson.Object) bool {
	a, b := t.canonical(from), t.canonical(to)
	for i := range t.Properties {
		p := &t.Properties[i]
		x, _ := a.Get(p.Name)
		y, _ := b.Get(p.Name)
		if !p.Updatable && !pyjson.Equal(x, y) {
			return false
		}
	}
	return true
}

// HasImage reports whether a server's spec names an image. A roll to one that does not ends in an error.
func (t *Type) HasImage(spec *pyjson.Object) bool {
	image, _ := t.canonical(spec).Get("image")
	return t.Type != "os.nova.server" || pyjson.Truthy(image)
}

func (t *Type) canonical(spec *pyjson.Object) *pyjson.Object {
	given, _ := spec.Get("properties")
	properties, _ := given.(*pyjson.Object)
	if properties == nil {
		properties = pyjson.NewObject()
	}
	values, err := resolveAll(t.Properties, properties)
	if err != nil {
		return pyjson.NewObject()
	}
	return values
}
