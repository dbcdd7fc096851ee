package identity_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"profilesync/internal/devcloud/identity"
)

func service() *identity.Service {
	return identity.New(identity.Options{
		Secret: []byte("secret"), TokenLife: time.Hour, Now: time.Now, Prefix: "/identity",
		BaseURL: func(r *http.Request) string { return "http://" + r.Host },
		Revoked: func(string) bool { return false },
		Revoke:  func(string, int64) error { return nil },
	})
}

// TestTokenRequests holds what Keystone 22 was seen to say to requests for a token.
func TestTokenRequests(t *testing.T) {
	const (
		user  = `{"name":"tenant-b","domain":{"id":"default"},"password":"tenant-b"}`
		no    = "The request you have made requires authentication."
		form  = "Invalid input for field '"
		scope = "Expecting to find system, project, domain, OS-TRUST:trust or unscoped in scope."
	)
	password := func(user string) string {
		return `{"auth":{"identity":{"methods":["password"],"password":{"user":` + user + `}}}}`
	}
	scoped := func(scope string) string {
		return `{"auth":{"identity":{"methods":["password"],"password":{"user":` + user + `}},"scope":` + scope + `}}`
	}
	method := func(identity string) string { return `{"auth":{"identity":` + identity + `}}` }
	s := service()
	for _, c := range []struct {
		name, body string
		status     int
		says       string // how the message begins
	}{
		{"by name, unscoped", password(user), 201, ""},
		{"names have no case", password(`{"name":"Tenant-B","domain":{"name":"default"},"password":"tenant-b"}`), 201, ""},
		{"but a domain's id has", password(`{"name":"tenant-b","domain":{"id":"DEFAULT"},"password":"tenant-b"}`), 401, no},
		{"a wrong password", password(`{"name":"tenant-b","domain":{"id":"default"},"password":"x"}`), 401, no},
		{"no password", password(`{"name":"tenant-b","domain":{"id":"default"}}`), 401, no},
		{"an unknown user looks the same", password(`{"name":"nobody","domain":{"id":"default"},"password":"x"}`), 401, no},
		{"no domain", password(`{"name":"tenant-b","password":"tenant-b"}`), 400, "Expecting to find domain in user."},
		{"a domain with nothing in it", password(`{"name":"tenant-b","domain":{},"password":"tenant-b"}`), 400, "Invalid input for field identity/password/user/domain: id or name"},
		{"nobody", password(`{}`), 400, "Invalid input for field identity/password/user: id or name"},
		{"a user that is no object", password(`5`), 400, form + "identity/password/user': 5 is not of type 'object'"},
		{"a password that is no text", password(`{"name":"tenant-b","domain":{"id":"default"},"password":5}`), 400, form + "identity/password/user/password': 5 is not"},
		{"a project by name", scoped(`{"project":{"name":"tenant-b","domain":{"name":"Default"}}}`), 201, ""},
		{"another's project", scoped(`{"project":{"name":"tenant-a","domain":{"name":"Default"}}}`), 401, no},
		{"a project without a domain", scoped(`{"project":{"name":"tenant-b"}}`), 400, "Expecting to find domain in project."},
		{"a project with nothing in it", scoped(`{"project":{}}`), 400, "Invalid input for field scope/project: id or name"},
		{"two scopes", scoped(`{"project":{"name":"tenant-b","domain":{"id":"default"}},"domain":{"id":"default"}}`), 400, scope},
		{"no known scope", scoped(`{"foo":{}}`), 400, scope},
		{"a scope that is no object", scoped(`5`), 400, form + "scope': 5 is not of type 'object', 'string'"},
		{"a domain, where nobody has a role", scoped(`{"domain":{"id":"default"}}`), 401, no},
		{"unscoped by name", scoped(`"unscoped"`), 201, ""},
		{"no methods", method(`{}`), 400, form + "identity': 'methods' is a required property"},
		{"an empty list of methods", method(`{"methods":[]}`), 401, no},
		{"a method without its part", method(`{"methods":["password"]}`), 400, "Expecting to find password in identity."},
		{"a method that is not offered", method(`{"methods":["totp"],"totp":{}}`), 401, "Attempted to authenticate with an unsupported method."},
		{"a token that is none", method(`{"methods":["token"],"token":{"id":"bogus"}}`), 404, "Could not recognize Fernet token"},
		{"an unknown credential", method(`{"methods":["application_credential"],"application_credential":{"id":"x","secret":"y"}}`), 404, "Could not find Application Credential: x."},
		{"a credential by nothing", method(`{"methods":["application_credential"],"application_credential":{}}`), 400, "Expecting to find name or ID in application credential."},
		{"no identity", `{"auth":{}}`, 400, "'identity' is a required property"},
		{"no auth", `{}`, 400, "Expecting to find auth in request body."},
		{"broken JSON", `{`, 400, "Expecting to find valid JSON in request body."},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := post(s, c.body)
			if w.Code != c.status || !strings.HasPrefix(message(w.Body.String()), c.says) {
				t.Errorf("got %d %s, want %d %s", w.Code, w.Body, c.status, c.says)
			}
			if (w.Header().Get("X-Subject-Token") != "") != (c.status == 201) || (w.Header().Get("WWW-Authenticate") != "") != (c.status == 401) {
				t.Errorf("got headers %v", w.Header())
			}
		})
	}
}

func post(s http.Handler, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("POST", "http://here/identity/v3/auth/tokens", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

func message(body string) string {
	var document struct{ Error struct{ Message string } }
	_ = json.Unmarshal([]byte(body), &document)
	return document.Error.Message
}

// TestATokenFromAToken: it lives no longer than that, and one from a credential cannot choose its project.
func TestATokenFromAToken(t *testing.T) {
	s := service()
	a := identity.Accounts()[1]
	first := post(s, fmt.Sprintf(`{"auth":{"identity":{"methods":["application_credential"],"application_credential":{"id":%q,"secret":%q}}}}`,
		a.CredentialID(), a.CredentialSecret()))
	token := first.Header().Get("X-Subject-Token")
	if scope, ok := s.Authenticate(token); !ok || scope.ProjectID != a.ProjectID() || scope.Admin {
		t.Errorf("got %+v, %t", scope, ok)
	}
	again := fmt.Sprintf(`{"auth":{"identity":{"methods":["token"],"token":{"id":%q}}`, token)
	if w := post(s, again+`,"scope":{"project":{"id":"x"}}}}`); w.Code != 401 || !strings.Contains(w.Body.String(), "cannot request a scope") {
		t.Errorf("with a scope: got %d %s", w.Code, w.Body)
	}
	w := post(s, again+`}}`)
	var one, two struct{ Token map[string]any }
	if err := json.Unmarshal(first.Body.Bytes(), &one); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(w.Body.Bytes(), &two); err != nil {
		t.Fatal(err)
	}
	if one.Token["expires_at"] != two.Token["expires_at"] || fmt.Sprint(two.Token["methods"]) != "[token application_credential]" {
		t.Errorf("got %v, want the end of %v", two.Token, one.Token["expires_at"])
	}
}

func TestPaths(t *testing.T) {
	s := service()
	for _, c := range []struct {
		method, path string
		status       int
	}{
		{"GET", "/identity", 300},
		{"GET", "/identity/", 300},
		{"GET", "/identity/v3", 200},
		{"GET", "/identity/v3/", 200},
		{"GET", "/identity/v2.0", 404},
		{"GET", "/identity/v3/projects", 401},
		{"PUT", "/identity/v3/projects", 405},
		{"PUT", "/identity/v3/auth/tokens", 405},
	} {
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequest(c.method, "http://here"+c.path, nil))
		if w.Code != c.status {
			t.Errorf("%s %s: got %d, want %d", c.method, c.path, w.Code, c.status)
		}
	}
}
