package session

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/gophercloud/gophercloud"
	"github.com/gophercloud/gophercloud/openstack/identity/v3/tokens"

	"profilesync/internal/devcloud"
	"profilesync/internal/profile"
	"profilesync/internal/senlin/clouds"
)

const (
	askToken    = "POST keystone.invalid/v3/auth/tokens"
	askVersions = "GET senlin.invalid/v1"
)

// grants is a Keystone that gives out this token.
func grants(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Subject-Token", "token-1")
		w.WriteHeader(http.StatusCreated)
		fmt.Fprint(w, body)
	}
}

func TestWhatCanGoWrongAtTheLogin(t *testing.T) {
	for _, row := range []struct {
		name   string
		routes map[string]http.HandlerFunc
		cloud  func(*clouds.Cloud)
		want   error
		text   string // part of the message
	}{
		{
			"wrong password",
			map[string]http.HandlerFunc{askToken: reply(401, `{"error": {"code": 401, "message": "The request you have made requires authentication.", "title": "Unauthorized"}}`)},
			nil, ErrAuth, `Keystone at http://keystone.invalid/v3 refused user "ann" for project "p1": The request you have made requires authentication (401, req-1)`,
		},
		{"locked account", map[string]http.HandlerFunc{askToken: reply(403, `{"error": {"code": 403, "message": "no"}}`)}, nil, profile.ErrDenied, ": no (403"},
		{"a request that Keystone cannot use", map[string]http.HandlerFunc{askToken: reply(400, `{"error": {"code": 400, "message": "bad domain"}}`)}, nil, clouds.ErrNoConfig, "bad domain"},
		{"another server", map[string]http.HandlerFunc{askToken: reply(404, "<html>")}, nil, ErrNotKeystone, "http://keystone.invalid/v3/auth/tokens answered: HTML instead of JSON"},
		{"a login page", map[string]http.HandlerFunc{askToken: reply(201, "<html>")}, nil, ErrNotKeystone, "http://keystone.invalid/v3 does not answer as a Keystone v3 does"},
		{"a page of another method", map[string]http.HandlerFunc{askToken: reply(405, `{"error": {"message": "no"}}`)}, nil, ErrNotKeystone, "no (405"},
		{"half a token", map[string]http.HandlerFunc{askToken: grants(granted[:40])}, nil, ErrNotKeystone, "does not answer as a Keystone v3 does"},
		{"a token without end", map[string]http.HandlerFunc{askToken: grants(`{"token": {"x": "` + strings.Repeat("x", answerLimit) + `"}}`)}, nil, ErrNotKeystone, "http://keystone.invalid/v3 answered more than 8 MiB"},
		{"no token", map[string]http.HandlerFunc{askToken: reply(201, granted)}, nil, ErrNotKeystone, "does not answer as a Keystone v3 does"},
		{"a redirect", map[string]http.HandlerFunc{askToken: func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://keystone.invalid/v3/auth/tokens", http.StatusPermanentRedirect)
		}}, nil, ErrNotKeystone, "is redirected to https://keystone.invalid/v3/auth/tokens"},
		{"down", map[string]http.HandlerFunc{askToken: reply(503, "<html>")}, nil, profile.ErrUnavailable, "http://keystone.invalid/v3/auth/tokens answered: HTML instead of JSON (503"},
		{"hanging", map[string]http.HandlerFunc{askToken: hanging}, nil, ErrTimeout, "no answer to POST http://keystone.invalid/v3/auth/tokens within 10s"},
		{"dropped", map[string]http.HandlerFunc{askToken: dropped}, nil, ErrUnreachable, "cannot reach http://keystone.invalid/v3/auth/tokens: "},
		{"unscoped", map[string]http.HandlerFunc{askToken: grants(`{"token": {"catalog": []}}`)}, nil, clouds.ErrNoConfig, "is not scoped to a project"},
		{
			"no such service",
			map[string]http.HandlerFunc{askToken: grants(`{"token": {"project": {"id": "p"}, "catalog": [{"type": "compute"}, {"type": "identity"}, {"type": "compute"}]}}`)},
			nil, ErrNoService, `no clustering service in the catalog of cloud "somewhere", only ["compute" "identity"]`,
		},
		{"no catalog", map[string]http.HandlerFunc{askToken: grants(`{"token": {"project": {"id": "p"}}}`)}, nil, ErrNoService, "only []"},
		{"another region", nil, func(c *clouds.Cloud) { c.Region = "Two" }, ErrNoService, `no clustering service in region "Two" of cloud "somewhere" with a URL for public use, only in ["One"]`},
		{"another interface", nil, func(c *clouds.Cloud) { c.Reach = gophercloud.AvailabilityAdmin }, ErrNoService, "with a URL for admin use, only in []"},
		{"no password", nil, func(c *clouds.Cloud) { c.Auth.Password = "" }, clouds.ErrNoConfig, "password"},
		{"not a URL", nil, func(c *clouds.Cloud) { c.Override = "senlin:8777" }, ErrNoService, `clustering_endpoint_override of cloud "somewhere" is not an http(s) URL`},
		{"no such host's URL", nil, func(c *clouds.Cloud) { c.Auth.IdentityEndpoint = "http://[::1/v3" }, clouds.ErrNoConfig, "auth_url"},
		{"no Senlin: a page", map[string]http.HandlerFunc{askVersions: reply(200, "<html>")}, nil, ErrNotSenlin, "http://senlin.invalid/v1 answered: HTML instead of JSON"},
		{"no Senlin: not found", map[string]http.HandlerFunc{askVersions: reply(404, "nothing here")}, nil, ErrNotSenlin, "http://senlin.invalid/v1 answered: nothing here (404"},
		{"no Senlin: another API", map[string]http.HandlerFunc{askVersions: reply(200, `{"versions": []}`)}, nil, ErrNotSenlin, "http://senlin.invalid/v1 answered something that is not Senlin's list of versions"},
		{"half a Senlin", map[string]http.HandlerFunc{askVersions: reply(200, versions[:20])}, nil, ErrNotSenlin, "answered half a JSON"},
		{"an old Senlin", map[string]http.HandlerFunc{askVersions: reply(200, strings.ReplaceAll(versions, "1.14", "1.1"))}, nil, ErrNotSenlin, "speaks versions 1.0 to 1.1, not 1.2 to 1.14"},
		{"a Senlin of the future", map[string]http.HandlerFunc{askVersions: reply(200, `{"version": {"min_version": "1.20", "max_version": "1.30"}}`)}, nil, ErrNotSenlin, "speaks versions 1.20 to 1.30"},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cloud := somewhere()
				if row.cloud != nil {
					row.cloud(&cloud)
				}
				_, err := Open(t.Context(), cloud, Options{Transport: devcloud.InProcess(&stub{routes: row.routes}), Timeout: testTimeout})
				if !errors.Is(err, row.want) {
					t.Fatalf("got %v, want %v", err, row.want)
				}
				if text := err.Error(); !strings.Contains(text, row.text) || strings.Contains(text, "sesame") || strings.Contains(text, "\n") {
					t.Errorf("\n got %s\nwant %s", text, row.text)
				}
			})
		})
	}
}

func TestALoginIsRepeatedWhileKeystoneIsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &stub{routes: map[string]http.HandlerFunc{}}
		s.routes[askToken] = inTurn(reply(503, ""), dropped, s.login)
		if opened := open(t, s, Options{}); opened.Project != "p1" || s.logins != 1 {
			t.Errorf("project %q after %d logins", opened.Project, s.logins)
		}
	})
}

func TestTheNewestVersionThatBothKnowIsSpoken(t *testing.T) {
	for highest, want := range map[string]string{"1.2": "1.2", "1.7": "1.7", "1.14": "1.14", "1.20": "1.14"} {
		s := &stub{routes: map[string]http.HandlerFunc{askVersions: reply(200, `{"version": {"min_version": "1.0", "max_version": "`+highest+`"}}`)}}
		if got := open(t, s, Options{}).service.Microversion; got != want {
			t.Errorf("up to %s: %s, want %s", highest, got, want)
		}
	}
}

func TestTheEndpointOfACatalog(t *testing.T) {
	at := func(region, url string) tokens.Endpoint {
		return tokens.Endpoint{Interface: "public", RegionID: region, URL: url}
	}
	two := []tokens.Endpoint{at("One", "http://one"), at("Two", "http://two/v1"), {Interface: "internal", RegionID: "Three", URL: "http://three"}}
	for _, row := range []struct {
		name, region string
		endpoints    []tokens.Endpoint
		want, in     string
		text         string // of the error
	}{
		{"the only region", "", two[:1], "http://one", "One", ""},
		{"a chosen region", "Two", two, "http://two/v1", "Two", ""},
		{"a choice of regions", "", two, "", "", `name one of ["One" "Two"]`},
		{"a region of another interface", "Three", two, "", "", `only in ["One" "Two"]`},
		{"twice in a region", "One", []tokens.Endpoint{at("One", "http://first"), at("One", "http://second")}, "http://first", "One", ""},
		{"an old catalog", "", []tokens.Endpoint{{Interface: "public", Region: "Old", URL: "http://old"}}, "http://old", "Old", ""},
		{"no region at all", "", []tokens.Endpoint{at("", "http://plain")}, "http://plain", "", ""},
		{"not a URL", "", []tokens.Endpoint{at("One", "%(host)s")}, "", "", "not an http(s) URL"},
	} {
		t.Run(row.name, func(t *testing.T) {
			cloud := somewhere()
			cloud.Region = row.region
			address, region, err := endpoint(cloud, []tokens.CatalogEntry{
				{Type: "compute", Endpoints: []tokens.Endpoint{at("Nova", "http://nova")}}, {Type: serviceType, Endpoints: row.endpoints},
			})
			got := ""
			if address != nil {
				got = address.String()
			}
			if got != row.want || region != row.in || (err == nil) != (row.text == "") {
				t.Errorf("got %q in %q, %v", got, region, err)
			}
			if err != nil && (!strings.Contains(err.Error(), row.text) || !errors.Is(err, ErrNoService)) {
				t.Errorf("got %v, want %s", err, row.text)
			}
		})
	}
}

func TestAVersionIsCutOffTheEndpoint(t *testing.T) {
	for given, want := range map[string]string{
		"http://h:8777": "http://h:8777/", "http://h:8777/": "http://h:8777/", "http://h/v1": "http://h/", "http://h/v1/": "http://h/",
		"http://h/clustering/v1": "http://h/clustering/", "http://h/clustering/": "http://h/clustering/", "http://v1": "http://v1/",
	} {
		endpoint, err := url.Parse(given)
		if err != nil {
			t.Fatal(err)
		}
		if got := unversioned(endpoint); got != want {
			t.Errorf("%s becomes %s, want %s", given, got, want)
		}
	}
}
