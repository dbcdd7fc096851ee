// Package rig puts the built program, as a daemon, in front of embedded clouds
// that tests can break: several processes, real signals, real connections.
//
// It is for tests only, and judges nothing: it starts, stops, asks and counts.
package rig

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"profilesync/internal/devcloud"
)

// Build builds the program, without the race detector.
func Build(t testing.TB) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "profilesync")
	build := exec.Command("go", "build", "-o", binary, "profilesync/cmd/profilesync")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, bytes.TrimSpace(output))
	}
	return binary
}

// Cloud is an embedded cloud behind a socket.
type Cloud struct {
	Name, URL string

	down  atomic.Bool
	mutex sync.Mutex
	log   []Request
}

// Request is one that a cloud has answered.
type Request struct {
	At           time.Time // when it came
	By           string    // instance, as the program names itself
	Method, Path string
	Body         string // of a write
	Status       int
}

// NewCloud starts a cloud.
func NewCloud(t testing.TB, name string) *Cloud {
	t.Helper()
	c := &Cloud{Name: name}
	server := httptest.NewUnstartedServer(nil)
	c.URL = "http://" + server.Listener.Addr().String()
	cloud, err := devcloud.Open(devcloud.Options{
		Path: filepath.Join(t.TempDir(), "devcloud.db"), BaseURL: c.URL, Unsynced: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	server.Config.Handler = c.watch(cloud.Handler())
	server.Start()
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
		if err := cloud.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// watch keeps the log, and breaks every connection while the cloud is down.
func (c *Cloud) watch(handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c.down.Load() {
			panic(http.ErrAbortHandler)
		}
		request := Request{At: time.Now(), Method: r.Method, Path: r.URL.Path}
		if _, agent, found := strings.Cut(r.UserAgent(), "profilesync ("); found {
			request.By, _, _ = strings.Cut(agent, ")")
		}
		answer := &answer{ResponseWriter: w, status: http.StatusOK}
		handler.ServeHTTP(answer, r)
		request.Status = answer.status
		c.mutex.Lock()
		defer c.mutex.Unlock()
		c.log = append(c.log, request)
	})
}

type answer struct {
	http.ResponseWriter
	status int
}

func (a *answer) WriteHeader(status int) {
	a.status = status
	a.ResponseWriter.WriteHeader(status)
}

// Down breaks every request from now on, or no longer.
func (c *Cloud) Down(down bool) { c.down.Store(down) }

// Requests are all so far.
func (c *Cloud) Requests() []Request {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return append([]Request(nil), c.log...)
}

// IsWrite reports whether a request asks for a change of a profile.
func (r Request) IsWrite() bool {
	return r.Method != http.MethodGet && strings.Contains(r.Path, "/v1/profiles") && !strings.HasSuffix(r.Path, "/validate")
}

// Writes are the requests that asked for a change.
func (c *Cloud) Writes() []Request {
	var writes []Request
	for _, r := range c.Requests() {
		if r.IsWrite() {
			writes = append(writes, r)
		}
	}
	return writes
}

// Home is a directory with a clouds.yaml, documents in Git and a configuration.
type Home struct {
	testing.TB
	Dir, Binary string
}

// NewHome makes one for some clouds.
func NewHome(t testing.TB, binary string, clouds ...*Cloud) *Home {
	t.Helper()
	h := &Home{t, t.TempDir(), binary}
	var yaml strings.Builder
	yaml.WriteString("clouds:\n")
	for _, c := range clouds {
		account := devcloud.Accounts()[0]
		fmt.Fprintf(&yaml, "  %s:\n    auth: {auth_url: %q, username: %s, password: %s, project_name: %s, "+
			"user_domain_name: Default, project_domain_name: Default}\n    region_name: RegionOne\n",
			c.Name, devcloud.AuthURL(c.URL), account.Name, account.Password, account.Project)
	}
	h.Write("clouds.yaml", yaml.String())
	h.Git("init", "-q", "-b", "main", "docs")
	return h
}

// Write writes a file.
func (h *Home) Write(name, text string) {
	h.Helper()
	file := filepath.Join(h.Dir, name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o700), os.WriteFile(file, []byte(text), 0o600)); err != nil {
		h.Fatal(err)
	}
}

// Git runs git in the home.
func (h *Home) Git(args ...string) {
	h.Helper()
	git := exec.Command("git", append([]string{"-c", "user.name=Operator", "-c", "user.email=operator@example.org", "-c", "commit.gpgsign=false"}, args...)...)
	git.Dir = h.Dir
	git.Env = append(os.Environ(), "HOME="+h.Dir, "GIT_CONFIG_NOSYSTEM=1")
	if output, err := git.CombinedOutput(); err != nil {
		h.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, output)
	}
}

// Document writes one into the repository, without committing it.
func (h *Home) Document(name, flavor string) {
	h.Write("docs/"+name+".yaml", fmt.Sprintf(
		"name: %s\nspec: {type: os.nova.server, version: \"1.0\", properties: {flavor: %s, networks: []}}\n", name, flavor))
}

// Commit commits all documents.
func (h *Home) Commit(message string) {
	h.Git("-C", "docs", "add", "-A")
	h.Git("-C", "docs", "commit", "-q", "--allow-empty", "-m", message)
}

// Command is the program, with the home as its only home.
func (h *Home) Command(ctx context.Context, args ...string) *exec.Cmd {
	command := exec.CommandContext(ctx, h.Binary, args...)
	command.Dir = h.Dir
	command.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + h.Dir, "OS_CLIENT_CONFIG_FILE=" + filepath.Join(h.Dir, "clouds.yaml"),
		"GIT_CONFIG_NOSYSTEM=1",
	}
	return command
}

// Eventually waits until something holds.
func Eventually(t testing.TB, within time.Duration, what string, holds func() bool) {
	t.Helper()
	deadline := time.Now().Add(within)
	for !holds() {
		if time.Now().After(deadline) {
			t.Fatalf("not within %s: %s", within, what)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// Forget drops the requests so far.
func (c *Cloud) Forget() {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.log = nil
}
