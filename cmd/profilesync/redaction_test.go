package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"profilesync/internal/source/gittest"
)

// planted is a world with a distinct secret in every place that holds one, and
// a cloud that quotes in its errors whatever it is sent.
type planted struct {
	t       *testing.T
	dir     string
	clouds  string
	mutex   sync.Mutex
	secrets map[string]string // where it was planted, by the secret
	refuse  refusal
	quoted  int
}

// refusal is what befalls POSTs to a path.
type refusal struct {
	path string // its end; "" for no refusal
	how  string
}

// secret plants one more. What is looked for is its core, which no escaping
// changes; around it is what escaping does change.
func (p *planted) secret(where string) string {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	core := fmt.Sprintf("pl4nt%03dedc0re", len(p.secrets))
	p.secrets[core] = where
	return "a\"/+&é " + core + " <z"
}

// key plants one that is safe inside a URL or clouds.yaml.
func (p *planted) key(where string) string { return strings.Fields(p.secret(where))[1] }

func (p *planted) server(round string) map[string]any {
	at := func(where string) string { return p.secret(round + " server " + where) }
	return map[string]any{"type": "os.nova.server", "version": "1.0", "properties": map[string]any{
		"flavor": round, "networks": []any{}, "admin_pass": at("admin_pass"), "user_data": at("user_data"),
		"personality": []any{map[string]any{"path": "/etc/motd", "contents": at("personality")}},
		"context":     map[string]any{"auth_token": at("auth_token"), "password": at("password")},
	}}
}

func (p *planted) stack(round string) map[string]any {
	at := func(where string) any {
		return map[string]any{"deep": map[string]any{"er": []any{p.secret(round + " stack " + where)}}}
	}
	return map[string]any{"type": "os.heat.stack", "version": "1.0", "properties": map[string]any{
		"template": map[string]any{"heat_template_version": round}, "parameters": at("parameters"),
		"files": map[string]any{"a": p.secret(round + " stack files")}, "environment": at("environment"),
	}}
}

func without(spec map[string]any, property string) map[string]any {
	delete(spec["properties"].(map[string]any), property)
	return spec
}

// documents writes a directory of documents. JSON is YAML too.
func (p *planted) documents(dir string, specs map[string]map[string]any) string {
	p.t.Helper()
	dir = filepath.Join(p.dir, dir)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		p.t.Fatal(err)
	}
	for name, spec := range specs {
		text, err := json.Marshal(spec)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name+".yaml"), text, 0o600)
		}
		if err != nil {
			p.t.Fatal(err)
		}
	}
	return dir
}

func newPlanted(t *testing.T) *planted {
	p := &planted{t: t, dir: t.TempDir(), secrets: map[string]string{}}
	password, credential := p.key("the password of clouds.yaml"), p.key("the application credential's secret")
	e := edge{
		clouds: func(text string) string {
			text = strings.ReplaceAll(text, `password: "tenant-a"`, "password: "+password)
			return strings.ReplaceAll(text, `"tenant-a-secret"`, credential)
		},
		twist: func(cloud http.Handler, w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			real := strings.NewReplacer(password, "tenant-a", credential, "tenant-a-secret").Replace(string(body))
			p.serve(cloud, w, r, string(body), real)
		},
	}
	p.clouds = e.serve(t)
	return p
}

// serve refuses what is to be refused with all that was sent, and notes every
// token that is given out.
func (p *planted) serve(cloud http.Handler, w http.ResponseWriter, r *http.Request, sent, real string) {
	if p.refuse.path != "" && r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, p.refuse.path) {
		p.quote(w, "refused: X-Auth-Token: "+r.Header.Get("X-Auth-Token")+" ", sent)
		return
	}
	r.Body, r.ContentLength = io.NopCloser(strings.NewReader(real)), int64(len(real))
	recorder := httptest.NewRecorder()
	cloud.ServeHTTP(recorder, r)
	if token := recorder.Header().Get("X-Subject-Token"); token != "" {
		p.mutex.Lock()
		p.secrets[token] = "a token"
		p.mutex.Unlock()
	}
	for key, values := range recorder.Header() {
		w.Header()[key] = values
	}
	w.WriteHeader(recorder.Code)
	_, _ = w.Write(recorder.Body.Bytes())
}

// quote answers with all that was sent.
func (p *planted) quote(w http.ResponseWriter, with, sent string) {
	if p.quotes()%2 == 0 { // as another language would write it
		sent = strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&").Replace(sent)
	}
	message, _ := json.Marshal(with + sent)
	body := func(status int) string {
		return fmt.Sprintf(`{"code":%d,"error":{"code":%[1]d,"message":%s,"type":"BadRequest"}}`, status, message)
	}
	say := func(kind string, status int, text string) {
		w.Header().Set("Content-Type", kind)
		w.WriteHeader(status)
		fmt.Fprint(w, text)
	}
	switch p.refuse.how {
	case "refused":
		say("application/json", http.StatusBadRequest, body(http.StatusBadRequest))
	case "broken":
		say("application/json", http.StatusInternalServerError, body(http.StatusInternalServerError))
	case "a page":
		say("text/plain", http.StatusInternalServerError, with+sent)
	case "cut": // in the middle of a secret
		w.Header().Set("Content-Length", fmt.Sprint(2*len(with+sent)))
		say("text/plain", http.StatusBadRequest, with+sent[:strings.Index(sent, "pl4nt")+12])
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	case "dropped":
		panic(http.ErrAbortHandler)
	}
}

// quotes counts what was quoted.
func (p *planted) quotes() int {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.quoted++
	return p.quoted
}

// run runs the program and scans all that it says.
func (p *planted) run(want int, args ...string) string {
	p.t.Helper()
	environment := map[string]string{"OS_CLIENT_CONFIG_FILE": p.clouds, "HOME": p.dir, "OS_CLOUD": "tenant-a", "PROFILESYNC_OWNER": "us"}
	var out, problems bytes.Buffer
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	status := run(ctx, process{
		args: args, stdin: strings.NewReader(""), stdout: &out, stderr: &problems, timeout: 5 * time.Second,
		lookup: func(name string) (string, bool) { value, ok := environment[name]; return value, ok },
	})
	said := out.String() + problems.String()
	if status != want {
		p.t.Errorf("%q: exit status %d, want %d\n%s", args, status, want, said)
	}
	p.scan(strings.Join(args, " "), said)
	return said
}

func (p *planted) scan(what, text string) {
	p.t.Helper()
	p.mutex.Lock()
	defer p.mutex.Unlock()
	for core, where := range p.secrets {
		for _, form := range forms(core) {
			if at := strings.Index(text, form); at >= 0 {
				p.t.Errorf("%s shows %s: %.200q", what, where, text[max(0, at-80):])
			}
		}
	}
}

// forms are the ways a secret may stand in a text: as it is, in hex, or in
// base64 at any of three offsets. Its beginning is enough.
func forms(core string) []string {
	core = core[:10]
	found := []string{core, hex.EncodeToString([]byte(core))}
	for skip := range 3 {
		inner := core[skip:]
		found = append(found, base64.RawStdEncoding.EncodeToString([]byte(inner[:len(inner)/3*3])))
	}
	return found
}

func TestNoSecretIsInAnythingTheProgramSays(t *testing.T) {
	t.Parallel()
	p := newPlanted(t)
	before := p.documents("before", map[string]map[string]any{
		"web": p.server("one"), "old": without(p.server("two"), "user_data"), "gone": p.server("three"), "stack": p.stack("2016-10-14"),
	})
	after := p.documents("after", map[string]map[string]any{
		"web": without(p.server("four"), "user_data"), "old": p.server("five"), "stack": p.stack("2018-08-31"),
		"new": p.server("six"), "taken": p.server("seven"),
	})
	theirs := p.documents("theirs", map[string]map[string]any{"taken": p.server("eight")})
	file := filepath.Join(p.dir, "plan.json")
	p.run(exitDone, "apply", "--yes", "-v", "--worktree", before)
	p.run(exitDone, "apply", "--yes", "-v", "--worktree", theirs, "--owner", "them")
	for _, logs := range []string{"text", "json"} {
		with := []string{"-v", "--log-format", logs}
		p.run(exitDone, append(with, "validate", "--worktree", after)...)
		for _, format := range []string{"text", "json", "markdown"} {
			said := p.run(exitDone, append(with, "plan", "-o", format, "--worktree", after, "--out", file)...)
			p.shows(said, planned()...)
			p.run(exitDone, append(with, "plan", "-o", format, "--worktree", after, "--cloud", "tenant-a-app")...)
			p.run(exitFailed, append(with, "apply", "--yes", "-o", format, "--worktree", before, "--plan", file)...)
		}
		for _, format := range []string{"text", "json"} {
			p.run(exitDone, append(with, "list", "-o", format)...)
			p.shows(p.run(exitDone, append(with, "show", "web", "-o", format)...), "admin_pass", "auth_token", "user_data", "personality")
			p.shows(p.run(exitDone, append(with, "show", "stack", "-o", format)...), "parameters", "files", "environment")
		}
	}
	plan, err := os.ReadFile(file)
	if err != nil || !strings.Contains(string(plan), "(sensitive)") {
		t.Fatalf("the plan file has no redacted field: %v\n%s", err, plan)
	}
	p.scan("the plan file", string(plan))
	p.refused(after)
	p.run(exitHeld, "apply", "--yes", "-v", "--worktree", after)
}

// planned are the changes of a plan, each in the words of every format.
func planned() []string {
	return []string{
		either("create", "new"), either("recreate", "web"), either("recreate", "stack"), either("delete", "gone"), either("owned by .?them", "taken"),
		"/spec/properties/admin_pass", "/spec/properties/context/auth_token", "/spec/properties/parameters", "user_data", "personality",
	}
}

// either finds two words in one line, in this order or the other.
func either(a, b string) string { return a + ".*" + b + "|" + b + ".*" + a }

// shows makes sure that what was scanned is there at all.
func (p *planted) shows(said string, patterns ...string) {
	p.t.Helper()
	for _, pattern := range patterns {
		if !regexp.MustCompile(pattern).MatchString(said) {
			p.t.Errorf("nothing matches %q in\n%s", pattern, said)
		}
	}
}

// refused applies to a cloud that refuses at each step, in one way or another,
// and quotes what it was sent.
func (p *planted) refused(documents string) {
	applies := [][]string{
		{"-v", "--log-format", "text", "-o", "text"}, {"-v", "--log-format", "json", "-o", "json"}, {"-v", "-o", "markdown"},
	}
	for _, at := range []struct{ path, last string }{
		{"/auth/tokens", "a page"}, {"/profiles/validate", "a page"}, {"/profiles", "dropped"},
	} {
		for _, how := range []string{"refused", "cut", "broken", at.last} {
			p.refuse, p.quoted = refusal{at.path, how}, 0
			for i, with := range applies {
				if i == 0 || how == "refused" || how == "cut" { // what may have been carried out is looked for a while
					p.run(exitFailed, append(with, "apply", "--yes", "--worktree", documents)...)
				}
			}
			if p.quoted == 0 {
				p.t.Errorf("nothing was %s at %s", how, at.path)
			}
		}
		p.refuse = refusal{at.path, "refused"}
		p.run(exitFailed, "apply", "--yes", "--cloud", "tenant-a-app", "--worktree", documents)
	}
	p.refuse = refusal{}
}

func TestNoCredentialOfASourceIsShown(t *testing.T) {
	t.Parallel()
	p := newPlanted(t)
	password := p.key("the password of the source's URL")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, sent, _ := r.BasicAuth()
		http.Error(w, sent+" "+r.Header.Get("Authorization"), http.StatusForbidden)
	}))
	defer server.Close()
	for _, address := range []string{server.URL, "http://127.0.0.1:1", "http://127.0.0.1:bad", "ftp://x"} {
		source := strings.Replace(address, "://", "://user:"+password+"@", 1) + "/r.git"
		for _, logs := range []string{"text", "json"} {
			p.run(exitFailed, "plan", "-v", "--log-format", logs, "--source", source)
			p.run(exitFailed, "validate", "-v", "--log-format", logs, "--source", source)
		}
	}
}

// A source whose URL holds credentials, and which takes them: nothing goes
// wrong, and still they are not to be seen.
func TestNoCredentialOfAGoodSourceIsShown(t *testing.T) {
	t.Parallel()
	p := newPlanted(t)
	user, password := p.key("the user of the source's URL"), p.key("the password of the source's URL")
	repository := gittest.New(t)
	repository.Write(map[string]string{"web.yaml": "type: os.nova.server\nversion: 1.0\nproperties: {flavor: a, networks: []}\n"})
	commit := repository.Commit("Add web")
	server := repository.Serve(func(git http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if name, word, _ := r.BasicAuth(); name != user || word != password {
				w.Header().Set("WWW-Authenticate", "Basic")
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			git.ServeHTTP(w, r)
		})
	})
	source := strings.Replace(server.URL, "://", "://"+user+":"+password+"@", 1) + "/" + repository.Name()
	config, plan := filepath.Join(p.dir, "profilesync.yaml"), filepath.Join(p.dir, "plan.json")
	if err := os.WriteFile(config, []byte("owner: us\nsource: {url: \""+source+"\"}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, logs := range []string{"text", "json"} {
		for _, from := range [][]string{{"--source", source}, {"--config", config}} {
			with := append([]string{"-v", "--log-format", logs}, from...)
			p.shows(p.run(exitDone, append(with, "validate")...), "1 profile in 1 file, revision "+commit[:7])
			for _, format := range []string{"text", "json", "markdown"} {
				p.shows(p.run(exitDone, append(with, "plan", "-o", format, "--out", plan)...), commit[:7], either("create", "web"))
			}
			p.run(exitFailed, append(with, "plan", "--ref", "nowhere")...)
			p.run(exitFailed, append(with, "plan", "--path", "nowhere")...)
		}
	}
	text, err := os.ReadFile(plan)
	if err != nil {
		t.Fatal(err)
	}
	p.scan("the plan file", string(text))
	p.shows(p.run(exitDone, "-v", "apply", "--plan", plan, "--source", source), "web")
	p.shows(p.run(exitDone, "-v", "show", "web"), commit)
}
