package desired

import (
	"fmt"
	"slices"

	"profilesync/internal/desired/yamldoc"
)

// rules checks what a built-in type asks for beyond its schema.
func (f *file) rules(typeName string, one field, entries []field) {
	switch typeName {
	case serverType:
		if networks := named(entries, "networks"); networks != nil {
			for _, item := range networks.items() {
				f.network(item)
			}
		}
	case stackType:
		if named(entries, "template") == nil && named(entries, "template_url") == nil {
			f.report(one.place(), `os.heat.stack needs "template" or "template_url"`, "write one of them")
		}
	case dockerType:
		if (named(entries, "host_node") == nil) == (named(entries, "host_cluster") == nil) {
			f.report(one.place(), `container.dockerinc.docker needs exactly one of "host_node" and "host_cluster"`, "write one of them")
		}
	}
}

// named gives the entry of that name, or nil.
func named(entries []field, name string) *field {
	i := slices.IndexFunc(entries, func(entry field) bool { return entry.Name == name })
	if i < 0 {
		return nil
	}
	return &entries[i]
}

// network checks one entry of a server's networks.
func (f *file) network(one field) {
	if _, isMap := one.Node.Value.(map[string]any); !isMap {
		return
	}
	entries := fields(one.Node)
	connected := func(entry field) bool { // also when it is misspelt: that is reported already
		return closest(entry.Name, []string{"network", "port", "subnet"}) != ""
	}
	switch {
	case !slices.ContainsFunc(entries, connected):
		f.report(one.place(), one.label+` needs "network" or "port"`, "write one of them")
	case named(entries, "port") != nil && named(entries, "fixed_ip") != nil:
		f.report(one.place(), one.label+` has both "port" and "fixed_ip"`, "leave one out: a port has its own address")
	}
	kind := named(entries, "vnic_type")
	if kind == nil {
		return
	}
	if name, ok := kind.Node.Value.(string); ok && !slices.Contains([]string{"normal", "direct", "macvtap"}, name) {
		f.report(kind.Node.Place, fmt.Sprintf("unknown vnic_type %q", yamldoc.Short(name)), "write normal, direct or macvtap")
	}
}
