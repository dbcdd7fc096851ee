//go:build openstack

package openstack

import (
	"os"
	"testing"

	"sigs.k8s.io/yaml"

	"profilesync/internal/devcloud/conformance"
)

// TestConformance runs the API suite against the cloud that PROFILESYNC_TEST_CLOUDS_FILE describes. Without one it fails.
func TestConformance(t *testing.T) {
	under := cloud(t)
	under.Reset = func(t testing.TB) { conformance.Sweep(t, under) }
	conformance.Run(t, under)
}

// cloud reads the clouds.yaml with the four accounts that the suite speaks as.
func cloud(t *testing.T) conformance.Cloud {
	t.Helper()
	path := os.Getenv("PROFILESYNC_TEST_CLOUDS_FILE")
	if path == "" {
		t.Fatal("PROFILESYNC_TEST_CLOUDS_FILE names no clouds.yaml; these tests need a real cloud")
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("clouds file: %v", err)
	}
	var file struct {
		Clouds map[string]struct {
			Auth struct {
				AuthURL           string `json:"auth_url"`
				Username          string `json:"username"`
				Password          string `json:"password"`
				ProjectName       string `json:"project_name"`
				UserDomainName    string `json:"user_domain_name"`
				ProjectDomainName string `json:"project_domain_name"`
			} `json:"auth"`
		} `json:"clouds"`
	}
	if err := yaml.Unmarshal(text, &file); err != nil {
		t.Fatalf("clouds file %q: %v", path, err)
	}
	found := conformance.Cloud{Accounts: map[string]conformance.Account{}}
	for name, entry := range file.Clouds {
		auth := entry.Auth
		found.AuthURL = auth.AuthURL
		found.Accounts[name] = conformance.Account{
			Username: auth.Username, Password: auth.Password, Project: auth.ProjectName,
			UserDomain: auth.UserDomainName, ProjectDomain: auth.ProjectDomainName,
		}
	}
	return found
}
