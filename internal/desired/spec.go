package desired

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"profilesync/internal/desired/yamldoc"
	"profilesync/internal/profile"
)

// spec reads type, version and properties, the only keys Senlin takes there.
func (f *file) spec(at yamldoc.Place, entries []field) profile.Spec {
	missing := map[string]string{
		"type": "write type: " + serverType, "version": "write version: " + builtinVersion, "properties": "write them as a map",
	}
	var spec profile.Spec
	if i := slices.IndexFunc(entries, func(one field) bool { return one.Name == "type" }); i >= 0 {
		spec.Type = f.typeName(entries[i])
	}
	for _, entry := range entries {
		delete(missing, entry.Name)
		switch entry.Name {
		case "type":
		case "version":
			spec.Version = f.version(spec.Type, entry)
		case "properties":
			spec.Properties = f.properties(spec.Type, entry)
		case "profile":
			delete(missing, "type")
			f.report(entry.Place, `unknown key "profile" of a spec`, `write "type"`)
		default:
			f.report(entry.Place, fmt.Sprintf("unknown key %q of a spec", yamldoc.Short(entry.Name)), misplaced(spec.Type, entry.Name))
			delete(missing, closest(entry.Name, specKeys))
		}
	}
	f.missing(at, "the spec has no", missing)
	return spec
}

// misplaced says where a key that does not belong to a spec should go.
func misplaced(typeName, key string) string {
	if _, known := builtin[typeName][key]; known {
		return `indent it under "properties:"`
	}
	if slices.Contains(documentKeys, key) {
		return `write it beside "spec:"`
	}
	return nearest(key, specKeys)
}

var withVersion = regexp.MustCompile(`^(.+)-([0-9]+\.[0-9]+)$`)

// typeName gives the type's name. Any name may be that of an operator's own
// type, except one that is almost a built-in's.
func (f *file) typeName(one field) string {
	name, ok := one.Node.Value.(string)
	if !ok {
		f.wrongKind(one, "a string such as "+serverType)
		return ""
	}
	at, quoted := one.Node.Place, fmt.Sprintf("type %q", yamldoc.Short(name))
	if name == "" {
		f.report(at, "type is empty", "write type: "+serverType)
	}
	if builtin[name] != nil {
		return name
	}
	if parts := withVersion.FindStringSubmatch(name); parts != nil {
		f.report(at, quoted+" has the version in it",
			fmt.Sprintf("write type: %s and version: %s", yamldoc.Short(parts[1]), yamldoc.Short(parts[2])))
		return parts[1]
	}
	for _, known := range slices.Sorted(maps.Keys(builtin)) {
		if !strings.HasPrefix(name, known) && editDistance(plainName(name), known) <= 2 {
			f.report(at, "unknown "+quoted, `did you mean "`+known+`"?`)
			return known
		}
	}
	return name
}

var dotted = regexp.MustCompile(`^[0-9]+(?:\.[0-9]+)+$`)

// version gives the version's text. Without quotes it is a number, and counts
// as the text that PyYAML makes of that number: Senlin looks for the type
// "os.nova.server-1.0".
func (f *file) version(typeName string, one field) string {
	text := one.Node.Text
	short, meant, problem := yamldoc.Short(text), builtinVersion, ""
	switch value := one.Node.Value.(type) {
	case string:
		if !dotted.MatchString(text) {
			problem = fmt.Sprintf("version %q is not two numbers with a dot between", short)
		}
	case json.Number:
		number := plainNumber(value)
		if !strings.Contains(number, ".") {
			problem, meant = fmt.Sprintf("version %s is a whole number", short), number+".0"
		} else if number != text {
			problem, meant = fmt.Sprintf("version %s is the number %s", short, number), number
			if dotted.MatchString(text) {
				meant = fmt.Sprintf("%q or %s", text, number)
			}
		}
	default:
		f.wrongKind(one, builtinVersion)
		return ""
	}
	if builtin[typeName] != nil && text != builtinVersion {
		meant = builtinVersion
		if problem == "" {
			problem = fmt.Sprintf("%s has no version %s", typeName, short)
		}
	}
	if problem != "" {
		f.report(one.Node.Place, problem, "write "+yamldoc.Short(meant))
		return ""
	}
	return text
}

// plainNumber is the text Python writes for a number: of 1.10 it is 1.1. Here
// it never has an exponent.
func plainNumber(number json.Number) string {
	if !strings.ContainsAny(string(number), ".eE") {
		return string(number)
	}
	float, err := number.Float64()
	if err != nil {
		return string(number)
	}
	text := strconv.FormatFloat(float, 'f', -1, 64)
	if !strings.Contains(text, ".") {
		text += ".0"
	}
	return text
}
