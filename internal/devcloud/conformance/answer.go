package conformance

import (
	"bytes"
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// answer is one HTTP answer, read to its end.
type answer struct {
	request string // method and path, for messages
	status  int
	header  http.Header
	body    string
	closed  bool // the server said Connection: close
}

// want ends the test unless the status is as expected.
func (a answer) want(t testing.TB, status int) answer {
	t.Helper()
	if a.status != status {
		t.Fatalf("%s: got %d, want %d: %s", a.request, a.status, status, a.excerpt())
	}
	return a
}

// refused checks one of Senlin's own error answers: the status, the type, and the message, in which "..." stands for any
// text. It also checks the frame, which is the same for all of them.
func (a answer) refused(t testing.TB, status int, kind, message string) {
	t.Helper()
	var doc struct {
		Code               any
		Title, Explanation string
		Error              struct {
			Code          any
			Type, Message string
		}
	}
	if a.status != status {
		t.Errorf("%s: got %d, want %d: %s", a.request, a.status, status, a.excerpt())
		return
	}
	a.into(t, &doc)
	number := any(json.Number(itoa(status))) // a number, not a text
	if doc.Code != number || doc.Error.Code != number || doc.Title == "" || doc.Explanation == "" {
		t.Errorf("%s: the error has not its usual frame: %s", a.request, a.excerpt())
	}
	if !alike(kind, doc.Error.Type) {
		t.Errorf("%s: got error type %q, want %q", a.request, doc.Error.Type, kind)
	}
	if !alike(message, doc.Error.Message) {
		t.Errorf("%s: got message\n\t%q, want\n\t%q", a.request, doc.Error.Message, message)
	}
	a.hasErrorHeaders(t)
}

// refusedByFramework checks an error that comes from beneath the API, such as for an unknown path: a flat body in which even the
// code is text.
func (a answer) refusedByFramework(t testing.TB, status int, title, message string) {
	t.Helper()
	var doc map[string]string
	a.want(t, status).into(t, &doc)
	if want := itoa(status) + " " + title; doc["code"] != want || doc["title"] != title || len(doc) != 3 {
		t.Errorf("%s: got %s, want code %q, the title and a message", a.request, a.excerpt(), want)
	}
	if !alike(message, doc["message"]) {
		t.Errorf("%s: got message\n\t%q, want\n\t%q", a.request, doc["message"], message)
	}
	a.hasErrorHeaders(t)
}

// hasErrorHeaders checks the headers of a clustering answer that is an error: a request id, and no microversion.
func (a answer) hasErrorHeaders(t testing.TB) {
	t.Helper()
	a.hasRequestID(t)
	for _, name := range []string{"OpenStack-API-Version", "Vary"} {
		if got := a.header.Get(name); got != "" {
			t.Errorf("%s: an error answer bears %s: %s", a.request, name, got)
		}
	}
}

// hasRequestID checks the one header that every answer of either service has.
func (a answer) hasRequestID(t testing.TB) {
	t.Helper()
	if got := a.header.Get("X-Openstack-Request-Id"); !requestID.MatchString(got) {
		t.Errorf("%s: got request id %q, want req-<uuid>", a.request, got)
	}
}

var (
	requestID = regexp.MustCompile(`^req-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
	dashedID  = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
	plainID   = regexp.MustCompile(`^[0-9a-f]{32}$`)
	wholeTime = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$`)
)

// alike compares a message with an expectation in which "..." stands for any text.
func alike(want, got string) bool {
	parts := strings.Split(want, "...")
	for i := range parts {
		parts[i] = regexp.QuoteMeta(parts[i])
	}
	return regexp.MustCompile(`(?s)^` + strings.Join(parts, ".*") + `$`).MatchString(got)
}

// into decodes the answer, numbers kept as written.
func (a answer) into(t testing.TB, value any) {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(a.body))
	decoder.UseNumber()
	if err := decoder.Decode(value); err != nil {
		t.Fatalf("%s: %v in %s", a.request, err, a.excerpt())
	}
}

// object decodes {"key": {...}}, and ends the test when there is anything beside it.
func (a answer) object(t testing.TB, key string) map[string]any {
	t.Helper()
	var doc map[string]any
	a.into(t, &doc)
	object, ok := doc[key].(map[string]any)
	if !ok || len(doc) != 1 {
		t.Fatalf("%s: got %s, want an object under %q and nothing else", a.request, a.excerpt(), key)
	}
	return object
}

// rows decodes {"key": [{...}, ...]}, and ends the test when there is anything beside it, such as links to a next page.
func (a answer) rows(t testing.TB, key string) []map[string]any {
	t.Helper()
	var doc map[string][]map[string]any
	a.into(t, &doc)
	rows, ok := doc[key]
	if !ok || rows == nil || len(doc) != 1 {
		t.Fatalf("%s: got %s, want a list under %q and nothing else", a.request, a.excerpt(), key)
	}
	return rows
}

// raw is the text of {"outer": {"inner": ...}} as sent, without white space.
func (a answer) raw(t testing.TB, outer, inner string) string {
	t.Helper()
	var doc map[string]map[string]json.RawMessage
	a.into(t, &doc)
	var out bytes.Buffer
	if err := json.Compact(&out, doc[outer][inner]); err != nil {
		t.Fatalf("%s: %s.%s: %v in %s", a.request, outer, inner, err, a.excerpt())
	}
	return out.String()
}

// excerpt is as much of the body as a message can bear.
func (a answer) excerpt() string {
	const most = 600
	if len(a.body) > most {
		return a.body[:most] + "..."
	}
	return a.body
}
