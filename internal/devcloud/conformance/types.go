package conformance

import (
	_ "embed"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// profileTypes lists what the profile types take, as Senlin 14 describes it, a property a line. Nested properties follow a dot,
// those of a list's items ".*.". Descriptions are left out: no program reads them.
//
//go:embed profiletypes.txt
var profileTypes string

func (s suite) types(t *testing.T) {
	names := []string{"container.dockerinc.docker", "os.heat.stack", "os.nova.server"}
	t.Run("the list names types with their version", func(t *testing.T) {
		for _, version := range []string{"1.0", "1.4"} {
			rows := s.a.at(version).get(t, "/v1/profile-types").want(t, 200).rows(t, "profile_types")
			if got, want := fmt.Sprint(rows), "[map[name:"+strings.Join(names, "-1.0] map[name:")+"-1.0]]"; got != want {
				t.Errorf("at %s: got %s, want %s", version, got, want)
			}
		}
	})
	t.Run("from 1.5 on the version is apart, with a support status", func(t *testing.T) {
		since := map[string]string{"container.dockerinc.docker": "since:2017.02 status:EXPERIMENTAL"}
		for _, version := range []string{"1.5", "1.14"} {
			rows := s.a.at(version).get(t, "/v1/profile-types").want(t, 200).rows(t, "profile_types")
			if len(rows) != len(names) {
				t.Fatalf("got %v, want %v", rows, names)
			}
			for i, name := range names {
				support := "since:2016.04 status:SUPPORTED"
				if other, ok := since[name]; ok {
					support = other
				}
				want := fmt.Sprintf("map[name:%s support_status:map[1.0:[map[%s]]] version:1.0]", name, support)
				if got := fmt.Sprint(rows[i]); got != want {
					t.Errorf("at %s: got %s, want %s", version, got, want)
				}
			}
		}
	})
	t.Run("a type describes its properties", func(t *testing.T) {
		var got strings.Builder
		for _, name := range names {
			shown := s.a.get(t, "/v1/profile-types/"+name+"-1.0").want(t, 200).object(t, "profile_type")
			if shown["name"] != name+"-1.0" || len(shown) != 2 {
				t.Errorf("got %v, want a name and a schema", shown)
			}
			got.WriteString(name + "-1.0\n")
			got.WriteString(describe("  ", shown["schema"]))
			ops := s.a.at("1.4").get(t, "/v1/profile-types/"+name+"-1.0/ops").want(t, 200).object(t, "operations")
			for _, op := range slices.Sorted(maps.Keys(ops)) {
				got.WriteString("  operation " + op + "\n")
				operation, _ := ops[op].(map[string]any)
				got.WriteString(describe("    ", operation["parameters"]))
			}
		}
		if got.String() != profileTypes {
			t.Errorf("got\n%s\nwant\n%s", got.String(), profileTypes)
		}
	})
	t.Run("from 1.5 on with a support status", func(t *testing.T) {
		shown := s.a.at("1.5").get(t, "/v1/profile-types/os.nova.server-1.0").want(t, 200).object(t, "profile_type")
		if got := fmt.Sprint(shown["support_status"]); got != "map[1.0:[map[since:2016.04 status:SUPPORTED]]]" || shown["name"] != "os.nova.server-1.0" {
			t.Errorf("got %v with support status %s", shown["name"], got)
		}
	})
	s.unknownTypes(t)
}

func (s suite) unknownTypes(t *testing.T) {
	t.Run("types that do not exist", func(t *testing.T) {
		for _, name := range []string{"os.nova.server", "os.nova.server-2.0", "nope-1.0"} {
			message := "The profile_type '" + name + "' could not be found."
			s.a.get(t, "/v1/profile-types/"+name).refused(t, 404, "ResourceNotFound", message)
			s.a.at("1.4").get(t, "/v1/profile-types/"+name+"/ops").refused(t, 400, "BadRequest", message)
		}
	})
}

// describe writes a schema as lines: path, type, and what else a program can make use of.
func describe(indent string, schema any) string {
	properties, _ := schema.(map[string]any)
	var lines strings.Builder
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		property, _ := properties[name].(map[string]any)
		fmt.Fprintf(&lines, "%s%s %v", indent, name, property["type"])
		for _, flag := range []string{"required", "updatable"} {
			if property[flag] == true {
				lines.WriteString(" " + flag)
			}
		}
		for _, key := range []string{"default", "constraints"} {
			if value, ok := property[key]; ok {
				lines.WriteString(" " + key + "=" + quote(value))
			}
		}
		lines.WriteString("\n")
		for line := range strings.Lines(describe("", property["schema"])) {
			lines.WriteString(indent + name + "." + line)
		}
	}
	return lines.String()
}
