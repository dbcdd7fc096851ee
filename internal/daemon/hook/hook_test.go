package hook

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

const (
	theSecret  = "correct horse battery staple"
	signingKey = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
)

// A request as a sender makes it, and a place where it may go wrong.
type letter struct {
	method, body string
	header       map[string]string
}

type change func(*letter)

// receiver is a hook that knows every sender, and what it was told.
type receiver struct {
	http.Handler
	pushes  []Push
	counted []string
	log     bytes.Buffer
}

func newReceiver(adjust func(*Options)) *receiver {
	r := &receiver{}
	options := Options{
		GitHub: fixed(theSecret), GitLab: fixed(theSecret), Gitea: fixed(theSecret), Generic: fixed(theSecret + "\n"),
		Push:  func(p Push) { r.pushes = append(r.pushes, p) },
		Count: func(sender, result string) { r.counted = append(r.counted, sender+" "+result) },
		Log:   slog.New(slog.NewTextHandler(&r.log, nil)),
	}
	if adjust != nil {
		adjust(&options)
	}
	r.Handler = New(options)
	return r
}

func fixed(secret string) Secret { return func() ([]byte, error) { return []byte(secret), nil } }

func (r *receiver) send(l letter) *httptest.ResponseRecorder {
	request := httptest.NewRequest(l.method, "/hooks/git", strings.NewReader(l.body))
	for name, value := range l.header {
		request.Header.Set(name, value)
	}
	answer := httptest.NewRecorder()
	r.ServeHTTP(answer, request)
	return answer
}

func sample(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func sign(secret, message string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(message))
	return hex.EncodeToString(mac.Sum(nil))
}

// The senders, each with a good push signed by secret.
func github(body, secret string) letter {
	return letter{http.MethodPost, body, map[string]string{
		"Content-Type": "application/json", "X-GitHub-Event": "push", "X-GitHub-Delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958",
		"X-Hub-Signature": "sha1=0000000000000000000000000000000000000000", "X-Hub-Signature-256": "sha256=" + sign(secret, body),
	}}
}

func gitea(body, secret string) letter {
	l := github(body, secret)
	l.header["X-Gitea-Event"], l.header["X-Gitea-Delivery"] = "push", "f6266f16-1bf3-46a5-9ea4-602e06ead473"
	l.header["X-Gitea-Signature"] = sign(secret, body)
	return l
}

func forgejo(body, secret string) letter {
	l := gitea(body, secret)
	l.header["X-Forgejo-Event"], l.header["X-Forgejo-Delivery"] = "push", l.header["X-Gitea-Delivery"]
	l.header["X-Forgejo-Signature"] = sign(secret, body)
	return l
}

func gitlab(body, secret string) letter {
	return letter{http.MethodPost, body, map[string]string{
		"Content-Type": "application/json", "X-Gitlab-Event": "Push Hook", "X-Gitlab-Token": secret,
		"Idempotency-Key": "f5e5f430-f57b-4e6e-9fac-d9128cd7232f",
	}}
}

func signedGitlab(t *testing.T, body, secret string) letter {
	t.Helper()
	l := gitlab(body, "")
	l.header["Webhook-Id"], l.header["Webhook-Timestamp"] = "f5e5f430", "1795400000"
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil {
		t.Fatal(err)
	}
	digest, _ := hex.DecodeString(sign(string(key), "f5e5f430.1795400000."+body))
	l.header["Webhook-Signature"] = "v1,AAAA v2,BBBB v1," + base64.StdEncoding.EncodeToString(digest)
	return l
}

func generic(body, secret string) letter {
	return letter{http.MethodPost, body, map[string]string{"Authorization": "Bearer " + secret}}
}

func without(names ...string) change {
	return func(l *letter) {
		for _, name := range names {
			delete(l.header, name)
		}
	}
}

func with(name, value string) change { return func(l *letter) { l.header[name] = value } }

func TestEverySenderIsHeardAndOnlyWithProof(t *testing.T) {
	hub, lab, tea := sample(t, "github.json"), sample(t, "gitlab.json"), sample(t, "gitea.json")
	cut := func(text string) string { return text[:len(text)/2] }
	form := func(l letter) letter {
		l.body = url.Values{"payload": {l.body}}.Encode()
		l.header["Content-Type"] = "application/x-www-form-urlencoded"
		return l
	}
	signedForm := form(github(hub, ""))
	signedForm.header["X-Hub-Signature-256"] = "sha256=" + sign(theSecret, signedForm.body)
	huge := strings.Repeat(" ", MaxBody) + "{}"
	tests := []struct {
		name    string
		letter  letter
		change  change
		status  int
		counted string
	}{
		{"github: a push", github(hub, theSecret), nil, 202, "github accepted"},
		{"github: a push as a form", signedForm, nil, 202, "github accepted"},
		{"github: a wrong secret", github(hub, "another"), nil, 401, "github denied"},
		{"github: a body that was changed", github(hub, theSecret), func(l *letter) { l.body += " " }, 401, "github denied"},
		{"github: no signature", github(hub, theSecret), without("X-Hub-Signature-256"), 401, "github denied"},
		{"github: half a signature", github(hub, theSecret), with("X-Hub-Signature-256", "sha256="+sign(theSecret, hub)[:32]), 401, "github denied"},
		{"github: an unnamed signature", github(hub, theSecret), with("X-Hub-Signature-256", sign(theSecret, hub)), 401, "github denied"},
		{"github: only SHA-1", github(hub, theSecret), with("X-Hub-Signature-256", ""), 401, "github denied"},
		{"github: the token of another sender", github(hub, "another"), with("Authorization", "Bearer "+theSecret), 401, "github denied"},
		{"github: huge", github(huge, theSecret), nil, 413, "github invalid"},
		{"github: truncated, but signed", github(cut(hub), theSecret), nil, 400, "github invalid"},
		{"github: a ping", github(sample(t, "ping.json"), theSecret), with("X-GitHub-Event", "ping"), 200, "github ignored"},
		{"github: a ping without proof", github(sample(t, "ping.json"), "another"), with("X-GitHub-Event", "ping"), 401, "github denied"},
		{"github: another event", github(`{"action":"opened","project":7}`, theSecret), with("X-GitHub-Event", "issues"), 202, "github ignored"},
		{"github: a branch deleted", github(strings.Replace(hub, `"deleted": false`, `"deleted": true`, 1), theSecret), nil, 202, "github ignored"},
		{"github: no JSON", github("ref=refs/heads/main", theSecret), nil, 400, "github invalid"},
		{"github: text", github(hub, theSecret), with("Content-Type", "text/plain"), 415, "github invalid"},
		{"github: compressed", github(hub, theSecret), with("Content-Encoding", "gzip"), 415, "github invalid"},
		{"github: a form without a payload", github(hub, theSecret), with("Content-Type", "application/x-www-form-urlencoded"), 415, "github invalid"},
		{"github: no ref", github(`{"repository":{"clone_url":"https://h/p"}}`, theSecret), nil, 400, "github invalid"},
		{"github: no repository", github(`{"ref":"refs/heads/main"}`, theSecret), nil, 400, "github invalid"},
		{"github: a ref that is not one", github(`{"ref":"refs/heads/a\nb","repository":{"clone_url":"https://h/p"}}`, theSecret), nil, 400, "github invalid"},
		{"github: a ref in no encoding", github("{\"ref\":\"refs/heads/\xff\",\"repository\":\"https://h/p\"}", theSecret), nil, 400, "github invalid"},

		{"gitea: a push", gitea(tea, theSecret), nil, 202, "gitea accepted"},
		{"gitea: a push as a form, of which the payload is signed", form(gitea(tea, theSecret)), nil, 202, "gitea accepted"},
		{"gitea: a signature by GitHub's name only", gitea(tea, theSecret), without("X-Gitea-Signature"), 202, "gitea accepted"},
		{"gitea: a wrong secret", gitea(tea, "another"), nil, 401, "gitea denied"},
		{"gitea: no secret", gitea(tea, theSecret), without("X-Gitea-Signature", "X-Hub-Signature-256"), 401, "gitea denied"},
		{"gitea: its own signature is wrong", gitea(tea, theSecret), with("X-Gitea-Signature", sign("another", tea)), 401, "gitea denied"},
		{"gitea: huge", gitea(huge, theSecret), nil, 413, "gitea invalid"},
		{"gitea: truncated, but signed", gitea(cut(tea), theSecret), nil, 400, "gitea invalid"},
		{"gitea: another event", gitea(tea, theSecret), with("X-Gitea-Event", "create"), 202, "gitea ignored"},
		{"forgejo: a push", forgejo(tea, theSecret), nil, 202, "gitea accepted"},
		{"forgejo: a wrong secret", forgejo(tea, "another"), nil, 401, "gitea denied"},

		{"gitlab: a push", gitlab(lab, theSecret), nil, 202, "gitlab accepted"},
		{"gitlab: a tag", gitlab(strings.ReplaceAll(lab, "refs/heads/main", "refs/tags/v1"), theSecret), with("X-Gitlab-Event", "Tag Push Hook"), 202, "gitlab accepted"},
		{"gitlab: a push, told by the whole server", gitlab(lab, theSecret), with("X-Gitlab-Event", "System Hook"), 202, "gitlab accepted"},
		{"gitlab: something else, told by the whole server", gitlab(sample(t, "gitlab_system.json"), theSecret), with("X-Gitlab-Event", "System Hook"), 202, "gitlab ignored"},
		{"gitlab: a wrong token", gitlab(lab, "another"), nil, 401, "gitlab denied"},
		{"gitlab: no token", gitlab(lab, theSecret), without("X-Gitlab-Token"), 401, "gitlab denied"},
		{"gitlab: a signature where a token is asked for", signedGitlab(t, lab, signingKey), nil, 401, "gitlab denied"},
		{"gitlab: huge", gitlab(huge, theSecret), nil, 413, "gitlab invalid"},
		{"gitlab: truncated", gitlab(cut(lab), theSecret), nil, 400, "gitlab invalid"},
		{"gitlab: another event", gitlab(`{"object_kind":"issue"}`, theSecret), with("X-Gitlab-Event", "Issue Hook"), 202, "gitlab ignored"},
		{"gitlab: a branch deleted", gitlab(strings.Replace(lab, `"after": "59b20b8d5c6ff8d09518454d4dd8b7b30f095ab5"`, `"after": "0000000000000000000000000000000000000000"`, 1), theSecret), nil, 202, "gitlab ignored"},

		{"generic: nothing but a token", generic("", theSecret), nil, 202, "generic accepted"},
		{"generic: a branch", generic(`{"ref":"main"}`, theSecret), with("Content-Type", "application/json"), 202, "generic accepted"},
		{"generic: a branch, as curl sends it", generic(`{"ref":"main"}`, theSecret), with("Content-Type", "application/x-www-form-urlencoded"), 202, "generic accepted"},
		{"generic: a wrong token", generic("", "another"), nil, 401, "generic denied"},
		{"generic: no token", generic("", ""), nil, 401, "generic denied"},
		{"generic: a beginning of the token", generic("", theSecret[:8]), nil, 401, "generic denied"},
		{"generic: a name and a password", generic("", ""), with("Authorization", "Basic dTpw"), 400, " invalid"},
		{"generic: huge", generic(huge, theSecret), nil, 413, "generic invalid"},
		{"generic: truncated", generic(`{"ref":"ma`, theSecret), nil, 400, "generic invalid"},
		{"generic: a list", generic(`[]`, theSecret), with("Content-Type", "application/json"), 400, "generic invalid"},

		{"nobody that is known", letter{http.MethodPost, hub, map[string]string{"Content-Type": "application/json"}}, nil, 400, " invalid"},
		{"a look with a browser", letter{http.MethodGet, "", nil}, nil, 405, " invalid"},
		{"a push with PUT", github(hub, theSecret), func(l *letter) { l.method = http.MethodPut }, 405, "github invalid"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if test.change != nil {
				test.change(&test.letter)
			}
			r := newReceiver(nil)
			for range 2 { // a replay is answered as the first one was
				answer := r.send(test.letter)
				if answer.Code != test.status {
					t.Fatalf("status %d, want %d: %s", answer.Code, test.status, answer.Body)
				}
				if !strings.HasPrefix(answer.Header().Get("Content-Type"), "text/plain") || answer.Header().Get("X-Content-Type-Options") != "nosniff" {
					t.Errorf("headers %v", answer.Header())
				}
			}
			if want := []string{test.counted, test.counted}; !reflect.DeepEqual(r.counted, want) {
				t.Errorf("counted %q, want %q", r.counted, want)
			}
			if want := 2 * strings.Count(test.counted, Accepted); len(r.pushes) != want {
				t.Errorf("%d pushes, want %d", len(r.pushes), want)
			}
			if log := r.log.String(); strings.Contains(log, theSecret) || strings.Contains(log, "team-web") {
				t.Errorf("the log tells too much: %s", log)
			}
		})
	}
}

func TestAPushIsWhatTheSenderSaid(t *testing.T) {
	const commit = "59b20b8d5c6ff8d09518454d4dd8b7b30f095ab5"
	tests := []struct {
		name   string
		letter letter
		want   Push
		text   string
	}{
		{"github", github(sample(t, "github.json"), theSecret), Push{
			GitHub, []string{
				"https://github.com/team-web/profiles.git", "git@github.com:team-web/profiles.git", "https://github.com/team-web/profiles",
			}, "refs/heads/main", commit, "main", "72d3162e-cc78-11e3-81ab-4c9367dc0958",
		}, "refs/heads/main, told by github in delivery 72d3162e-cc78-11e3-81ab-4c9367dc0958"},
		{"gitlab", gitlab(sample(t, "gitlab.json"), theSecret), Push{
			GitLab, []string{
				"https://git.example.org/team-web/profiles.git", "git@git.example.org:team-web/profiles.git", "https://git.example.org/team-web/profiles",
			}, "refs/heads/main", commit, "main", "f5e5f430-f57b-4e6e-9fac-d9128cd7232f",
		}, "refs/heads/main, told by gitlab in delivery f5e5f430-f57b-4e6e-9fac-d9128cd7232f"},
		{"gitea", gitea(sample(t, "gitea.json"), theSecret), Push{
			Gitea, []string{
				"https://git.example.org/team-web/profiles.git", "ssh://git@git.example.org:2222/team-web/profiles.git", "https://git.example.org/team-web/profiles",
			}, "refs/heads/main", commit, "main", "f6266f16-1bf3-46a5-9ea4-602e06ead473",
		}, "refs/heads/main, told by gitea in delivery f6266f16-1bf3-46a5-9ea4-602e06ead473"},
		{"generic, silent", generic("", theSecret), Push{Sender: Generic}, "told by generic"},
		{"generic, with an address", generic(`{"ref":"main","repository":"https://u:p@h/x.git"}`, theSecret), Push{
			Sender: Generic, Ref: "main", URLs: []string{"https://h/x.git"},
		}, "main, told by generic"},
		{"generic, with two", generic(`{"repository":{"url":"ssh://git:p@h/x.git","html_url":"https://h:p%zz@h/x","web_url":"a\u202eb"}}`, theSecret), Push{
			Sender: Generic, URLs: []string{"ssh://git@h/x.git"},
		}, "told by generic"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := newReceiver(nil)
			if answer := r.send(test.letter); answer.Code != 202 || answer.Body.String() != "taken: "+test.text+"\n" {
				t.Fatalf("status %d: %s", answer.Code, answer.Body)
			}
			if len(r.pushes) != 1 || !reflect.DeepEqual(r.pushes[0], test.want) {
				t.Errorf("got  %+v\nwant %+v", r.pushes, test.want)
			}
		})
	}
}

func TestGitLabSigns(t *testing.T) {
	body := sample(t, "gitlab.json")
	good := func() letter { return signedGitlab(t, body, signingKey) }
	tests := []struct {
		name   string
		letter letter
		change change
		want   int
	}{
		{"a push", good(), nil, 202},
		{"another time", good(), with("Webhook-Timestamp", "1795400001"), 401},
		{"another id", good(), with("Webhook-Id", "f5e5f431"), 401},
		{"another body", good(), func(l *letter) { l.body += " " }, 401},
		{"another key", signedGitlab(t, body, "whsec_"+base64.StdEncoding.EncodeToString([]byte(theSecret))), nil, 401},
		{"no signature", good(), without("Webhook-Signature"), 401},
		{"the key itself in the place of a signature", gitlab(body, signingKey), nil, 401},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if test.change != nil {
				test.change(&test.letter)
			}
			r := newReceiver(func(o *Options) { o.GitLab = fixed(signingKey + "\n") })
			if answer := r.send(test.letter); answer.Code != test.want {
				t.Errorf("status %d, want %d: %s", answer.Code, test.want, answer.Body)
			}
		})
	}
}

func TestASecretThatProvesNothing(t *testing.T) {
	tests := []struct {
		name     string
		secret   Secret
		want     int
		inTheLog string
	}{
		{"none", nil, 403, ""},
		{"an empty one", fixed(""), 503, "it is empty"},
		{"a line break", fixed("\r\n"), 503, "it is empty"},
		{"one that cannot be read", func() ([]byte, error) { return []byte(theSecret), errors.New("permission denied") }, 503, "permission denied"},
		{"a signing key that is none", fixed("whsec_***"), 503, "not base64"},
		{"an empty signing key", fixed("whsec_"), 503, "not base64"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := newReceiver(func(o *Options) { o.GitLab = test.secret })
			answer := r.send(gitlab(sample(t, "gitlab.json"), ""))
			if answer.Code != test.want || len(r.pushes) > 0 {
				t.Errorf("status %d, want %d", answer.Code, test.want)
			}
			if !strings.Contains(r.log.String(), test.inTheLog) || strings.Contains(answer.Body.String(), "permission") {
				t.Errorf("logged %q, answered %q", r.log.String(), answer.Body)
			}
		})
	}
	t.Run("an empty one, signed with", func(t *testing.T) {
		r := newReceiver(func(o *Options) { o.GitHub = fixed("") })
		if answer := r.send(github(sample(t, "github.json"), "")); answer.Code != 503 {
			t.Errorf("status %d", answer.Code)
		}
	})
}

func TestANewSecretCountsAtOnce(t *testing.T) {
	secret := "the first"
	r := newReceiver(func(o *Options) { o.GitHub = func() ([]byte, error) { return []byte(secret), nil } })
	body := sample(t, "github.json")
	if answer := r.send(github(body, "the first")); answer.Code != 202 {
		t.Errorf("status %d", answer.Code)
	}
	secret = "the second"
	if answer := r.send(github(body, "the first")); answer.Code != 401 {
		t.Errorf("the first one after it was replaced: status %d", answer.Code)
	}
	if answer := r.send(github(body, "the second")); answer.Code != 202 {
		t.Errorf("the second one: status %d", answer.Code)
	}
}
