package report

import (
	"bytes"
	"encoding/json"
	"io"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"profilesync/internal/diff"
	"profilesync/internal/live"
)

// documented is the shape that docs/json.md promises; what is not in it is a
// mistake in one or the other.
type documented struct {
	FormatVersion int `json:"format_version"`
	Targets       []struct {
		Name, Cloud, Region, Project, Revision, Owner, Digest, Error *string
		Summary                                                      struct {
			Create, Update, Recreate, Delete, Blocked, Kept, Unchanged *int
		}
		Applied *struct {
			Created, Updated, Recreated, Deleted, Failed, Skipped, Blocked, Kept, Unchanged *int
			TookMS                                                                          *int `json:"took_ms"`
		}
		Changes []struct {
			Action, Name, ID, Reason, Block *string
			Kept                            *bool
			File, Status, Error             *string
			NewID                           *string `json:"new_id"`
			EarlierID                       *string `json:"earlier_id"`
			Line                            *int
			TookMS                          *int `json:"took_ms"`
			Fields                          []struct {
				Path      *string
				Old, New  *json.RawMessage
				Sensitive *bool
			}
			Users []struct{ Kind, ID, Name, Status, Project *string }
		}
	}
}

func TestJSONHasTheDocumentedShape(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := written(t, func(w io.Writer) error { return JSON(w, targetsOf(t)) })
		var document documented
		decoder := json.NewDecoder(strings.NewReader(text))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&document); err != nil {
			t.Fatalf("%v in %s", err, text)
		}
		if document.FormatVersion != 1 || document.Targets == nil {
			t.Fatalf("no version or targets in %s", text)
		}
		for _, target := range document.Targets {
			if target.Name == nil || target.Digest == nil || target.Summary.Kept == nil || target.Changes == nil {
				t.Fatalf("target lacks a key in %s", text)
			}
			for _, c := range target.Changes {
				if c.Action == nil || c.Name == nil || c.ID == nil || c.Reason == nil || c.Block == nil || c.Fields == nil || c.Users == nil {
					t.Fatalf("change lacks a key in %s", text)
				}
			}
		}
	})
}

func TestReplannedTargetsKeepTheirError(t *testing.T) {
	text := written(t, func(w io.Writer) error {
		return JSON(w, []Target{{Name: "far", Err: io.ErrUnexpectedEOF}})
	})
	if !strings.Contains(text, `"name":"far"`) || !strings.Contains(text, `"error":"unexpected EOF"`) || !strings.Contains(text, `"changes":[`) {
		t.Errorf("got %s", text)
	}
}

func TestPlanFileGivesTheSameDigest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		plan := diff.Plan{
			Target: foreign().Draw(t, "target"), Cloud: foreign().Draw(t, "cloud"), Project: foreign().Draw(t, "project"),
			Revision: foreign().Draw(t, "revision"), Owner: foreign().Draw(t, "owner"),
			Changes: rapid.SliceOfN(change(), 0, 6).Draw(t, "changes"),
		}
		plan = roundTrip(t, plan) // what came from JSON once is valid UTF-8
		var file bytes.Buffer
		if err := WritePlan(&file, planned(plan)); err != nil {
			t.Fatal(err)
		}
		plans, err := ReadPlan(&file)
		if err != nil {
			t.Fatal(err)
		}
		if len(plans) != 1 || plans[0].Digest() != plan.Digest() {
			t.Fatalf("digest %s, want %s", plans[0].Digest(), plan.Digest())
		}
		if differences := Differences(plan, plans[0]); len(differences) != 0 {
			t.Fatalf("differences %v", differences)
		}
	})
}

// roundTrip makes every text of a plan valid UTF-8, as everything is that was
// read from a cloud or a document.
func roundTrip(t *rapid.T, plan diff.Plan) diff.Plan {
	for i := range plan.Changes {
		fields, err := json.Marshal(plan.Changes[i].Fields)
		if err != nil {
			t.Fatal(err)
		}
		decoder := json.NewDecoder(bytes.NewReader(fields))
		decoder.UseNumber()
		plan.Changes[i].Fields = nil
		if err := decoder.Decode(&plan.Changes[i].Fields); err != nil {
			t.Fatal(err)
		}
		for _, text := range []*string{&plan.Changes[i].Name, (*string)(&plan.Changes[i].Block)} {
			*text = strings.ToValidUTF8(*text, "?")
		}
		for _, p := range []*live.Profile{plan.Changes[i].Before, plan.Changes[i].Earlier} {
			if p != nil {
				p.ID = strings.ToValidUTF8(p.ID, "?")
			}
		}
	}
	for _, text := range []*string{&plan.Target, &plan.Cloud, &plan.Project, &plan.Revision, &plan.Owner} {
		*text = strings.ToValidUTF8(*text, "?")
	}
	return plan
}

func TestPlanFilesThatAreRefused(t *testing.T) {
	good := written(t, func(w io.Writer) error { return WritePlan(w, planned(everything(), everyBlock())) })
	swap := func(old, new string) string {
		if !strings.Contains(good, old) {
			t.Fatalf("%q is not in the file", old)
		}
		return strings.Replace(good, old, new, 1)
	}
	emptyDigest := diff.Plan{}.Digest()
	for name, row := range map[string]struct{ file, want string }{
		"nothing in it":              {"  \n", "it is empty"},
		"not JSON":                   {"plan", "it is not the JSON of a plan"},
		"half of it":                 {good[:len(good)/2], "it is not the JSON of a plan"},
		"something behind it":        {good + "{}", "it is not the JSON of a plan"},
		"a list":                     {"[]", "it is not the JSON of a plan"},
		"no version":                 {`{"targets":[]}`, "it has no format_version"},
		"a later version":            {swap(`"format_version":1`, `"format_version":2`), "format_version is 2, this program reads 1"},
		"a version in quotes":        {swap(`"format_version":1`, `"format_version":"1"`), "format_version is \"1\""},
		"changes without end":        {`{"format_version":1,"targets":[{"changes":[{}` + strings.Repeat(",{}", maxCommas) + "]}]}", "more than 2097152 elements"},
		"values in each other":       {`{"format_version":1,"a":` + strings.Repeat(strings.Repeat(`[`, 9000)+strings.Repeat(`]`, 9000), maxNested/9000+1), "more than 1048576 objects and lists"},
		"targets without end":        {`{"format_version":1,"targets":[` + strings.Repeat("{\"digest\":\""+emptyDigest+"\"},", maxTargets) + "{}]}", "more than 1000 targets"},
		"changes that are nothing":   {`{"format_version":1,"targets":[{"changes":[` + strings.Repeat(`{"action":"create"},`, maxChanges) + "null]}]}", "more than 262144 changes"},
		"changes that are no list":   {`{"format_version":1,"targets":[{"changes":{}}]}`, "its changes are no list"},
		"no target":                  {`{"format_version":1}`, "it holds no target"},
		"a target that failed":       {`{"format_version":1,"targets":[{"name":"far","error":"no route"}]}`, `target "far": it has no plan: no route`},
		"an unknown action":          {swap(`"action":"delete"`, `"action":"destroy"`), `action "destroy"`},
		"a change of kind":           {swap(`"action":"delete"`, `"action":"update"`), "the file was changed"},
		"another id":                 {swap(`"id":"e0000000`, `"id":"e1000000`), "the file was changed"},
		"another generation":         {swap(`"earlier_id":"0a1b2c3d`, `"earlier_id":"1a1b2c3d`), "the file was changed"},
		"another value":              {swap(`"new":"m1.large"`, `"new":"m1.tiny"`), "the file was changed"},
		"another revision":           {swap(testRevision, strings.Repeat("0", 40)), "the file was changed"},
		"another project":            {swap(testProject, "other"), "the file was changed"},
		"a block that is lifted":     {swap(`"block":"prune is off"`, `"block":""`), "the file was changed"},
		"a number that is rounded":   {swap("12345678901234567890", "12345678901234567000"), "the file was changed"},
		"a secret that is not one":   {swap(`,"sensitive":true`, ""), "the file was changed"},
		"a digest of somebody else":  {swap(`"digest":"sha256:`, `"digest":"sha256:00`), "the file was changed"},
		"a digest that is not there": {swap(`"digest":`, `"digested":`), "it has no plan"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ReadPlan(strings.NewReader(row.file))
			if err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("error %v, want %q in it", err, row.want)
			}
		})
	}
	t.Run("more than the limit", func(t *testing.T) {
		endless := io.LimitReader(spaces{}, MaxPlanFile+10)
		if _, err := ReadPlan(endless); err == nil || !strings.Contains(err.Error(), "larger than") {
			t.Errorf("error %v", err)
		}
	})
}

type spaces struct{}

func (spaces) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

func TestUnknownKeysOfAPlanFileAreIgnored(t *testing.T) {
	good := written(t, func(w io.Writer) error { return WritePlan(w, planned(everything())) })
	later := strings.ReplaceAll(good, `{"action"`, `{"later":[1,{}],"action"`)
	if _, err := ReadPlan(strings.NewReader(later)); err != nil {
		t.Error(err)
	}
}

func TestOutputOfPlanIsAPlanFileToo(t *testing.T) {
	plan := everything()
	text := written(t, func(w io.Writer) error { return JSON(w, []Target{{Plan: &plan}}) })
	if _, err := ReadPlan(strings.NewReader(text)); err != nil {
		t.Error(err)
	}
}

func TestTextThatIsNotUTF8CannotBeKeptInAFile(t *testing.T) {
	plan := planOf(diff.Change{Action: diff.Create, Name: "a\xff"})
	if err := WritePlan(io.Discard, planned(plan)); err == nil {
		t.Error("a plan was written that cannot be read again")
	}
}

func FuzzReadPlan(f *testing.F) {
	small := planOf(
		diff.Change{Action: diff.Delete, Reason: diff.NotDesired, Name: "old", Block: diff.InUse, Users: []live.User{{ID: "u"}}},
		diff.Change{Action: diff.Update, Name: "db", Fields: []diff.Field{{Path: "/a", Old: json.Number("1"), New: []any{nil, "x"}}}},
	)
	f.Add([]byte(written(f, func(w io.Writer) error { return WritePlan(w, planned(small)) })))
	f.Add([]byte(`{"format_version":1,"targets":[{"name":"x","digest":"y","changes":[null]}]}`))
	digests := regexp.MustCompile(`digest "((?:\\.|[^"])*)" is not that of its changes, "(.*?)"`)
	f.Fuzz(func(t *testing.T, file []byte) {
		plans, err := ReadPlan(bytes.NewReader(file))
		if err != nil {
			match := digests.FindStringSubmatch(err.Error())
			if match == nil {
				return
			}
			file = bytes.Replace(file, []byte(match[1]), []byte(match[2]), 1) // look behind the digest too
			if plans, err = ReadPlan(bytes.NewReader(file)); err != nil {
				return
			}
		}
		var again bytes.Buffer
		if err := WritePlan(&again, planned(plans...)); err != nil {
			t.Fatalf("a plan that was read cannot be written: %v", err)
		}
		if err := Text(io.Discard, []Target{{Plan: &plans[0]}}, Style{Verbose: true}); err != nil {
			t.Fatal(err)
		}
	})
}
