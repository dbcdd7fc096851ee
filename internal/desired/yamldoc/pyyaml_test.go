package yamldoc_test

import (
	"encoding/json"
	"math/big"
	"os"
	"strings"
	"testing"

	otherreader "sigs.k8s.io/yaml"

	"profilesync/internal/desired/yamldoc"
	"profilesync/internal/profile"
)

// oracle is what PyYAML was seen to do; testdata/pyyaml.py writes it.
type oracle struct {
	Scalars, Documents []struct {
		Text    string
		JSON    string
		Refused bool
	}
}

func readOracle(t *testing.T) oracle {
	t.Helper()
	text, err := os.ReadFile("testdata/pyyaml.json")
	if err != nil {
		t.Fatal(err)
	}
	var table oracle
	if err := json.Unmarshal(text, &table); err != nil {
		t.Fatal(err)
	}
	return table
}

// An unquoted text is accepted exactly when PyYAML and sigs.k8s.io/yaml make
// the same of it, and then it is what they make of it.
func TestUnquotedTextsAreReadAsBothReadersDo(t *testing.T) {
	accepted := 0
	for _, one := range readOracle(t).Scalars {
		t.Run(one.Text, func(t *testing.T) {
			documents, problems := new(yamldoc.Reader).Read([]byte("- " + one.Text))
			if want := !one.Refused && readersAgree(t, one.Text, one.JSON); (len(problems) == 0) != want {
				t.Fatalf("accepted: %v, want %v; problems %v", len(problems) == 0, want, problems)
			}
			if len(problems) > 0 {
				return
			}
			accepted++
			if got := documents[0].Items[0].Value; !profile.Equal(got, decoded(t, one.JSON)) {
				t.Errorf("%#v, want %s", got, one.JSON)
			}
		})
	}
	if accepted < 100 {
		t.Errorf("%d of the texts were accepted: the table tests little", accepted)
	}
}

// readersAgree compares PyYAML's value with the other reader's. That one keeps
// 64 bits of an integer, and either keeps a float's only.
func readersAgree(t *testing.T, text, python string) bool {
	t.Helper()
	other, err := otherreader.YAMLToJSONStrict([]byte("- " + text))
	if err != nil {
		return false
	}
	list, ok := decoded(t, string(other)).([]any)
	if !ok || len(list) != 1 {
		return false
	}
	a, aIsNumber := decoded(t, python).(json.Number)
	b, bIsNumber := list[0].(json.Number)
	if !aIsNumber || !bIsNumber {
		return profile.Equal(decoded(t, python), list[0])
	}
	if strings.ContainsAny(string(a), ".e") { // the text may say more than a float keeps
		return rational(t, strings.ReplaceAll(text, "_", "")).Cmp(rational(t, string(b))) == 0
	}
	if rational(t, string(a)).Num().BitLen() >= 64 {
		x, _ := a.Float64()
		y, _ := b.Float64()
		return x == y
	}
	return rational(t, string(a)).Cmp(rational(t, string(b))) == 0
}

func rational(t *testing.T, number string) *big.Rat {
	t.Helper()
	value, ok := new(big.Rat).SetString(number)
	if !ok {
		t.Fatalf("no number: %q", number)
	}
	return value
}

func decoded(t *testing.T, text string) any {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return value
}

// Whatever is accepted of a whole text is what PyYAML makes of it.
func TestAcceptedTextsAreWhatPyYAMLReads(t *testing.T) {
	accepted := 0
	for _, one := range readOracle(t).Documents {
		t.Run(one.Text, func(t *testing.T) {
			documents, problems := new(yamldoc.Reader).Read([]byte(one.Text))
			if len(problems) > 0 {
				return
			}
			accepted++
			got := []any{}
			for _, document := range documents {
				if document != nil {
					got = append(got, document.Value)
				}
			}
			if one.Refused || !profile.Equal(got, decoded(t, one.JSON)) {
				t.Errorf("read as %v, want %s", got, one.JSON)
			}
		})
	}
	if accepted < 50 {
		t.Errorf("%d of the texts were accepted: the table tests little", accepted)
	}
}
