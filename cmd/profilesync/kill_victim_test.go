package main

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
	"strconv"
	"strings"
	"testing"
	"time"

	"profilesync/internal/devcloud"
)

// victim is the program in a world of its own.
type victim struct {
	t       *testing.T
	binary  string
	dir     string
	flags   []string // of every plan and apply
	prune   bool     // what they say about it
	senlin  *killer
	api     *api
	session session // of somebody in the same project
	want    map[string]asked
}

// asked is what a document asks for.
type asked struct{ flavor, team string }

// place makes the cloud that a victim lives on: a Senlin, and the clouds.yaml of
// a program that reaches it at a URL.
type place func(t *testing.T, dir, url string) (http.Handler, []byte)

// onDevcloud is a devcloud of the victim's own.
func onDevcloud(t *testing.T, dir, url string) (http.Handler, []byte) {
	cloud, err := devcloud.Open(devcloud.Options{Path: filepath.Join(dir, "devcloud.db"), BaseURL: url, Unsynced: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cloud.Close(); err != nil {
			t.Error(err)
		}
	})
	return cloud.Handler(), devcloud.CloudsYAML(url)
}

func newVictim(t *testing.T, binary string, on place) *victim {
	v := &victim{t: t, binary: binary, dir: t.TempDir(), prune: true}
	server := httptest.NewUnstartedServer(nil)
	url := "http://" + server.Listener.Addr().String()
	cloud, clouds := on(t, v.dir, url)
	v.senlin = &killer{cloud: cloud}
	server.Config.Handler = v.senlin
	server.Start()
	t.Cleanup(func() {
		v.senlin.flights.Wait()
		server.CloseClientConnections()
		server.Close()
	})
	v.write("clouds.yaml", string(clouds))
	v.api = &api{cloudsFile: filepath.Join(v.dir, "clouds.yaml")}
	var err error
	if v.session, err = v.api.logIn(tenant); err != nil {
		t.Fatal(err)
	}
	return v
}

const (
	tenant = "tenant-a"
	owner  = "us"
)

func (v *victim) write(name, text string) {
	v.t.Helper()
	file := filepath.Join(v.dir, name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o700), os.WriteFile(file, []byte(text), 0o600)); err != nil {
		v.t.Fatal(err)
	}
}

// wants writes the documents, "name=flavor team".
func (v *victim) wants(items ...string) {
	v.t.Helper()
	docs := filepath.Join(v.dir, "docs")
	if err := errors.Join(os.RemoveAll(docs), os.Mkdir(docs, 0o700)); err != nil {
		v.t.Fatal(err)
	}
	v.want = map[string]asked{}
	for _, item := range items {
		name, rest, _ := strings.Cut(item, "=")
		flavor, team, _ := strings.Cut(rest, " ")
		v.want[name] = asked{flavor, team}
		v.write("docs/"+name+".yaml", fmt.Sprintf(`name: %s
metadata: {team: %s}
spec: {type: os.nova.server, version: "1.0", properties: {flavor: %s, networks: []}}
`, name, team, flavor))
	}
}

// post makes something, waits for what follows from it, and returns its id.
func (v *victim) post(kind, body string) string {
	v.t.Helper()
	status, header, text, err := v.session.do("POST", "/v1/"+kind, body)
	if err != nil || status > 202 {
		v.t.Fatalf("POST of %s: status %d, %v\n%s", kind, status, err, text)
	}
	if location := header.Get("Location"); location != "" {
		if err := v.session.wait(location); err != nil {
			v.t.Fatal(err)
		}
	}
	return made(v.t, text)
}

func (v *victim) command(args ...string) *exec.Cmd {
	ctx, cancel := context.WithTimeout(v.t.Context(), time.Minute)
	v.t.Cleanup(cancel)
	args = append(args, "--worktree", filepath.Join(v.dir, "docs"), "--cloud", tenant, "--owner", owner)
	cmd := exec.CommandContext(ctx, v.binary, args...)
	cmd.Env = append(os.Environ(), "OS_CLIENT_CONFIG_FILE="+v.api.cloudsFile, "HOME="+v.dir)
	return cmd
}

// run runs the program to its end and returns its exit status and what it said.
func (v *victim) run(args ...string) (int, string) {
	v.t.Helper()
	cmd := v.command(append(args, v.flags...)...)
	output, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		v.t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), string(output)
}

// apply is a pass that nothing happens to.
func (v *victim) apply() {
	v.t.Helper()
	v.senlin.take(aim{})
	if status, output := v.run("apply", "--yes"); status != exitDone && status != exitHeld {
		v.t.Fatalf("apply: exit status %d\n%s", status, output)
	}
}

// die is a pass that is killed at a request, if it gets that far. It reports
// whether it did.
func (v *victim) die(at int, how way) bool {
	v.t.Helper()
	cmd := v.command(append([]string{"apply", "--yes"}, v.flags...)...)
	process := make(chan *os.Process, 1)
	v.senlin.take(aim{at: at, way: how, do: func(*http.Request) { _ = (<-process).Kill() }})
	if err := cmd.Start(); err != nil {
		v.t.Fatal(err)
	}
	process <- cmd.Process
	_ = cmd.Wait() // how it ended is asked below
	return cmd.ProcessState.ExitCode() == -1
}

// passes are how many it takes to converge, at most, after the last death.
const passes = 3

// converge lets further passes finish the work. What the cloud was at when the
// program died may come in the middle of the first.
func (v *victim) converge(what string) {
	v.t.Helper()
	for range passes {
		if v.pending() == "" {
			return
		}
		before := v.look()
		v.senlin.take(aim{})
		_, output := v.run("apply", "--yes") // what came of it is judged by the cloud
		v.senlin.flights.Wait()
		v.survived(what+", a pass later", before, output)
	}
}

// pending is the plan, if there is anything to do.
func (v *victim) pending() string {
	v.t.Helper()
	status, output := v.run("plan", "--detailed-exitcode")
	if status == exitDone || status == exitHeld {
		return ""
	}
	return fmt.Sprintf("exit status %d\n%s", status, output)
}

// number reads one from the environment.
func number(t *testing.T, name string, otherwise int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// build builds the program.
func build(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "profilesync")
	if output, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, bytes.TrimSpace(output))
	}
	return binary
}
