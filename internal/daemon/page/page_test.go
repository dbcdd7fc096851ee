package page_test

import (
	"encoding/json"
	"errors"
	"flag"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"profilesync/internal/daemon/page"
	"profilesync/internal/daemon/page/login"
	"profilesync/internal/daemon/page/pagetest"
	"profilesync/internal/daemon/status"
	"profilesync/internal/report"
)

var update = flag.Bool("update", false, "write the golden files anew")

const (
	token    = "token-4711"
	password = "correct horse"
)

func is(value string) func() (string, error) { return func() (string, error) { return value, nil } }

// house is a page with everything, and the daemon behind it.
type house struct {
	*pagetest.Daemon
	handler http.Handler
}

func open(t *testing.T, ways login.Options) house {
	t.Helper()
	now := pagetest.Now(t)
	daemon := pagetest.New(pagetest.Everyday(now), pagetest.Passes(now))
	given := func(text string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) })
	}
	return house{daemon, page.New(page.Options{
		Daemon: daemon, Metrics: given("metrics"), Hooks: given("hook"), Login: login.New(ways), Hosts: []string{"sync.example.org"},
	})}
}

func guarded(t *testing.T) house {
	return open(t, login.Options{Bearer: is(token), Username: "operator", Password: is(password)})
}

// ask sends a request from this machine; edit may change it.
func (h house) ask(method, path, body string, edit ...func(*http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.RemoteAddr, r.Host = "127.0.0.1:40000", "127.0.0.1:8920"
	for _, edit := range edit {
		edit(r)
	}
	answer := httptest.NewRecorder()
	h.handler.ServeHTTP(answer, r)
	return answer
}

func with(key, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(key, value) }
}

func asOperator(r *http.Request) { r.SetBasicAuth("operator", password) }

func asJSON(r *http.Request) { r.Header.Set("Content-Type", "application/json") }

var paths = []string{
	"/", "/targets/prod", "/page.css", "/page.js", "/favicon.svg", "/api/v1/status", "/api/v1/targets/prod", "/api/v1/targets/prod/plan",
	"/api/v1/passes", "/healthz", "/readyz", "/metrics",
}

const (
	passPath = "/api/v1/targets/prod/pass"
	hookPath = "/hooks/git"
)

func TestWhoMayGoWhere(t *testing.T) {
	callers := map[string]func(*http.Request){
		"nobody": func(*http.Request) {}, "a wrong token": with("Authorization", "Bearer x"), "a wrong password": func(r *http.Request) { r.SetBasicAuth("operator", "x") },
		"the token": with("Authorization", "Bearer "+token), "the password": asOperator,
	}
	isProbe := map[string]bool{"/healthz": true, "/readyz": true}
	want := func(path, caller string, isGuarded bool) int {
		isIn, isWrong := strings.HasPrefix(caller, "the "), strings.HasPrefix(caller, "a wrong")
		good := map[string]int{passPath: 202, "/readyz": 503}[path]
		if good == 0 {
			good = 200
		}
		switch {
		case path == hookPath:
			return 200
		case path == passPath && !isGuarded:
			return 403
		case isGuarded && isWrong, isGuarded && !isIn && !isProbe[path]:
			return 401
		}
		return good
	}
	for _, isGuarded := range []bool{true, false} {
		for name, caller := range callers {
			for _, path := range append([]string{passPath, hookPath}, paths...) {
				h := open(t, login.Options{})
				if isGuarded {
					h = guarded(t)
				}
				method := http.MethodGet
				if path == passPath || path == hookPath {
					method = http.MethodPost
				}
				answer := h.ask(method, path, "{}", asJSON, caller)
				if answer.Code != want(path, name, isGuarded) {
					t.Errorf("guarded: %t: %s asks for %s: %d, want %d", isGuarded, name, path, answer.Code, want(path, name, isGuarded))
				}
				if challenge := answer.Header().Values("WWW-Authenticate"); (len(challenge) == 2) != (answer.Code == 401) {
					t.Errorf("%s: %d with challenges %q", path, answer.Code, challenge)
				}
				if isAsked := len(h.Asked()) > 0; isAsked != (answer.Code == 202) {
					t.Errorf("%s: %d, and the daemon was asked: %t", path, answer.Code, isAsked)
				}
			}
		}
	}
}

func TestMethods(t *testing.T) {
	h := guarded(t)
	for _, path := range append([]string{passPath, hookPath}, paths...) {
		isPost := path == passPath || path == hookPath
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"} {
			answer := h.ask(method, path, "{}", asJSON, asOperator)
			answered := method == "POST" && isPost || (method == "GET" || method == "HEAD") && !isPost
			if (answer.Code != http.StatusMethodNotAllowed) != answered {
				t.Errorf("%s %s: %d", method, path, answer.Code)
			}
			if allow := answer.Header().Get("Allow"); (allow != "") == answered {
				t.Errorf("%s %s: %d with Allow: %q", method, path, answer.Code, allow)
			}
		}
	}
}

func TestEveryAnswerHasItsHeaders(t *testing.T) {
	h := guarded(t)
	for _, path := range append([]string{"/nothing", "/targets/nobody", "/api/v1/targets/nobody", "/api/v1/nothing", "//", "/targets/../x", hookPath}, paths...) {
		for name, answer := range map[string]*httptest.ResponseRecorder{
			"logged in": h.ask("GET", path, "", asOperator), "a stranger": h.ask("GET", path, ""), "another method": h.ask("PUT", path, "", asOperator), "a hook": h.ask("POST", path, ""),
		} {
			for key, value := range map[string]string{
				"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store", "X-Frame-Options": "DENY",
				"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin", "Server": "", "Access-Control-Allow-Origin": "",
			} {
				if got := answer.Header().Get(key); got != value {
					t.Errorf("%s for %s: %s is %q, want %q", path, name, key, got, value)
				}
			}
			policy := answer.Header().Get("Content-Security-Policy")
			for _, part := range []string{"default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'"} {
				if !strings.Contains(policy, part) {
					t.Errorf("%s for %s: no %s in %q", path, name, part, policy)
				}
			}
			if strings.Contains(policy, "unsafe") || strings.Contains(policy, "*") {
				t.Errorf("%s: %q", path, policy)
			}
		}
	}
}

func TestWithoutALoginOnlyThisMachineIsAnswered(t *testing.T) {
	for _, row := range []struct {
		name, remote, host string
		want               int
	}{
		{"here", "127.0.0.1:1", "127.0.0.1:8920", 200},
		{"here, by name", "127.0.0.1:1", "LOCALHOST:8920", 200},
		{"here, without a port", "[::1]:1", "localhost", 200},
		{"here, IPv6", "[::1]:1", "[::1]:8920", 200},
		{"here, IPv6 without a port", "[::1]:1", "[::1]", 200},
		{"mapped", "[::ffff:127.0.0.1]:1", "localhost", 200},
		{"by a name that is configured", "127.0.0.1:1", "sync.example.org", 200},
		{"by a name that leads here by accident", "127.0.0.1:1", "evil.example.net:8920", 421},
		{"by a name that looks like ours", "127.0.0.1:1", "localhost.evil.example.net", 421},
		{"without a name", "127.0.0.1:1", "", 421},
		{"from elsewhere", "192.0.2.7:1", "localhost:8920", 403},
		{"from nowhere", "?", "localhost:8920", 403},
	} {
		t.Run(row.name, func(t *testing.T) {
			at := func(r *http.Request) { r.RemoteAddr, r.Host = row.remote, row.host }
			h := open(t, login.Options{})
			for _, path := range []string{"/", "/api/v1/status", "/metrics", "/healthz"} {
				if got := h.ask("GET", path, "", at).Code; got != row.want {
					t.Errorf("%s: %d, want %d", path, got, row.want)
				}
			}
			if got := h.ask("POST", hookPath, "", at).Code; got != 200 {
				t.Errorf("a hook, which has its own login: %d", got)
			}
			if got := guarded(t).ask("GET", "/", "", at, asOperator).Code; got != 200 {
				t.Errorf("with a login: %d", got)
			}
			everybody := page.New(page.Options{Daemon: h.Daemon, AnyHost: true})
			if got := (house{h.Daemon, everybody}).ask("GET", "/", "", at).Code; got != 200 {
				t.Errorf("in a trusted network: %d", got)
			}
		})
	}
}

func TestPathsThatAreNotThere(t *testing.T) {
	h := guarded(t)
	for path, want := range map[string]string{
		"/nothing": "there is nothing here\n", "/api/v1/nothing": `{"format_version":1,"error":"there is nothing here"}` + "\n",
		"/targets/nobody": "no such target\n", "/api/v1/targets/%3Cscript%3E": `{"format_version":1,"error":"no such target"}` + "\n",
		"/api/v1/targets/lab/plan": `{"format_version":1,"error":"there is no plan of this target yet"}` + "\n", "/page.html": "there is nothing here\n",
		"/targets/..%2f..%2fetc%2fpasswd": "no such target\n",
	} {
		answer := h.ask("GET", path, "", asOperator)
		if answer.Code != 404 || answer.Body.String() != want {
			t.Errorf("%s: %d %q", path, answer.Code, answer.Body)
		}
	}
	bare := house{h.Daemon, page.New(page.Options{Daemon: h.Daemon})}
	if got := bare.ask("GET", "/metrics", ""); got.Code != 404 {
		t.Errorf("metrics that are not kept: %d", got.Code)
	}
	if got := bare.ask("POST", hookPath, ""); got.Code != 404 {
		t.Errorf("hooks that are not configured: %d", got.Code)
	}
}

func TestDocumentsLookAsReviewed(t *testing.T) {
	h := guarded(t)
	for name, path := range map[string]string{
		"status": "/api/v1/status", "target": "/api/v1/targets/staging", "plan": "/api/v1/targets/prod/plan", "passes": "/api/v1/passes?target=prod&limit=2",
		"ready": "/readyz",
	} {
		answer := h.ask("GET", path, "", asOperator, with("Accept", "application/json"))
		if kind := answer.Header().Get("Content-Type"); kind != "application/json" || !json.Valid(answer.Body.Bytes()) {
			t.Errorf("%s: %s %q", path, kind, answer.Body)
		}
		golden(t, name+".json", answer.Body.String())
	}
	golden(t, "ready.txt", h.ask("GET", "/readyz", "", asOperator).Body.String())
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; run the test with -update and look at the change.\ngot:\n%s", path, got)
	}
}

func TestThePlanIsAPlanFile(t *testing.T) {
	answer := guarded(t).ask("GET", "/api/v1/targets/prod/plan", "", asOperator)
	plans, err := report.ReadPlan(answer.Body)
	if err != nil || len(plans) != 1 || plans[0].Digest() != pagetest.Plan().Digest() {
		t.Errorf("%d plans, %v", len(plans), err)
	}
}

func TestAPanicTellsNothing(t *testing.T) {
	var log strings.Builder
	h := panicking(t, &log)
	answer := h.ask("GET", "/metrics", "")
	if answer.Code != 500 || answer.Body.String() != "internal error\n" {
		t.Errorf("%d %q", answer.Code, answer.Body)
	}
	if !strings.Contains(log.String(), "the cause") || !strings.Contains(log.String(), "goroutine") {
		t.Errorf("the log has %q", log.String())
	}
	defer func() {
		if cause := recover(); cause != http.ErrAbortHandler {
			t.Errorf("an answer that was cut off goes on with %v", cause)
		}
	}()
	h.ask("POST", hookPath, "")
}

func TestPassesThatCannotBeRead(t *testing.T) {
	h := guarded(t)
	h.Fail(errors.New("disk is full"), nil)
	if answer := h.ask("GET", "/api/v1/passes", "", asOperator); answer.Code != 503 || strings.Contains(answer.Body.String(), "disk") {
		t.Errorf("%d %s", answer.Code, answer.Body)
	}
	if answer := h.ask("GET", "/", "", asOperator); answer.Code != 200 || !strings.Contains(answer.Body.String(), "passes cannot be read at the moment") {
		t.Errorf("the page: %d", answer.Code)
	}
}

func TestThePageComesWholeOrInPart(t *testing.T) {
	h := guarded(t)
	for _, path := range []string{"/", "/targets/prod"} {
		whole, part := h.ask("GET", path, "", asOperator).Body.String(), h.ask("GET", path+"?part=main", "", asOperator).Body.String()
		if !strings.HasPrefix(whole, "<!doctype html>") || !strings.Contains(whole, part) || !strings.HasPrefix(part, "<main") {
			t.Errorf("%s: the part is not what the whole has", path)
		}
		if others := strings.Contains(part, "192.0.2.7"); others != (path == "/") { // what edge fails of
			t.Errorf("%s: passes of other targets are there: %t", path, others)
		}
		if strings.Contains(h.ask("GET", path, "").Body.String(), "prod") {
			t.Errorf("%s: a stranger reads a name", path)
		}
	}
	h.Change(func(now *status.Daemon, _ *[]status.Pass) { now.Targets[0].Name = "a/b <c>" })
	if answer := h.ask("GET", "/targets/a%2Fb%20%3Cc%3E", "", asOperator); answer.Code != 200 || !strings.Contains(answer.Body.String(), "a/b &lt;c&gt;") {
		t.Errorf("an odd name: %d", answer.Code)
	}
}
