package source

import (
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"profilesync/internal/source/gittest"
)

// TestMain makes the certificate of httptest's TLS servers one that the
// environment trusts, as a private authority's would be.
func TestMain(m *testing.M) {
	if command := os.Getenv(childCommand); command != "" {
		os.Exit(measureAsChild(command))
	}
	if question := os.Getenv(childQuestion); question != "" {
		os.Exit(answerAsChild(question))
	}
	server := httptest.NewTLSServer(nil)
	authority := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	server.Close()
	dir, err := os.MkdirTemp("", "source")
	if err != nil {
		log.Fatal(err)
	}
	file := filepath.Join(dir, "ca.pem")
	if err := errors.Join(os.WriteFile(file, authority, 0o600), os.Setenv("SSL_CERT_FILE", file)); err != nil {
		log.Fatal(err)
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(status int) {
		os.RemoveAll(dir)
		os.Exit(status)
	}))
}

// pktLine frames text as Git does.
func pktLine(text string) string { return fmt.Sprintf("%04x%s", len(text)+4, text) }

// small is a repository with one document, served.
func small(t *testing.T, around func(http.Handler) http.Handler) string {
	t.Helper()
	r := gittest.New(t)
	r.Write(map[string]string{"web.yaml": "name: web\n"})
	r.Commit("Add web")
	return r.Serve(around).URL + "/" + r.Name()
}

// with puts credentials into a URL.
func with(t *testing.T, raw, user, password string) string {
	t.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword(user, password)
	return u.String()
}

func TestAPassword(t *testing.T) {
	const user, password = "robot", "s3cr/t @#?:%"
	address := small(t, func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			if u, p, _ := req.BasicAuth(); u != user || p != password {
				w.Header().Set("WWW-Authenticate", `Basic realm="git"`)
				http.Error(w, "you sent "+u+":"+p, http.StatusUnauthorized)
				return
			}
			h.ServeHTTP(w, req)
		})
	})
	s, err := Git{URL: with(t, address, user, password)}.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	same(t, contents(t, s.Files), map[string]string{"web.yaml": "name: web\n"})
	_, err = Git{URL: address}.Read(t.Context())
	fails(t, err, ErrAuthentication, "401")
	_, err = Git{URL: with(t, address, "tok3n", "wr0ng")}.Read(t.Context())
	fails(t, err, ErrAuthentication, "401")
	if strings.Contains(err.Error(), "wr0ng") || strings.Contains(err.Error(), "tok3n") {
		t.Errorf("%q shows the credentials", err)
	}
}

func TestAnswersThatAreNoRepository(t *testing.T) {
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, strings.Repeat("<p>long\n\x1b[31mpage</p>", 100_000), code)
		}
	}
	answer := func(kind, text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind)
			io.WriteString(w, text)
		}
	}
	const advertisement = "application/x-git-upload-pack-advertisement"
	service := pktLine("# service=git-upload-pack\n") + "0000"
	rows := []struct {
		name    string
		handler http.HandlerFunc
		kind    error
		says    string
	}{
		{"403", status(403), ErrAuthentication, "403"},
		{"404", status(404), ErrNoRepository, "404"},
		{"410", status(410), ErrUnreachable, "410"},
		{"429", status(429), ErrUnreachable, "429"},
		{"500", status(500), ErrUnreachable, "500"},
		{"503", status(503), ErrUnreachable, "503"},
		{"a page in HTML", answer("text/html; charset=utf-8", "<html>Sign in"), ErrNoRepository, `"text/html"`},
		{"a server of plain files", answer("text/plain", "0123456789012345678901234567890123456789\trefs/heads/main\n"), ErrNoRepository, "smart HTTP"},
		{"nothing", answer(advertisement, ""), ErrUnreachable, "empty"},
		{"garbage", answer(advertisement, "garbage"), ErrUnreachable, "its answer"},
		{"half an answer", answer(advertisement, service+"00ff0123"), ErrUnreachable, "its answer"},
		{"no reference", answer(advertisement, service+"0000"), ErrEmpty, "no commits"},
		{"an error in Git's protocol", answer(advertisement, service+pktLine("ERR go \x1b[31maway\n")), ErrUnreachable, "go"},
		{"a redirect to itself", func(w http.ResponseWriter, req *http.Request) { http.Redirect(w, req, req.URL.String(), 302) }, ErrUnreachable, "redirect"},
		{"a redirect to a page", func(w http.ResponseWriter, req *http.Request) {
			if req.URL.Path == "/login" {
				answer("text/html", "<html>Sign in")(w, req)
			} else {
				http.Redirect(w, req, "/login", 302)
			}
		}, ErrNoRepository, `"text/html"`},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			server := httptest.NewServer(row.handler)
			defer server.Close()
			_, err := Git{URL: with(t, server.URL+"/x.git", "us3r", "passw0rd")}.Read(t.Context())
			fails(t, err, row.kind, row.says)
			if text := err.Error(); len(text) > 500 || strings.ContainsAny(text, "\x1b\n") || strings.Contains(text, "passw0rd") || strings.Contains(text, "us3r") {
				t.Errorf("unfit to print: %q", text)
			}
		})
	}
}

func TestServersThatAreNotThere(t *testing.T) {
	gone := httptest.NewServer(nil)
	gone.Close()
	secure := httptest.NewUnstartedServer(nil)
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	defer secure.Close()
	for name, row := range map[string][2]string{
		"nobody listens":         {gone.URL, "refused"},
		"a host without address": {"http://nowhere.invalid/x.git", "lookup"},
		"another's certificate":  {strings.Replace(secure.URL, "127.0.0.1", "localhost", 1), "certificate"},
		"TLS where there is not": {strings.Replace(small(t, nil), "http:", "https:", 1), "HTTP"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Git{URL: with(t, row[0], "us3r", "passw0rd")}.Read(t.Context())
			fails(t, err, ErrUnreachable, row[1])
			if strings.Contains(err.Error(), "passw0rd") || strings.Contains(err.Error(), "us3r") {
				t.Errorf("%q shows the credentials", err)
			}
		})
	}
}

func TestAServerThatHangs(t *testing.T) {
	over := make(chan struct{})
	defer close(over)
	hang := func(method string, after int) func(http.Handler) http.Handler {
		return func(h http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
				if req.Method != method {
					h.ServeHTTP(w, req)
					return
				}
				answer := httptest.NewRecorder()
				h.ServeHTTP(answer, req)
				maps.Copy(w.Header(), answer.Header())
				w.Header().Del("Content-Length")
				w.Write(answer.Body.Bytes()[:min(after, answer.Body.Len())])
				if after > 0 {
					w.(http.Flusher).Flush()
				}
				select {
				case <-over:
				case <-req.Context().Done():
				}
			})
		}
	}
	for name, around := range map[string]func(http.Handler) http.Handler{
		"before it answers": hang("GET", 0), "amid the references": hang("GET", 100),
		"before the pack": hang("POST", 0), "amid the pack": hang("POST", 100),
	} {
		t.Run(name, func(t *testing.T) {
			address := small(t, around)
			_, err := Git{URL: address, Limits: Limits{Time: 200 * time.Millisecond}}.Read(t.Context())
			fails(t, err, ErrUnreachable, "in time", "longer than 200ms")
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%q is no deadline", err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(50*time.Millisecond, cancel)
			if _, err = (Git{URL: address}).Read(ctx); !errors.Is(err, context.Canceled) || errors.Is(err, ErrUnreachable) {
				t.Errorf("cancelled: %v", err)
			}
		})
	}
}

func TestRedirects(t *testing.T) {
	address := small(t, nil)
	var authorized []string
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		authorized = append(authorized, req.Header.Get("Authorization"))
		target := address + strings.TrimPrefix(req.URL.Path, "/moved.git") + "?" + req.URL.RawQuery
		http.Redirect(w, req, target, http.StatusMovedPermanently)
	}))
	defer other.Close()
	t.Run("to another server, which does not get the password", func(t *testing.T) {
		var seen []string
		address = small(t, func(h http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
				seen = append(seen, req.Header.Get("Authorization"))
				h.ServeHTTP(w, req)
			})
		})
		s, err := Git{URL: with(t, other.URL+"/moved.git", "us3r", "passw0rd")}.Read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		same(t, contents(t, s.Files), map[string]string{"web.yaml": "name: web\n"})
		if len(authorized) != 1 || authorized[0] == "" || strings.Join(seen, "") != "" {
			t.Errorf("the first server got %q, the second %q", authorized, seen)
		}
	})
	t.Run("never from https to http", func(t *testing.T) {
		secure := httptest.NewTLSServer(other.Config.Handler)
		defer secure.Close()
		_, err := Git{URL: secure.URL + "/moved.git"}.Read(t.Context())
		fails(t, err, ErrUnreachable, "changes scheme")
	})
}

func TestHTTPS(t *testing.T) {
	r := gittest.New(t)
	r.Write(map[string]string{"web.yaml": "name: web\n"})
	r.Commit("Add web")
	secure := httptest.NewTLSServer(r.Serve(nil).Config.Handler)
	defer secure.Close()
	s, err := Git{URL: secure.URL + "/" + r.Name()}.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	same(t, contents(t, s.Files), map[string]string{"web.yaml": "name: web\n"})
}
