package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"profilesync/internal/devcloud"
)

// The built program is killed at one request after the other of an apply that
// does everything an apply can do. Whatever was live when it died, the next
// passes converge, and nothing is lost.
//
// PROFILESYNC_TEST_KILLS says how often; without it a few kills are spread over
// the apply.

const fewKills = 12

func TestAKilledApplyIsFinishedByTheNextOnes(t *testing.T) {
	kills := fewKills
	if text := os.Getenv("PROFILESYNC_TEST_KILLS"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatal(err)
		}
		kills = n
	}
	binary := build(t)
	whole := newVictim(t, binary)
	whole.prepare()
	whole.apply(0, false)
	length := whole.senlin.count()
	whole.judge("not killed at all")
	died := 0
	for i := range kills {
		at, acted := 1+i*length/kills%length, i%2 == 1
		if kills > length {
			at = 1 + i/2%length
		}
		v := newVictim(t, binary)
		v.prepare()
		if v.apply(at, acted) {
			died++
		}
		v.converge()
		v.judge(fmt.Sprintf("killed at request %d of %d, acted on: %v", at, length, acted))
	}
	t.Logf("%d kills at %d requests, %d of them while it ran", kills, length, died)
	if died < kills*9/10 {
		t.Errorf("only %d of %d kills hit the program", died, kills)
	}
}

// victim is the program in a world of its own.
type victim struct {
	t       *testing.T
	binary  string
	dir     string
	api     *api
	senlin  *killer
	foreign string // the profile that is not ours, as it was
	used    string // id of the profile with a cluster
}

// killer counts Senlin's requests and does something to a process at one of
// them.
type killer struct {
	cloud http.Handler
	mutex sync.Mutex
	seen  int
	aim   aim
}

// aim says at which request what is done. The zero value is never.
type aim struct {
	at    int  // the request, from 1
	post  bool // it is the first create instead
	acted bool // the request is carried out before the process dies
	spare bool // the process is only told to stop: the request is served afterwards
	do    func()
}

// take aims from the next request on.
func (k *killer) take(a aim) {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	k.seen, k.aim = 0, a
}

// count is how many requests there were since it last took aim.
func (k *killer) count() int {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	return k.seen
}

// next counts a request and returns what is done at it, or nothing.
func (k *killer) next(r *http.Request) aim {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	k.seen++
	hit := k.aim.at == k.seen
	if k.aim.post {
		hit = r.Method == http.MethodPost && r.URL.Path == "/v1/profiles"
	}
	if !hit {
		return aim{}
	}
	now := k.aim
	k.aim = aim{}
	return now
}

func (k *killer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !strings.HasPrefix(r.URL.Path, "/v1/") {
		k.cloud.ServeHTTP(w, r)
		return
	}
	now := k.next(r)
	switch {
	case now.do == nil:
		k.cloud.ServeHTTP(w, r)
	case now.spare:
		now.do()
		time.Sleep(300 * time.Millisecond) // the signal is there before the reply
		k.cloud.ServeHTTP(w, r)
	default:
		if now.acted {
			k.cloud.ServeHTTP(httptest.NewRecorder(), r)
		}
		now.do()
		panic(http.ErrAbortHandler)
	}
}

func newVictim(t *testing.T, binary string) *victim {
	v := &victim{t: t, binary: binary, dir: t.TempDir()}
	server := httptest.NewUnstartedServer(nil)
	base := "http://" + server.Listener.Addr().String()
	cloud, err := devcloud.Open(devcloud.Options{Path: filepath.Join(v.dir, "devcloud.db"), BaseURL: base, Unsynced: true})
	if err != nil {
		t.Fatal(err)
	}
	v.senlin = &killer{cloud: cloud.Handler()}
	server.Config.Handler = v.senlin
	server.Start()
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
		if err := cloud.Close(); err != nil {
			t.Error(err)
		}
	})
	v.api = &api{cloudsFile: filepath.Join(v.dir, "clouds.yaml")}
	v.write("clouds.yaml", string(devcloud.CloudsYAML(base)))
	return v
}

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
	if err := os.RemoveAll(filepath.Join(v.dir, "docs")); err != nil {
		v.t.Fatal(err)
	}
	for _, item := range items {
		name, rest, _ := strings.Cut(item, "=")
		flavor, team, _ := strings.Cut(rest, " ")
		v.write("docs/"+name+".yaml", fmt.Sprintf(`name: %s
metadata: {team: %s}
spec: {type: os.nova.server, version: "1.0", properties: {flavor: %s, networks: []}}
`, name, team, flavor))
	}
}

// prepare makes a cloud in which the next apply has everything to do.
func (v *victim) prepare() {
	v.t.Helper()
	s, err := v.api.logIn("tenant-a")
	if err != nil {
		v.t.Fatal(err)
	}
	v.post(s, "/v1/profiles", `{"profile":{"name":"theirs","metadata":{"a":1},"spec":{"type":"os.nova.server","version":"1.0","properties":{"flavor":"t","networks":[]}}}}`)
	v.wants("keep=k a", "label=l a", "plain=p1 a", "used=u1 a", "gone=g a", "before=r a", "back=b1 a")
	v.apply(0, false)
	v.wants("keep=k a", "label=l a", "plain=p1 a", "used=u1 a", "gone=g a", "before=r a", "back=b2 a")
	v.post(s, "/v1/clusters", `{"cluster":{"name":"asg","profile_id":"used","desired_capacity":0}}`)
	v.post(s, "/v1/clusters", `{"cluster":{"name":"old","profile_id":"back","desired_capacity":0}}`)
	v.apply(0, false)
	v.used = v.only("used").ID
	v.foreign = v.raw(v.only("theirs").ID)
	v.wants("keep=k a", "label=l b", "plain=p2 a", "used=u2 a", "after=r a", "back=b1 a", "fresh=f a")
}

func (v *victim) post(s session, path, body string) {
	v.t.Helper()
	status, header, text, err := s.do("POST", path, body)
	if err != nil || status > 202 {
		v.t.Fatalf("POST %s: status %d, %v\n%s", path, status, err, text)
	}
	if location := header.Get("Location"); location != "" {
		if err := s.wait(location); err != nil {
			v.t.Fatal(err)
		}
	}
}

// apply runs the program, which is killed at a request unless that is 0, and
// reports whether it was.
func (v *victim) apply(at int, acted bool) bool {
	v.t.Helper()
	cmd := v.command("apply", "--yes", "--max-deletes", "10")
	process := make(chan *os.Process, 1)
	v.senlin.take(aim{at: at, acted: acted, do: func() { _ = (<-process).Kill() }})
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	err := cmd.Start()
	if err == nil {
		process <- cmd.Process
		err = cmd.Wait()
	}
	if at == 0 && err != nil {
		v.t.Fatalf("apply: %v\n%s", err, &output)
	}
	return err != nil && cmd.ProcessState.ExitCode() == -1
}

func (v *victim) command(args ...string) *exec.Cmd {
	ctx, cancel := context.WithTimeout(v.t.Context(), time.Minute)
	v.t.Cleanup(cancel)
	args = append(args, "--worktree", filepath.Join(v.dir, "docs"), "--cloud", "tenant-a", "--owner", "us")
	cmd := exec.CommandContext(ctx, v.binary, args...)
	cmd.Env = append(os.Environ(), "OS_CLIENT_CONFIG_FILE="+v.api.cloudsFile, "HOME="+v.dir)
	return cmd
}

// converge lets further passes finish the work; three are enough.
func (v *victim) converge() {
	v.t.Helper()
	v.senlin.take(aim{})
	for range 3 {
		if v.command("plan", "--detailed-exitcode", "--max-deletes", "10").Run() == nil {
			return
		}
		v.apply(0, false)
	}
}

// judge holds what is live to what must hold after any death.
func (v *victim) judge(what string) {
	v.t.Helper()
	if output, err := v.command("plan", "--detailed-exitcode").CombinedOutput(); err != nil {
		v.t.Errorf("%s: not converged: %v\n%s", what, err, output)
	}
	if now := v.raw(v.only("theirs").ID); now != v.foreign {
		v.t.Errorf("%s: a profile that is not ours was changed:\n%s\n%s", what, v.foreign, now)
	}
	survives := func(one thing) bool { return one.ID == v.used }
	if !slices.ContainsFunc(v.profiles(), survives) {
		v.t.Errorf("%s: the profile with a cluster is gone", what)
	}
	for _, name := range []string{"keep", "label", "plain", "used", "after", "back", "fresh"} {
		v.only(name)
	}
}

func (v *victim) profiles() []thing {
	v.t.Helper()
	s, err := v.api.logIn("tenant-a")
	if err != nil {
		v.t.Fatal(err)
	}
	all, err := v.api.things(s, "profiles")
	if err != nil {
		v.t.Fatal(err)
	}
	return all
}

// only is the one profile that bears a name.
func (v *victim) only(name string) thing {
	v.t.Helper()
	var found []thing
	for _, one := range v.profiles() {
		if one.Name == name {
			found = append(found, one)
		}
	}
	if len(found) != 1 {
		v.t.Fatalf("%d profiles bear the name %q", len(found), name)
	}
	return found[0]
}

// raw is a profile as the cloud shows it.
func (v *victim) raw(id string) string {
	v.t.Helper()
	s, err := v.api.logIn("tenant-a")
	if err != nil {
		v.t.Fatal(err)
	}
	_, _, text, err := s.do("GET", "/v1/profiles/"+id, "")
	if err != nil {
		v.t.Fatal(err)
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, text); err != nil {
		v.t.Fatal(err)
	}
	return compact.String()
}
