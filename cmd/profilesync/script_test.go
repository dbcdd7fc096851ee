package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	testscript.Main(leaks{m}, map[string]func(){"profilesync": main, "peak": peak})
}

// leaks are tests that leave no goroutine behind, which is looked at when all
// of them have passed.
type leaks struct{ *testing.M }

func (l leaks) Run() int {
	status := l.M.Run()
	if status != 0 {
		return status
	}
	http.DefaultClient.CloseIdleConnections() // the tests' own, to a real cloud
	if err := goleak.Find(); err != nil {
		fmt.Fprintln(os.Stderr, "goroutines that were left behind:", err)
		return 1
	}
	return 0
}

// The stories in testdata/scripts/local need no cloud, or the embedded one in
// its own process. Those in testdata/scripts/cloud run on any cloud: on the
// embedded one served over HTTP here, and on a real one in openstack_test.go.

func TestLocalStories(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "../../testdata/scripts/local",
		RequireExplicitExec: true,
		Setup:               func(env *testscript.Env) error { return prepare(env, "") },
		Cmds:                commands(nil),
	})
}

// prepare gives a story a home of its own, with no cloud and no Git settings
// of the person who runs the tests.
func prepare(env *testscript.Env, cloudsFile string) error {
	home := filepath.Join(env.WorkDir, ".home")
	env.Setenv("HOME", home)
	env.Setenv("XDG_STATE_HOME", filepath.Join(home, "state"))
	env.Setenv("XDG_CACHE_HOME", filepath.Join(home, "cache"))
	env.Setenv("GIT_CONFIG_NOSYSTEM", "1")
	env.Setenv("REPOSITORY", repository())
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	env.Setenv("ADDRESS", listener.Addr().String()) // where nobody listens, for a daemon
	if err := listener.Close(); err != nil {
		return err
	}
	if cloudsFile != "" {
		env.Setenv("OS_CLIENT_CONFIG_FILE", cloudsFile)
	}
	return os.MkdirAll(home, 0o700)
}

// repository is the top of this project's checkout.
func repository() string {
	top, err := filepath.Abs("../..")
	if err != nil {
		panic(err)
	}
	return top
}

// commands are the words that stories use beside testscript's own. The ones
// that speak to a cloud need one.
func commands(c *api) map[string]func(*testscript.TestScript, bool, []string) {
	return map[string]func(*testscript.TestScript, bool, []string){
		"commit":  commit,
		"exits":   exits,
		"until":   untilSaid,
		"senlin":  c.senlin,
		"id":      c.id,
		"cluster": c.cluster,
	}
}

// commit makes DIR a Git repository if it is none and commits all that is in it:
//
//	commit DIR MESSAGE
func commit(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: commit DIR MESSAGE")
	}
	dir := ts.MkAbs(args[0])
	if _, err := os.Stat(filepath.Join(dir, ".git")); err != nil {
		git(ts, dir, "init", "-q", "-b", "main")
	}
	git(ts, dir, "add", "-A")
	git(ts, dir, "commit", "-q", "--allow-empty", "-m", args[1])
}

func git(ts *testscript.TestScript, dir string, args ...string) {
	cmd := exec.Command("git", append([]string{
		"-C", dir, "-c", "user.name=Operator", "-c", "user.email=operator@example.org", "-c", "commit.gpgsign=false",
	}, args...)...)
	cmd.Env = append(os.Environ(), "HOME="+ts.Getenv("HOME"), "GIT_CONFIG_NOSYSTEM=1")
	if output, err := cmd.CombinedOutput(); err != nil {
		ts.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, output)
	}
}

// exits runs the program and wants this exit status; its output is there for
// stdout and stderr as after exec:
//
//	exits STATUS profilesync ARGS...
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits STATUS COMMAND ARGS...")
	}
	err := ts.Exec(args[1], args[2:]...)
	status := 0
	if err != nil {
		status = 1
		if exit, ok := err.(*exec.ExitError); ok {
			status = exit.ExitCode()
		}
	}
	if got := fmt.Sprint(status); got != args[0] {
		ts.Fatalf("exit status %s, want %s", got, args[0])
	}
}

// untilSaid runs the program again and again until its standard output has a text:
//
//	until SECONDS TEXT profilesync ARGS...
func untilSaid(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: until SECONDS TEXT COMMAND ARGS...")
	}
	seconds, err := strconv.Atoi(args[0])
	if err != nil {
		ts.Fatalf("%v", err)
	}
	for deadline := time.Now().Add(time.Duration(seconds) * time.Second); time.Now().Before(deadline); {
		_ = ts.Exec(args[2], args[3:]...) // it may fail at first
		if strings.Contains(ts.ReadFile("stdout"), args[1]) {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	ts.Fatalf("not within %d seconds: %s", seconds, args[1])
}
