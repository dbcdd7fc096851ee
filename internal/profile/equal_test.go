package profile

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestNumbersAreComparedByValue(t *testing.T) {
	huge := "1e" + strings.Repeat("9", 30)
	for _, row := range []struct {
		name string
		a, b json.Number
		same bool
	}{
		{"an integer and its decimal form", "5", "5.0", true},
		{"a shifted point", "5", "50e-1", true},
		{"a point shifted the other way", "5", "0.5e1", true},
		{"a capital E and a plus sign", "5e1", "5E+1", true},
		{"zeros before an exponent", "5e1", "5e01", true},
		{"zero and minus zero", "0", "-0", true},
		{"zero in every dress", "0.000e17", "-0E-3", true},
		{"zero with an exponent no int holds", "0", json.Number("0" + huge[1:]), true},
		{"five and minus five", "5", "-5", false},
		{"big integers that one float holds", "12345678901234567890", "12345678901234567891", false},
		{"a big integer with a point", "12345678901234567890", "12345678901234567890.0", true},
		{"numbers beyond any float", "1e400", "10e399", true},
		{"different numbers beyond any float", "1e400", "2e400", false},
		{"numbers below any float", "1e-400", "0.1e-399", true},
		{"a tiny number and zero", "1e-400", "0", false},
		{"huge exponents", "1e999999999", "10e999999998", true},
		{"exponents no int holds", json.Number(huge), json.Number("10e" + strings.Repeat("9", 29) + "8"), true},
		{"the largest and the smallest exponent an int holds", "10e9223372036854775807", "1e-9223372036854775808", false},
		{"a hair's breadth", "0.1", "0.10000000000000000001", false},
		{"digits in the middle", "1001", "11", false},
		{"zeros that count", "100", "10", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			for _, pair := range [][2]json.Number{{row.a, row.b}, {row.b, row.a}} {
				if got := Equal(pair[0], pair[1]); got != row.same {
					t.Errorf("Equal(%s, %s) = %v", pair[0], pair[1], got)
				}
				if got := specOf(pair[0]).Fingerprint() == specOf(pair[1]).Fingerprint(); got != row.same {
					t.Errorf("same fingerprint of %s and %s: %v", pair[0], pair[1], got)
				}
			}
		})
	}
}

func TestValuesOfDifferentKindsAreNeverEqual(t *testing.T) {
	values := map[string]any{
		"null": nil, "false": false, "true": true, "an empty text": "", "the text true": "true", "the text 5": "5", "the text null": "<nil>",
		"the number 5": json.Number("5"), "the number 0": json.Number("0"), "the number 1": json.Number("1"),
		"an empty list": []any{}, "an empty map": map[string]any{}, "a list of 5": []any{json.Number("5")},
		"a map of 5": map[string]any{"0": json.Number("5")}, "a list of null": []any{nil}, "a map of null": map[string]any{"a": nil},
	}
	for nameA, a := range values {
		for nameB, b := range values {
			if Equal(a, b) != (nameA == nameB) {
				t.Errorf("Equal(%s, %s) = %v", nameA, nameB, Equal(a, b))
			}
			if (specOf(a).Fingerprint() == specOf(b).Fingerprint()) != (nameA == nameB) {
				t.Errorf("%s and %s: fingerprint", nameA, nameB)
			}
		}
	}
}

func TestWhatIsNotAJSONValueEqualsNothing(t *testing.T) {
	if Equal(5.0, 5.0) || Equal(map[string]string{}, map[string]string{}) {
		t.Error("a value of a foreign type was taken for a JSON value")
	}
}

func TestSpecsAreEqualByMeaning(t *testing.T) {
	base := Spec{Type: "os.nova.server", Version: "1.0", Properties: Properties{
		"flavor": "m1.small", "networks": []any{map[string]any{"network": "private"}},
	}}
	with := func(change func(*Spec)) Spec {
		spec := base
		change(&spec)
		return spec
	}
	for _, row := range []struct {
		name  string
		other Spec
		same  bool
	}{
		{"itself", base, true},
		{"another type", with(func(s *Spec) { s.Type = "os.heat.stack" }), false},
		{"another version", with(func(s *Spec) { s.Version = "1.1" }), false},
		{"a version of the same number", with(func(s *Spec) { s.Version = "1" }), false},
		{"the boundary of type and version moved", with(func(s *Spec) { s.Type, s.Version = "os.nova.server 1", "0" }), false},
		{"no properties", with(func(s *Spec) { s.Properties = nil }), false},
		{"one property more, null", with(func(s *Spec) {
			s.Properties = Properties{"flavor": "m1.small", "networks": base.Properties["networks"], "key_name": nil}
		}), false},
		{"another list order of one element", with(func(s *Spec) {
			s.Properties = Properties{"flavor": "m1.small", "networks": []any{map[string]any{"network": "private"}}}
		}), true},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := base.Equal(row.other); got != row.same {
				t.Errorf("Equal = %v", got)
			}
			if got := base.Fingerprint() == row.other.Fingerprint(); got != row.same {
				t.Errorf("same fingerprint: %v", got)
			}
		})
	}
	if (Spec{}).Fingerprint() != (Spec{Properties: Properties{}}).Fingerprint() || !(Spec{}).Equal(Spec{Properties: Properties{}}) {
		t.Error("nil and empty properties mean the same")
	}
	if got := base.TypeName(); got != "os.nova.server-1.0" {
		t.Errorf("TypeName = %q", got)
	}
}

// Law: Equal and Fingerprint are two readings of one relation.
func TestEqualAndFingerprintAgree(t *testing.T) {
	values := jsonValues()
	rapid.Check(t, func(t *rapid.T) {
		a, b := values.Draw(t, "a"), values.Draw(t, "b")
		if Equal(a, b) != (specOf(a).Fingerprint() == specOf(b).Fingerprint()) {
			t.Fatalf("Equal = %v, and the fingerprints say otherwise", Equal(a, b))
		}
		if Equal(a, b) != Equal(b, a) {
			t.Fatal("not symmetric")
		}
		if !Equal(a, a) {
			t.Fatal("not reflexive")
		}
		if other := rewritten(t, a); !Equal(a, other) || specOf(a).Fingerprint() != specOf(other).Fingerprint() {
			t.Fatalf("the same value written as %v is another", other)
		}
	})
}

// Law: numbers are equal exactly when arithmetic says so.
func TestNumbersAgreeWithArithmetic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := numbers().Draw(t, "a"), numbers().Draw(t, "b")
		if want := exact(a).Cmp(exact(b)) == 0; Equal(a, b) != want {
			t.Fatalf("Equal(%s, %s) = %v", a, b, !want)
		}
	})
}

func TestHugeNumbersAreCheap(t *testing.T) {
	exponent := "1e" + strings.Repeat("9", 100_000)
	digits := strings.Repeat("7", 1_000_000)
	begun := time.Now()
	if Equal(json.Number(exponent), json.Number(exponent+"0")) || !Equal(json.Number(digits), json.Number(digits+".0")) {
		t.Error("compared wrongly")
	}
	if took := time.Since(begun); took > 2*time.Second {
		t.Errorf("took %v", took)
	}
}

func FuzzCanonicalNumber(f *testing.F) {
	for _, seed := range []string{"5", "5.0", "50e-1", "1e400", "-0", "0e0", "12345678901234567890", "1e99999999999999999999", "0.10e+07"} {
		f.Add(seed, "5")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		if !isNumber(a) || !isNumber(b) {
			return
		}
		numberA, numberB := json.Number(a), json.Number(b)
		canonical := canonicalNumber(numberA)
		if !isNumber(canonical) {
			t.Fatalf("the canonical form %q of %q is no number", canonical, a)
		}
		if again := canonicalNumber(json.Number(canonical)); again != canonical {
			t.Fatalf("the canonical form of %q is %q, and of that %q", a, canonical, again)
		}
		if small(a) && small(b) && Equal(numberA, numberB) != (exact(numberA).Cmp(exact(numberB)) == 0) {
			t.Fatalf("Equal(%s, %s) disagrees with arithmetic", a, b)
		}
	})
}

func isNumber(text string) bool {
	var number json.Number
	return json.Unmarshal([]byte(text), &number) == nil && string(number) == text
}

// small reports whether arithmetic on the number is cheap.
func small(text string) bool {
	_, exponent, _ := strings.Cut(strings.ToLower(text), "e")
	return len(text) < 100 && len(exponent) < 4
}
