package session

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/gophercloud/gophercloud"

	"profilesync/internal/profile"
)

// says is an error body as Senlin writes it.
func says(kind, message string) string {
	text, _ := json.Marshal(message) // any string can be written
	return fmt.Sprintf(`{"code": 1, "error": {"code": 1, "message": %s, "type": %q}, "explanation": "e", "title": "t"}`, text, kind)
}

func TestWhatAStatusMeans(t *testing.T) {
	const (
		page    = "<html><head><title>Login</title></head></html>"
		noRoute = `{"message": "The resource could not be found.<br /><br />\n\n\n", "code": "404 Not Found", "title": "Not Found"}`
	)
	byID, create, list := Request{ByID: true}, Request{Write: true}, Request{}
	change := Request{ByID: true, Write: true}
	for _, row := range []struct {
		name    string
		request Request
		status  int
		body    string
		want    error
	}{
		{"no such profile", byID, 404, says("ResourceNotFound", "The profile 'x' could not be found."), profile.ErrNotFound},
		{"no such id, and several of that name", change, 400, says("MultipleChoices", "Multiple results found."), profile.ErrNotFound},
		{"a profile's type is gone", change, 404, says("ResourceNotFound", "The profile_type 'x-1.0' could not be found."), profile.ErrInvalid},
		{"a docker profile's host is gone", change, 404, says("ResourceNotFound", "The cluster 'x' could not be found."), profile.ErrInvalid},
		{"no such profile type", create, 404, says("ResourceNotFound", "The profile_type 'x-1.0' could not be found."), profile.ErrInvalid},
		{"no such path", list, 404, noRoute, ErrNotSenlin},
		{"no such path for a profile", byID, 404, noRoute, ErrNotSenlin},
		{"another server's 404", list, 404, page, ErrNotSenlin},
		{"in use", change, 409, says("ResourceInUse", "The profile 'x' cannot be deleted."), profile.ErrInUse},
		{"another conflict", change, 409, says("ResourceIsLocked", "locked"), profile.ErrUnavailable},
		{"nothing to change", change, 400, says("BadRequest", "No property needs an update."), profile.ErrUnchanged},
		{"bad spec", create, 400, says("InvalidSpec", "Unrecognizable spec item 'x'"), profile.ErrInvalid},
		{"spec without a type", create, 500, says("ESchema", "The 'type' key is missing from the provided spec map."), profile.ErrInvalid},
		{"too large", create, 413, "", profile.ErrInvalid},
		{"unscoped token", list, 400, "{\"message\": \"Field `project' cannot be None<br /><br />\", \"code\": \"400 Bad Request\"}", profile.ErrDenied},
		{"unknown token", list, 401, `{"error": {"code": 401, "title": "Unauthorized", "message": "m"}}`, profile.ErrDenied},
		{"policy", list, 403, says("Forbidden", "You are not authorized to complete this operation."), profile.ErrDenied},
		{"moved", list, 301, page, ErrNotSenlin},
		{"another good status of a read", list, 204, "", ErrNotSenlin},
		{"another good status of a write", create, 202, "{}", profile.ErrInDoubt},
		{"a bug in a read", list, 500, says("InternalError", "x"), profile.ErrUnavailable},
		{"a bug in a write", create, 500, says("InternalError", "x"), profile.ErrInDoubt},
		{"a proxy's page in a write", create, 502, page, profile.ErrInDoubt},
		{"another page in a write", create, 503, page, profile.ErrInDoubt},
		{"a proxy without a backend in a write", create, 503, "<html>No server is available to handle this request.", profile.ErrUnavailable},
		{"a status nobody knows", list, 599, "", profile.ErrUnavailable},
	} {
		t.Run(row.name, func(t *testing.T) {
			err := row.request.refusal(gophercloud.ErrUnexpectedResponseCode{
				Method: "GET", URL: senlin + "/v1/profiles?marker=x", Actual: row.status, Body: []byte(row.body),
			})
			if !errors.Is(err, row.want) {
				t.Errorf("got %v (%v), want %v", err, err.kinds, row.want)
			}
			if text := err.Error(); strings.ContainsAny(text, "<>\n?") || len(text) > 600 {
				t.Errorf("not a line for people: %q", text)
			}
		})
	}
}

func TestAnErrorSaysWhatTheServerSaid(t *testing.T) {
	for _, row := range []struct{ name, body, want string }{
		{"Senlin's words", says("InvalidSpec", "Required spec item 'flavor' not provided."), "Required spec item 'flavor' not provided (400 InvalidSpec, req-9)"},
		{"words of several lines", says("X", "a\n  b\tc\x00"), "a b c (400 X, req-9)"},
		{"its framework's words", `{"message": "Not &lt;good&gt;.<br /><br />\n\n", "code": "400 Bad Request"}`, "Not <good> (400, req-9)"},
		{
			"its framework's words after those about the status",
			`{"message": "The server is currently unavailable.<br /><br />\nThe Keystone service is temporarily unavailable.\n\n\n", "code": "503"}`,
			"The Keystone service is temporarily unavailable (400, req-9)",
		},
		{
			"a database's words", says("RemoteError", "Remote error: DBConnectionError (2002, \"Can't connect\")\n[SQL: SELECT 1]\n(Background on this error at: https://sqlalche.me/e/14/e3q8)\n['"),
			`Remote error: DBConnectionError (2002, "Can't connect") [SQL: SELECT 1] (400 RemoteError, req-9)`,
		},
		{"no words", `{}`, "bad request (400, req-9)"},
		{"an array", `[1]`, "bad request (400, req-9)"},
		{"half a JSON", `{"error": {"mess`, "bad request (400, req-9)"},
		{"a line of text", "API Version String 'x' is of invalid format.", "API Version String 'x' is of invalid format (400, req-9)"},
		{"a page", "\n<!DOCTYPE html><html>secret", senlin + "/v1/profiles answered: HTML instead of JSON (400, req-9)"},
		{"a secret", says("InvalidSpec", `The value 'first\nse\\cond' is not a 'first'`), "The value '(sensitive)\\n(sensitive)' is not a '(sensitive)' (400 InvalidSpec, req-9)"},
		{
			"a secret in a long text", says("X", strings.Repeat("x ", 190)+"first "+strings.Repeat("y", 9000)),
			strings.Repeat("x ", 190) + "(sensitive) " + strings.Repeat("y", 8) + "… (400 X, req-9)",
		},
		{"a secret, cut off", "not se\\c", "not (sensitive) (400, req-9)"},
		{"a long secret in part", says("X", `not '<p\u00e4ssword' nor '<pässword &' nor 'pässword'`), "not '(sensitive)' nor '(sensitive)' nor 'pässword' (400 X, req-9)"},
	} {
		t.Run(row.name, func(t *testing.T) {
			err := Request{Secrets: []string{"first\nse\\cond\n", "no", "<pässword & more"}}.refusal(gophercloud.ErrUnexpectedResponseCode{
				Method: "POST", URL: senlin + "/v1/profiles", Actual: 400, Body: []byte(row.body),
				ResponseHeader: http.Header{"X-Openstack-Request-Id": {"req-9"}},
			})
			if err.Error() != row.want {
				t.Errorf("\n got %s\nwant %s", err, row.want)
			}
		})
	}
}

func TestAURLIsShownWithoutItsSecrets(t *testing.T) {
	for given, want := range map[string]string{
		"https://ann:secret@host:5000/v3?token=secret#secret": "https://host:5000/v3",
		"http://host/v1/profiles":                             "http://host/v1/profiles",
		"http://ho st\x00":                                    "(unreadable URL)",
	} {
		if got := plainURL(given); got != want {
			t.Errorf("%q is shown as %q, want %q", given, got, want)
		}
	}
}

func FuzzReadFault(f *testing.F) {
	f.Add([]byte(says("InvalidSpec", "Unrecognizable spec item 'x'")), "x")
	f.Add([]byte(`{"message": "The resource could not be found.<br /><br />\n", "code": "404 Not Found"}`), "")
	f.Add([]byte("<html>"), "html")
	f.Add([]byte(`{"error": "text"}`), "text")
	f.Add([]byte("sens"), "sens\nensi\nnsit\nsiti\nitiv\ntive")
	f.Fuzz(func(t *testing.T, body []byte, secret string) {
		err := Request{Secrets: []string{secret}}.refusal(gophercloud.ErrUnexpectedResponseCode{URL: senlin, Actual: 400, Body: body})
		text := err.Error()
		if strings.ContainsAny(text, "\n\r\x00\x1b") || len([]rune(text)) > maxMessage+200 {
			t.Errorf("not a line for people: %q", text)
		}
		if len(err.kinds) == 0 || slices.Contains(err.kinds, nil) {
			t.Errorf("%v of no kind", err)
		}
	})
}

func TestTheCauseIsDugOutOfItsWrappings(t *testing.T) {
	cause := errors.New("connection refused")
	if got := innermost(&url.Error{Op: "Get", URL: "u", Err: &url.Error{Op: "Get", URL: "u", Err: cause}}); got != cause {
		t.Errorf("got %v", got)
	}
}

func TestWhoClosesTheConnectionIsReachable(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(dropped))
	defer server.Close()
	_, err := http.Get(server.URL)
	lost := Request{}.loss("GET", server.URL, &call{ctx: t.Context()}, testTimeout, err)
	if want := server.URL + " closed the connection without an answer"; lost.Error() != want || !errors.Is(lost, ErrUnreachable) || !lost.again {
		t.Errorf("got %q, want %q", lost, want)
	}
}
