package profile

import (
	"encoding/json"
	"maps"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func anyMarks(t *rapid.T) Marks {
	text := rapid.SampledFrom([]string{"", "a", "team/web", "true"})
	return Marks{
		Owner: text.Draw(t, "owner"), Source: text.Draw(t, "source"), Revision: text.Draw(t, "revision"),
		Superseded: text.Draw(t, "superseded"), Protected: rapid.Bool().Draw(t, "protected"),
	}
}

func anyMetadata(t *rapid.T, label string) map[string]any {
	keys := rapid.SampledFrom([]string{"team", "tier", "", "profilesync", MarkPrefix + "later", OwnerKey, ProtectedKey, SupersededKey})
	values := rapid.SampledFrom([]any{"a", "true", json.Number("1"), json.Number("1.0"), nil, map[string]any{"x": true}})
	return rapid.MapOfN(keys, values, 0, 4).Draw(t, label)
}

// Law: what is written is what is read, and nothing but marks is touched.
func TestMarksRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		marks, metadata := anyMarks(t), anyMetadata(t, "metadata")
		before := maps.Clone(metadata)
		marked := marks.On(metadata)
		if got := MarksOf(marked); got != marks {
			t.Errorf("read back as %+v", got)
		}
		if !reflect.DeepEqual(Labels(marked), Labels(metadata)) || !SameLabels(marked, metadata) {
			t.Errorf("the labels became %v", Labels(marked))
		}
		if !reflect.DeepEqual(metadata, before) {
			t.Error("the metadata given was written to")
		}
		if !reflect.DeepEqual(MarksOf(marked).On(marked), marked) {
			t.Error("marking twice is not marking once")
		}
	})
}

// Law: two maps have the same labels exactly when their labels are equal.
func TestSameLabelsIsEqualityOfLabels(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := anyMetadata(t, "a"), anyMetadata(t, "b")
		if SameLabels(a, b) != Equal(Labels(a), Labels(b)) {
			t.Errorf("SameLabels = %v", SameLabels(a, b))
		}
	})
}

func TestMarksThatWereNeverWrittenByUsCountAsAbsent(t *testing.T) {
	marks := MarksOf(map[string]any{
		OwnerKey: json.Number("5"), SourceKey: nil, RevisionKey: []any{"x"}, SupersededKey: true, ProtectedKey: true,
	})
	if marks != (Marks{}) {
		t.Errorf("read as %+v", marks)
	}
	if MarksOf(map[string]any{ProtectedKey: "false"}).Protected || MarksOf(nil) != (Marks{}) {
		t.Error("protected, or a mark out of nothing")
	}
}

func TestAsideIsAnEarlierGeneration(t *testing.T) {
	marks := Marks{Owner: "them", Source: "web.yaml", Revision: "r1", Protected: true}
	p := Profile{Name: "web", Metadata: marks.On(map[string]any{"team": "web"}), Spec: specOf("x")}
	before := maps.Clone(p.Metadata)
	aside := p.Aside("0a1b2c3d-1111", "us")
	if aside.Name != "web~0a1b2c3d" || !aside.Spec.Equal(p.Spec) {
		t.Errorf("aside is %q", aside.Name)
	}
	want := Marks{Owner: "us", Source: "web.yaml", Revision: "r1", Superseded: "web", Protected: true}
	if got := MarksOf(aside.Metadata); got != want {
		t.Errorf("marked %+v", got)
	}
	if !SameLabels(aside.Metadata, p.Metadata) || !reflect.DeepEqual(p.Metadata, before) {
		t.Error("labels changed")
	}
}

func TestEveryMarkHasThePrefixThatDocumentsMayNotUse(t *testing.T) {
	marks := Marks{Owner: "o", Source: "s", Revision: "r", Superseded: "n", Protected: true}.On(nil)
	if len(marks) != reflect.TypeFor[Marks]().NumField() {
		t.Errorf("%d marks are written", len(marks))
	}
	for key := range marks {
		if !strings.HasPrefix(key, MarkPrefix) {
			t.Errorf("mark %q", key)
		}
	}
}

func TestWithLeavesTheOriginalAlone(t *testing.T) {
	p := Profile{Name: "web", Metadata: map[string]any{"a": "1"}, Spec: specOf("x")}
	given := map[string]any{"b": "2"}
	other := p.With("db", given)
	given["b"] = "3"
	if other.Name != "db" || other.Metadata["b"] != "2" || p.Name != "web" || p.Metadata["a"] != "1" || !other.Spec.Equal(p.Spec) {
		t.Errorf("got %+v from %+v", other, p)
	}
}
