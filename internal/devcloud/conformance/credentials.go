package conformance

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// requestForms are the ways to name a user and a project that clients use.
func (s suite) requestForms(t *testing.T) {
	account := s.cloud.Accounts["tenant-a"]
	var granted grant
	s.keystone().post(t, "/auth/tokens", passwordRequest(account, projectScope(account))).want(t, 201).into(t, &granted)
	domainID := granted.Token.Project.Domain.ID
	users := map[string]string{
		"user by id":              fmt.Sprintf(`"id":%q`, s.a.user),
		"user by name and domain": fmt.Sprintf(`"name":%s,"domain":{"id":%q}`, quote(account.Username), domainID),
	}
	scopes := map[string]string{
		"project by id":              fmt.Sprintf(`"id":%q`, s.a.project),
		"project by name and domain": fmt.Sprintf(`"name":%s,"domain":{"id":%q}`, quote(account.Project), domainID),
	}
	for who, user := range users {
		for where, project := range scopes {
			t.Run(who+", "+where, func(t *testing.T) {
				body := fmt.Sprintf(`{"auth":{"identity":{"methods":["password"],"password":{"user":{%s,"password":%s}}},"scope":{"project":{%s}}}}`,
					user, quote(account.Password), project)
				var granted grant
				s.keystone().post(t, "/auth/tokens", body).want(t, 201).into(t, &granted)
				if granted.Token.Project.ID != s.a.project || granted.Token.User.ID != s.a.user {
					t.Errorf("got a token of %+v in %+v", granted.Token.User, granted.Token.Project)
				}
			})
		}
	}
	t.Run("without the catalog, if asked so", func(t *testing.T) {
		var granted grant
		s.keystone().post(t, "/auth/tokens?nocatalog", passwordRequest(account, projectScope(account))).want(t, 201).into(t, &granted)
		if len(granted.Token.Catalog) > 0 || granted.Token.Project.ID != s.a.project {
			t.Errorf("got %+v, want a project and no catalog", granted.Token)
		}
	})
}

// revocation looks at Keystone only: the clustering service may know a token for some minutes more.
func (s suite) revocation(t *testing.T) {
	account := s.cloud.Accounts["tenant-a"]
	token := s.keystone().post(t, "/auth/tokens", passwordRequest(account, projectScope(account))).want(t, 201).header.Get("X-Subject-Token")
	mine := s.keystone().withToken(s.a.token).with("X-Subject-Token", token)
	mine.get(t, "/auth/tokens").want(t, 200)
	mine.delete(t, "/auth/tokens").want(t, 204)
	mine.get(t, "/auth/tokens").want(t, 404).keystoneError(t, 404, "Not Found")
	s.keystone().withToken(token).get(t, "/auth/projects").unauthorized(t)
}

func (s suite) wrongCredentials(t *testing.T) {
	good, other := s.cloud.Accounts["tenant-a"], s.cloud.Accounts["tenant-b"]
	change := func(edit func(*Account)) Account { account := good; edit(&account); return account }
	for _, c := range []struct {
		name    string
		account Account
	}{
		{"a wrong password", change(func(a *Account) { a.Password += "x" })},
		{"an unknown user", change(func(a *Account) { a.Username = unique("nobody") })},
		{"an unknown user domain", change(func(a *Account) { a.UserDomain = unique("nowhere") })},
		{"an unknown project", change(func(a *Account) { a.Project = unique("nothing") })},
		{"a project in which the user has no role", change(func(a *Account) { a.Project = other.Project })},
	} {
		t.Run(c.name, func(t *testing.T) {
			s.keystone().post(t, "/auth/tokens", passwordRequest(c.account, projectScope(c.account))).unauthorized(t)
		})
	}
	t.Run("no method at all is a bad request", func(t *testing.T) {
		for _, body := range []string{`{"auth":{}}`, `{}`, `no json`} {
			s.keystone().post(t, "/auth/tokens", body).want(t, 400).keystoneError(t, 400, "Bad Request")
		}
	})
}

// unauthorized checks Keystone's 401, which the clustering service answers just so.
func (a answer) unauthorized(t testing.TB) {
	t.Helper()
	a.want(t, 401).keystoneError(t, 401, "Unauthorized")
	if message := a.object(t, "error")["message"]; message != "The request you have made requires authentication." {
		t.Errorf("%s: got message %q", a.request, message)
	}
	if got := a.header.Get("WWW-Authenticate"); !strings.HasPrefix(got, `Keystone uri="http`) {
		t.Errorf("%s: got WWW-Authenticate %q, want Keystone's address", a.request, got)
	}
}

// keystoneError checks the frame of Keystone's own errors.
func (a answer) keystoneError(t testing.TB, code int, title string) {
	t.Helper()
	body := a.object(t, "error")
	if body["code"] != json.Number(itoa(code)) || body["title"] != title || body["message"] == "" {
		t.Errorf("%s: got %s, want code %d, title %q and a message", a.request, a.excerpt(), code, title)
	}
	a.hasRequestID(t)
}

// applicationCredential deletes the credential, and looks for it again, only when the suite has made it.
func (s suite) applicationCredential(t *testing.T) {
	account := s.cloud.Accounts["tenant-a"]
	credential, remove := account.Credential, func(testing.TB) {}
	if credential == (Credential{}) {
		credential, remove = s.makesCredential(t)
	}
	id := fmt.Sprintf(`"id":%q,"secret":`, credential.ID)
	secret := quote(credential.Secret)
	byName := fmt.Sprintf(`"name":%q,"secret":%s,"user":{"name":%s,"domain":{"name":%s}}`,
		credential.Name, secret, quote(account.Username), quote(account.UserDomain))
	for form, sent := range map[string]string{"by id": id + secret, "by name and user": byName} {
		t.Run(form+" it gives a token for its project", func(t *testing.T) {
			answer := s.presents(t, sent, "").want(t, 201)
			var granted grant
			answer.into(t, &granted)
			if granted.Token.Project.ID != s.a.project || granted.Token.User.ID != s.a.user || len(granted.Token.Catalog) == 0 {
				t.Errorf("got %s, want tenant-a's user, project and a catalog", answer.excerpt())
			}
			s.a.withToken(answer.header.Get("X-Subject-Token")).get(t, "/v1/profiles").want(t, 200)
		})
	}
	t.Run("a wrong secret is 401", func(t *testing.T) {
		s.presents(t, id+`"wrong"`, "").unauthorized(t)
	})
	t.Run("a scope beside it is 401", func(t *testing.T) {
		answer := s.presents(t, id+secret, projectScope(account)).want(t, 401)
		if message, _ := answer.object(t, "error")["message"].(string); !strings.Contains(message, "cannot request a scope") {
			t.Errorf("got %q, want it to name the scope", message)
		}
	})
	t.Run("an unknown one is 404", func(t *testing.T) {
		s.presents(t, `"id":"nope","secret":"x"`, "").want(t, 404).keystoneError(t, 404, "Not Found")
		if remove(t); account.Credential == (Credential{}) {
			s.presents(t, id+secret, "").want(t, 404).keystoneError(t, 404, "Not Found")
		}
	})
}

// presents asks for a token with an application credential.
func (s suite) presents(t *testing.T, credential, scope string) answer {
	t.Helper()
	return s.keystone().post(t, "/auth/tokens",
		fmt.Sprintf(`{"auth":{"identity":{"methods":["application_credential"],"application_credential":{%s}}%s}}`, credential, scope))
}

// makesCredential makes an application credential for tenant-a, and returns how to delete it, which also happens when the
// test ends. It is unrestricted, as Senlin makes a trust for whoever comes for the first time.
func (s suite) makesCredential(t *testing.T) (Credential, func(testing.TB)) {
	t.Helper()
	keystone := s.keystone().withToken(s.a.token)
	home, name := "/users/"+s.a.user+"/application_credentials", unique("credential")
	made := keystone.post(t, home, fmt.Sprintf(`{"application_credential":{"name":%q,"unrestricted":true}}`, name)).want(t, 201).
		object(t, "application_credential")
	id, _ := made["id"].(string)
	secret, _ := made["secret"].(string)
	if made["project_id"] != s.a.project || made["name"] != name || secret == "" {
		t.Errorf("got %v, want it for the token's project, with a secret", made)
	}
	there := true
	remove := func(t testing.TB) {
		if there {
			there = false
			keystone.delete(t, home+"/"+id).want(t, 204)
		}
	}
	t.Cleanup(func() { remove(t) })
	return Credential{ID: id, Name: name, Secret: secret}, remove
}
