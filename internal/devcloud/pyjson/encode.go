package pyjson

import (
	"math"
	"slices"
	"strconv"
	"strings"
)

// Encode returns the text of a value: keys sorted by code point, ", " and ": " between elements, ASCII only.
func Encode(v any) []byte { return Append(nil, v) }

// Append appends the text of a value. Besides the types that Decode returns it takes int, int64, []string and
// map[string]any, which is convenient for an answer that is built by hand.
func Append(dst []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(dst, "null"...)
	case bool:
		return strconv.AppendBool(dst, v)
	case string:
		return appendString(dst, v)
	case Int:
		return append(dst, v...)
	case Float:
		return append(dst, floatText(float64(v), "NaN", "Infinity")...)
	case int:
		return strconv.AppendInt(dst, int64(v), 10)
	case int64:
		return strconv.AppendInt(dst, v, 10)
	case []string:
		return appendList(dst, len(v), func(dst []byte, i int) []byte { return appendString(dst, v[i]) })
	case []any:
		return appendList(dst, len(v), func(dst []byte, i int) []byte { return Append(dst, v[i]) })
	case *Object:
		return appendObject(dst, slices.Clone(v.keys), v.values)
	case map[string]any:
		keys := make([]string, 0, len(v))
		for k := range v {
			keys = append(keys, k)
		}
		return appendObject(dst, keys, v)
	case Raw:
		return append(dst, v...)
	}
	panic("pyjson: a value of a type that JSON does not have")
}

// Raw is text that Append takes as it is.
type Raw []byte

func appendList(dst []byte, n int, item func([]byte, int) []byte) []byte {
	dst = append(dst, '[')
	for i := range n {
		if i > 0 {
			dst = append(dst, ", "...)
		}
		dst = item(dst, i)
	}
	return append(dst, ']')
}

// appendObject relies on the byte order of UTF-8 (and of WTF-8) being the order of code points.
func appendObject(dst []byte, keys []string, values map[string]any) []byte {
	slices.Sort(keys)
	dst = append(dst, '{')
	for i, k := range keys {
		if i > 0 {
			dst = append(dst, ", "...)
		}
		dst = append(appendString(dst, k), ": "...)
		dst = Append(dst, values[k])
	}
	return append(dst, '}')
}

func appendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for i := 0; i < len(s); {
		c := s[i]
		if c >= ' ' && c <= '~' && c != '"' && c != '\\' {
			dst = append(dst, c)
			i++
			continue
		}
		r, n := nextRune(s[i:])
		i += n
		dst = appendEscape(dst, r)
	}
	return append(dst, '"')
}

func appendEscape(dst []byte, r rune) []byte {
	if r < 0x80 {
		if i := strings.IndexByte("\"\\\b\f\n\r\t", byte(r)); i >= 0 {
			return append(dst, '\\', `"\bfnrt`[i])
		}
	}
	if r >= 0x10000 {
		dst = appendHex4(dst, 0xD800+(r-0x10000)>>10)
		r = 0xDC00 + (r-0x10000)&0x3FF
	}
	return appendHex4(dst, r)
}

func appendHex4(dst []byte, r rune) []byte {
	const digits = "0123456789abcdef"
	return append(dst, '\\', 'u', digits[r>>12&15], digits[r>>8&15], digits[r>>4&15], digits[r&15])
}

// floatText writes the shortest text that reads back as f, with an exponent where Python uses one.
func floatText(f float64, nan, inf string) string {
	switch {
	case math.IsNaN(f):
		return nan
	case math.IsInf(f, 1):
		return inf
	case math.IsInf(f, -1):
		return "-" + inf
	}
	text := strconv.FormatFloat(f, 'e', -1, 64)
	exponent, _ := strconv.Atoi(text[strings.IndexByte(text, 'e')+1:])
	if exponent < -4 || exponent >= 16 {
		return text
	}
	text = strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(text, ".") {
		text += ".0"
	}
	return text
}
