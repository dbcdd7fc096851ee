package yamldoc

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"regexp"
	"strconv"
	"strings"

	"profilesync/internal/profile"
	otherreader "sigs.k8s.io/yaml"
)

// meaning is what an unquoted text stands for, or why it is refused.
type meaning struct {
	value     any
	what, fix string
}

// dictionary remembers the texts that were understood before. It is no place
// for a whole repository's: beyond its bound nothing new is kept.
type dictionary map[string]meaning

func (d dictionary) understand(text string) meaning {
	const most = 10_000
	known, ok := d[text]
	if !ok {
		known = understand(text)
		if len(d) < most && len(text) <= 64 {
			d[text] = known
		}
	}
	return known
}

// isWord reports whether both readers take an unquoted text for a string, by a
// cheap look at it. Each looks closer only at texts that begin with one of
// these bytes, none of the words that stand for something is longer than
// "false", no number or date holds two dots (as addresses do), and none four
// dashes (as ids do).
func isWord(text string) bool {
	if text == "" || text[len(text)-1] == ':' {
		return false
	}
	if strings.Contains(text, "\n") {
		return true
	}
	switch text[0] {
	case 'y', 'Y', 'n', 'N', 't', 'T', 'f', 'F', 'o', 'O':
		return len(text) > len("false")
	case '+', '-', '.', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '~', '<', '=':
		return strings.Count(text, ".") >= 2 || strings.Count(text, "-") >= 4
	}
	return true
}

// understand resolves an unquoted text as PyYAML does and as sigs.k8s.io/yaml
// does. What they disagree about is refused: a file must not mean one thing to
// the OpenStack client and another here.
func understand(text string) meaning {
	if strings.HasSuffix(text, ":") { // possible only between brackets: {a:, b: 1}
		return meaning{what: Short(text) + " is a text to some readers and a key to others", fix: `write a blank behind ":", or quote the text`}
	}
	if isWord(text) {
		return meaning{value: text}
	}
	value, odd := byPyYAML(text)
	if odd != "" {
		return meaning{what: Short(text) + " " + odd, fix: "write " + Written(text)}
	}
	other, err := byOther(text)
	if err != nil {
		return meaning{what: Short(text) + " is refused by sigs.k8s.io/yaml", fix: "write " + Written(text)}
	}
	if !sameMeaning(value, other) {
		if text != Short(text) {
			return meaning{what: Short(text) + " is not the same to PyYAML and sigs.k8s.io/yaml", fix: "quote it"}
		}
		return meaning{
			what: fmt.Sprintf("%s is %s to PyYAML and %s to sigs.k8s.io/yaml", Short(text), Written(value), Written(other)),
			fix:  fmt.Sprintf("write %s or %s", Written(value), Written(other)),
		}
	}
	if number, ok := value.(json.Number); ok {
		if kept, exact := keptDigits(number); !exact {
			return meaning{what: Short(text) + " has more digits than a reader keeps", fix: fmt.Sprintf("write %s or %s", kept, Written(text))}
		}
	}
	return meaning{value: value}
}

// Written gives a scalar in the form that both readers read alike.
func Written(value any) string {
	switch value := value.(type) {
	case string:
		return strconv.Quote(Short(value))
	case nil:
		return "null"
	}
	return Short(fmt.Sprint(value))
}

// Short cuts what is quoted in a message.
func Short(text string) string {
	const most = 60
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "..."
	}
	return text
}

// byOther is what sigs.k8s.io/yaml makes of an unquoted text.
func byOther(text string) (any, error) {
	if text == "-" { // only between brackets is it a text at all
		return nil, errors.New("the mark of a list item")
	}
	list, err := otherreader.YAMLToJSONStrict([]byte("- " + text))
	if err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(strings.NewReader(string(list)))
	decoder.UseNumber()
	var values []any
	if err := decoder.Decode(&values); err != nil {
		return nil, err
	}
	if len(values) != 1 {
		return nil, fmt.Errorf("%d values", len(values))
	}
	return values[0], nil
}

// sameMeaning compares what the two readers made of a text. Beyond 64 bits the
// other reader keeps only a float of an integer: the same number, rounded.
func sameMeaning(value, other any) bool {
	if profile.Equal(value, other) {
		return true
	}
	a, isNumber := value.(json.Number)
	b, alsoNumber := other.(json.Number)
	if !isNumber || !alsoNumber {
		return false
	}
	rounded, err := a.Float64()
	if err != nil {
		return false
	}
	float, err := b.Float64()
	return err == nil && rounded == float
}

// keptDigits says whether a float survives the readers, which both keep it as
// 64 bits, and gives what they keep. Integers stay exact.
func keptDigits(number json.Number) (kept string, exact bool) {
	if !strings.ContainsAny(string(number), ".eE") {
		return string(number), true
	}
	float, err := number.Float64()
	if err != nil {
		return string(number), false
	}
	kept = strconv.FormatFloat(float, 'g', -1, 64)
	return kept, profile.Equal(number, json.Number(kept))
}

// The texts that are no strings to PyYAML (YAML 1.1, with its own idea of a
// float: it needs the dot, and a sign in the exponent).
var (
	pyBool      = regexp.MustCompile(`^(?:yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF)$`)
	pyFloat     = regexp.MustCompile(`^(?:[-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+][0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?)$`)
	pyInteger   = regexp.MustCompile(`^[-+]?(?:0b[01_]+|0[0-7_]+|0|[1-9][0-9_]*|0x[0-9a-fA-F_]+)$`)
	pyBase60    = regexp.MustCompile(`^[-+]?(?:[1-9][0-9_]*(?::[0-5]?[0-9])+|[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*)$`)
	pyNoNumber  = regexp.MustCompile(`^(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$`)
	pyDate      = regexp.MustCompile(`^[0-9]{4}-[0-9]{2}-[0-9]{2}$`)
	pyTimestamp = regexp.MustCompile(`^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt]|[ \t]+)[0-9]{1,2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]*)?(?:[ \t]*(?:Z|[-+][0-9]{1,2}(?::[0-9]{2})?))?$`)
)

const beyondJSON = "is a number that JSON cannot carry"

// byPyYAML is what PyYAML makes of an unquoted text, or what is odd about it
// when that is nothing JSON could carry.
func byPyYAML(text string) (value any, odd string) {
	switch {
	case text == "", text == "~", text == "null", text == "Null", text == "NULL":
		return nil, ""
	case text == "=", text == "<<":
		return nil, "is refused by PyYAML"
	case pyBool.MatchString(text):
		word := strings.ToLower(text)
		return word == "yes" || word == "true" || word == "on", ""
	case pyDate.MatchString(text), pyTimestamp.MatchString(text):
		return nil, "is a date to PyYAML, and JSON has no dates"
	case pyBase60.MatchString(text):
		return nil, "is a number in base 60 to PyYAML and a string to other readers"
	case pyNoNumber.MatchString(text):
		return nil, beyondJSON
	case pyFloat.MatchString(text):
		return decimal(text)
	case pyInteger.MatchString(text):
		return integer(text)
	}
	return text, ""
}

// integer reads binary, octal, hexadecimal and decimal digits.
func integer(text string) (value any, odd string) {
	digits := strings.ReplaceAll(text, "_", "")
	sign := ""
	if digits[0] == '-' || digits[0] == '+' {
		sign, digits = strings.TrimSuffix(digits[:1], "+"), digits[1:]
	}
	base := 10
	switch {
	case strings.HasPrefix(digits, "0b"):
		base, digits = 2, digits[2:]
	case strings.HasPrefix(digits, "0x"):
		base, digits = 16, digits[2:]
	case digits != "0" && digits[0] == '0':
		base = 8
	}
	if base == 10 && digits != "0" {
		return json.Number(sign + digits), ""
	}
	number, ok := new(big.Int).SetString(digits, base)
	if !ok {
		return nil, "is refused by PyYAML"
	}
	if sign == "-" {
		number.Neg(number)
	}
	return json.Number(number.String()), ""
}

// decimal writes a float as JSON wants it: 1. is 1.0, .5 is 0.5 and +01.50 is
// 1.50.
func decimal(text string) (value any, odd string) {
	text = strings.TrimPrefix(strings.ReplaceAll(text, "_", ""), "+")
	sign := ""
	if rest, negative := strings.CutPrefix(text, "-"); negative {
		sign, text = "-", rest
	}
	whole, rest, _ := strings.Cut(text, ".")
	exponent := ""
	if i := strings.IndexAny(rest, "eE"); i >= 0 {
		rest, exponent = rest[:i], rest[i:]
	}
	whole = strings.TrimLeft(whole, "0")
	if whole == "" {
		whole = "0"
	}
	if rest == "" {
		rest = "0"
	}
	number := json.Number(sign + whole + "." + rest + exponent)
	if _, err := number.Float64(); err != nil {
		return nil, beyondJSON
	}
	return number, ""
}
