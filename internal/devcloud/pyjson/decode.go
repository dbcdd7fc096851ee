package pyjson

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// ErrDepth says that a document is nested deeper than Python's interpreter follows. Unlike a SyntaxError it is
// not the text's fault: Senlin answers 500.
var ErrDepth = errors.New("maximum recursion depth exceeded")

const (
	maxDepth  = 290  // about where the service gives up; it depends on its stack, not on the text
	maxDigits = 4300 // Python's limit for text to int
)

// SyntaxError is a text that is not JSON. Its message is Python's.
type SyntaxError struct{ msg string }

func (e *SyntaxError) Error() string { return e.msg }

// Decode reads one JSON document. Of a duplicated key the last value wins. The error is a *SyntaxError or ErrDepth.
func Decode(data []byte) (any, error) {
	if msg := InvalidUTF8(string(data)); msg != "" {
		return nil, &SyntaxError{msg}
	}
	d := &decoder{src: string(data)}
	d.space()
	v, err := d.value(0)
	if err != nil {
		return nil, err
	}
	d.space()
	if d.pos < len(d.src) {
		return nil, d.fail("Extra data", d.pos)
	}
	return v, nil
}

// InvalidUTF8 returns Python's complaint about text that is not UTF-8, or "".
func InvalidUTF8(s string) string {
	if utf8.ValidString(s) {
		return ""
	}
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if r != utf8.RuneError || n != 1 {
			i += n
			continue
		}
		why := "invalid continuation byte"
		switch b := s[i]; {
		case b < 0xC2 || b > 0xF4:
			why = "invalid start byte"
		case !utf8.FullRuneInString(s[i:]):
			why = "unexpected end of data"
		}
		return fmt.Sprintf("'utf-8' codec can't decode byte 0x%02x in position %d: %s", s[i], i, why)
	}
	return ""
}

type decoder struct {
	src string
	pos int
}

// fail builds the message; Python counts lines, columns and characters in code points.
func (d *decoder) fail(what string, at int) error {
	before := d.src[:at]
	line := strings.Count(before, "\n") + 1
	column := utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:]) + 1
	return &SyntaxError{fmt.Sprintf("%s: line %d column %d (char %d)", what, line, column, utf8.RuneCountInString(before))}
}

func (d *decoder) space() {
	for d.pos < len(d.src) && strings.IndexByte(" \t\n\r", d.src[d.pos]) >= 0 {
		d.pos++
	}
}

func (d *decoder) at(c byte) bool { return d.pos < len(d.src) && d.src[d.pos] == c }

func (d *decoder) value(depth int) (any, error) {
	if depth > maxDepth {
		return nil, ErrDepth
	}
	switch {
	case d.at('"'):
		return d.str()
	case d.at('{'):
		return d.object(depth)
	case d.at('['):
		return d.array(depth)
	}
	for _, w := range words() {
		if strings.HasPrefix(d.src[d.pos:], w.text) {
			d.pos += len(w.text)
			return w.value, nil
		}
	}
	return d.number()
}

type word struct {
	text  string
	value any
}

func words() [6]word {
	return [6]word{
		{"null", nil},
		{"true", true},
		{"false", false},
		{"NaN", Float(math.NaN())},
		{"Infinity", Float(math.Inf(1))},
		{"-Infinity", Float(math.Inf(-1))},
	}
}

func (d *decoder) object(depth int) (any, error) {
	o := NewObject()
	d.pos++
	d.space()
	if d.at('}') {
		d.pos++
		return o, nil
	}
	for {
		if !d.at('"') {
			return nil, d.fail("Expecting property name enclosed in double quotes", d.pos)
		}
		key, err := d.str()
		if err != nil {
			return nil, err
		}
		d.space()
		if !d.at(':') {
			return nil, d.fail("Expecting ':' delimiter", d.pos)
		}
		d.pos++
		d.space()
		v, err := d.value(depth + 1)
		if err != nil {
			return nil, err
		}
		o.Set(key, v)
		if done, err := d.next('}'); done || err != nil {
			return o, err
		}
	}
}

func (d *decoder) array(depth int) (any, error) {
	list := []any{}
	d.pos++
	d.space()
	if d.at(']') {
		d.pos++
		return list, nil
	}
	for {
		v, err := d.value(depth + 1)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
		if done, err := d.next(']'); done || err != nil {
			return list, err
		}
	}
}

// next steps over what follows an element: the closing byte, or a comma.
func (d *decoder) next(closing byte) (done bool, err error) {
	d.space()
	switch {
	case d.at(closing):
		d.pos++
		return true, nil
	case d.at(','):
		d.pos++
		d.space()
		return false, nil
	}
	return false, d.fail("Expecting ',' delimiter", d.pos)
}

func (d *decoder) digits() int {
	start := d.pos
	for d.pos < len(d.src) && d.src[d.pos] >= '0' && d.src[d.pos] <= '9' {
		d.pos++
	}
	return d.pos - start
}

func (d *decoder) number() (any, error) {
	start := d.pos
	if d.at('-') {
		d.pos++
	}
	whole := d.pos
	switch {
	case d.at('0'):
		d.pos++
	case d.digits() == 0:
		d.pos = start
		return nil, d.fail("Expecting value", start)
	}
	length := d.pos - whole
	isInt := true
	if mark := d.pos; d.at('.') {
		d.pos++
		if d.digits() == 0 {
			d.pos = mark
		} else {
			isInt = false
		}
	}
	if mark := d.pos; d.at('e') || d.at('E') {
		d.pos++
		if d.at('+') || d.at('-') {
			d.pos++
		}
		if d.digits() == 0 {
			d.pos = mark
		} else {
			isInt = false
		}
	}
	text := d.src[start:d.pos]
	if !isInt {
		f, _ := strconv.ParseFloat(text, 64) // out of range is ±Inf, as in Python
		return Float(f), nil
	}
	if length > maxDigits {
		return nil, &SyntaxError{fmt.Sprintf("Exceeds the limit (%d digits) for integer string conversion: "+
			"value has %d digits; use sys.set_int_max_str_digits() to increase the limit", maxDigits, length)}
	}
	if text == "-0" {
		text = "0"
	}
	return Int(text), nil
}
