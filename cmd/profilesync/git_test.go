package main

import (
	"bytes"
	"context"
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"profilesync/internal/source/gittest"
)

// reader is a person with a configuration and an environment.
type reader struct {
	t           *testing.T
	home        string
	environment map[string]string
}

func newReader(t *testing.T) *reader {
	home := t.TempDir()
	return &reader{t, home, map[string]string{"HOME": home}}
}

func (r *reader) write(name, text string) string {
	r.t.Helper()
	file := filepath.Join(r.home, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		r.t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		r.t.Fatal(err)
	}
	return file
}

// says runs the program and wants an exit status and texts in what it says. It
// says no secret, ever.
func (r *reader) says(status int, args []string, texts ...string) {
	r.t.Helper()
	var out bytes.Buffer
	ctx, cancel := context.WithTimeout(r.t.Context(), time.Minute)
	defer cancel()
	got := run(ctx, process{
		args: append(args, "-v"), stdin: strings.NewReader(""), stdout: &out, stderr: &out,
		lookup: func(name string) (string, bool) {
			value, found := r.environment[name]
			return value, found
		},
	})
	said := out.String()
	if got != status {
		r.t.Errorf("%q: exit status %d, want %d", args, got, status)
	}
	for _, text := range texts {
		if !strings.Contains(said, text) {
			r.t.Errorf("%q does not say %q", args, text)
		}
	}
	if strings.Contains(said, password) {
		r.t.Errorf("%q shows the password", args)
	}
	if r.t.Failed() {
		r.t.Log(said)
	}
}

const password = "s3cr3t-of-the-robot"

func repositoryOfOne(t *testing.T) *gittest.Repo {
	repo := gittest.New(t)
	repo.Write(map[string]string{"web.yaml": "name: web\nspec: {type: os.nova.server, version: \"1.0\", properties: {flavor: a, networks: []}}\n"})
	repo.Commit("Add web")
	return repo
}

func TestAPrivateRepositoryOverHTTPS(t *testing.T) {
	repo := repositoryOfOne(t)
	plain := repo.Serve(nil).Config.Handler
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		_, basic, _ := req.BasicAuth()
		if basic != password && req.Header.Get("Authorization") != "Bearer "+password {
			w.Header().Set("WWW-Authenticate", `Basic realm="git"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		plain.ServeHTTP(w, req)
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // of a client that does not trust it
	t.Cleanup(server.Close)
	url := server.URL + "/" + repo.Name()
	r := newReader(t)
	r.write("ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})))
	r.write("token", password+"\n")
	look := func(login string) []string {
		return []string{"source", "-c", r.write("profilesync.yaml", "source: {url: '"+url+"', login: {"+login+"}}\n")}
	}

	r.says(1, look(""), "certificate", "hint: if the authority is your own")
	r.says(1, look("ca: ca.pem"), "access denied", "hint: source.login in profilesync.yaml")
	r.says(1, look("ca: ca.pem, password: {env: NOWHERE}"), "NOWHERE", "hint: source.login")
	r.says(1, look("ca: ca.pem, password: {file: token}, token: {file: token}"), "choose one")
	r.says(1, look("ca: ca.pem, secret: x"), `unknown field "secret"`)
	r.says(0, look("ca: ca.pem, username: robot, password: {file: token}"), "1 profile in 1 file", "from the server")
	r.says(0, look("ca: ca.pem, token: {file: token}"), "nothing new on the server")
	r.says(0, append(look("ca: ca.pem, token: {file: token}"), "--cache", "none"), "from the server")
	r.environment["PROFILESYNC_GIT_TOKEN"] = password
	r.says(0, look("ca: ca.pem"), "1 profile in 1 file")
	delete(r.environment, "PROFILESYNC_GIT_TOKEN")
	r.environment["PROFILESYNC_GIT_PASSWORD"] = password
	r.says(0, look("ca: ca.pem"), "1 profile in 1 file")
}

func TestAPrivateRepositoryOverSSH(t *testing.T) {
	repo := repositoryOfOne(t)
	key := gittest.SSHKey(t)
	server := gittest.ServeSSH(t, []string{key + ".pub"})
	r := newReader(t)
	look := func(ssh string) []string {
		return []string{"source", "-c", r.write("profilesync.yaml",
			"source: {url: 'ssh://"+server.User+"@"+server.Addr+repo.Dir+"', login: {ssh: {"+ssh+"}}}\n")}
	}
	r.environment["PROFILESYNC_GIT_TOKEN"] = password // which SSH has no use for

	r.says(1, look("key: "+key), "host key not trusted", "SHA256:", "hint: compare SHA256:", "ssh-keyscan -p ")
	r.says(1, look("key: "+gittest.SSHKey(t)+", known_hosts: ["+server.KnownHosts("ed25519")+"]"), "access denied")
	r.says(1, look("known_hosts: ["+server.KnownHosts("ed25519")+"]"), "neither a key file nor an agent", "hint: ")
	r.says(0, look("key: "+key+", known_hosts: ["+server.KnownHosts("ed25519")+"]"), "1 profile in 1 file", "from the server")
	r.write(".ssh/known_hosts", readText(t, server.KnownHosts("ed25519")))
	r.says(0, look("key: "+key), "nothing new on the server")
}

func readText(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
