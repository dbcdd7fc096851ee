package desired_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"pgregory.net/rapid"

	"profilesync/internal/desired"
	"profilesync/internal/profile"
)

// What is written as documents is read again as it was, however it is written.
func TestLoadGivesBackWhatWasWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		items := drawItems(t)
		var documents []string
		for _, item := range items {
			documents = append(documents, writeDocument(t, item))
		}
		checkSame(t, items, load(t, fstest.MapFS{
			"all.yaml": {Data: []byte(strings.Join(documents, "---\n"))},
		}))
	})
}

// A bare spec file is the full form without its name.
func TestABareSpecIsTheFullForm(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		item := drawItem(t, "web")
		item.Metadata, item.Lifecycle = nil, desired.Lifecycle{}
		text := writeMap(t, specOf(item), 0)
		checkSame(t, []desired.Item{item}, load(t, fstest.MapFS{"some/folder/web.yaml": {Data: []byte(text)}}))
	})
}

// How documents are spread over files changes nothing but the places.
func TestTheOrderOfFilesDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		items := drawItems(t)
		texts := map[string][]string{}
		for _, item := range rapid.Permutation(items).Draw(t, "order") {
			file := rapid.SampledFrom([]string{"a.yaml", "b/c.yml", "b/d.yaml", "z.yaml"}).Draw(t, "file")
			texts[file] = append(texts[file], writeDocument(t, item))
		}
		files := fstest.MapFS{}
		for name, documents := range texts {
			files[name] = &fstest.MapFile{Data: []byte(strings.Join(documents, "---\n"))}
		}
		checkSame(t, items, load(t, files))
	})
}

func load(t *rapid.T, files fstest.MapFS) desired.Set {
	set, err := desired.Load(files, "r1")
	if err != nil {
		for name, file := range files {
			t.Logf("%s:\n%s", name, file.Data)
		}
		t.Fatal(err)
	}
	return set
}

func checkSame(t *rapid.T, want []desired.Item, got desired.Set) {
	want = slices.Clone(want)
	slices.SortFunc(want, func(a, b desired.Item) int { return strings.Compare(a.Name, b.Name) })
	if len(got.Items) != len(want) {
		t.Fatalf("%d items, want %d", len(got.Items), len(want))
	}
	for i, item := range got.Items {
		if item.Name != want[i].Name || !profile.SameLabels(item.Metadata, want[i].Metadata) || !item.Spec.Equal(want[i].Spec) {
			t.Fatalf("got %#v, want %#v", item, want[i])
		}
		a, b := item.Lifecycle.Protect, want[i].Lifecycle.Protect
		if (a == nil) != (b == nil) || a != nil && *a != *b {
			t.Fatalf("%s: protect %v, want %v", item.Name, a, b)
		}
	}
}

func drawItems(t *rapid.T) []desired.Item {
	names := rapid.SliceOfNDistinct(rapid.StringMatching(`[a-zA-Z0-9._-]{1,20}|[一-龥]{1,4}`), 1, 6, strings.ToLower).Draw(t, "names")
	items := make([]desired.Item, len(names))
	for i, name := range names {
		items[i] = drawItem(t, name)
	}
	return items
}

func drawItem(t *rapid.T, name string) desired.Item {
	item := desired.Item{Profile: profile.Profile{Name: name, Spec: profile.Spec{
		Type:    rapid.SampledFrom([]string{"my.type", "other.type.v2"}).Draw(t, "type"),
		Version: rapid.SampledFrom([]string{"1.0", "1.10", "2.5.1", "10.0"}).Draw(t, "version"),
	}}}
	item.Spec.Properties = drawMap(t, 3)
	for key, value := range item.Spec.Properties {
		if value == nil {
			item.Spec.Properties[key] = false
		}
	}
	if rapid.Bool().Draw(t, "labelled") {
		item.Metadata = drawMap(t, 2)
	}
	if rapid.Bool().Draw(t, "says something about protection") {
		protect := rapid.Bool().Draw(t, "protect")
		item.Lifecycle.Protect = &protect
	}
	return item
}

func drawMap(t *rapid.T, depth int) map[string]any {
	values := map[string]any{}
	for _, key := range rapid.SliceOfN(texts(), 0, 4).Draw(t, "keys") {
		if !strings.HasPrefix(key, profile.MarkPrefix) {
			values[key] = drawValue(t, depth)
		}
	}
	return values
}

func drawValue(t *rapid.T, depth int) any {
	kinds := 5
	if depth > 0 {
		kinds = 7
	}
	switch rapid.IntRange(0, kinds-1).Draw(t, "kind") {
	case 0:
		return nil
	case 1:
		return rapid.Bool().Draw(t, "bool")
	case 2:
		return json.Number(rapid.StringMatching(`-?(0|[1-9][0-9]{0,30})`).Draw(t, "integer"))
	case 3:
		return json.Number(rapid.StringMatching(`-?(0|[1-9][0-9]{0,5})\.[0-9]{1,6}(e[-+][0-9]{1,2})?`).Draw(t, "float"))
	case 4:
		return texts().Draw(t, "text")
	case 5:
		return drawMap(t, depth-1)
	}
	list := []any{}
	for range rapid.IntRange(0, 4).Draw(t, "length") {
		list = append(list, drawValue(t, depth-1))
	}
	return list
}

// texts are strings with a liking for what YAML reads as something else.
func texts() *rapid.Generator[string] {
	return rapid.OneOf(
		rapid.SampledFrom([]string{"", "yes", "n", "1e3", "0777", "1:30", "2026-11-22", "~", "<<", "=", "- a", "a: b", "a #b", "*x", "!x", "%x", "\ttab", "line\nline\n", " blank ", "null", "é", "profilesync"}),
		rapid.StringMatching(`[a-z][a-z0-9._/-]{0,12}`),
		rapid.String(),
	)
}

// writeDocument writes a document in a random one of its spellings.
func writeDocument(t *rapid.T, item desired.Item) string {
	document := map[string]any{"name": item.Name, "spec": specOf(item)}
	if item.Metadata != nil {
		document["metadata"] = item.Metadata
	}
	if item.Lifecycle.Protect != nil {
		document["lifecycle"] = map[string]any{"protect": *item.Lifecycle.Protect}
	}
	return writeMap(t, document, 0)
}

// unquoted marks a text that is written without quotes whatever it looks like.
type unquoted string

func specOf(item desired.Item) map[string]any {
	version := any(item.Spec.Version)
	if version == "1.0" && len(item.Name)%2 == 0 {
		version = unquoted("1.0")
	}
	return map[string]any{"type": item.Spec.Type, "version": version, "properties": map[string]any(item.Spec.Properties)}
}

// writeMap writes a non-empty map in block style, its values in either style.
func writeMap(t *rapid.T, values map[string]any, indent int) string {
	var text strings.Builder
	for _, key := range rapid.Permutation(slices.Sorted(maps.Keys(values))).Draw(t, "key order") {
		value := values[key]
		text.WriteString(strings.Repeat(" ", indent) + writeText(key) + ":")
		inner, isMap := value.(map[string]any)
		list, isList := value.([]any)
		switch block := rapid.Bool().Draw(t, "block style"); {
		case block && isMap && len(inner) > 0:
			text.WriteString("\n" + writeMap(t, inner, indent+2))
		case block && isList && len(list) > 0:
			for _, item := range list {
				text.WriteString("\n" + strings.Repeat(" ", indent) + "- " + writeFlow(item))
			}
			text.WriteByte('\n')
		default:
			text.WriteString(" " + writeFlow(value) + "\n")
		}
	}
	return text.String()
}

func writeFlow(value any) string {
	switch value := value.(type) {
	case nil:
		return "~"
	case string:
		return writeText(value)
	case map[string]any:
		var parts []string
		for _, key := range slices.Sorted(maps.Keys(value)) {
			parts = append(parts, writeText(key)+": "+writeFlow(value[key]))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case []any:
		var parts []string
		for _, item := range value {
			parts = append(parts, writeFlow(item))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	return fmt.Sprint(value)
}

// writeText writes long plain words as they are and all else in double quotes.
func writeText(text string) string {
	if len(text) > 5 && strings.Trim(text, "abcdefghijklmnopqrstuvwxyz") == "" {
		return text
	}
	var quoted strings.Builder
	quoted.WriteByte('"')
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			quoted.WriteString("\\" + string(r))
		case r < ' ' || r >= 0x7f && r < 0xa0 || r == 0x2028 || r == 0x2029 || r == 0xfeff || r == 0xfffe || r == 0xffff:
			fmt.Fprintf(&quoted, `\u%04x`, r)
		default:
			quoted.WriteRune(r)
		}
	}
	quoted.WriteByte('"')
	return quoted.String()
}
