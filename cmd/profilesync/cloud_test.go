package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"sigs.k8s.io/yaml"

	"profilesync/internal/devcloud"
)

// TestCloudStories runs the stories on the embedded cloud, each on its own.
func TestCloudStories(t *testing.T) {
	for _, story := range cloudStories(t) {
		server := httptest.NewUnstartedServer(nil)
		base := "http://" + server.Listener.Addr().String()
		cloud, err := devcloud.Open(devcloud.Options{Path: filepath.Join(t.TempDir(), "devcloud.db"), BaseURL: base, Unsynced: true})
		if err != nil {
			t.Fatal(err)
		}
		server.Config.Handler = cloud.Handler()
		server.Start()
		t.Cleanup(func() {
			server.Close()
			if err := cloud.Close(); err != nil {
				t.Error(err)
			}
		})
		file := filepath.Join(t.TempDir(), "clouds.yaml")
		if err := os.WriteFile(file, devcloud.CloudsYAML(base), 0o600); err != nil {
			t.Fatal(err)
		}
		tell(t, story, file)
	}
}

func cloudStories(t *testing.T) []string {
	stories, err := filepath.Glob("../../testdata/scripts/cloud/*.txtar")
	if err != nil || len(stories) == 0 {
		t.Fatalf("no stories: %v", err)
	}
	return stories
}

// tell runs one story on the cloud of a clouds.yaml.
func tell(t *testing.T, story, cloudsFile string) {
	testscript.Run(t, testscript.Params{
		Files:               []string{story},
		RequireExplicitExec: true,
		Setup:               func(env *testscript.Env) error { return prepare(env, cloudsFile) },
		Cmds:                commands(&api{cloudsFile: cloudsFile}),
	})
}

// api is the other side of a story: somebody who uses the cloud directly. It
// knows no more than URLs and JSON.
type api struct{ cloudsFile string }

type entry struct {
	Auth struct {
		URL         string `json:"auth_url"`
		Username    string `json:"username"`
		Password    string `json:"password"`
		ProjectName string `json:"project_name"`
	} `json:"auth"`
}

// session is a token and where Senlin is.
type session struct{ token, endpoint, project string }

func (a *api) logIn(account string) (session, error) {
	text, err := os.ReadFile(a.cloudsFile)
	if err != nil {
		return session{}, err
	}
	var clouds struct {
		Clouds map[string]entry `json:"clouds"`
	}
	if err := yaml.Unmarshal(text, &clouds); err != nil {
		return session{}, err
	}
	auth := clouds.Clouds[account].Auth
	domain := map[string]any{"name": "Default"}
	request, _ := json.Marshal(map[string]any{"auth": map[string]any{
		"identity": map[string]any{"methods": []string{"password"}, "password": map[string]any{
			"user": map[string]any{"name": auth.Username, "domain": domain, "password": auth.Password},
		}},
		"scope": map[string]any{"project": map[string]any{"name": auth.ProjectName, "domain": domain}},
	}})
	answer, err := http.Post(auth.URL+"/auth/tokens", "application/json", bytes.NewReader(request))
	if err != nil {
		return session{}, err
	}
	defer answer.Body.Close()
	var body struct {
		Token struct {
			Project struct{ ID string }
			Catalog []struct {
				Type      string
				Endpoints []struct{ Interface, URL string }
			}
		}
	}
	if err := json.NewDecoder(answer.Body).Decode(&body); err != nil {
		return session{}, err
	}
	s := session{token: answer.Header.Get("X-Subject-Token"), project: body.Token.Project.ID}
	for _, service := range body.Token.Catalog {
		if service.Type == "clustering" {
			s.endpoint = strings.TrimSuffix(service.Endpoints[0].URL, "/")
		}
	}
	if s.token == "" || s.endpoint == "" {
		return session{}, fmt.Errorf("account %q: no token or no clustering endpoint (%s)", account, answer.Status)
	}
	return s, nil
}

func (s session) do(method, path, body string) (int, http.Header, []byte, error) {
	request, err := http.NewRequest(method, s.endpoint+path, strings.NewReader(body))
	if err != nil {
		return 0, nil, nil, err
	}
	request.Header.Set("X-Auth-Token", s.token)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/json")
	request.Header.Set("OpenStack-API-Version", "clustering 1.14")
	answer, err := (&http.Client{Timeout: time.Minute}).Do(request)
	if err != nil {
		return 0, nil, nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	return answer.StatusCode, answer.Header, text, err
}

// senlin sends one request; a status from 400 on is a failure:
//
//	senlin ACCOUNT METHOD PATH [BODY]
func (a *api) senlin(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 3 {
		ts.Fatalf("usage: senlin ACCOUNT METHOD PATH [BODY]")
	}
	s, err := a.logIn(args[0])
	ts.Check(err)
	body := ""
	if len(args) > 3 {
		body = args[3]
	}
	status, _, text, err := s.do(args[1], args[2], body)
	ts.Check(err)
	fmt.Fprintf(ts.Stdout(), "%d %s\n", status, text)
	if (status >= 400) != neg {
		ts.Fatalf("status %d: %s", status, text)
	}
}

type thing struct {
	ID, Name, Project string
	ProfileID         string `json:"profile_id"`
}

func (a *api) things(s session, kind string) ([]thing, error) {
	status, _, text, err := s.do("GET", "/v1/"+kind, "")
	if err != nil || status != 200 {
		return nil, fmt.Errorf("list of %s: status %d, %w: %s", kind, status, err, text)
	}
	var body map[string][]thing
	err = json.Unmarshal(text, &body)
	return body[kind], err
}

func (a *api) named(ts *testscript.TestScript, s session, kind, name string) string {
	all, err := a.things(s, kind)
	ts.Check(err)
	id := ""
	for _, one := range all {
		if one.Name == name && one.Project == s.project {
			if id != "" {
				ts.Fatalf("several %s bear the name %q", kind, name)
			}
			id = one.ID
		}
	}
	if id == "" {
		ts.Fatalf("no %s bears the name %q", kind, name)
	}
	return id
}

// id keeps the id of a profile, by its name, in an environment variable:
//
//	id ACCOUNT NAME VARIABLE
func (a *api) id(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: id ACCOUNT NAME VARIABLE")
	}
	s, err := a.logIn(args[0])
	ts.Check(err)
	ts.Setenv(args[2], a.named(ts, s, "profiles", args[1]))
}

// cluster makes, moves and removes clusters, and waits for each:
//
//	cluster ACCOUNT create NAME PROFILE [NODES]
//	cluster ACCOUNT move NAME PROFILE
//	cluster ACCOUNT delete NAME
func (a *api) cluster(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: cluster ACCOUNT create|move|delete NAME [PROFILE] [NODES]")
	}
	s, err := a.logIn(args[0])
	ts.Check(err)
	args = append(args, []string{"", "", "", "", "0"}[len(args):]...)
	name, profile := args[2], args[3]
	method, path, body := "POST", "/v1/clusters", ""
	switch args[1] {
	case "create":
		body = fmt.Sprintf(`{"cluster":{"name":%q,"profile_id":%q,"desired_capacity":%s}}`, name, profile, args[4])
	case "move":
		method, path = "PATCH", path+"/"+a.named(ts, s, "clusters", name)
		body = fmt.Sprintf(`{"cluster":{"profile_id":%q}}`, profile)
	case "delete":
		method, path = "DELETE", path+"/"+a.named(ts, s, "clusters", name)
	}
	status, header, text, err := s.do(method, path, body)
	ts.Check(err)
	if status != 202 {
		ts.Fatalf("%s %s: status %d: %s", method, path, status, text)
	}
	ts.Check(s.wait(header.Get("Location")))
}

// wait polls an action until it has ended. One that is gone has ended too.
func (s session) wait(location string) error {
	action, err := url.Parse(location)
	if err != nil {
		return err
	}
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		status, _, text, err := s.do("GET", action.Path, "")
		switch {
		case err != nil:
			return err
		case status == 404, bytes.Contains(text, []byte(`"SUCCEEDED"`)):
			return nil
		case bytes.Contains(text, []byte(`"FAILED"`)):
			return fmt.Errorf("action failed: %s", text)
		}
	}
	return fmt.Errorf("action %s did not end within a minute", action.Path)
}
