//go:build browser

package browser

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"profilesync/internal/daemon/page/wire"
	"profilesync/internal/devcloud"
	"profilesync/test/daemon/rig"
)

// configuration has a target that only reports, one that applies, and one whose
// cloud does not answer.
const configuration = `
owner: team-web
source: {url: docs}
targets:
- {name: prod, cloud: prod, mode: report}
- {name: staging, cloud: staging}
- {name: edge, cloud: edge}
daemon:
  schedule: "@every 1h"
  stale_after: 1h
  retry: {first: 2s, most: 2s}
  state: state
  http: {auth: {bearer: {file: token}, basic: {username: operator, password: {file: token}}}}
`

const secret = "a-secret-of-the-tests"

// TestTheDaemonInABrowser looks at the page of the built program, with a login,
// in front of embedded clouds.
func TestTheDaemonInABrowser(t *testing.T) {
	prod, staging, edge := rig.NewCloud(t, "prod"), rig.NewCloud(t, "staging"), rig.NewCloud(t, "edge")
	home := rig.NewHome(t, rig.Build(t), prod, staging, edge)
	home.Write("token", secret+"\n")
	home.Write("profilesync.yaml", configuration)
	home.Document("web", "m1.small")
	home.Document("legacy", "m1.small")
	home.Commit("Ask for web and legacy")
	apply := home.Command(t.Context(), "apply", "--yes", "--target", "prod")
	if output, err := apply.CombinedOutput(); err != nil {
		t.Fatalf("apply: %v\n%s", err, output)
	}
	useInCluster(t, prod, "legacy", "legacy-asg")
	home.Document("web", "m1.large")
	home.Git("-C", "docs", "rm", "-q", "legacy.yaml")
	home.Commit("Resize web, and let legacy go")

	edge.Down(true)
	d := home.Start()
	d.Token = secret
	rig.Eventually(t, 60*time.Second, "a pass of each target", func() bool {
		told, err := d.Status()
		return err == nil && !slices.ContainsFunc(told.Targets, func(target wire.Target) bool { return target.LastAttempt == nil })
	})
	control := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { edge.Down(false) }))
	t.Cleanup(control.Close)
	pictures := ""
	if *screenshots != "" {
		pictures = filepath.Join(*screenshots, "daemon")
	}
	look(t, script{
		URL: "http://" + d.Address, Username: "operator", Password: secret, Screenshots: pictures, Targets: []string{"prod", "staging", "edge"},
		Head: "2 of 3 targets are ready", Target: "prod", Differs: `"m1.small" → "m1.large"`, Blocked: "legacy", Holder: "legacy-asg",
		Change: control.URL, After: "All 3 targets are ready",
	})
}

// useInCluster has a cluster hold on to a profile.
func useInCluster(t *testing.T, cloud *rig.Cloud, profile, cluster string) {
	t.Helper()
	account := devcloud.Accounts()[0]
	login := fmt.Sprintf(`{"auth":{"identity":{"methods":["password"],"password":{"user":{"name":%q,"password":%q,"domain":{"name":"Default"}}}},
		"scope":{"project":{"name":%q,"domain":{"name":"Default"}}}}}`, account.Name, account.Password, account.Project)
	token := send(t, "", devcloud.AuthURL(cloud.URL)+"/auth/tokens", login, nil).Get("X-Subject-Token")
	var known struct {
		Profiles []struct{ ID, Name string }
	}
	send(t, token, clustering(cloud)+"/profiles", "", &known)
	for _, p := range known.Profiles {
		if p.Name == profile {
			send(t, token, clustering(cloud)+"/clusters", fmt.Sprintf(`{"cluster":{"name":%q,"profile_id":%q,"desired_capacity":0}}`, cluster, p.ID), nil)
			return
		}
	}
	t.Fatalf("no profile %q in %v", profile, known)
}

func clustering(cloud *rig.Cloud) string { return cloud.URL + "/v1" }

// send posts a body, or reads where there is none, and returns the answer's
// header.
func send(t *testing.T, token, url, body string, into any) http.Header {
	t.Helper()
	method := http.MethodGet
	if body != "" {
		method = http.MethodPost
	}
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Auth-Token", token)
	r.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode/100 != 2 {
		t.Fatalf("%s %s: %s %v\n%s", method, url, answer.Status, err, bytes.TrimSpace(text))
	}
	if into != nil {
		if err := json.Unmarshal(text, into); err != nil {
			t.Fatal(err)
		}
	}
	return answer.Header
}
