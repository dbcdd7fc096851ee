package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"profilesync/internal/devcloud"
	"profilesync/internal/devcloud/faults"
)

// A server that takes requests and does not answer them, at each place where
// the program waits for one.

// wedge is a cloud that hangs, or drips, at some of its requests.
type wedge struct {
	t       *testing.T
	dir     string
	clouds  string
	base    string
	mutex   sync.Mutex
	at      func(*http.Request) bool // the requests that are not answered, or nil
	fault   faults.Fault
	reached chan struct{} // closed by the first of them
}

func newWedge(t *testing.T, options devcloud.Options) *wedge {
	t.Helper()
	w := &wedge{t: t, dir: t.TempDir()}
	server := httptest.NewUnstartedServer(nil)
	w.base = "http://" + server.Listener.Addr().String()
	options.Path, options.BaseURL, options.Unsynced = filepath.Join(w.dir, "devcloud.db"), w.base, true
	cloud, err := devcloud.Open(options)
	if err != nil {
		t.Fatal(err)
	}
	server.Config.Handler = faults.New(cloud.Handler(), faults.Options{
		Counts: func(*http.Request) bool { return true }, Drip: 10 * time.Second, Plan: w.plan,
	})
	server.Start()
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
		if err := cloud.Close(); err != nil {
			t.Error(err)
		}
	})
	w.clouds = w.write("clouds.yaml", string(devcloud.CloudsYAML(w.base)))
	return w
}

func (w *wedge) plan(_ int, r *http.Request) faults.Fault {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if w.at == nil || !w.at(r) {
		return faults.None
	}
	select {
	case <-w.reached:
	default:
		close(w.reached)
	}
	return w.fault
}

// stall lets requests go unanswered from now on; what comes back is closed when
// the first of them arrives.
func (w *wedge) stall(fault faults.Fault, at func(*http.Request) bool) (reached <-chan struct{}) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.fault, w.at, w.reached = fault, at, make(chan struct{})
	return w.reached
}

func (w *wedge) write(name, text string) string {
	w.t.Helper()
	file := filepath.Join(w.dir, name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o700), os.WriteFile(file, []byte(text), 0o600)); err != nil {
		w.t.Fatal(err)
	}
	return file
}

// documents writes n documents of a flavor.
func (w *wedge) documents(n int, flavor string) {
	w.t.Helper()
	for i := range n {
		w.write(fmt.Sprintf("docs/web%02d.yaml", i), "type: os.nova.server\nversion: 1.0\nproperties: {flavor: "+flavor+", networks: []}\n")
	}
}

// run runs the program in this process.
func (w *wedge) run(args ...string) (status int, stdout, stderr string, took time.Duration) {
	w.t.Helper()
	var out, problems bytes.Buffer
	begun := time.Now()
	status = run(w.t.Context(), process{
		args: args, stdin: strings.NewReader(""), stdout: &out, stderr: &problems, lookup: w.lookup,
	})
	return status, out.String(), problems.String(), time.Since(begun)
}

func (w *wedge) lookup(name string) (string, bool) {
	value, ok := map[string]string{
		"OS_CLIENT_CONFIG_FILE": w.clouds, "HOME": w.dir, "OS_CLOUD": "tenant-a", "PROFILESYNC_OWNER": "us",
		"PROFILESYNC_WORKTREE": filepath.Join(w.dir, "docs"),
	}[name]
	return value, ok
}

func (w *wedge) must(args ...string) {
	w.t.Helper()
	w.stall(faults.None, nil)
	if status, stdout, stderr, _ := w.run(args...); status != exitDone {
		w.t.Fatalf("%q: exit status %d\n%s%s", args, status, stdout, stderr)
	}
}

func asks(method, path string) func(*http.Request) bool {
	pattern := regexp.MustCompile("^" + path + "$")
	return func(r *http.Request) bool { return r.Method == method && pattern.MatchString(r.URL.Path) }
}

const aProfile = `/v1/profiles/[0-9a-f-]+`

// stop is a place where the program waits for a cloud.
type stop struct {
	name, method, path string
	live               string // flavor of what is live before, if anything
	apply              bool   // otherwise a plan
	write              bool   // it changes something
}

func stops() []stop {
	return []stop{
		{name: "Keystone", method: "POST", path: "/identity/v3/auth/tokens"},
		{name: "Senlin's versions", method: "GET", path: "/v1"},
		{name: "the list of profiles", method: "GET", path: "/v1/profiles"},
		{name: "the list of clusters", method: "GET", path: "/v1/clusters", live: "old"},
		{name: "a validation", method: "POST", path: "/v1/profiles/validate", apply: true},
		{name: "a create", method: "POST", path: "/v1/profiles", apply: true, write: true},
		{name: "a second look at a profile", method: "GET", path: aProfile, live: "old", apply: true},
		{name: "a relabelling", method: "PATCH", path: aProfile, live: "old", apply: true, write: true},
		{name: "a delete", method: "DELETE", path: aProfile, live: "old", apply: true, write: true},
	}
}

// The limit is far below what the program takes without --request-timeout, and
// far above what it takes with it.
const wedgedLimit = 20 * time.Second

func TestAWedgedCloudFailsThePassInTime(t *testing.T) {
	for _, s := range stops() {
		for _, fault := range []faults.Fault{faults.Hang, faults.Drip} {
			t.Run(s.name+", "+fault.String(), func(t *testing.T) {
				t.Parallel()
				w := newWedge(t, devcloud.Options{})
				s.prepare(w)
				w.stall(fault, asks(s.method, s.path))
				status, stdout, stderr, took := w.run(s.command("--request-timeout", "1s")...)
				if fault == faults.Drip && s.write { // it was carried out, and that was found out
					if status != exitDone || took > wedgedLimit {
						t.Errorf("exit status %d after %s\n%s%s", status, took, stdout, stderr)
					}
					return
				}
				if status != exitFailed || took > wedgedLimit {
					t.Errorf("exit status %d after %s", status, took)
				}
				said := stdout + stderr
				if !regexp.MustCompile(" " + s.method + " " + w.base + s.path + "[ ,;:]").MatchString(said) {
					t.Errorf("nothing says what was asked:\n%s", said)
				}
				if fault == faults.Drip && !strings.Contains(said, "req-") {
					t.Errorf("nothing says the request's id:\n%s", said)
				}
				if !strings.Contains(stderr, "hint: the service takes requests and does not answer them") {
					t.Errorf("no hint:\n%s", stderr)
				}
			})
		}
	}
}

func (s stop) prepare(w *wedge) {
	if s.live != "" {
		w.documents(1, s.live)
		w.must("apply", "--yes")
	}
	w.documents(1, "new")
}

func (s stop) command(more ...string) []string {
	if s.apply {
		return append([]string{"apply", "--yes"}, more...)
	}
	return append([]string{"plan"}, more...)
}

// Of many changes, each would wait for its own deadline.
func TestACloudThatWedgesAmidAnApplyIsGivenUp(t *testing.T) {
	t.Parallel()
	w := newWedge(t, devcloud.Options{})
	w.documents(40, "new")
	created := 0
	w.stall(faults.Hang, func(r *http.Request) bool {
		if r.Method == http.MethodPost && r.URL.Path == "/v1/profiles" {
			created++
		}
		return created > 3
	})
	status, stdout, stderr, took := w.run("apply", "--yes", "--parallel", "2", "--request-timeout", "500ms")
	if status != exitFailed || took > wedgedLimit {
		t.Errorf("exit status %d after %s", status, took)
	}
	for _, want := range []string{"3 created", "the cloud has carried nothing out for", "it may have been carried out"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("standard output does not say %q:\n%s", want, stdout)
		}
	}
	if !strings.Contains(stderr, "hint: once the cloud works, run the same command again") {
		t.Errorf("standard error:\n%s", stderr)
	}
}

// mute is a server that accepts connections and never answers.
func mute(t *testing.T) (address string, reached <-chan struct{}) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	first, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		var held []net.Conn
		for {
			conn, err := listener.Accept()
			if err != nil {
				break
			}
			if held = append(held, conn); len(held) == 1 {
				close(first)
			}
		}
		for _, conn := range held {
			_ = conn.Close()
		}
	}()
	t.Cleanup(func() {
		_ = listener.Close()
		<-done
	})
	return listener.Addr().String(), first
}

func TestAServerThatAcceptsAndNeverAnswers(t *testing.T) {
	t.Parallel()
	w := newWedge(t, devcloud.Options{})
	w.documents(1, "new")
	address, _ := mute(t)
	t.Run("as a Keystone", func(t *testing.T) {
		text := strings.ReplaceAll(string(devcloud.CloudsYAML(w.base)), w.base, "http://"+address)
		w.write("clouds.yaml", text)
		status, _, stderr, took := w.run("plan", "--request-timeout", "500ms")
		if status != exitFailed || took > wedgedLimit || !strings.Contains(stderr, "no answer to POST http://"+address+"/identity/v3/auth/tokens within 500ms") {
			t.Errorf("exit status %d after %s\n%s", status, took, stderr)
		}
	})
	t.Run("as a Git server", func(t *testing.T) {
		status, _, stderr, took := w.run("plan", "--source", "http://user:passw0rd@"+address+"/r.git", "--source-timeout", "500ms")
		if status != exitFailed || took > wedgedLimit || strings.Contains(stderr, "passw0rd") ||
			!strings.Contains(stderr, `source "http://`+address+`/r.git"`) || !strings.Contains(stderr, "it took longer than 500ms") {
			t.Errorf("exit status %d after %s\n%s", status, took, stderr)
		}
	})
}

// Nothing is in hand, so nothing has to be finished: a signal ends the program
// at once, whatever it waits for.
func TestASignalEndsTheWaitForAWedgedServer(t *testing.T) {
	address, accepted := mute(t)
	w := newWedge(t, devcloud.Options{})
	w.documents(1, "new")
	t.Run("Git", func(t *testing.T) {
		w.interrupted(t, accepted, "plan", "--source", "http://"+address+"/r.git")
	})
	for _, s := range stops()[:4] {
		for _, fault := range []faults.Fault{faults.Hang, faults.Drip} {
			t.Run(s.name+", "+fault.String(), func(t *testing.T) {
				w := newWedge(t, devcloud.Options{})
				s.prepare(w)
				w.interrupted(t, w.stall(fault, asks(s.method, s.path)), "apply", "--yes")
			})
		}
	}
}

// interrupted runs the program in a process of its own, sends it an interrupt
// once it waits, and sees that it ends.
func (w *wedge) interrupted(t *testing.T, waits <-chan struct{}, args ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "profilesync", args...)
	cmd.Env = os.Environ()
	for _, name := range []string{"OS_CLIENT_CONFIG_FILE", "HOME", "OS_CLOUD", "PROFILESYNC_OWNER", "PROFILESYNC_WORKTREE"} {
		value, _ := w.lookup(name)
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-waits:
	case <-ctx.Done():
		t.Error("it did not come to wait")
	}
	begun := time.Now()
	_ = cmd.Process.Signal(os.Interrupt)
	_ = cmd.Wait()
	if took := time.Since(begun); took > 2*time.Second {
		t.Errorf("it took %s", took)
	}
	if code := cmd.ProcessState.ExitCode(); code != exitFailed || !strings.Contains(output.String(), "profilesync: ") {
		t.Errorf("exit status %d\n%s", code, &output)
	}
}
