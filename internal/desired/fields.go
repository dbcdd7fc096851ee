package desired

import (
	"encoding/json"
	"fmt"

	"profilesync/internal/desired/yamldoc"
)

// field is a value to check, with what messages call it.
type field struct {
	label string
	*yamldoc.Field
}

// place is where to point at when the value is wrong: an empty one has no
// place of its own.
func (f field) place() yamldoc.Place {
	if f.Node.Value == nil {
		return f.Place
	}
	return f.Node.Place
}

// fields gives the entries of a map, labelled with their keys.
func fields(n yamldoc.Node) []field {
	all := make([]field, len(n.Fields))
	for i := range n.Fields {
		all[i] = field{n.Fields[i].Name, &n.Fields[i]}
	}
	return all
}

// items gives the entries of a list, labelled with their indexes.
func (f field) items() []field {
	all := make([]field, len(f.Node.Items))
	for i, item := range f.Node.Items {
		all[i] = field{fmt.Sprintf("%s[%d]", f.label, i), &yamldoc.Field{Place: item.Place, Node: item}}
	}
	return all
}

// asMap gives the entries of a field that has to be a map, or reports it.
func (f *file) asMap(one field) ([]field, bool) {
	if _, ok := one.Node.Value.(map[string]any); !ok {
		f.wrongKind(one, "a map")
		return nil, false
	}
	return fields(one.Node), true
}

// wrongKind reports a value of another kind than the wanted one, unless it
// could not be read and so is reported already.
func (f *file) wrongKind(one field, wanted string) {
	switch {
	case one.Node.Broken:
	case one.Node.Value == nil:
		f.report(one.place(), one.label+" is empty", "write "+wanted)
	default:
		f.report(one.place(), fmt.Sprintf("%s is %s", one.label, kindOf(one.Node.Value)), "write "+wanted)
	}
}

// kindOf names a value's kind in the words of people who write YAML.
func kindOf(value any) string {
	switch value := value.(type) {
	case map[string]any:
		return "a map"
	case []any:
		return "a list"
	case string:
		return "a string"
	case bool:
		return fmt.Sprint(value)
	case json.Number:
		return "a number"
	}
	return "empty"
}
