package profile

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
)

// Equal reports whether two JSON values mean the same: numbers by value (5,
// 5.0 and 0.5e1 are one number), maps whatever their key order, lists in
// order. A number and a string never are equal: Senlin stores and returns
// either as it was sent.
func Equal(a, b any) bool {
	switch a := a.(type) {
	case map[string]any:
		b, ok := b.(map[string]any)
		return ok && equalMaps(a, b)
	case []any:
		b, ok := b.([]any)
		return ok && slices.EqualFunc(a, b, Equal)
	case json.Number:
		b, ok := b.(json.Number)
		return ok && (a == b || canonicalNumber(a) == canonicalNumber(b))
	case nil, bool, string:
		return a == b
	}
	return false
}

func equalMaps(a, b map[string]any) bool {
	if len(a) != len(b) {
		return false
	}
	for key, value := range a {
		other, ok := b[key]
		if !ok || !Equal(value, other) {
			return false
		}
	}
	return true
}

// Fingerprint identifies a spec: equal specs, and only those, share one. It is
// a SHA-256 over the canonical form, secrets included, so it stays inside the
// program.
func (s Spec) Fingerprint() [sha256.Size]byte {
	var text bytes.Buffer
	fmt.Fprintf(&text, "%q %q ", s.Type, s.Version)
	writeCanonical(&text, map[string]any(s.Properties))
	return sha256.Sum256(text.Bytes())
}

func writeCanonical(text *bytes.Buffer, value any) {
	switch value := value.(type) {
	case map[string]any:
		keys := make([]string, 0, len(value))
		for key := range value {
			keys = append(keys, key)
		}
		slices.Sort(keys)
		text.WriteByte('{')
		for _, key := range keys {
			writeQuoted(text, key)
			text.WriteByte(':')
			writeCanonical(text, value[key])
			text.WriteByte(',')
		}
		text.WriteByte('}')
	case []any:
		text.WriteByte('[')
		for _, item := range value {
			writeCanonical(text, item)
			text.WriteByte(',')
		}
		text.WriteByte(']')
	case json.Number:
		text.WriteString(canonicalNumber(value))
	case string:
		writeQuoted(text, value)
	default:
		fmt.Fprint(text, value)
	}
}

func writeQuoted(text *bytes.Buffer, value string) {
	text.Write(strconv.AppendQuote(text.AvailableBuffer(), value))
}

// canonicalNumber writes a JSON number as its significant digits and a decimal
// exponent. It works on the text alone: 1e999999999 costs nothing.
func canonicalNumber(number json.Number) string {
	mantissa, exponentText, _ := strings.Cut(strings.ToLower(string(number)), "e")
	sign := ""
	if rest, negative := strings.CutPrefix(mantissa, "-"); negative {
		sign, mantissa = "-", rest
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits := whole + fraction
	significant := strings.TrimRight(digits, "0")
	shift := len(digits) - len(significant) - len(fraction)
	significant = strings.TrimLeft(significant, "0")
	if significant == "" {
		return "0"
	}
	return sign + significant + "e" + addExponent(exponentText, shift)
}

// addExponent adds to an exponent, which may be larger than any int.
func addExponent(text string, shift int) string {
	if text == "" {
		return strconv.Itoa(shift)
	}
	exponent, ok := new(big.Int).SetString(text, 10)
	if !ok { // not a JSON number: its text is all there is to compare
		return text
	}
	return exponent.Add(exponent, big.NewInt(int64(shift))).String()
}
