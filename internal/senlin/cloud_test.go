package senlin

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gophercloud/gophercloud"
	"go.uber.org/goleak"

	"profilesync/internal/devcloud"
	"profilesync/internal/live"
	"profilesync/internal/profile"
	"profilesync/internal/senlin/session"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rig is a client of a cloud in this process, and what lies between them.
type rig struct {
	*Client
	cloud *devcloud.Cloud

	mu     sync.Mutex
	asked  []string // "METHOD path?query" in order
	fault  func(req *http.Request, next http.RoundTripper) (*http.Response, error)
	inside http.RoundTripper
}

func (r *rig) RoundTrip(req *http.Request) (*http.Response, error) {
	r.mu.Lock()
	r.asked = append(r.asked, req.Method+" "+req.URL.RequestURI())
	fault := r.fault
	r.mu.Unlock()
	if fault != nil {
		return fault(req, r.inside)
	}
	return r.inside.RoundTrip(req)
}

// since forgets what was asked so far, and returns it.
func (r *rig) since() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	asked := r.asked
	r.asked = nil
	return asked
}

// between puts a fault between client and cloud.
func (r *rig) between(fault func(req *http.Request, next http.RoundTripper) (*http.Response, error)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fault = fault
}

func demo() Options {
	return Options{Login: &Login{
		AuthURL: devcloud.AuthURL(devcloud.InProcessURL), Username: "demo", Password: "demo", Project: "demo",
	}}
}

// connect opens a cloud and a client of it.
func connect(t testing.TB, cloud devcloud.Options, options Options) *rig {
	t.Helper()
	if cloud.Path == "" {
		cloud.Path = filepath.Join(t.TempDir(), "cloud.db")
	}
	cloud.Unsynced = true
	opened, err := devcloud.Open(cloud)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := opened.Close(); err != nil {
			t.Error(err)
		}
	})
	r := &rig{cloud: opened, inside: opened.Transport()}
	options.Transport = r
	if r.Client, err = Connect(t.Context(), options); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	r.since()
	return r
}

func server(name string) profile.Profile {
	return profile.Profile{Name: name, Spec: profile.Spec{
		Type: "os.nova.server", Version: "1.0",
		Properties: profile.Properties{"flavor": "m1.small", "networks": []any{map[string]any{"network": "private"}}},
	}}
}

func (r *rig) create(t testing.TB, p profile.Profile) live.Profile {
	t.Helper()
	made, err := r.Create(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// send asks the cloud for something that the client has no method for.
func (r *rig) send(t *testing.T, method, path, body string, ok int) {
	t.Helper()
	err := r.session.Do(t.Context(), session.Request{
		Send: func(s *gophercloud.ServiceClient) (*http.Response, error) {
			return s.Request(method, s.ServiceURL("v1", path), session.Keep(json.RawMessage(body), ok))
		},
		Read: func([]byte) error { return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
}

func names(t *testing.T, profiles []live.Profile, err error) []string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, p := range profiles {
		all = append(all, p.Name)
	}
	slices.Sort(all)
	return all
}

func TestALifeOfAProfile(t *testing.T) {
	r := connect(t, devcloud.Options{}, demo())
	want := server("web")
	want.Spec.Properties["auto_disk_config"] = true
	want.Spec.Properties["metadata"] = map[string]any{"n": json.Number("12345678901234567890"), "f": json.Number("1.50"), "s": "<&>"}
	want.Metadata = map[string]any{"team": "web", "n": json.Number("9007199254740993")}

	if err := r.Validate(t.Context(), want.Spec); err != nil {
		t.Fatal(err)
	}
	made := r.create(t, want)
	scope, err := r.Scope(t.Context())
	if err != nil || made.Project != scope.Project || scope.Region != "RegionOne" {
		t.Errorf("made in project %q, scope %+v, %v", made.Project, scope, err)
	}
	if !made.Spec.Equal(want.Spec) || !profile.Equal(made.Metadata, want.Metadata) || made.Created.IsZero() || !made.Updated.IsZero() {
		t.Errorf("made %+v", made)
	}
	if n := made.Spec.Properties["metadata"].(map[string]any)["n"]; n != json.Number("12345678901234567890") {
		t.Errorf("the number became %v", n)
	}
	read, err := r.Profile(t.Context(), made.ID)
	if err != nil || read.ID != made.ID || !read.Spec.Equal(want.Spec) {
		t.Errorf("read %+v, %v", read, err)
	}
	listed, err := r.Profiles(t.Context())
	if err != nil || len(listed) != 1 || !listed[0].Spec.Equal(want.Spec) || !profile.Equal(listed[0].Metadata, want.Metadata) {
		t.Errorf("listed %+v, %v", listed, err)
	}

	changed, err := r.Update(t.Context(), made.ID, "web~1", map[string]any{"n": json.Number("1.0")})
	if err != nil || changed.Name != "web~1" || !profile.Equal(changed.Metadata, map[string]any{"n": json.Number("1.0")}) || changed.Updated.IsZero() {
		t.Errorf("changed %+v, %v", changed, err)
	}
	cleared, err := r.Update(t.Context(), made.ID, "web~1", nil)
	if err != nil || len(cleared.Metadata) != 0 {
		t.Errorf("cleared %+v, %v", cleared, err)
	}
	if _, err = r.Update(t.Context(), made.ID, "web~1", nil); !errors.Is(err, profile.ErrUnchanged) {
		t.Errorf("a change of nothing: %v", err)
	}
	if err := r.Delete(t.Context(), made.ID); err != nil {
		t.Error(err)
	}
	_, readErr := r.Profile(t.Context(), made.ID)
	_, updateErr := r.Update(t.Context(), made.ID, "web", nil)
	for what, err := range map[string]error{"delete": r.Delete(t.Context(), made.ID), "read": readErr, "update": updateErr} {
		if !errors.Is(err, profile.ErrNotFound) {
			t.Errorf("%s of a profile that is gone: %v", what, err)
		}
	}
}

func TestValidatingStoresNothing(t *testing.T) {
	r := connect(t, devcloud.Options{}, Options{Login: demo().Login, ReadOnly: true})
	good := server("web").Spec
	if err := r.Validate(t.Context(), good); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(*profile.Spec){
		"a property that it has not": func(s *profile.Spec) {
			s.Properties = profile.Properties{"flavor": "x", "nosuch": "y", "networks": []any{}}
		},
		"no properties":              func(s *profile.Spec) { s.Properties = nil },
		"an unknown type":            func(s *profile.Spec) { s.Type = "os.nova.nope" },
		"a version without its zero": func(s *profile.Spec) { s.Version = "1" },
		"no type":                    func(s *profile.Spec) { s.Type = "" },
		"what JSON cannot say":       func(s *profile.Spec) { s.Properties = profile.Properties{"flavor": json.Number("x")} },
	} {
		spec := good
		change(&spec)
		if err := r.Validate(t.Context(), spec); !errors.Is(err, profile.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := r.Create(t.Context(), server("web")); !errors.Is(err, ErrReadOnly) || errors.Is(err, profile.ErrInDoubt) {
		t.Errorf("a read-only client created: %v", err)
	}
	if all, err := r.Profiles(t.Context()); err != nil || len(all) != 0 {
		t.Errorf("%v are there, %v", all, err)
	}
}

func TestAnErrorDoesNotShowWhatIsSecret(t *testing.T) {
	r := connect(t, devcloud.Options{}, demo())
	const secret = "correct horse battery staple"
	for name, value := range map[string]any{
		"user_data": []any{secret}, "admin_pass": map[string]any{"a": secret}, "personality": secret, "scheduler_hints": "",
	} {
		bad := server("web")
		bad.Spec.Properties[name] = value
		bad.Spec.Properties["config_drive"] = "maybe"
		for _, err := range []error{r.Validate(t.Context(), bad.Spec), second(r.Create(t.Context(), bad))} {
			if err == nil || strings.Contains(err.Error(), "horse") {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

func second(_ live.Profile, err error) error { return err }

func TestOnlyAFullIDIsAskedFor(t *testing.T) {
	r := connect(t, devcloud.Options{}, demo())
	made := r.create(t, server("web"))
	r.since()
	for _, id := range []string{"", "web", "%", "_", made.ID[:8], strings.ReplaceAll(made.ID, "-", ""), made.ID + " ", "../clusters", strings.Repeat("-", 36)} {
		_, readErr := r.Profile(t.Context(), id)
		_, updateErr := r.Update(t.Context(), id, "x", nil)
		for _, err := range []error{readErr, updateErr, r.Delete(t.Context(), id)} {
			if !errors.Is(err, profile.ErrNotFound) {
				t.Errorf("%q: %v", id, err)
			}
		}
	}
	if asked := r.since(); len(asked) != 0 {
		t.Errorf("asked %q", asked)
	}
	if _, err := r.Profile(t.Context(), strings.ToUpper(made.ID)); err != nil {
		t.Error(err)
	}
}

func TestAProfileThatIsNamedLikeTheIDIsNotIt(t *testing.T) {
	const id = "00000000-1111-2222-3333-444444444444"
	r := connect(t, devcloud.Options{}, demo())
	other := r.create(t, server(id))
	if _, err := r.Profile(t.Context(), id); !errors.Is(err, profile.ErrNotFound) {
		t.Errorf("got %v", err)
	}
	if _, err := r.Update(t.Context(), id, "x", nil); !errors.Is(err, profile.ErrNotFound) || !strings.Contains(err.Error(), other.ID) {
		t.Errorf("got %v", err)
	}
	r.create(t, server(id))
	r.create(t, server(id))
	if _, err := r.Profile(t.Context(), id); !errors.Is(err, profile.ErrNotFound) {
		t.Errorf("several bear it: %v", err)
	}
}

func TestATokenThatExpiresWhileManyAsk(t *testing.T) {
	var mu sync.Mutex
	offset := 0
	clock := ticking(&mu, &offset)
	r := connect(t, devcloud.Options{Now: clock}, demo())
	mu.Lock()
	offset = 2
	mu.Unlock()
	var group sync.WaitGroup
	for i := range 20 {
		group.Go(func() {
			if _, err := r.Create(t.Context(), server(fmt.Sprint("web-", i))); err != nil {
				t.Error(err)
			}
			if _, err := r.Users(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	logins := 0
	for _, asked := range r.since() {
		if strings.HasSuffix(asked, "/auth/tokens") {
			logins++
		}
	}
	all, err := r.Profiles(t.Context())
	if logins != 1 || len(all) != 20 || err != nil {
		t.Errorf("%d logins, %d profiles, %v, want 1 and 20", logins, len(all), err)
	}
}

func TestTheCloudsFileOfADevcloudWorks(t *testing.T) {
	r := connect(t, devcloud.Options{}, demo())
	server := httptest.NewServer(r.cloud.Handler())
	defer server.Close()
	path := filepath.Join(t.TempDir(), "clouds.yaml")
	if err := os.WriteFile(path, devcloud.CloudsYAML(server.URL), 0o600); err != nil {
		t.Fatal(err)
	}
	getenv := func(name string) string {
		return map[string]string{"OS_CLIENT_CONFIG_FILE": path, "OS_USERNAME": "left", "OS_PROJECT_NAME": "over"}[name]
	}
	for _, account := range devcloud.Accounts() {
		for _, name := range []string{account.Name, account.CredentialName()} {
			c, err := Connect(t.Context(), Options{Cloud: name, Getenv: getenv})
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			if scope, _ := c.Scope(t.Context()); scope.Project != account.ProjectID() {
				t.Errorf("%s is in project %s, want %s", name, scope.Project, account.ProjectID())
			}
			if _, err := c.Profiles(t.Context()); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			c.Close()
		}
	}
	_, err := Connect(t.Context(), Options{Cloud: "demo", Getenv: getenv, Project: "tenant-a"})
	if !errors.Is(err, ErrAuth) {
		t.Errorf("another's project: %v", err)
	}
	_, err = Connect(t.Context(), Options{Cloud: "demo", Getenv: getenv, Region: "Mars"})
	if !errors.Is(err, ErrNoService) {
		t.Errorf("another region: %v", err)
	}
	server.Close()
	if _, err = Connect(t.Context(), Options{Cloud: "demo", Getenv: getenv, Timeout: time.Second}); !errors.Is(err, ErrUnreachable) {
		t.Errorf("a server that is down: %v", err)
	}
}
