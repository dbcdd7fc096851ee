package devcloud_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"sigs.k8s.io/yaml"

	"profilesync/internal/devcloud"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// reopen closes a cloud and opens it again.
func reopen(t *testing.T, cloud *devcloud.Cloud, o devcloud.Options) *devcloud.Cloud {
	t.Helper()
	if err := cloud.Close(); err != nil {
		t.Fatal(err)
	}
	return open(t, o)
}

// settle lets every action come to its end.
func settle(t *testing.T, cloud *devcloud.Cloud) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := cloud.Settle(ctx); err != nil {
		t.Fatal(err)
	}
}

func TestEverythingSurvivesARestart(t *testing.T) {
	o := devcloud.Options{Path: filepath.Join(t.TempDir(), "a", "b", "cloud.db"), ActionTime: time.Hour}
	cloud := open(t, o)
	c := logIn(t, cloud, "tenant-a")
	profile := c.send(t, "POST", "/v1/profiles", profileBody("web", "")).want(t, 201).id(t)
	cluster := c.send(t, "POST", "/v1/clusters", `{"cluster":{"name":"c","profile_id":"web","desired_capacity":2}}`).want(t, 202).id(t)
	before := c.send(t, "GET", "/v1/profiles", "").want(t, 200)

	cloud = reopen(t, cloud, o)
	c.transport = cloud.Transport()
	if after := c.send(t, "GET", "/v1/profiles", "").want(t, 200); after.body != before.body {
		t.Errorf("got %s, want %s (and the old token to work)", after.body, before.body)
	}
	c.send(t, "DELETE", "/v1/profiles/"+profile, "").want(t, 409)
	settle(t, cloud)
	if got := c.send(t, "GET", "/v1/clusters/"+cluster, "").want(t, 200); got.field(t, "status") != "ACTIVE" || len(got.field(t, "nodes").([]any)) != 2 {
		t.Errorf("got %s, want the action that was interrupted to have made two nodes", got.body)
	}
}

func TestATokenLivesAsLongAsItMay(t *testing.T) {
	now := time.Date(2026, 11, 22, 20, 0, 0, 0, time.UTC)
	var mu sync.Mutex
	clock := func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		return now
	}
	o := devcloud.Options{Path: filepath.Join(t.TempDir(), "cloud.db"), TokenLife: time.Minute, Now: clock}
	cloud := open(t, o)
	c := logIn(t, cloud, "tenant-a")
	c.send(t, "GET", "/v1/profiles", "").want(t, 200)

	other := logIn(t, cloud, "tenant-a")
	r, err := http.NewRequestWithContext(t.Context(), "DELETE", devcloud.InProcessURL+"/identity/v3/auth/tokens", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Auth-Token", c.token)
	r.Header.Set("X-Subject-Token", other.token)
	resp, err := c.transport.RoundTrip(r)
	if err != nil || resp.StatusCode != http.StatusNoContent {
		t.Fatalf("revoke: got %v, %v", resp, err)
	}
	cloud = reopen(t, cloud, o)
	c.transport, other.transport = cloud.Transport(), cloud.Transport()
	other.send(t, "GET", "/v1/profiles", "").want(t, 401)
	c.send(t, "GET", "/v1/profiles", "").want(t, 200)

	mu.Lock()
	now = now.Add(time.Minute)
	mu.Unlock()
	if got := c.send(t, "GET", "/v1/profiles", "").want(t, 401); got.header.Get("WWW-Authenticate") != `Keystone uri="http://devcloud.invalid/identity/v3"` {
		t.Errorf("got header %q", got.header.Get("WWW-Authenticate"))
	}
}

// TestATokenCannotBeMadeUp: the text of a token says whose it is, and is believed only as this cloud wrote it.
func TestATokenCannotBeMadeUp(t *testing.T) {
	cloud := open(t, devcloud.Options{})
	a, b := logIn(t, cloud, "tenant-a"), logIn(t, cloud, "tenant-b")
	const prefix = "gAAAAAB"
	text := func(c client) []byte {
		data, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(c.token, prefix))
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	const seal = 32
	forged := append(text(a)[:seal:seal], text(b)[seal:]...)
	a.token = prefix + base64.RawURLEncoding.EncodeToString(forged)
	a.send(t, "GET", "/v1/profiles", "").want(t, 401)
	for _, token := range []string{"", prefix, "nonsense", b.token + "A"} {
		b.token = token
		b.send(t, "GET", "/v1/profiles", "").want(t, 401)
	}
}

func TestNobodyEntersAnothersProject(t *testing.T) {
	cloud := open(t, devcloud.Options{})
	accounts := devcloud.Accounts()
	for _, a := range accounts {
		for _, b := range accounts {
			if a.Project == b.Project {
				continue
			}
			c := client{transport: cloud.Transport()}
			for _, project := range []string{
				fmt.Sprintf(`{"id":%q}`, b.ProjectID()), fmt.Sprintf(`{"name":%q,"domain":{"name":"Default"}}`, b.Project),
			} {
				c.send(t, "POST", "/identity/v3/auth/tokens", fmt.Sprintf(`{"auth":{"identity":{"methods":["password"],"password":`+
					`{"user":{"id":%q,"password":%q}}},"scope":{"project":%s}}}`, a.UserID(), a.Password, project)).want(t, 401)
			}
		}
	}
}

func TestTimes(t *testing.T) {
	now := time.Date(2026, 11, 22, 20, 0, 0, 999_000_000, time.UTC)
	cloud := open(t, devcloud.Options{Now: func() time.Time { return now }, TokenLife: 24 * time.Hour})
	c := logIn(t, cloud, "demo")
	made := c.send(t, "POST", "/v1/profiles", profileBody("web", "")).want(t, 201)
	if made.field(t, "created_at") != "2026-11-22T20:00:00Z" || made.field(t, "updated_at") != nil {
		t.Errorf("created: got %s", made.body)
	}
	now = now.Add(time.Hour)
	changed := c.send(t, "PATCH", "/v1/profiles/web", `{"profile":{"name":"web2"}}`).want(t, 200)
	if changed.field(t, "created_at") != "2026-11-22T20:00:00Z" || changed.field(t, "updated_at") != "2026-11-22T21:00:00Z" {
		t.Errorf("changed: got %s", changed.body)
	}
}

func TestNameUnique(t *testing.T) {
	cloud := open(t, devcloud.Options{NameUnique: true})
	a, b := logIn(t, cloud, "tenant-a"), logIn(t, cloud, "tenant-b")
	a.send(t, "POST", "/v1/profiles", profileBody("web", "")).want(t, 201)
	if got := a.send(t, "POST", "/v1/profiles", profileBody("WEB", "")).want(t, 400); !strings.Contains(got.body, "A profile named 'WEB' already exists.") {
		t.Errorf("got %s", got.body)
	}
	b.send(t, "POST", "/v1/profiles", profileBody("web", "")).want(t, 201)
	a.send(t, "POST", "/v1/profiles", profileBody("other", "")).want(t, 201)
	a.send(t, "PATCH", "/v1/profiles/other", `{"profile":{"name":"web"}}`).want(t, 200)
}

func TestPageLimit(t *testing.T) {
	cloud := open(t, devcloud.Options{PageLimit: 2})
	c := logIn(t, cloud, "demo")
	for i := range 5 {
		c.send(t, "POST", "/v1/profiles", profileBody(fmt.Sprintf("p%d", i), "")).want(t, 201)
	}
	seen, marker := map[string]bool{}, ""
	for range 4 {
		var page struct{ Profiles []struct{ ID string } }
		if err := json.Unmarshal([]byte(c.send(t, "GET", "/v1/profiles?limit=100&marker="+marker, "").want(t, 200).body), &page); err != nil {
			t.Fatal(err)
		}
		if len(page.Profiles) > 2 {
			t.Fatalf("got %d rows, want at most 2", len(page.Profiles))
		}
		for _, p := range page.Profiles {
			seen[p.ID], marker = true, p.ID
		}
	}
	if len(seen) != 5 {
		t.Errorf("got %d profiles in all pages, want 5", len(seen))
	}
}

func TestReset(t *testing.T) {
	cloud := open(t, devcloud.Options{})
	c := logIn(t, cloud, "demo")
	c.send(t, "POST", "/v1/profiles", profileBody("web", "")).want(t, 201)
	if err := cloud.Reset(); err != nil {
		t.Fatal(err)
	}
	if got := c.send(t, "GET", "/v1/profiles", "").want(t, 200); got.body != `{"profiles": []}` {
		t.Errorf("got %s", got.body)
	}
}

func TestObserve(t *testing.T) {
	var seen []string
	cloud := open(t, devcloud.Options{Observe: func(r devcloud.Request) {
		seen = append(seen, fmt.Sprintf("%s %s?%s %d", r.Method, r.Path, r.Query, r.Status))
	}})
	logIn(t, cloud, "demo").send(t, "GET", "/v1/profiles/nosuch?a=1", "")
	if got, want := strings.Join(seen, "\n"), "POST /identity/v3/auth/tokens? 201\nGET /v1/profiles/nosuch?a=1 404"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestCloudsYAML(t *testing.T) {
	var file struct {
		Clouds map[string]struct {
			AuthType string            `json:"auth_type"`
			Auth     map[string]string `json:"auth"`
		} `json:"clouds"`
	}
	if err := yaml.Unmarshal(devcloud.CloudsYAML("http://127.0.0.1:8777"), &file); err != nil {
		t.Fatal(err)
	}
	cloud := open(t, devcloud.Options{})
	for _, a := range devcloud.Accounts() {
		entry, app := file.Clouds[a.Name], file.Clouds[a.Name+"-app"]
		if entry.Auth["auth_url"] != "http://127.0.0.1:8777/identity/v3" || entry.Auth["project_name"] != a.Project {
			t.Errorf("%s: got %v", a.Name, entry)
		}
		logInAs(t, cloud, devcloud.Account{Name: entry.Auth["username"], Password: entry.Auth["password"], Project: entry.Auth["project_name"]})
		c := client{transport: cloud.Transport()}
		c.send(t, "POST", "/identity/v3/auth/tokens", fmt.Sprintf(
			`{"auth":{"identity":{"methods":["application_credential"],"application_credential":{"id":%q,"secret":%q}}}}`,
			app.Auth["application_credential_id"], app.Auth["application_credential_secret"])).want(t, 201)
	}
}
