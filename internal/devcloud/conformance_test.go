package devcloud_test

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"

	"profilesync/internal/devcloud"
	"profilesync/internal/devcloud/conformance"
)

// TestItAnswersAsSenlinDoes runs the suite that the real service passes.
func TestItAnswersAsSenlinDoes(t *testing.T) {
	cloud := open(t, devcloud.Options{})
	server := httptest.NewServer(cloud.Handler())
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	t.Cleanup(server.Close)
	accounts := map[string]conformance.Account{}
	for _, a := range devcloud.Accounts() {
		accounts[a.Name] = conformance.Account{
			Username: a.Name, Password: a.Password, Project: a.Project, UserDomain: "Default", ProjectDomain: "Default",
			Credential: conformance.Credential{ID: a.CredentialID(), Name: a.CredentialName(), Secret: a.CredentialSecret()},
		}
	}
	conformance.Run(t, conformance.Cloud{AuthURL: devcloud.AuthURL(server.URL), Accounts: accounts})
}

// open opens a new cloud for a test. Options without a path get one.
func open(t testing.TB, o devcloud.Options) *devcloud.Cloud {
	t.Helper()
	if o.Path == "" {
		o.Path = filepath.Join(t.TempDir(), "cloud.db")
	}
	o.Unsynced = true
	cloud, err := devcloud.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cloud.Close(); err != nil {
			t.Error(err)
		}
	})
	return cloud
}
