package diff_test

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"profilesync/internal/diff"
	"profilesync/internal/profile"
)

// fieldsBetween are the fields of a recreate from one property map to another,
// a line each.
func fieldsBetween(t *testing.T, before, after string) string {
	t.Helper()
	plan := diff.Compare(
		setOf([]document{{Name: "web", spec: spec{Properties: properties(t, after)}}}),
		snapshotOf([]liveProfile{{ID: "aaaaaaaa-1", Name: "web", Owner: "us", spec: spec{Properties: properties(t, before)}}}),
		diff.Options{Owner: "us"},
	)
	var lines []string
	for _, field := range plan.Changes[0].Fields {
		path := strings.TrimPrefix(field.Path, "/spec/properties")
		line := fmt.Sprintf("%s: %s → %s", path, asJSON(field.Old), asJSON(field.New))
		if field.Sensitive {
			line += " sensitive"
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

func properties(t *testing.T, text string) map[string]any {
	t.Helper()
	var list []map[string]any
	decode(t, "["+text+"]", &list)
	return list[0]
}

func TestFieldsNameTheLeavesThatDiffer(t *testing.T) {
	for _, row := range []struct{ name, before, after, fields string }{
		{"nothing", `{"a":1}`, `{"a":1.0}`, ``},
		{"a value", `{"a":1,"b":2}`, `{"a":1,"b":3}`, `/b: 2 → 3`},
		{"a value of another kind", `{"a":1}`, `{"a":"1"}`, `/a: 1 → "1"`},
		{"one key more, one less", `{"a":1}`, `{"b":2}`, "/a: 1 → null\n/b: null → 2"},
		{"deep in maps and lists", `{"a":[{"b":{"c":1}},2]}`, `{"a":[{"b":{"c":3}},2]}`, `/a/0/b/c: 1 → 3`},
		{"a list that grows", `{"a":[1]}`, `{"a":[1,2,3]}`, "/a/1: null → 2\n/a/2: null → 3"},
		{"a list that shrinks", `{"a":[1,2]}`, `{"a":[2]}`, "/a/0: 1 → 2\n/a/1: 2 → null"},
		{"a map that is added", `{}`, `{"a":{"b":1,"c":[2]}}`, "/a/b: null → 1\n/a/c/0: null → 2"},
		{"a map that is removed", `{"a":{"b":1}}`, `{}`, `/a/b: 1 → null`},
		{"a map that is emptied", `{"a":{"b":1}}`, `{"a":{}}`, `/a/b: 1 → null`},
		{"an empty map that is added", `{}`, `{"a":{}}`, `/a: null → {}`},
		{"an empty list that is removed", `{"a":[]}`, `{}`, `/a: [] → null`},
		{"an empty map that becomes an empty list", `{"a":{}}`, `{"a":[]}`, `/a: {} → []`},
		{"a map that becomes a list", `{"a":{"0":1}}`, `{"a":[1]}`, `/a: {"0":1} → [1]`},
		{"a map that becomes a text", `{"a":{"b":1}}`, `{"a":"b"}`, `/a: {"b":1} → "b"`},
		{"a null that becomes a value", `{"a":null}`, `{"a":false}`, `/a: null → false`},
		{"a null that is added", `{}`, `{"a":null}`, `/a: null → null`},
		{"a null that is removed", `{"a":{"b":null}}`, `{"a":{}}`, `/a/b: null → null`},
		{"a null at the end of a list", `{"a":[1]}`, `{"a":[1,null]}`, `/a/1: null → null`},
		{"a multi-line text", `{"template":"a\nb"}`, `{"template":"a\nc"}`, `/template: "a\nb" → "a\nc"`},
		{"keys in order", `{}`, `{"c":1,"B":1,"a":1}`, "/B: null → 1\n/a: null → 1\n/c: null → 1"},
		{"keys to escape", `{}`, `{"~1/":1,"":2}`, "/: null → 2\n/~01~1: null → 1"},
		{"a secret", `{"user_data":"x"}`, `{"user_data":"y"}`, `/user_data: "(sensitive)" → "(sensitive)" sensitive`},
		{"a secret that is added", `{}`, `{"admin_pass":"y"}`, `/admin_pass: null → "(sensitive)" sensitive`},
		{"a secret that is removed", `{"files":{"a":"x"}}`, `{}`, `/files: "(sensitive)" → null sensitive`},
		{"a secret in a list of maps", `{"a":[{"password":"x","b":1}]}`, `{"a":[{"password":"y","b":1}]}`, `/a/0/password: "(sensitive)" → "(sensitive)" sensitive`},
		{"a secret in what becomes a text", `{"a":[{"password":"x"}]}`, `{"a":"b"}`, `/a: [{"password":"(sensitive)"}] → "b"`},
		{"an equal secret", `{"user_data":"x","a":1}`, `{"user_data":"x","a":2}`, `/a: 1 → 2`},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := fieldsBetween(t, row.before, row.after); got != row.fields {
				t.Errorf("the fields are\n%s\nand not\n%s", got, row.fields)
			}
		})
	}
}

// Law: what is changed because it differs shows where, each place once. An
// earlier generation that already bears its name again differs in a mark alone,
// which the reason tells of.
func TestEveryDifferenceIsShown(t *testing.T) {
	differing := map[diff.Reason]bool{
		diff.LabelsDiffer: true, diff.SpecDiffers: true, diff.TakenOver: true, diff.Renamed: true, diff.Restores: true, diff.Missing: true,
	}
	forAll(t, func(t *rapid.T, _ world, plan diff.Plan) {
		for _, c := range plan.Changes {
			inPlace := c.Reason == diff.Restores && c.Before != nil && c.Before.Name == c.Name
			if c.Pending() && differing[c.Reason] && len(c.Fields) == 0 && !inPlace {
				t.Errorf("%s %q (%s) shows no difference", c.Action, c.Name, c.Reason)
			}
			paths := map[string]bool{}
			for _, field := range c.Fields {
				if paths[field.Path] {
					t.Errorf("%s is shown twice", field.Path)
				}
				paths[field.Path] = true
				if field.Old != nil && !field.Sensitive && profile.Equal(field.Old, field.New) {
					t.Errorf("%s does not differ", field.Path)
				}
			}
		}
	})
}
