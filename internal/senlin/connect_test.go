package senlin

import (
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"profilesync/internal/devcloud"
)

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
