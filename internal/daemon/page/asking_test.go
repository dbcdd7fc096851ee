package page_test

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"profilesync/internal/daemon/page"
	"profilesync/internal/daemon/page/login"
	"profilesync/internal/daemon/page/pagetest"
	"profilesync/internal/daemon/page/wire"
	"profilesync/internal/daemon/status"
)

func panicking(t *testing.T, log io.Writer) house {
	t.Helper()
	h := open(t, login.Options{})
	h.handler = page.New(page.Options{
		Daemon: h.Daemon, Log: slog.New(slog.NewTextHandler(log, nil)),
		Metrics: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("the cause") }),
		Hooks:   http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }),
	})
	return h
}

func TestAskingForAPass(t *testing.T) {
	asToken := with("Authorization", "Bearer "+token)
	long := strings.Repeat("x", 1000)
	for _, row := range []struct {
		name, body string
		as         func(*http.Request)
		code       int
		asked      string
	}{
		{"now", `{}`, asOperator, 202, "prod manual operator"},
		{"with nothing said", ``, asOperator, 202, "prod manual operator"},
		{"by a program", `{}`, asToken, 202, "prod manual token"},
		{"in spite of the window", `{"override": " release 4.2 "}`, asOperator, 202, "prod override operator: release 4.2"},
		{"for a long reason", `{"override":"` + long + `"}`, asOperator, 202, "prod override operator: " + long[:200] + "…"},
		{"for a reason that turns text around", `{"override":"\u202eab\n\u001b[2J"}`, asOperator, 202, `prod override operator: \u202eab\n\x1b[2J`},
		{"for no reason", `{"override": ""}`, asOperator, 400, ""},
		{"for a blank reason", `{"override": " \n"}`, asOperator, 400, ""},
		{"in other words", `{"force": true}`, asOperator, 400, ""},
		{"as a list", `[]`, asOperator, 400, ""},
		{"as a number", `{"override": 1}`, asOperator, 400, ""},
		{"twice", `{} {}`, asOperator, 400, ""},
		{"half", `{"over`, asOperator, 400, ""},
		{"at length", `{"override":"` + strings.Repeat(long, 10) + `"}`, asOperator, 400, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			h := guarded(t)
			answer := h.ask("POST", passPath, row.body, asJSON, row.as)
			var asked string
			for _, a := range h.Asked() {
				asked += fmt.Sprintf("%s %s %s", a.Target, a.Trigger, a.By)
			}
			if answer.Code != row.code || asked != row.asked {
				t.Errorf("%d %s, and asked was %q", answer.Code, answer.Body, asked)
			}
			if !json.Valid(answer.Body.Bytes()) {
				t.Errorf("no JSON: %q", answer.Body)
			}
		})
	}
}

func TestAnotherSitesPageCannotAsk(t *testing.T) {
	for _, row := range []struct {
		name string
		edit []func(*http.Request)
		code int
	}{
		{"a program", []func(*http.Request){asJSON}, 202},
		{"our own page", []func(*http.Request){asJSON, with("Sec-Fetch-Site", "same-origin"), with("Origin", "http://127.0.0.1:8920")}, 202},
		{"another site", []func(*http.Request){asJSON, with("Sec-Fetch-Site", "cross-site"), with("Origin", "https://evil.example.net")}, 403},
		{"another port of ours", []func(*http.Request){asJSON, with("Sec-Fetch-Site", "same-site")}, 403},
		{"an old browser", []func(*http.Request){asJSON, with("Origin", "https://evil.example.net")}, 403},
		{"a sandboxed page", []func(*http.Request){asJSON, with("Origin", "null")}, 403},
		{"a form", []func(*http.Request){with("Content-Type", "application/x-www-form-urlencoded")}, 415},
		{"a form in disguise", []func(*http.Request){with("Content-Type", "text/plain")}, 415},
		{"no kind at all", nil, 415},
		{"a kind with a parameter", []func(*http.Request){with("Content-Type", "application/json; charset=utf-8")}, 202},
		{"two kinds", []func(*http.Request){with("Content-Type", "text/plain, application/json")}, 415},
	} {
		t.Run(row.name, func(t *testing.T) {
			h := guarded(t)
			answer := h.ask("POST", passPath, "{}", append(row.edit, asOperator)...)
			if answer.Code != row.code || len(h.Asked()) > 0 != (row.code == 202) {
				t.Errorf("%d, want %d; asked: %v", answer.Code, row.code, h.Asked())
			}
		})
	}
}

func TestAskingInVain(t *testing.T) {
	h := guarded(t)
	if answer := h.ask("POST", "/api/v1/targets/nobody/pass", "{}", asJSON, asOperator); answer.Code != 404 {
		t.Errorf("of nobody: %d", answer.Code)
	}
	h.Fail(nil, errors.New("target is suspended"))
	answer := h.ask("POST", passPath, "{}", asJSON, asOperator)
	if answer.Code != 409 || answer.Body.String() != `{"format_version":1,"error":"target is suspended"}`+"\n" {
		t.Errorf("%d %s", answer.Code, answer.Body)
	}
}

func TestACertificateAsks(t *testing.T) {
	h := open(t, login.Options{Certificates: true})
	if answer := h.ask("POST", passPath, "{}", asJSON); answer.Code != 403 || !strings.Contains(answer.Body.String(), "certificate") {
		t.Errorf("without one: %d %s", answer.Code, answer.Body)
	}
	shown := &x509.Certificate{Subject: pkix.Name{CommonName: "deploy"}}
	h.ask("POST", passPath, "{}", asJSON, func(r *http.Request) {
		r.TLS = &tls.ConnectionState{VerifiedChains: [][]*x509.Certificate{{shown}}}
	})
	if want := []pagetest.Asked{{Target: "prod", Trigger: status.Manual, By: "deploy"}}; !slices.Equal(h.Asked(), want) {
		t.Errorf("asked: %v", h.Asked())
	}
}

func TestLoginsThatAreOfNoUse(t *testing.T) {
	h := open(t, login.Options{Bearer: func() (string, error) { return "", errors.New("/etc/token: no such file") }})
	if answer := h.ask("GET", "/", "", with("Authorization", "Bearer x")); answer.Code != 503 || strings.Contains(answer.Body.String(), "/etc") {
		t.Errorf("a token that cannot be read: %d %s", answer.Code, answer.Body)
	}
	h = guarded(t)
	codes := map[int]int{}
	for range 30 { // the probes are no way around
		codes[h.ask("GET", "/readyz", "", with("Authorization", "Bearer x")).Code]++
	}
	if codes[401] != 10 || codes[429] != 20 {
		t.Errorf("30 guesses: %v", codes)
	}
	if answer := h.ask("GET", "/readyz", ""); answer.Code != 503 {
		t.Errorf("a probe from the same address: %d", answer.Code)
	}
}

func TestStrangersHearNoNames(t *testing.T) {
	h := guarded(t)
	h.Fail(nil, nil, "prod")
	for path, want := range map[string]string{"/healthz": "stuck\n", "/readyz": "not ready\n"} {
		if got := h.ask("GET", path, "").Body.String(); got != want {
			t.Errorf("%s: %q", path, got)
		}
		named := h.ask("GET", path, "", asOperator).Body.String()
		if !strings.Contains(named, "prod") {
			t.Errorf("%s, logged in: %q", path, named)
		}
		asJSON := h.ask("GET", path, "", with("Accept", "application/json")).Body.String()
		if strings.Contains(asJSON, "prod") || !strings.Contains(asJSON, `:false}`) {
			t.Errorf("%s as JSON: %q", path, asJSON)
		}
	}
}

func TestHealth(t *testing.T) {
	h := guarded(t)
	if answer := h.ask("GET", "/healthz", ""); answer.Code != 200 || answer.Body.String() != "ok\n" {
		t.Errorf("%d %q", answer.Code, answer.Body)
	}
	h.Fail(nil, nil, "prod", "edge\u202e")
	if answer := h.ask("GET", "/healthz", "", asOperator); answer.Code != 503 || answer.Body.String() != "stuck: prod, edge\\u202e\n" {
		t.Errorf("%d %q", answer.Code, answer.Body)
	}
	h.Change(func(now *status.Daemon, _ *[]status.Pass) { now.Targets[2].LastSuccess = now.Now })
	if answer := h.ask("GET", "/readyz", ""); answer.Code != 200 || answer.Body.String() != "ready\n" {
		t.Errorf("%d %q", answer.Code, answer.Body)
	}
}

func TestWhichPasses(t *testing.T) {
	h := guarded(t)
	read := func(query string) (int, wire.Passes) {
		answer := h.ask("GET", "/api/v1/passes"+query, "", asOperator)
		var passes wire.Passes
		_ = json.Unmarshal(answer.Body.Bytes(), &passes)
		return answer.Code, passes
	}
	for query, want := range map[string]int{"": 90, "?limit=500": 90, "?limit=7": 7, "?target=edge": 30, "?target=nobody": 0, "?before=11": 10, "?before=1": 0} {
		if code, passes := read(query); code != 200 || len(passes.Passes) != want {
			t.Errorf("%q: %d with %d passes, want %d", query, code, len(passes.Passes), want)
		}
	}
	for _, query := range []string{"?limit=0", "?limit=501", "?limit=-1", "?limit=x", "?before=-1", "?before=x", "?limit=1&limit=2", "?what=1", "?limit="} {
		if code, _ := read(query); code != 400 {
			t.Errorf("%q: %d", query, code)
		}
	}
	seen, before := 0, ""
	for turns := 0; turns < 20; turns++ { // page by page, each pass comes once
		_, passes := read("?limit=20" + before)
		seen += len(passes.Passes)
		if passes.Before == nil {
			break
		}
		before = fmt.Sprintf("&before=%d", *passes.Before)
	}
	if seen != 90 {
		t.Errorf("page by page there are %d passes", seen)
	}
}

func TestNoTextLeavesItsJSON(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		h := guarded(t)
		name, text := rapid.String().Draw(rt, "name"), rapid.String().Draw(rt, "text")
		h.Change(func(now *status.Daemon, passes *[]status.Pass) {
			now.Targets[0].Name, now.Owner, now.Targets[1].Cloud = name, text+"\u202e\x9b", text
			now.Problems = []status.Problem{{Kind: text, Text: text}}
			(*passes)[0].Error, (*passes)[0].By = text+"\x7f", text
		})
		for _, path := range []string{"/api/v1/status", "/api/v1/passes", "/readyz"} {
			answer := h.ask("GET", path, "", asOperator, with("Accept", "application/json"))
			if !json.Valid(answer.Body.Bytes()) || strings.ContainsAny(answer.Body.String(), "\u202e\u009b\x7f\x1b") {
				rt.Fatalf("%s: %q", path, answer.Body)
			}
		}
		if answer := h.ask("GET", "/readyz", "", asOperator); strings.Count(answer.Body.String(), "\n") != 7 {
			rt.Fatalf("lines: %q", answer.Body)
		}
	})
}
