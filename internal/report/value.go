package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"profilesync/internal/diff"
	"profilesync/internal/profile"
)

const hiddenValue = profile.Redacted

const propertiesPath = "/spec/properties/"

// sensitive reports whether the value of a field is a secret. Package diff says
// so in the field; the path is asked as well, so that a plan from elsewhere is
// no way around.
func sensitive(field diff.Field) bool {
	if field.Sensitive {
		return true
	}
	path, inSpec := strings.CutPrefix(field.Path, propertiesPath)
	return inSpec && profile.Sensitive(strings.Split(path, "/")...)
}

// redacted returns both values of a field without the secrets that a map or a
// list may hold further down.
func redacted(field diff.Field) (before, after any) {
	if sensitive(field) {
		return mask(field.Old), mask(field.New)
	}
	if !strings.HasPrefix(field.Path, propertiesPath) {
		return field.Old, field.New
	}
	return profile.RedactValue(field.Old), profile.RedactValue(field.New)
}

func mask(value any) any {
	if value == nil {
		return nil
	}
	return profile.Redacted
}

// valueText writes a value on one line: a text quoted, anything else as JSON.
// A value longer than limit characters is cut, and says how much is left out;
// of a text, what is around the character from stays. A limit of 0 is none.
func valueText(value any, from, limit int) string {
	text, isText := value.(string)
	if !isText {
		text = Clean(compact(value))
		if limit == 0 || columns(text) <= limit {
			return text
		}
		head, left := cut(text, limit-noteWidth)
		return head + "…" + leftOut(left)
	}
	n := utf8.RuneCountInString(text)
	if limit == 0 || n <= limit {
		return strconv.Quote(text)
	}
	limit -= noteWidth
	tail, skip := text, min(max(from-limit/4, 0), n-limit)
	if skip > 0 {
		head, _ := cut(text, skip)
		tail = text[len(head):]
	}
	body, left := cut(tail, limit)
	quoted := strconv.Quote(body)
	if skip > 0 {
		quoted = "…" + quoted
	}
	if left > 0 {
		quoted += "…"
	}
	return quoted + leftOut(skip+left)
}

// noteWidth is the room that a cut value leaves for the note about it.
const noteWidth = len(" (12345 characters left out)")

func leftOut(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(" (%s left out)", plural(n, "character"))
}

// compact is the JSON of a value; a value that JSON does not have is written as
// Go would, which is only for the eye.
func compact(value any) string {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return fmt.Sprint(value)
	}
	return strings.TrimSuffix(b.String(), "\n")
}
