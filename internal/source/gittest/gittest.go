// Package gittest makes Git repositories for tests with git's own program, so
// that a test is never judged by the code it tests, and serves them over HTTP
// with git's own server.
package gittest

import (
	"bytes"
	"io"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Repo is a repository with a work tree, on the branch main. It is removed with
// the test.
type Repo struct {
	t testing.TB
	// Dir is the root of the work tree.
	Dir string
}

// New makes an empty repository.
func New(t testing.TB) *Repo {
	t.Helper()
	r := &Repo{t: t, Dir: t.TempDir()}
	r.Git("init", "-q", "-b", "main")
	return r
}

// In returns the same repository for a sub-test, which its failures then end.
func (r *Repo) In(t testing.TB) *Repo { return &Repo{t: t, Dir: r.Dir} }

// Sub returns the repository in another directory.
func (r *Repo) Sub(dir string) *Repo { return &Repo{t: r.t, Dir: dir} }

// Git runs git in the work tree, without the user's settings, and returns what
// it prints, trimmed. A failure ends the test.
func (r *Repo) Git(args ...string) string {
	r.t.Helper()
	return r.Input("", args...)
}

// Input is Git with something to read.
func (r *Repo) Input(stdin string, args ...string) string {
	r.t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = r.Dir
	cmd.Env = append(os.Environ(),
		"GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null", "GIT_ALLOW_PROTOCOL=file:http",
		"GIT_AUTHOR_NAME=Ada", "GIT_AUTHOR_EMAIL=ada@example.com", "GIT_AUTHOR_DATE=2026-01-02T03:04:05Z",
		"GIT_COMMITTER_NAME=Ada", "GIT_COMMITTER_EMAIL=ada@example.com", "GIT_COMMITTER_DATE=2026-01-02T03:04:05Z")
	cmd.Stdin = strings.NewReader(stdin)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		r.t.Fatalf("git %q: %v: %s", args, err, &stderr)
	}
	return strings.TrimSpace(stdout.String())
}

// Write writes files into the work tree, by slash-separated path.
func (r *Repo) Write(files map[string]string) {
	r.t.Helper()
	for name, content := range files {
		full := filepath.Join(r.Dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			r.t.Fatal(err)
		}
		if err := os.WriteFile(full, []byte(content), 0o644); err != nil {
			r.t.Fatal(err)
		}
	}
}

// Commit commits the whole work tree and returns the commit's hash.
func (r *Repo) Commit(subject string) string {
	r.t.Helper()
	r.Git("add", "-A")
	r.Git("commit", "-q", "--allow-empty", "-m", subject)
	return r.Git("rev-parse", "HEAD")
}

// Serve serves the repository, and what lies beside it, over HTTP. around
// wraps git's server, to ask for a password, say; it may be nil. The URL of the
// repository is the server's with "/" and Name.
func (r *Repo) Serve(around func(http.Handler) http.Handler) *httptest.Server {
	r.t.Helper()
	var handler http.Handler = &cgi.Handler{
		Path: filepath.Join(r.Git("--exec-path"), "git-http-backend"),
		Env: []string{
			"GIT_PROJECT_ROOT=" + filepath.Dir(r.Dir), "GIT_HTTP_EXPORT_ALL=1",
			"GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null",
		},
		Stderr: io.Discard, // shared by requests at once
	}
	if around != nil {
		handler = around(handler)
	}
	server := httptest.NewServer(handler)
	r.t.Cleanup(server.Close)
	return server
}

// Name is the repository's part of a URL.
func (r *Repo) Name() string { return filepath.Base(r.Dir) + "/.git" }
