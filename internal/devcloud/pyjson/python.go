package pyjson

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"unicode"
)

// Str returns what Python's str() makes of a value: a string is itself, everything else its Repr.
func Str(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	return Repr(v)
}

// Repr returns what Python's repr() makes of a value, in the order in which its keys were set. Senlin's messages
// quote values in this form.
func Repr(v any) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case bool:
		if v {
			return "True"
		}
		return "False"
	case string:
		return reprString(v)
	case Int:
		return string(v)
	case Float:
		return floatText(float64(v), "nan", "inf")
	case []any:
		parts := make([]string, len(v))
		for i := range v {
			parts[i] = Repr(v[i])
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case *Object:
		parts := make([]string, len(v.keys))
		for i, k := range v.keys {
			parts[i] = reprString(k) + ": " + Repr(v.values[k])
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
	panic("pyjson: a value of a type that JSON does not have")
}

func reprString(s string) string {
	quote := '\''
	if strings.Contains(s, "'") && !strings.Contains(s, `"`) {
		quote = '"'
	}
	var out strings.Builder
	out.WriteRune(quote)
	for len(s) > 0 {
		r, n := nextRune(s)
		s = s[n:]
		switch {
		case r == quote || r == '\\':
			out.WriteRune('\\')
			out.WriteRune(r)
		case r == '\n':
			out.WriteString(`\n`)
		case r == '\r':
			out.WriteString(`\r`)
		case r == '\t':
			out.WriteString(`\t`)
		case unicode.IsPrint(r):
			out.WriteRune(r)
		case r < 0x100:
			fmt.Fprintf(&out, `\x%02x`, r)
		case r < 0x10000:
			fmt.Fprintf(&out, `\u%04x`, r)
		default:
			fmt.Fprintf(&out, `\U%08x`, r)
		}
	}
	out.WriteRune(quote)
	return out.String()
}

// Truthy reports whether Python takes a value for true: not null, false, zero or empty.
func Truthy(v any) bool {
	switch v := v.(type) {
	case nil:
		return false
	case bool:
		return v
	case string:
		return v != ""
	case Int:
		return v != "0"
	case Float:
		return v != 0
	case []any:
		return len(v) > 0
	case *Object:
		return v.Len() > 0
	}
	return true
}

// Equal reports whether Python's == holds: numbers by value (true == 1 == 1.0), objects without order.
func Equal(a, b any) bool {
	if x, ok := numeric(a); ok {
		y, ok := numeric(b)
		return ok && x.equal(y)
	}
	switch a := a.(type) {
	case nil:
		return b == nil
	case string:
		b, ok := b.(string)
		return ok && a == b
	case []any:
		b, ok := b.([]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for i := range a {
			if !Equal(a[i], b[i]) {
				return false
			}
		}
		return true
	case *Object:
		b, ok := b.(*Object)
		if !ok || a.Len() != b.Len() {
			return false
		}
		for k, v := range a.values {
			w, ok := b.values[k]
			if !ok || !Equal(v, w) {
				return false
			}
		}
		return true
	}
	return false
}

// number is a finite number exactly, or an infinite or undefined float.
type number struct {
	exact *big.Rat
	other float64
}

func (n number) equal(m number) bool {
	if n.exact == nil || m.exact == nil {
		return n.exact == nil && m.exact == nil && n.other == m.other
	}
	return n.exact.Cmp(m.exact) == 0
}

func numeric(v any) (number, bool) {
	switch v := v.(type) {
	case bool:
		if v {
			return number{exact: big.NewRat(1, 1)}, true
		}
		return number{exact: new(big.Rat)}, true
	case Int:
		i, ok := new(big.Int).SetString(string(v), 10)
		if !ok {
			return number{}, false
		}
		return number{exact: new(big.Rat).SetInt(i)}, true
	case Float:
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return number{other: float64(v)}, true
		}
		return number{exact: new(big.Rat).SetFloat64(float64(v))}, true
	}
	return number{}, false
}

// ParseInt reads text as Python's int() does: white space around it, a sign, and single underscores between
// digits are allowed.
func ParseInt(s string) (*big.Int, bool) {
	s = strings.TrimFunc(s, unicode.IsSpace)
	digits := strings.TrimLeft(s, "+-")
	if len(s)-len(digits) > 1 || digits == "" || strings.HasPrefix(digits, "_") || strings.HasSuffix(digits, "_") ||
		strings.Contains(digits, "__") || len(digits) > maxDigits {
		return nil, false
	}
	var ascii strings.Builder
	for _, r := range digits {
		switch d, ok := decimalValue(r); {
		case ok:
			ascii.WriteString(strconv.Itoa(d))
		case r != '_':
			return nil, false
		}
	}
	n, ok := new(big.Int).SetString(ascii.String(), 10)
	if ok && strings.HasPrefix(s, "-") {
		n.Neg(n)
	}
	return n, ok
}

// decimalValue returns the value of a decimal digit of any script: Unicode puts each script's ten in one run, or
// several tens behind each other, so the distance to the start of the run tells.
func decimalValue(r rune) (int, bool) {
	if !unicode.Is(unicode.Nd, r) {
		return 0, false
	}
	d := 0
	for unicode.Is(unicode.Nd, r-rune(d)-1) {
		d++
	}
	return d % 10, true
}
