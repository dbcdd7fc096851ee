package diff

import (
	"slices"
	"strconv"
	"strings"

	"profilesync/internal/profile"
)

// Field is one difference between a live profile and what it will be.
type Field struct {
	Path      string // JSON pointer into the document: "/spec/properties/flavor"
	Old, New  any    // JSON values; nil for null and where there is none. Secrets are [profile.Redacted]
	Sensitive bool   // the value is a secret; that it differs is all that is said
}

// differences lists the fields in which two profiles differ, by path. Marks
// show only as the one setting of a document that they carry: protection.
func differences(before, after profile.Profile) []Field {
	var w walker
	w.name(before.Name, after.Name)
	w.value(nil, "metadata", profile.Labels(before.Metadata), profile.Labels(after.Metadata))
	w.protection(before, after)
	w.text("/spec/type", before.Spec.Type, after.Spec.Type)
	w.text("/spec/version", before.Spec.Version, after.Spec.Version)
	w.value([]string{"spec"}, "properties", map[string]any(before.Spec.Properties), map[string]any(after.Spec.Properties))
	return w.fields
}

// contents lists the fields of a profile that is to be created.
func contents(after profile.Profile) []Field {
	return differences(profile.Profile{Name: after.Name}, after)
}

type walker struct{ fields []Field }

func (w *walker) add(path string, before, after any) {
	w.fields = append(w.fields, Field{Path: path, Old: before, New: after})
}

func (w *walker) name(before, after string) {
	if before != after {
		w.add("/name", before, after)
	}
}

// text compares two texts of which the empty one means none.
func (w *walker) text(path, before, after string) {
	switch {
	case before == after:
	case before == "":
		w.add(path, nil, after)
	case after == "":
		w.add(path, before, nil)
	default:
		w.add(path, before, after)
	}
}

func (w *walker) protection(before, after profile.Profile) {
	was, is := profile.MarksOf(before.Metadata).Protected, profile.MarksOf(after.Metadata).Protected
	if was != is {
		w.add("/lifecycle/protect", was, is)
	}
}

// value goes down into maps and lists and notes the leaves that differ. A
// secret is noted as a whole and never looked into.
func (w *walker) value(parent []string, key string, before, after any) {
	if profile.Equal(before, after) {
		return
	}
	path := append(slices.Clip(parent), key)
	if path[0] == "spec" && profile.Sensitive(path[2:]...) {
		w.fields = append(w.fields, Field{
			Path: pointer(path), Old: redact(before), New: redact(after), Sensitive: true,
		})
		return
	}
	if w.children(path, before, after) {
		return
	}
	if path[0] == "spec" { // a secret may lie deeper in what is shown whole
		before, after = profile.RedactValue(before), profile.RedactValue(after)
	}
	w.add(pointer(path), before, after)
}

// member compares what two maps or lists hold in one place. A null on one side
// and nothing on the other is a difference too.
func (w *walker) member(parent []string, key string, before any, had bool, after any, has bool) {
	if had != has && before == nil && after == nil {
		w.add(pointer(append(slices.Clip(parent), key)), nil, nil)
		return
	}
	w.value(parent, key, before, after)
}

// children compares two maps or two lists member by member. An absent one
// counts as empty, so that what is added or removed is listed leaf by leaf.
func (w *walker) children(path []string, before, after any) bool {
	oldMap, oldIsMap := before.(map[string]any)
	newMap, newIsMap := after.(map[string]any)
	if fits(oldIsMap, before, newIsMap, after) && len(oldMap)+len(newMap) > 0 {
		for _, key := range keysOf(oldMap, newMap) {
			was, had := oldMap[key]
			is, has := newMap[key]
			w.member(path, key, was, had, is, has)
		}
		return true
	}
	oldList, oldIsList := before.([]any)
	newList, newIsList := after.([]any)
	if fits(oldIsList, before, newIsList, after) && len(oldList)+len(newList) > 0 {
		for i := range max(len(oldList), len(newList)) {
			was, had := item(oldList, i)
			is, has := item(newList, i)
			w.member(path, strconv.Itoa(i), was, had, is, has)
		}
		return true
	}
	return false
}

// fits reports whether both sides have the shape, or one has it and the other
// is absent.
func fits(oldHas bool, before any, newHas bool, after any) bool {
	return oldHas && newHas || oldHas && after == nil || newHas && before == nil
}

func item(list []any, i int) (value any, found bool) {
	if i < len(list) {
		return list[i], true
	}
	return nil, false
}

// keysOf lists the keys of either map in order.
func keysOf(a, b map[string]any) []string {
	keys := make([]string, 0, max(len(a), len(b)))
	for key := range a {
		keys = append(keys, key)
	}
	for key := range b {
		if _, ok := a[key]; !ok {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

// pointer writes a path as a JSON pointer (RFC 6901).
func pointer(path []string) string {
	var text strings.Builder
	for _, key := range path {
		text.WriteByte('/')
		text.WriteString(strings.ReplaceAll(strings.ReplaceAll(key, "~", "~0"), "/", "~1"))
	}
	return text.String()
}

func redact(value any) any {
	if value == nil {
		return nil
	}
	return profile.Redacted
}
