package desired

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"profilesync/internal/desired/yamldoc"
	"profilesync/internal/profile"
)

// The keys of a document, of a spec and of a lifecycle.
var (
	documentKeys  = []string{"name", "metadata", "spec", "lifecycle"}
	specKeys      = []string{"type", "version", "properties"}
	lifecycleKeys = []string{"protect"}
)

// maxBody is Senlin's limit for the body of a request, less room for what is
// added on the way: the envelope and the marks.
const maxBody = 1<<20 - 4096

// document reads one document, which is the full form or a bare spec. A bare
// one must be alone in its file: its name is the file's.
func (f *file) document(root *yamldoc.Node, alone bool) {
	entries, ok := f.asMap(field{"the document", &yamldoc.Field{Place: root.Place, Node: *root}})
	if !ok {
		return
	}
	one := found{Item: Item{File: f.path, Line: root.Line}}
	switch form(entries) {
	case fullForm:
		f.full(root.Place, entries, &one)
	case bareForm:
		if !alone {
			f.report(root.Place, "a bare spec shares its file with another document", `give it a file of its own, or write "name" and "spec"`)
		}
		f.bare(root.Place, entries, &one)
	case wrapped:
		f.report(root.Place, `the key "profile" wraps the document`, "remove it, and indent what it holds less")
	case foreign:
		f.report(root.Place, "this is not a profile", `write "name" and "spec", or list the file in .profilesyncignore`)
	}
	size := bodySize(one.Name) + bodySize(one.Metadata) + bodySize(map[string]any(one.Spec.Properties))
	if size > maxBody {
		f.report(root.Place, fmt.Sprintf("the profile takes %d bytes of JSON, at most %d are allowed", size, maxBody), "make it smaller")
	}
	if one.Name != "" {
		f.found = append(f.found, one)
	}
}

type documentForm uint8

const (
	foreign documentForm = iota
	fullForm
	bareForm
	wrapped // as the API wraps it in a request
)

// form decides by its keys what a document was meant to be.
func form(entries []field) documentForm {
	meant := foreign
	for _, entry := range entries {
		_, isMap := entry.Node.Value.(map[string]any)
		switch {
		case slices.Contains(documentKeys, entry.Name):
			return fullForm
		case slices.Contains(specKeys, entry.Name), entry.Name == "profile" && !isMap:
			meant = bareForm
		case meant != foreign:
		case entry.Name == "profile":
			meant = wrapped
		case closest(entry.Name, documentKeys) != "":
			meant = fullForm
		case closest(entry.Name, specKeys) != "":
			meant = bareForm
		}
	}
	return meant
}

func (f *file) full(at yamldoc.Place, entries []field, one *found) {
	missing := map[string]string{"name": "write the profile's name", "spec": "write its type, version and properties"}
	for _, entry := range entries {
		delete(missing, entry.Name)
		switch entry.Name {
		case "name":
			one.Name, one.named = f.name(entry), entry.place()
		case "metadata":
			one.Metadata = f.metadata(entry)
		case "spec":
			if inner, ok := f.asMap(entry); ok {
				one.Spec = f.spec(entry.Node.Place, inner)
			}
		case "lifecycle":
			one.Lifecycle = f.lifecycle(entry)
		case "type", "version", "properties":
			delete(missing, "spec")
			f.report(entry.Place, fmt.Sprintf("key %q belongs to the spec", entry.Name), `indent it under "spec:"`)
		default:
			f.report(entry.Place, fmt.Sprintf("unknown key %q of a profile", yamldoc.Short(entry.Name)), nearest(entry.Name, documentKeys))
			delete(missing, closest(entry.Name, documentKeys))
		}
	}
	f.missing(at, "the profile has no", missing)
}

func (f *file) bare(at yamldoc.Place, entries []field, one *found) {
	one.Spec = f.spec(at, entries)
	one.named = yamldoc.Place{Line: 1, Column: 1}
	name := f.profileName()
	if err := profile.CheckName(name); err != nil {
		f.report(one.named, "this file's name cannot be a profile's: "+invalidity(err), `rename it, or write "name" and "spec"`)
		return
	}
	one.Name = name
}

// missing reports required keys that are not there.
func (f *file) missing(at yamldoc.Place, what string, fixes map[string]string) {
	for _, key := range slices.Sorted(maps.Keys(fixes)) {
		f.report(at, fmt.Sprintf("%s %q", what, key), fixes[key])
	}
}

// invalidity is the text of a name's error without the sentinel behind it.
func invalidity(err error) string {
	return strings.TrimSuffix(err.Error(), ": "+profile.ErrInvalid.Error())
}

// name gives the profile's name, or "" when it is not good.
func (f *file) name(one field) string {
	switch name := one.Node.Value.(type) {
	case string:
		err := profile.CheckName(name)
		if err == nil {
			return name
		}
		f.report(one.Node.Place, invalidity(err), "choose another name")
	case bool, json.Number:
		f.wrongKind(one, yamldoc.Written(one.Node.Text))
	default:
		f.wrongKind(one, "a string")
	}
	return ""
}

func (f *file) metadata(one field) map[string]any {
	entries, ok := f.asMap(one)
	if !ok {
		return nil
	}
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name, profile.MarkPrefix) {
			f.report(entry.Place, fmt.Sprintf("metadata key %q is reserved", yamldoc.Short(entry.Name)),
				fmt.Sprintf("choose one that does not begin with %q", profile.MarkPrefix))
		}
	}
	return one.Node.Value.(map[string]any)
}

func (f *file) lifecycle(one field) Lifecycle {
	var lifecycle Lifecycle
	entries, ok := f.asMap(one)
	if !ok {
		return lifecycle
	}
	for _, entry := range entries {
		if entry.Name != "protect" {
			f.report(entry.Place, fmt.Sprintf("unknown key %q of lifecycle", yamldoc.Short(entry.Name)), nearest(entry.Name, lifecycleKeys))
			continue
		}
		protect, ok := entry.Node.Value.(bool)
		if !ok {
			f.wrongKind(entry, "true or false")
			continue
		}
		lifecycle.Protect = &protect
	}
	return lifecycle
}

// bodySize is about the length of a value as JSON.
func bodySize(value any) int {
	size := 2
	switch value := value.(type) {
	case map[string]any:
		for key, item := range value {
			size += bodySize(key) + bodySize(item) + 2
		}
	case []any:
		for _, item := range value {
			size += bodySize(item) + 1
		}
	case string:
		size += len(value)
		for i := range len(value) {
			switch c := value[i]; {
			case c == '"', c == '\\', c == '\n', c == '\t', c == '\r':
				size++
			case c < ' ':
				size += len(`\u0000`) - 1
			}
		}
	case json.Number:
		size = len(value)
	case bool, nil:
		size = len("false")
	}
	return size
}
