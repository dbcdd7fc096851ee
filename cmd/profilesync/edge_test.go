package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"profilesync/internal/devcloud"
)

// edge is a cloud that something is wrong with.
type edge struct {
	name   string
	twist  func(cloud http.Handler, w http.ResponseWriter, r *http.Request)
	clouds func(text string) string // what is wrong with clouds.yaml
	says   string                   // the one line, after "profilesync: "
	hint   string
}

func senlinRequest(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, "/v1/") }

func edges() []edge {
	answer := func(status int, kind, body string) func(http.Handler, http.ResponseWriter, *http.Request) {
		return func(cloud http.Handler, w http.ResponseWriter, r *http.Request) {
			if !senlinRequest(r) {
				cloud.ServeHTTP(w, r)
				return
			}
			w.Header().Set("Content-Type", kind)
			w.Header().Set("X-Openstack-Request-Id", "req-1234")
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}
	}
	rewrite := func(old, now string) func(http.Handler, http.ResponseWriter, *http.Request) {
		return func(cloud http.Handler, w http.ResponseWriter, r *http.Request) {
			recorder := httptest.NewRecorder()
			cloud.ServeHTTP(recorder, r)
			for key, values := range recorder.Header() {
				w.Header()[key] = values
			}
			w.Header().Del("Content-Length")
			w.WriteHeader(recorder.Code)
			_, _ = io.WriteString(w, strings.ReplaceAll(recorder.Body.String(), old, now))
		}
	}
	return []edge{
		{
			name:   "a cloud that clouds.yaml does not name",
			clouds: func(text string) string { return strings.ReplaceAll(text, "tenant-a:", "other:") },
			says:   `"tenant-a"`, hint: "clouds.yaml is looked for in",
		},
		{
			name:   "a wrong password",
			clouds: func(text string) string { return strings.ReplaceAll(text, `password: "tenant-a"`, `password: "wrong"`) },
			says:   `refused user "tenant-a"`, hint: "token issue",
		},
		{
			name:  "no clustering service in the catalog",
			twist: rewrite(`"clustering"`, `"gardening"`),
			says:  "no clustering service", hint: "catalog list",
		},
		{
			name: "a login page instead of Keystone",
			twist: func(_ http.Handler, w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "text/html")
				_, _ = io.WriteString(w, "<html><body>Please log in</body></html>")
			},
			says: "auth/tokens answered: HTML instead of JSON", hint: "auth_url",
		},
		{
			name: "HTML instead of JSON", twist: answer(200, "text/html", "<html><body>It works!</body></html>"),
			says: "v1/profiles answered: HTML instead of JSON", hint: "something else answers",
		},
		{
			name: "half a JSON", twist: answer(200, "application/json", `{"profiles": [{"id": "a`),
			says: "v1/profiles answered half a JSON", hint: "something else answers",
		},
		{
			name: "a role that is not enough",
			twist: answer(403, "application/json",
				`{"code":403,"error":{"code":403,"message":"You are not authorized to complete this operation.","type":"Forbidden"}}`),
			says: "You are not authorized to complete this operation.*req-1234", hint: "policy",
		},
		{
			name: "a service that takes requests and never answers",
			twist: func(cloud http.Handler, w http.ResponseWriter, r *http.Request) {
				if senlinRequest(r) {
					<-r.Context().Done()
					return
				}
				cloud.ServeHTTP(w, r)
			},
			says: "no answer to GET .*/v1/profiles within 2s", hint: "may be down",
		},
	}
}

func TestABadCloudGivesOneClearLineAndAHint(t *testing.T) {
	for _, e := range edges() {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			file := e.serve(t)
			status, stdout, stderr := runPlan(t, file)
			if status != exitFailed {
				t.Errorf("exit status %d, want %d", status, exitFailed)
			}
			if strings.Contains(stdout, "Plan:") || strings.Contains(stdout, "In sync") {
				t.Errorf("standard output holds a plan:\n%s", stdout)
			}
			lines := strings.Split(strings.TrimSpace(stderr), "\n")
			if len(lines) != 2 || !regexp.MustCompile("^profilesync: .*"+e.says).MatchString(lines[0]) ||
				!strings.HasPrefix(lines[1], "hint: ") || !strings.Contains(lines[1], e.hint) {
				t.Errorf("want one line that says %q and a hint that says %q, got:\n%s", e.says, e.hint, stderr)
			}
		})
	}
}

func TestACatalogThatEndsInV1IsServedAllTheSame(t *testing.T) {
	e := edge{twist: func(cloud http.Handler, w http.ResponseWriter, r *http.Request) {
		recorder := httptest.NewRecorder()
		cloud.ServeHTTP(recorder, r)
		for key, values := range recorder.Header() {
			w.Header()[key] = values
		}
		w.Header().Del("Content-Length")
		w.WriteHeader(recorder.Code)
		body := regexp.MustCompile(`"url": ?"(http://[0-9.:]+)/?"`).ReplaceAllString(recorder.Body.String(), `"url": "$1/v1"`)
		_, _ = io.WriteString(w, body)
	}}
	status, stdout, stderr := runPlan(t, e.serve(t))
	if status != exitDone || !strings.Contains(stdout, "1 to create") {
		t.Errorf("exit status %d\n%s%s", status, stdout, stderr)
	}
}

func TestAServerThatIsDown(t *testing.T) {
	file := edge{}.serve(t)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	down := regexp.MustCompile(`127\.0\.0\.1:\d+`).ReplaceAll(text, []byte("127.0.0.1:1"))
	if err := os.WriteFile(file, down, 0o600); err != nil {
		t.Fatal(err)
	}
	status, _, stderr := runPlan(t, file)
	if status != exitFailed || !strings.Contains(stderr, "127.0.0.1:1") || !strings.Contains(stderr, "hint: is the service up") {
		t.Errorf("exit status %d\n%s", status, stderr)
	}
}

// serve starts the cloud and writes its clouds.yaml.
func (e edge) serve(t *testing.T) string {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	base := "http://" + server.Listener.Addr().String()
	cloud, err := devcloud.Open(devcloud.Options{Path: filepath.Join(t.TempDir(), "devcloud.db"), BaseURL: base, Unsynced: true})
	if err != nil {
		t.Fatal(err)
	}
	server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if e.twist == nil {
			cloud.Handler().ServeHTTP(w, r)
			return
		}
		e.twist(cloud.Handler(), w, r)
	})
	server.Start()
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
		if err := cloud.Close(); err != nil {
			t.Error(err)
		}
	})
	text := string(devcloud.CloudsYAML(base))
	if e.clouds != nil {
		text = e.clouds(text)
	}
	file := filepath.Join(t.TempDir(), "clouds.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// runPlan plans one document for the cloud tenant-a.
func runPlan(t *testing.T, cloudsFile string) (status int, stdout, stderr string) {
	t.Helper()
	docs := t.TempDir()
	document := "type: os.nova.server\nversion: 1.0\nproperties: {flavor: a, networks: []}\n"
	if err := os.WriteFile(filepath.Join(docs, "web.yaml"), []byte(document), 0o600); err != nil {
		t.Fatal(err)
	}
	environment := map[string]string{"OS_CLIENT_CONFIG_FILE": cloudsFile, "HOME": docs}
	var out, problems bytes.Buffer
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	status = run(ctx, process{
		args: []string{"plan", "--worktree", docs, "--cloud", "tenant-a", "--owner", "us"},
		lookup: func(name string) (string, bool) {
			value, ok := environment[name]
			return value, ok
		},
		stdin: strings.NewReader(""), stdout: &out, stderr: &problems, timeout: 2 * time.Second,
	})
	return status, out.String(), fmt.Sprint(problems.String())
}
