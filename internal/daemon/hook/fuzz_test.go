package hook

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"
)

// Whatever is signed with the secret, the hook answers, and what it tells of it
// is short and printable.
func FuzzMessage(f *testing.F) {
	samples, err := filepath.Glob("testdata/*.json")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range samples {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		for sender := range 4 {
			f.Add(byte(sender), "application/json", string(text))
		}
	}
	f.Add(byte(3), "application/x-www-form-urlencoded", "payload=%7B%22ref%22%3A%22main%22%7D")
	f.Add(byte(3), "", `{"ref":"a","repository":"git@h:p","project":{"url":"ssh://u:p@h:1/%2e%2e/p"}}`)
	f.Add(byte(0), "application/json", `{"ref":"refs/heads/\u202e","repository":{"clone_url":null}}`)
	f.Fuzz(func(t *testing.T, sender byte, contentType, body string) {
		letters := []letter{github(body, theSecret), gitea(body, theSecret), gitlab(body, theSecret), generic(body, theSecret)}
		l := letters[int(sender)%len(letters)]
		l.header["Content-Type"] = contentType
		r := newReceiver(nil)
		answer := r.send(l)
		if answer.Code < 200 || answer.Code >= 500 {
			t.Fatalf("status %d: %s", answer.Code, answer.Body)
		}
		for _, push := range r.pushes {
			for _, text := range append(push.URLs, push.Ref, push.Commit, push.DefaultBranch, push.Delivery) {
				if len(text) > longestURL || !utf8.ValidString(text) || strings.ContainsAny(text, "\n\r\t\x00\x1b \u202e") {
					t.Fatalf("told %q", text)
				}
			}
			Concerns(push, body, contentType)
		}
	})
}

// A request that proves nothing is never heard.
func FuzzStranger(f *testing.F) {
	f.Add("X-Hub-Signature-256", "sha256="+sign("", ""), "Authorization", "Bearer ")
	f.Add("X-Gitlab-Token", "", "X-Gitlab-Event", "Push Hook")
	f.Add("X-Gitea-Event", "push", "X-Gitea-Signature", sign("secret", "{}"))
	f.Fuzz(func(t *testing.T, name, value, otherName, otherValue string) {
		if strings.Contains(value, theSecret) || strings.Contains(otherValue, theSecret) {
			return
		}
		r := newReceiver(nil)
		request := httptest.NewRequest(http.MethodPost, "/hooks/git", strings.NewReader("{}"))
		request.Header.Set(name, value)
		request.Header.Set(otherName, otherValue)
		answer := httptest.NewRecorder()
		r.ServeHTTP(answer, request)
		if len(r.pushes) > 0 || answer.Code < 400 {
			t.Fatalf("status %d: %s", answer.Code, answer.Body)
		}
	})
}
