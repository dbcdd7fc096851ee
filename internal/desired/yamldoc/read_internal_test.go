package yamldoc

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	otherreader "sigs.k8s.io/yaml"
)

// An unquoted text is accepted only with a value that both readers give; the
// short cut for words is one as well.
func FuzzUnquotedText(f *testing.F) {
	for _, text := range []string{"web", "1e3", "0x1F", "1_000", "-.5", "yes", "y", "1:30", "2026-11-22", "10.0.0.1", "1b4e28ba-2fa1-11d2-883f", "a:", "1.50", "<<", "٣"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		root, err := parse([]byte("- " + text))
		if err != nil || len(root.Content) != 1 || !isPlain(root.Content[0]) || root.Content[0].Value != text {
			return // not an unquoted text
		}
		documents, problems := new(Reader).Read([]byte("- " + text))
		if len(problems) > 0 {
			return
		}
		value := documents[0].Items[0].Value
		python, odd := byPyYAML(text)
		if odd != "" || !sameMeaning(python, value) {
			t.Errorf("%q is %#v, PyYAML reads %#v %s", text, value, python, odd)
		}
		if other, err := byOther(text); err != nil || !sameMeaning(value, other) {
			t.Errorf("%q is %#v, sigs.k8s.io/yaml reads %#v (%v)", text, value, other, err)
		}
	})
}

// A whole text that is accepted is what sigs.k8s.io/yaml makes of it.
func FuzzRead(f *testing.F) {
	for _, text := range []string{
		"a: [1, {b: c}]\n", "- &x y\n- *x\n", "a: |\n  b\n   c\n", "a: >-\n  b\n  c\n", "\"a\": 'b'\n", "? a\n: b\n", "{a:, b}", "a:\tb\n",
		"--- # c\na: b\n...\n", "a: \"\\x41\\\n  b\"\n", "!x a: ! 5\n", "! &0", "&0 ! 1", "- - - a\n    - b\n", "a: 1\n---\nb: 2\n", "<<: {a: 1}\n", "a: b # c\n# d\n",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		documents, problems := new(Reader).Read(text)
		for _, problem := range problems {
			if problem.What == "" || problem.Line < 0 || (problem.Line == 0) != (problem.Column == 0) {
				t.Errorf("a problem without text or place: %+v", problem)
			}
		}
		if len(problems) > 0 || len(documents) != 1 || documents[0] == nil {
			return
		}
		other, err := otherreader.YAMLToJSONStrict(text)
		if err != nil {
			t.Fatalf("sigs.k8s.io/yaml refuses it: %v", err)
		}
		decoder := json.NewDecoder(bytes.NewReader(other))
		decoder.UseNumber()
		var value any
		if err := decoder.Decode(&value); err != nil {
			t.Fatal(err)
		}
		if !sameTree(documents[0].Value, value) {
			t.Errorf("read as %v, sigs.k8s.io/yaml reads %v", documents[0].Value, value)
		}
	})
}

// sameTree compares values whose numbers sigs.k8s.io/yaml may have rounded,
// and strings in which it may have replaced what is no character.
func sameTree(a, b any) bool {
	switch a := a.(type) {
	case map[string]any:
		b, ok := b.(map[string]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for key, value := range a {
			other, ok := b[key]
			if !ok || !sameTree(value, other) {
				return false
			}
		}
		return true
	case []any:
		b, ok := b.([]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for i := range a {
			if !sameTree(a[i], b[i]) {
				return false
			}
		}
		return true
	case string:
		b, ok := b.(string)
		return ok && (a == b || strings.ToValidUTF8(a, "\ufffd") == b)
	}
	return sameMeaning(a, b)
}
