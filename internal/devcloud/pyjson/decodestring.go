package pyjson

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// str reads a string literal; the decoder stands on its opening quote.
func (d *decoder) str() (string, error) {
	begin := d.pos
	d.pos++
	if end := strings.IndexAny(d.src[d.pos:], "\"\\"); end >= 0 && d.src[d.pos+end] == '"' && plain(d.src[d.pos:d.pos+end]) {
		s := d.src[d.pos : d.pos+end]
		d.pos += end + 1
		return s, nil
	}
	var out strings.Builder
	for d.pos < len(d.src) {
		switch c := d.src[d.pos]; {
		case c == '"':
			d.pos++
			return out.String(), nil
		case c < 0x20:
			return "", d.fail("Invalid control character at", d.pos)
		case c != '\\':
			out.WriteByte(c)
			d.pos++
		default:
			if d.pos+1 >= len(d.src) {
				return "", d.fail("Unterminated string starting at", begin)
			}
			if err := d.escape(&out); err != nil {
				return "", err
			}
		}
	}
	return "", d.fail("Unterminated string starting at", begin)
}

func plain(s string) bool {
	for i := range len(s) {
		if s[i] < 0x20 {
			return false
		}
	}
	return true
}

func (d *decoder) escape(out *strings.Builder) error {
	if i := strings.IndexByte(`"\/bfnrt`, d.src[d.pos+1]); i >= 0 {
		out.WriteByte("\"\\/\b\f\n\r\t"[i])
		d.pos += 2
		return nil
	}
	if d.src[d.pos+1] != 'u' {
		return d.fail(`Invalid \escape`, d.pos)
	}
	r, ok := d.hex4(d.pos)
	if !ok {
		return d.fail(`Invalid \uXXXX escape`, d.pos+1)
	}
	d.pos += 6
	if r >= 0xD800 && r < 0xDC00 && strings.HasPrefix(d.src[d.pos:], `\u`) {
		if low, ok := d.hex4(d.pos); ok && low >= 0xDC00 && low < 0xE000 {
			d.pos += 6
			r = 0x10000 + (r-0xD800)<<10 + (low - 0xDC00)
		}
	}
	writeRune(out, r)
	return nil
}

// hex4 reads the four digits of the \u escape at position at.
func (d *decoder) hex4(at int) (rune, bool) {
	if at+6 > len(d.src) {
		return 0, false
	}
	n, err := strconv.ParseUint(d.src[at+2:at+6], 16, 32)
	return rune(n), err == nil
}

// writeRune writes a rune, a lone surrogate in its three-byte form, which Go's own encoder would replace.
func writeRune(out *strings.Builder, r rune) {
	if r >= 0xD800 && r < 0xE000 {
		out.Write([]byte{0xE0 | byte(r>>12), 0x80 | byte(r>>6)&0x3F, 0x80 | byte(r)&0x3F})
		return
	}
	out.WriteRune(r)
}

// nextRune reads the first rune of s, a lone surrogate included, and its length in bytes.
func nextRune(s string) (rune, int) {
	if len(s) >= 3 && s[0] == 0xED && s[1] >= 0xA0 && s[1] <= 0xBF && s[2] >= 0x80 && s[2] <= 0xBF {
		return 0xD000 | rune(s[1]&0x3F)<<6 | rune(s[2]&0x3F), 3
	}
	return utf8.DecodeRuneInString(s)
}

// Len returns how many code points a string has, which is what Python's len counts.
func Len(s string) int {
	n := 0
	for len(s) > 0 {
		_, size := nextRune(s)
		s = s[size:]
		n++
	}
	return n
}
