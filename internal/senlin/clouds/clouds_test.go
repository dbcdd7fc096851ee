package clouds

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gophercloud/gophercloud"
)

// files writes a tree of files and goes there; HOME is the directory "home"
// in it.
func files(t *testing.T, tree map[string]string) func(string) string {
	t.Helper()
	dir := t.TempDir()
	t.Chdir(dir)
	for name, text := range tree {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return func(name string) string {
		if name == "HOME" {
			return filepath.Join(dir, "home")
		}
		return ""
	}
}

// with adds variables to an environment.
func with(getenv func(string) string, pairs ...string) func(string) string {
	return func(name string) string {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1]
			}
		}
		if getenv == nil {
			return ""
		}
		return getenv(name)
	}
}

const (
	ann = `{auth_url: "http://k/v3", username: ann, password: 0123, project_name: red}`
	bob = `{auth_url: "http://k/v3", username: bob, password: b, project_name: blue}`
	one = "clouds: {one: {auth: " + ann + "}}"
	two = "clouds: {one: {auth: " + ann + "}, two: {auth: " + bob + "}}"
)

func entries(n int) string {
	var text strings.Builder
	for i := range n {
		fmt.Fprintf(&text, "  c%d: {}\n", i)
	}
	return text.String()
}

func TestWhichCloudIsMeant(t *testing.T) {
	environment := []string{"OS_AUTH_URL", "http://env/v3", "OS_USERNAME", "eve", "OS_PASSWORD", "p", "OS_PROJECT_NAME", "green"}
	for _, row := range []struct {
		name  string
		tree  map[string]string
		env   []string
		cloud string // asked for
		want  string // user
		err   error
		text  string
	}{
		{"one that is named", map[string]string{"clouds.yaml": two}, nil, "two", "bob", nil, ""},
		{"one that OS_CLOUD names", map[string]string{"clouds.yaml": two}, []string{"OS_CLOUD", "two"}, "", "bob", nil, ""},
		{"a name goes before OS_CLOUD", map[string]string{"clouds.yaml": two}, []string{"OS_CLOUD", "nope"}, "two", "bob", nil, ""},
		{"the only one", map[string]string{"clouds.yaml": one}, nil, "", "ann", nil, ""},
		{"the environment", nil, environment, "", "eve", nil, ""},
		{"the environment goes before the only one", map[string]string{"clouds.yaml": one}, environment, "", "eve", nil, ""},
		{"the environment by its name", map[string]string{"clouds.yaml": one}, environment, "envvars", "eve", nil, ""},
		{"a leftover environment is not mixed in", map[string]string{"clouds.yaml": two}, environment, "one", "ann", nil, ""},
		{"here before at home", map[string]string{"clouds.yaml": one, "home/.config/openstack/clouds.yaml": two}, nil, "", "ann", nil, ""},
		{"at home", map[string]string{"home/.config/openstack/clouds.yml": two}, nil, "two", "bob", nil, ""},
		{"where XDG_CONFIG_HOME says", map[string]string{"x/openstack/clouds.yaml": two}, []string{"XDG_CONFIG_HOME", "x"}, "two", "bob", nil, ""},
		{"where OS_CLIENT_CONFIG_FILE says", map[string]string{"clouds.yaml": one, "elsewhere": two}, []string{"OS_CLIENT_CONFIG_FILE", "elsewhere"}, "two", "bob", nil, ""},

		{"nothing at all", nil, nil, "", "", ErrNoConfig, "no cloud is named, OS_AUTH_URL is not set, and there is no clouds.yaml"},
		{"a choice", map[string]string{"clouds.yaml": two}, nil, "", "", ErrNoConfig, `clouds.yaml has ["one" "two"]`},
		{"no such entry", map[string]string{"clouds.yaml": two}, nil, "three", "", ErrNoCloud, `no such cloud: "three" is not in clouds.yaml, which has ["one" "two"]`},
		{"no file for a name", nil, nil, "three", "", ErrNoCloud, `no such cloud: "three", and no clouds.yaml that could have it`},
		{"a named file that is not there", map[string]string{"clouds.yaml": one}, []string{"OS_CLIENT_CONFIG_FILE", "gone"}, "one", "", ErrNoConfig, "gone: no such file"},
		{"a file that is no YAML", map[string]string{"clouds.yaml": "clouds: ["}, nil, "one", "", ErrNoConfig, "clouds.yaml: yaml: line 1"},
		{"a file of another shape", map[string]string{"clouds.yaml": "clouds: 5"}, nil, "one", "", ErrNoConfig, "clouds.yaml: line 1: a value that cannot stand here"},
		{"several mistakes", map[string]string{"clouds.yaml": "clouds: {one: {auth: hunter2}, two: {auth: 5}}"}, nil, "one", "", ErrNoConfig, "line 1: a value that cannot stand here and 1 more"},
		{"an entry that is there twice", map[string]string{"clouds.yaml": "clouds:\n  one: {}\n  one: {}\n"}, nil, "one", "", ErrNoConfig, `clouds.yaml: line 3: mapping key "one" already defined at line 2`},
		{"more entries than a line bears", map[string]string{"clouds.yaml": "clouds:\n" + entries(50)}, nil, "one", "", ErrNoCloud, `"c26"] and 30 more`},
		{"more entries than are compared", map[string]string{"clouds.yaml": "clouds:\n" + entries(maxKeys+1)}, nil, "one", "", ErrNoConfig, "line 2: a map of more than 10000 keys"},
		{"more values than are read", map[string]string{"clouds.yaml": "a: [" + strings.Repeat("x,", maxValues) + "]"}, nil, "one", "", ErrNoConfig, "more than 50000 values"},
		{"aliases that multiply", map[string]string{"clouds.yaml": "a: &a [" + strings.Repeat("x,", 1000) + "]\nb: [" + strings.Repeat("*a,", 50) + "]"}, nil, "one", "", ErrNoConfig, "more than 50000 values"},
		{"an alias inside of its own", map[string]string{"clouds.yaml": "a: &a [*a]"}, nil, "one", "", ErrNoConfig, "more than 50000 values"},
		{"an empty file", map[string]string{"clouds.yaml": ""}, nil, "one", "", ErrNoCloud, `has no entry under "clouds"`},
		{"a file that is too large", map[string]string{"clouds.yaml": one + strings.Repeat("\n", maxFile)}, nil, "one", "", ErrNoConfig, "more than 1 MiB"},
		{"an entry without auth", map[string]string{"clouds.yaml": "clouds: {one: {}}"}, nil, "one", "", ErrNoConfig, `auth_url of cloud "one" is missing`},
		{"an entry of Keystone v2", map[string]string{"clouds.yaml": "clouds: {one: {auth: {auth_url: http://k/v2.0}}}"}, nil, "one", "", ErrNoConfig, "Keystone v2"},
		{"an entry of a vendor", map[string]string{"clouds.yaml": "clouds: {one: {profile: acme, auth: " + ann + "}}"}, nil, "one", "", ErrNoConfig, "clouds-public.yaml"},
	} {
		t.Run(row.name, func(t *testing.T) {
			getenv := with(files(t, row.tree), row.env...)
			c, err := Find(Options{Name: row.cloud, Getenv: getenv})
			if !errors.Is(err, row.err) || c.Auth.Username != row.want {
				t.Fatalf("got user %q, %v, want %q, %v", c.Auth.Username, err, row.want, row.err)
			}
			if err != nil && (!strings.Contains(err.Error(), row.text) || strings.Contains(err.Error(), "0123") || strings.Contains(err.Error(), "hunter2")) {
				t.Errorf("got %v, want %s", err, row.text)
			}
		})
	}
}

func TestWhatAnEntrySays(t *testing.T) {
	const head = "clouds:\n  c:\n    auth: " + ann + "\n"
	for _, row := range []struct {
		name  string
		tree  map[string]string
		ask   Options
		check func(Cloud) bool
	}{
		{
			"a password that looks like a number",
			map[string]string{"clouds.yaml": head},
			Options{},
			func(c Cloud) bool { return c.Auth.Password == "0123" && !c.Auth.AllowReauth },
		},
		{
			"no domain means the default one",
			map[string]string{"clouds.yaml": head},
			Options{},
			func(c Cloud) bool { return c.Auth.DomainID == "default" && c.Auth.Scope.DomainID == "default" },
		},
		{
			"secure.yaml completes it",
			map[string]string{"clouds.yaml": "clouds: {c: {auth: {auth_url: http://k/v3, username: ann, project_name: red}}}", "secure.yaml": "clouds: {c: {auth: {password: s}}}"},
			Options{},
			func(c Cloud) bool { return c.Auth.Password == "s" && c.Auth.Username == "ann" },
		},
		{
			"secure.yaml wins",
			map[string]string{"clouds.yaml": head, "home/.config/openstack/secure.yaml": "clouds: {c: {auth: {password: s}}}"},
			Options{},
			func(c Cloud) bool { return c.Auth.Password == "s" },
		},
		{
			"clouds-public.yaml completes it",
			map[string]string{"clouds.yaml": "clouds: {c: {profile: acme, auth: {username: ann, password: p, project_name: red}}}", "clouds-public.yaml": "public-clouds: {acme: {auth: {auth_url: http://acme/v3}}}"},
			Options{},
			func(c Cloud) bool { return c.Auth.IdentityEndpoint == "http://acme/v3" },
		},
		{
			"region and interface",
			map[string]string{"clouds.yaml": head + "    region_name: One\n    interface: internal\n"},
			Options{},
			func(c Cloud) bool { return c.Region == "One" && c.Reach == gophercloud.AvailabilityInternal },
		},
		{
			"the public interface unless said otherwise",
			map[string]string{"clouds.yaml": head},
			Options{},
			func(c Cloud) bool { return c.Region == "" && c.Reach == gophercloud.AvailabilityPublic },
		},
		{
			"the first of its regions",
			map[string]string{"clouds.yaml": head + "    regions: [One, Two]\n"},
			Options{},
			func(c Cloud) bool { return c.Region == "One" },
		},
		{
			"what a region adds",
			map[string]string{"clouds.yaml": head + "    region_name: Two\n    regions:\n    - One\n    - {name: Two, values: {auth: {project_name: deep}}}\n"},
			Options{},
			func(c Cloud) bool { return c.Region == "Two" && c.Auth.TenantName == "deep" },
		},
		{
			"another region",
			map[string]string{"clouds.yaml": head + "    region_name: One\n    regions: [One, {name: Two, values: {auth: {project_name: deep}}}]\n"},
			Options{Region: "Two"},
			func(c Cloud) bool { return c.Region == "Two" && c.Auth.TenantName == "deep" },
		},
		{
			"another project by name",
			map[string]string{"clouds.yaml": head},
			Options{Project: "blue"},
			func(c Cloud) bool {
				return c.Auth.Scope.ProjectName == "blue" && c.Auth.Scope.ProjectID == "" && c.Auth.Scope.DomainID == "default"
			},
		},
		{
			"another project by id",
			map[string]string{"clouds.yaml": head},
			Options{Project: "1a9e911bc3cf4a528a53c113ab6e0a63"},
			func(c Cloud) bool {
				return c.Auth.Scope.ProjectID == "1a9e911bc3cf4a528a53c113ab6e0a63" && c.Auth.Scope.ProjectName == ""
			},
		},
		{
			"an endpoint of its own",
			map[string]string{"clouds.yaml": head + "    clustering_endpoint_override: http://s/v1\n"},
			Options{},
			func(c Cloud) bool { return c.Override == "http://s/v1" },
		},
		{
			"an application credential, whatever else is there",
			map[string]string{"clouds.yaml": "clouds: {c: {auth_type: v3applicationcredential, auth: {auth_url: http://k/v3, application_credential_id: i, application_credential_secret: s, username: ann, project_name: red, user_domain_name: Default}}}"},
			Options{},
			func(c Cloud) bool {
				return c.Auth.ApplicationCredentialID == "i" && c.Auth.ApplicationCredentialSecret == "s" && c.Auth.Username == "" &&
					c.Auth.DomainName == "" && c.Auth.TenantName == ""
			},
		},
		{
			"an application credential by its name",
			map[string]string{"clouds.yaml": "clouds: {c: {auth: {auth_url: http://k/v3, application_credential_name: n, application_credential_secret: s, username: ann, user_domain_name: Default, project_name: red}}}"},
			Options{},
			func(c Cloud) bool {
				return c.Auth.ApplicationCredentialName == "n" && c.Auth.Username == "ann" && c.Auth.DomainName == "Default" && c.Auth.DomainID == "" && c.Auth.TenantName == ""
			},
		},
		{
			"a token",
			map[string]string{"clouds.yaml": "clouds: {c: {auth_type: token, auth: {auth_url: http://k/v3, token: t, project_id: p, username: left}}}"},
			Options{},
			func(c Cloud) bool { return c.Auth.TokenID == "t" && c.Auth.Username == "" },
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			row.ask.Getenv = files(t, row.tree)
			row.ask.Name = "c"
			if c, err := Find(row.ask); err != nil || !row.check(c) {
				t.Errorf("got %+v, %v", c, err)
			}
		})
	}
}

func TestTheProjectOfAnApplicationCredentialCannotBeChosen(t *testing.T) {
	getenv := with(nil, "OS_AUTH_URL", "http://k/v3", "OS_APPLICATION_CREDENTIAL_ID", "i", "OS_APPLICATION_CREDENTIAL_SECRET", "s")
	if _, err := Find(Options{Getenv: getenv, Project: "blue"}); !errors.Is(err, ErrNoConfig) {
		t.Errorf("got %v", err)
	}
	if c, err := Find(Options{Getenv: getenv}); err != nil || c.Auth.ApplicationCredentialID != "i" {
		t.Errorf("got %+v, %v", c.Auth, err)
	}
}

func TestTheEnvironmentDescribesACloud(t *testing.T) {
	getenv := with(nil, "OS_AUTH_URL", "http://k/v3", "OS_USERNAME", "ann", "OS_PASSWORD", "p", "OS_PROJECT_NAME", "red",
		"OS_USER_DOMAIN_NAME", "Users", "OS_PROJECT_DOMAIN_NAME", "Projects", "OS_REGION_NAME", "One", "OS_INTERFACE", "adminURL",
		"OS_INSECURE", "true", "OS_CLUSTERING_ENDPOINT_OVERRIDE", "http://s", "HOME", "/home/ann", "OS_CACERT", "~/ca.pem")
	c, err := Find(Options{Getenv: getenv})
	if err != nil {
		t.Fatal(err)
	}
	if c.Auth.DomainName != "Users" || c.Auth.Scope.DomainName != "Projects" || c.Auth.Scope.ProjectName != "red" {
		t.Errorf("login %+v to %+v", c.Auth, c.Auth.Scope)
	}
	if c.Region != "One" || c.Reach != gophercloud.AvailabilityAdmin || !c.insecure || c.Override != "http://s" || c.cacert != "/home/ann/ca.pem" {
		t.Errorf("got %+v", c)
	}
}

func TestALoginNeedsNoFile(t *testing.T) {
	getenv := with(nil, "OS_CLOUD", "nope", "OS_USERNAME", "eve")
	c, err := Find(Options{Getenv: getenv, Login: &Login{AuthURL: "http://k/v3", Username: "ann", Password: "p", Project: "red", Region: "One"}})
	if err != nil || c.Auth.Username != "ann" || c.Auth.Scope.ProjectName != "red" || c.Region != "One" || c.Name != "" {
		t.Errorf("got %+v, %v", c, err)
	}
	if who := c.Who(); who != `user "ann" for project "red"` {
		t.Errorf("%s logs in", who)
	}
	if c.String() != "the cloud" {
		t.Errorf("called %s", c)
	}
}

func TestTheProcessEnvironmentIsNotRead(t *testing.T) {
	for _, name := range []string{"OS_USER_ID", "OS_TOKEN", "OS_PROJECT_ID", "OS_USER_DOMAIN_NAME", "OS_DOMAIN_ID", "OS_CLOUD", "OS_IDENTITY_API_VERSION"} {
		t.Setenv(name, "2")
	}
	c, err := Find(Options{Name: "one", Getenv: files(t, map[string]string{"clouds.yaml": two})})
	if err != nil || c.Auth.UserID != "" || c.Auth.TokenID != "" || c.Auth.Scope.ProjectID != "" || c.Auth.DomainName != "" {
		t.Errorf("got %+v to %+v, %v", c.Auth, c.Auth.Scope, err)
	}
}
