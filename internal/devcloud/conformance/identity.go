package conformance

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

// grant is a token's description, as Keystone gives it when it issues or validates one.
type grant struct {
	Token struct {
		Methods []string
		User    struct {
			ID, Name string
			Domain   domain
		}
		Project struct {
			ID, Name string
			Domain   domain
		}
		Roles     []struct{ ID, Name string }
		ExpiresAt string   `json:"expires_at"`
		IssuedAt  string   `json:"issued_at"`
		AuditIDs  []string `json:"audit_ids"`
		Catalog   []service
	}
}

type domain struct{ ID, Name string }

type service struct {
	ID, Name, Type string
	Endpoints      []struct {
		ID, Interface, Region, URL string
		RegionID                   string `json:"region_id"`
	}
}

// logIn asks for a token scoped to the account's project, and moves to the clustering address of its catalog.
func (c caller) logIn(t testing.TB, account Account) caller {
	t.Helper()
	answer := c.post(t, "/auth/tokens", passwordRequest(account, projectScope(account))).want(t, 201)
	var granted grant
	answer.into(t, &granted)
	c.token = answer.header.Get("X-Subject-Token")
	c.project, c.user = granted.Token.Project.ID, granted.Token.User.ID
	c.base = ""
	for _, s := range granted.Token.Catalog {
		for _, e := range s.Endpoints {
			if s.Type == "clustering" && e.Interface == "public" {
				c.base = strings.TrimSuffix(e.URL, "/")
			}
		}
	}
	if c.base == "" || c.token == "" {
		t.Fatalf("the token of %q has no public clustering endpoint: %s", account.Username, answer.excerpt())
	}
	return c
}

// keystone speaks to Keystone with no token.
func (s suite) keystone() caller {
	return caller{http: s.a.http, base: strings.TrimSuffix(s.cloud.AuthURL, "/")}
}

func passwordRequest(account Account, scope string) string {
	user := fmt.Sprintf(`{"name":%s,"domain":{"name":%s},"password":%s}`,
		quote(account.Username), quote(account.UserDomain), quote(account.Password))
	return fmt.Sprintf(`{"auth":{"identity":{"methods":["password"],"password":{"user":%s}}%s}}`, user, scope)
}

func projectScope(account Account) string {
	return fmt.Sprintf(`,"scope":{"project":{"name":%s,"domain":{"name":%s}}}`, quote(account.Project), quote(account.ProjectDomain))
}

// quote writes a value as JSON.
func quote(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err) // only called with strings, numbers and maps of them
	}
	return string(text)
}

func (s suite) identity(t *testing.T) {
	t.Run("the root lists v3 without a token", func(t *testing.T) {
		root := s.keystone()
		root.base = strings.TrimSuffix(strings.TrimSuffix(root.base, "/"), "/v3")
		var doc struct {
			Versions struct {
				Values []struct {
					ID    string
					Links []struct{ Rel, Href string }
				}
			}
		}
		root.get(t, "/").want(t, 300).into(t, &doc)
		values := doc.Versions.Values
		if len(values) != 1 || !strings.HasPrefix(values[0].ID, "v3") || len(values[0].Links) == 0 || !strings.Contains(values[0].Links[0].Href, "/v3") {
			t.Errorf("got %+v, want v3 and a link to it", doc)
		}
	})
	t.Run("the v3 address describes itself without a token", func(t *testing.T) {
		version := s.keystone().get(t, "").want(t, 200).object(t, "version")
		if id, _ := version["id"].(string); !strings.HasPrefix(id, "v3") || version["status"] != "stable" {
			t.Errorf("got version %v, want a stable v3", version)
		}
	})
	t.Run("a password gives a token scoped to the project", s.passwordGivesToken)
	t.Run("the catalog names clustering on three interfaces", s.catalogNamesClustering)
	t.Run("users and projects by id or name", s.requestForms)
	t.Run("credentials that are wrong in any way are refused alike", s.wrongCredentials)
	t.Run("a token can be validated", s.tokenValidation)
	t.Run("a token without a project is refused by clustering with 400", s.unscopedToken)
	t.Run("a token that is revoked is none", s.revocation)
	t.Run("an application credential gives a token", s.applicationCredential)
}

func (s suite) passwordGivesToken(t *testing.T) {
	account := s.cloud.Accounts["tenant-a"]
	asked := time.Now()
	answer := s.keystone().post(t, "/auth/tokens", passwordRequest(account, projectScope(account))).want(t, 201)
	answer.hasRequestID(t)
	var granted grant
	answer.into(t, &granted)
	token := granted.Token
	if answer.header.Get("X-Subject-Token") == "" {
		t.Error("the token itself is missing: no X-Subject-Token")
	}
	if token.User.Name != account.Username || token.User.Domain.Name != account.UserDomain || !plainID.MatchString(token.User.ID) {
		t.Errorf("got user %+v, want %s with an id of 32 digits", token.User, account.Username)
	}
	if token.Project.Name != account.Project || token.Project.Domain.Name != account.ProjectDomain || !plainID.MatchString(token.Project.ID) {
		t.Errorf("got project %+v, want %s with an id of 32 digits", token.Project, account.Project)
	}
	if len(token.Methods) != 1 || token.Methods[0] != "password" || len(token.AuditIDs) != 1 {
		t.Errorf("got methods %v and audit ids %v, want one each", token.Methods, token.AuditIDs)
	}
	if roles := fmt.Sprint(token.Roles); !strings.Contains(roles, "member") || !strings.Contains(roles, "reader") {
		t.Errorf("got roles %v, want member and what it implies, reader", token.Roles)
	}
	expires, err := time.Parse("2006-01-02T15:04:05.000000Z", token.ExpiresAt)
	if err != nil || !expires.After(asked) {
		t.Errorf("got expires_at %q, want a later time with microseconds", token.ExpiresAt)
	}
	if _, err := time.Parse("2006-01-02T15:04:05.000000Z", token.IssuedAt); err != nil {
		t.Errorf("got issued_at %q, want a time with microseconds", token.IssuedAt)
	}
}

func (s suite) catalogNamesClustering(t *testing.T) {
	var granted grant
	account := s.cloud.Accounts["tenant-a"]
	s.keystone().post(t, "/auth/tokens", passwordRequest(account, projectScope(account))).want(t, 201).into(t, &granted)
	found := map[string]string{}
	for _, service := range granted.Token.Catalog {
		for _, e := range service.Endpoints {
			found[service.Type+" "+e.Interface] = e.URL
			if e.Region == "" || e.Region != e.RegionID || e.ID == "" {
				t.Errorf("the %s endpoint of %s has no usable region and id: %+v", e.Interface, service.Type, e)
			}
		}
	}
	for _, kind := range []string{"clustering", "identity"} {
		for _, face := range []string{"public", "internal", "admin"} {
			if found[kind+" "+face] == "" {
				t.Errorf("no %s endpoint for %s", face, kind)
			}
		}
	}
	if got := found["clustering public"]; strings.Contains(got, "/v1") {
		t.Errorf("got clustering at %q, want no version in it: clients add their own", got)
	}
	if got := found["identity public"]; !strings.HasSuffix(strings.TrimSuffix(got, "/"), "/v3") {
		t.Errorf("got identity at %q, want its v3 address", got)
	}
	var alone struct{ Catalog []service }
	s.keystone().withToken(s.a.token).get(t, "/auth/catalog").want(t, 200).into(t, &alone)
	if len(alone.Catalog) != len(granted.Token.Catalog) {
		t.Errorf("GET /auth/catalog names %d services, the token %d", len(alone.Catalog), len(granted.Token.Catalog))
	}
}

func (s suite) tokenValidation(t *testing.T) {
	about := func(token string) caller { return s.keystone().withToken(s.a.token).with("X-Subject-Token", token) }
	t.Run("GET describes it again, with the catalog", func(t *testing.T) {
		answer := about(s.a.token).get(t, "/auth/tokens").want(t, 200)
		var granted grant
		answer.into(t, &granted)
		if granted.Token.Project.ID != s.a.project || granted.Token.User.ID != s.a.user || len(granted.Token.Catalog) == 0 {
			t.Errorf("got %s, want the same user, project and catalog as when it was issued", answer.excerpt())
		}
		if answer.header.Get("X-Subject-Token") != s.a.token {
			t.Error("the answer does not repeat the token in X-Subject-Token")
		}
	})
	t.Run("HEAD answers 200 with no body", func(t *testing.T) {
		if answer := about(s.a.token).do(t, "HEAD", "/auth/tokens", "").want(t, 200); answer.body != "" {
			t.Errorf("got a body: %s", answer.excerpt())
		}
	})
	t.Run("an unknown token is 404", func(t *testing.T) {
		about("bogus").get(t, "/auth/tokens").want(t, 404).keystoneError(t, 404, "Not Found")
	})
	t.Run("without a token of one's own it is 401", func(t *testing.T) {
		about(s.a.token).withToken("").get(t, "/auth/tokens").unauthorized(t)
	})
	t.Run("the projects of a token are its own", func(t *testing.T) {
		var found struct{ Projects []struct{ ID, Name string } }
		s.keystone().withToken(s.a.token).get(t, "/auth/projects").want(t, 200).into(t, &found)
		if len(found.Projects) != 1 || found.Projects[0].ID != s.a.project {
			t.Errorf("got projects %+v, want just %s", found.Projects, s.a.project)
		}
	})
	t.Run("a token can be had for a token", func(t *testing.T) {
		body := fmt.Sprintf(`{"auth":{"identity":{"methods":["token"],"token":{"id":%q}}%s}}`, s.a.token, projectScope(s.cloud.Accounts["tenant-a"]))
		var granted grant
		s.keystone().post(t, "/auth/tokens", body).want(t, 201).into(t, &granted)
		if granted.Token.Project.ID != s.a.project {
			t.Errorf("got project %+v, want %s", granted.Token.Project, s.a.project)
		}
	})
}

func (s suite) unscopedToken(t *testing.T) {
	for name, scope := range map[string]string{"asked for with no scope": ``, "asked for as unscoped": `,"scope":"unscoped"`} {
		t.Run(name, func(t *testing.T) {
			answer := s.keystone().post(t, "/auth/tokens", passwordRequest(s.cloud.Accounts["tenant-a"], scope)).want(t, 201)
			var granted grant
			answer.into(t, &granted)
			if granted.Token.Project.ID != "" || len(granted.Token.Catalog) > 0 || len(granted.Token.Roles) > 0 {
				t.Errorf("got %s, want no project, roles or catalog", answer.excerpt())
			}
			unscoped := s.a.withToken(answer.header.Get("X-Subject-Token"))
			for _, path := range []string{"/v1/profiles", "/v1/clusters"} {
				unscoped.get(t, path).refusedByFramework(t, 400, "Bad Request", "...Field `project' cannot be None...")
			}
		})
	}
}
