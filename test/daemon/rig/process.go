package rig

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"profilesync/internal/daemon/page/wire"
)

// Daemon is a running process.
type Daemon struct {
	testing.TB
	Address string
	Token   string // for the page and the hooks
	said    *output
	command *exec.Cmd
	ended   chan struct{}
}

// FreeAddress is one on loopback where nobody listened a moment ago.
func FreeAddress(t testing.TB) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// Start begins the daemon, and waits until it answers. What is started is ended
// with the test.
func (h *Home) Start(args ...string) *Daemon {
	h.Helper()
	d := &Daemon{TB: h.TB, Address: FreeAddress(h), said: &output{}, ended: make(chan struct{})}
	d.command = h.Command(h.Context(), append([]string{"daemon", "--listen", d.Address}, args...)...)
	d.command.Stderr, d.command.Stdout = d.said, d.said
	d.command.Cancel = func() error { return d.command.Process.Signal(syscall.SIGTERM) }
	d.command.WaitDelay = 20 * time.Second
	if err := d.command.Start(); err != nil {
		h.Fatal(err)
	}
	go func() {
		_ = d.command.Wait() // how it ended is asked of ProcessState
		close(d.ended)
	}()
	h.Cleanup(func() {
		_ = d.command.Process.Signal(syscall.SIGCONT) // gone already, mostly
		d.Stop()
		if h.Failed() {
			h.Logf("daemon at %s said:\n%s", d.Address, d.said)
		}
	})
	Eventually(h, 20*time.Second, "the daemon answers", func() bool {
		select {
		case <-d.ended:
			h.Fatalf("the daemon has ended:\n%s", d.said)
		default:
		}
		status, _ := d.Get("/healthz")
		return status == http.StatusOK
	})
	return d
}

// PID is the process's number.
func (d *Daemon) PID() int { return d.command.Process.Pid }

// Instance is how the process names itself.
func (d *Daemon) Instance() string {
	host, err := os.Hostname()
	if err != nil {
		d.Fatal(err)
	}
	return host + "/" + strconv.Itoa(d.PID())
}

// Signal sends a signal; a process that has ended takes none.
func (d *Daemon) Signal(s syscall.Signal) {
	if err := d.command.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		d.Error(err)
	}
}

// Stop ends the daemon as an operator would, and returns its exit status.
func (d *Daemon) Stop() int {
	d.Signal(syscall.SIGTERM)
	return d.wait(30 * time.Second)
}

// Kill ends the daemon without a chance to do anything.
func (d *Daemon) Kill() {
	d.Signal(syscall.SIGKILL)
	d.wait(10 * time.Second)
}

func (d *Daemon) wait(within time.Duration) int {
	select {
	case <-d.ended:
	case <-time.After(within):
		d.Errorf("the daemon has not ended within %s", within)
		_ = d.command.Process.Kill()
		<-d.ended
	}
	return d.command.ProcessState.ExitCode()
}

// Said is what the daemon has written so far.
func (d *Daemon) Said() string { return d.said.String() }

// Get reads a path. A daemon that does not answer has status 0.
func (d *Daemon) Get(path string) (int, string) {
	return d.do(http.MethodGet, path, "")
}

// Post sends JSON to a path.
func (d *Daemon) Post(path, body string) (int, string) {
	return d.do(http.MethodPost, path, body)
}

func (d *Daemon) do(method, path, body string) (int, string) {
	r, err := http.NewRequestWithContext(d.Context(), method, "http://"+d.Address+path, strings.NewReader(body))
	if err != nil {
		return 0, err.Error()
	}
	if d.Token != "" {
		r.Header.Set("Authorization", "Bearer "+d.Token)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	client := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Do(r)
	if err != nil {
		return 0, err.Error()
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return 0, err.Error()
	}
	return answer.StatusCode, string(text)
}

// Status is what the daemon tells of itself.
func (d *Daemon) Status() (wire.Status, error) {
	status, text := d.Get("/api/v1/status")
	if status != http.StatusOK {
		return wire.Status{}, fmt.Errorf("status %d: %s", status, text)
	}
	var told wire.Status
	err := json.Unmarshal([]byte(text), &told)
	return told, err
}

// Ready reports whether the daemon says to be ready.
func (d *Daemon) Ready() bool {
	status, _ := d.Get("/readyz")
	return status == http.StatusOK
}

// Metric is the value of a series as it is written in the exposition, such as
// `profilesync_target_ready{target="prod"}`; false when there is none.
func (d *Daemon) Metric(series string) (float64, bool) {
	_, text := d.Get("/metrics")
	for line := range strings.Lines(text) {
		if value, found := strings.CutPrefix(line, series+" "); found {
			n, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			return n, err == nil
		}
	}
	return 0, false
}

// Resident is the memory that the process has, in bytes.
func (d *Daemon) Resident() int64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", d.PID()))
	if err != nil {
		d.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if value, found := strings.CutPrefix(line, "VmRSS:"); found {
			n, err := strconv.ParseInt(strings.Fields(value)[0], 10, 64)
			if err != nil {
				d.Fatal(err)
			}
			return n << 10
		}
	}
	d.Fatal("no VmRSS")
	return 0
}

// Files is how many files the process has open.
func (d *Daemon) Files() int {
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", d.PID()))
	if err != nil {
		d.Fatal(err)
	}
	return len(entries)
}

// output is what a process writes, while it is read.
type output struct {
	mutex sync.Mutex
	text  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	return o.text.String()
}
