//go:build browser

package browser

import (
	"context"
	"encoding/json"
	"flag"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"profilesync/internal/daemon/page"
	"profilesync/internal/daemon/page/pagetest"
	"profilesync/internal/daemon/page/server"
	"profilesync/internal/daemon/status"
)

var (
	screenshots = flag.String("screenshots", "", "directory for pictures of the page")
	demo        = flag.String("demo", "", "serve the page at this address until interrupted, and test nothing")
)

// script is what check.mjs is told to look for.
type script struct {
	URL         string   `json:"url"`
	Username    string   `json:"username"` // "" where no login is needed
	Password    string   `json:"password"`
	Screenshots string   `json:"screenshots"`
	Targets     []string `json:"targets"`
	Head        string   `json:"head"`    // first words of the overview
	Target      string   `json:"target"`  // one that has a plan
	Differs     string   `json:"differs"` // in the plan's difference
	Blocked     string   `json:"blocked"` // profile whose delete is held up
	Holder      string   `json:"holder"`  // cluster that holds on to it
	Change      string   `json:"change"`  // URL: a POST changes what is shown
	After       string   `json:"after"`   // first words after that
}

// started serves the everyday daemon, and a way to change it.
func started(t *testing.T, address string) (url, change string) {
	t.Helper()
	now := time.Now()
	daemon := pagetest.New(pagetest.Everyday(now), pagetest.Passes(now))
	s, err := server.Listen(server.Options{Address: address, Handler: page.New(page.Options{Daemon: daemon})})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	control := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		daemon.Change(recovers)
	}))
	t.Cleanup(control.Close)
	return s.URL(), control.URL
}

// recovers has the target that fails make a good pass.
func recovers(now *status.Daemon, passes *[]status.Pass) {
	pass := (*passes)[0]
	pass.ID++
	pass.Target, pass.Trigger, pass.By, pass.Began = "edge", status.Manual, "operator", now.Now
	*passes = append([]status.Pass{pass}, *passes...)
	edge := &now.Targets[2]
	edge.Failures, edge.Retry, edge.LastSuccess, edge.LastAttempt, edge.Last = 0, time.Time{}, now.Now, now.Now, &pass
	edge.Schedule = "@every 1m"
}

func TestThePageInABrowser(t *testing.T) {
	if *demo != "" {
		t.SkipNow()
	}
	url, change := started(t, "127.0.0.1:0")
	look(t, script{
		URL: url, Screenshots: *screenshots, Targets: []string{"prod", "staging", "edge", "recovery", "lab"}, Head: "4 of 5 targets are ready",
		Target: "prod", Differs: `"m1.small" → "m1.large"`, Blocked: "legacy-api", Holder: "legacy-asg", Change: change, After: "All 5 targets are ready",
	})
}

// look runs check.mjs.
func look(t *testing.T, what script) {
	t.Helper()
	if what.Screenshots != "" {
		absolute, err := filepath.Abs(what.Screenshots)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(absolute, 0o755); err != nil {
			t.Fatal(err)
		}
		what.Screenshots = absolute
	}
	told, err := json.Marshal(what)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, "node", "check.mjs")
	command.Stdin = strings.NewReader(string(told))
	command.Stdout, command.Stderr = os.Stdout, os.Stderr
	if err := command.Run(); err != nil {
		t.Errorf("check.mjs: %v", err)
	}
}

// TestDemo is for people who want to look for themselves.
func TestDemo(t *testing.T) {
	if *demo == "" {
		t.SkipNow()
	}
	url, change := started(t, *demo)
	t.Logf("look at %s; curl -X POST %s changes it", url, change)
	ctx, stop := signal.NotifyContext(t.Context(), os.Interrupt)
	defer stop()
	<-ctx.Done()
}
