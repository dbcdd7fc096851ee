package remote_test

import (
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"profilesync/internal/source/remote"
	"profilesync/internal/source/remote/secret"
	"profilesync/internal/source/repository"
)

// guarded lets in who brings the header, and notes all that were brought. It
// tells the others what they brought, as some servers do.
type guarded struct {
	mu    sync.Mutex
	want  string
	asked []string
}

func (g *guarded) around(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		g.mu.Lock()
		defer g.mu.Unlock()
		got := req.Header.Get("Authorization")
		g.asked = append(g.asked, got)
		if got != g.want {
			w.Header().Set("WWW-Authenticate", `Basic realm="git"`)
			http.Error(w, "not with "+got, http.StatusUnauthorized)
			return
		}
		h.ServeHTTP(w, req)
	})
}

func basic(user, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

func TestWhatARequestIsAuthorizedWith(t *testing.T) {
	const password = "pa:ss w/rd " + mark
	r, commit := repo(t)
	ca := newAuthority(t)
	door := &guarded{}
	url := secure(t, door.around(r.Serve(nil).Config.Handler), &tls.Config{Certificates: []tls.Certificate{ca.server(unchanged)}})
	env := environment(map[string]string{"TOKEN": password})
	inURL := strings.Replace(url, "https://", "https://us:p%40"+mark+"@", 1)
	for name, row := range map[string]struct {
		url   string
		login remote.Login
		want  string
	}{
		"nothing":                             {url, remote.Login{}, ""},
		"a user name and a password":          {url, remote.Login{Username: "robot", Password: secret.Place{File: file(t, password+"\n")}}, basic("robot", password)},
		"a password alone":                    {url, remote.Login{Password: secret.Place{Variable: "TOKEN"}, Lookup: env}, basic("git", password)},
		"a password, for the user in the URL": {strings.Replace(url, "https://", "https://us@", 1), remote.Login{Password: secret.Place{Variable: "TOKEN"}, Lookup: env}, basic("us", password)},
		"a token":                             {url, remote.Login{Token: secret.Place{File: file(t, password+"\r\n")}}, "Bearer " + password},
		"a password in the URL":               {inURL, remote.Login{}, basic("us", "p@"+mark)},
		"a token as the user in the URL":      {strings.Replace(url, "https://", "https://"+mark+"@", 1), remote.Login{}, basic(mark, "")},
		"a helper":                            {url, remote.Login{Helper: script(t, "echo username=helped; echo password='"+password+"'")}, basic("helped", password)},
	} {
		t.Run(name, func(t *testing.T) {
			row.login.CA = ca.file
			server := remote.Server{Address: address(t, row.url+"/"+r.Name()), Login: row.login}
			door.want = row.want
			gets(t, server, commit)
			door.want, door.asked = "other", nil
			fails(t, server, repository.ErrAuthentication, "status 401")
			if !slices.Equal(door.asked, []string{row.want}) {
				t.Errorf("the server got %q, want %q", door.asked, row.want)
			}
		})
	}
}

// script is a helper that runs these commands.
func script(t *testing.T, commands string) secret.Helper {
	t.Helper()
	return secret.Helper{Command: []string{"/bin/sh", "-c", commands, mark}}
}

func TestASecretThatWasReplacedCountsAtOnce(t *testing.T) {
	r, commit := repo(t)
	door := &guarded{want: "Bearer first"}
	token := file(t, "first\n")
	server := remote.Server{
		Address: address(t, r.Serve(door.around).URL+"/"+r.Name()),
		Login:   remote.Login{Token: secret.Place{File: token}},
	}
	gets(t, server, commit)
	door.want = "Bearer second"
	fails(t, server, repository.ErrAuthentication)
	if err := os.WriteFile(token, []byte("second\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	gets(t, server, commit)
}

func TestSettingsThatCannotBeUsed(t *testing.T) {
	place := secret.Place{File: file(t, mark)}
	for name, row := range map[string]struct {
		url   string
		login remote.Login
		says  string
	}{
		"two ways":                {"https://127.0.0.1:1/x", remote.Login{Password: place, Token: place}, "a password and a token: choose one"},
		"two passwords":           {"https://u:" + mark + "@127.0.0.1:1/x", remote.Login{Password: place}, "choose one"},
		"a token over SSH":        {"ssh://127.0.0.1:1/x", remote.Login{Token: place}, "a token is of no use over SSH"},
		"an authority over SSH":   {"ssh://127.0.0.1:1/x", remote.Login{CA: "ca.pem"}, "of no use over SSH"},
		"a key over https":        {"https://127.0.0.1:1/x", remote.Login{SSH: remote.SSH{Key: "id"}}, "of no use over https"},
		"an authority over http":  {"http://127.0.0.1:1/x", remote.Login{CA: "ca.pem"}, "of no use over http"},
		"a passphrase, no key":    {"ssh://127.0.0.1:1/x", remote.Login{SSH: remote.SSH{Passphrase: place}}, "a passphrase without a key file"},
		"a user with a colon":     {"https://127.0.0.1:1/x", remote.Login{Username: "a:b", Password: place}, "a user name with a colon"},
		"an empty file":           {"https://127.0.0.1:1/x", remote.Login{Token: secret.Place{File: file(t, "\n")}}, "token: file"},
		"an empty variable":       {"https://127.0.0.1:1/x", remote.Login{Token: secret.Place{Variable: "T"}, Lookup: environment(map[string]string{"T": ""})}, `token: variable "T": empty`},
		"two lines":               {"https://127.0.0.1:1/x", remote.Login{Token: secret.Place{File: file(t, mark+"\n"+mark)}}, "more than one line"},
		"a proxy of no kind":      {"https://127.0.0.1:1/x", remote.Login{Proxy: "ftp://u:" + mark + "@host"}, "proxy: not a URL"},
		"a malformed proxy":       {"https://127.0.0.1:1/x", remote.Login{Proxy: "http://u:" + mark + "@host:x"}, "proxy: not a URL"},
		"a proxy's password only": {"https://127.0.0.1:1/x", remote.Login{ProxyPassword: place}, "no proxy"},
		"a proxy without a user":  {"https://127.0.0.1:1/x", remote.Login{Proxy: "http://host:1", ProxyPassword: place}, "no user name"},
	} {
		t.Run(name, func(t *testing.T) {
			fails(t, remote.Server{Address: address(t, row.url), Login: row.login}, remote.ErrLogin, row.says)
		})
	}
}

func TestServersThatAskToBeLeftAlone(t *testing.T) {
	in := func(d time.Duration) string { return time.Now().Add(d).UTC().Format(http.TimeFormat) }
	for name, row := range map[string]struct {
		status   int
		header   string
		from, to time.Duration // 0 is that the error says nothing of it
	}{
		"for seconds":             {429, "17", 17 * time.Second, 17 * time.Second},
		"until a date":            {503, in(time.Hour), 58 * time.Minute, time.Hour},
		"for longer than a day":   {429, "99999999", 24 * time.Hour, 24 * time.Hour},
		"until a date in a month": {503, in(30 * 24 * time.Hour), 24 * time.Hour, 24 * time.Hour},
		"by a limit of requests":  {403, "60", time.Minute, time.Minute},
		"until a date long ago":   {503, in(-time.Hour), 0, 0},
		"without a number":        {429, "soon", 0, 0},
		"for less than nothing":   {429, "-5", 0, 0},
		"for no time said":        {503, "", 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Retry-After", row.header)
				w.WriteHeader(row.status)
			}))
			defer server.Close()
			err := fails(t, remote.Server{Address: address(t, server.URL+"/x")}, repository.ErrUnreachable, fmt.Sprint(row.status))
			var busy *remote.BusyError
			if errors.As(err, &busy) != (row.to > 0) {
				t.Fatalf("%v", err)
			}
			if busy != nil && (busy.RetryAfter < row.from || busy.RetryAfter > row.to) {
				t.Errorf("%s, want %s", busy.RetryAfter, row.to)
			}
		})
	}
}

func TestRedirectsKeepTheSecretAtHome(t *testing.T) {
	r, commit := repo(t)
	home, away := &guarded{want: "Bearer " + mark}, &guarded{}
	target := ""
	door := r.Serve(func(h http.Handler) http.Handler {
		return home.around(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			if rest, found := strings.CutPrefix(req.URL.Path, "/moved"); found {
				http.Redirect(w, req, target+rest+"?"+req.URL.RawQuery, http.StatusMovedPermanently)
				return
			}
			h.ServeHTTP(w, req)
		}))
	})
	elsewhere := r.Serve(away.around)
	server := remote.Server{
		Address: address(t, door.URL+"/moved/"+r.Name()),
		Login:   remote.Login{Token: secret.Place{File: file(t, mark)}},
	}
	t.Run("on the same server", func(t *testing.T) {
		target, home.asked = door.URL, nil
		gets(t, server, commit)
		if len(home.asked) != 3 { // twice for the references, and for the pack
			t.Errorf("asked with %q", home.asked)
		}
	})
	for name, to := range map[string]string{"another port": elsewhere.URL, "another name": strings.Replace(elsewhere.URL, "127.0.0.1", "localhost", 1)} {
		t.Run(name, func(t *testing.T) {
			target, away.asked = to, nil
			gets(t, server, commit)
			if !slices.Equal(away.asked, []string{"", ""}) {
				t.Errorf("the other server got %q", away.asked)
			}
		})
	}
	t.Run("away and back", func(t *testing.T) {
		back := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			http.Redirect(w, req, door.URL+req.URL.Path+"?"+req.URL.RawQuery, http.StatusFound)
		}))
		defer back.Close()
		target = back.URL
		fails(t, server, repository.ErrAuthentication, "status 401")
	})
	t.Run("of a question", func(t *testing.T) {
		asked := r.In(t).Serve(func(h http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
				if req.Method == http.MethodPost {
					http.Redirect(w, req, "/elsewhere", http.StatusTemporaryRedirect)
					return
				}
				h.ServeHTTP(w, req)
			})
		})
		fails(t, remote.Server{Address: address(t, asked.URL+"/"+r.Name())}, repository.ErrUnreachable, "redirect of a question")
	})
}
