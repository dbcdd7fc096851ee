package remote_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"profilesync/internal/source/gittest"
	"profilesync/internal/source/remote"
	"profilesync/internal/source/repository"
)

// listens serves each connection until the test is over.
func listens(t *testing.T, network, at string, serve func(net.Conn)) string {
	t.Helper()
	listener, err := net.Listen(network, at)
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var open []net.Conn
	var running sync.WaitGroup
	running.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open = append(open, conn)
			mu.Unlock()
			running.Go(func() { serve(conn) })
		}
	})
	t.Cleanup(func() {
		listener.Close()
		mu.Lock()
		for _, conn := range open {
			conn.Close()
		}
		mu.Unlock()
		running.Wait()
	})
	return listener.Addr().String()
}

// silent takes what it is sent and never answers.
func silent(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }

// says so much once it was greeted, and then nothing.
func says(words string) func(net.Conn) {
	return func(conn net.Conn) {
		_, _ = conn.Read(make([]byte, 1024))
		_, _ = io.WriteString(conn, words)
		silent(conn)
	}
}

// passes on what a server says, up to so many bytes.
func passes(server string, count int64) func(net.Conn) {
	return func(conn net.Conn) {
		to, err := net.Dial("tcp", server)
		if err != nil {
			return
		}
		defer to.Close()
		go func() {
			_, _ = io.Copy(to, conn)
			to.Close()
		}()
		_, _ = io.CopyN(conn, to, count)
		silent(to) // until the client goes away
	}
}

// hangs are servers that stop to answer at some point, and how to get into them.
func hangs(t *testing.T) map[string]remote.Server {
	t.Helper()
	r, _ := repo(t)
	r.Write(map[string]string{"large": strings.Repeat(t.TempDir(), 10), "noise": noise(200_000)})
	r.Commit("Add noise")
	key := gittest.SSHKey(t, "-t", "ed25519")
	sshd := gittest.ServeSSH(t, []string{key + ".pub"})
	at := func(addr string) remote.Server {
		return elsewhere(t, overSSH(t, sshd, r.Dir, with(sshd, key, "ed25519")), addr)
	}
	servers := map[string]remote.Server{
		"SSH: silence":            at(listens(t, "tcp", "127.0.0.1:0", silent)),
		"SSH: after the version":  at(listens(t, "tcp", "127.0.0.1:0", says("SSH-2.0-OpenSSH_9.2\r\n"))),
		"SSH: amid the handshake": at(listens(t, "tcp", "127.0.0.1:0", passes(sshd.Addr, 1500))),
		"SSH: amid the pack":      at(listens(t, "tcp", "127.0.0.1:0", passes(sshd.Addr, 100_000))),
		"HTTPS: silence":          {Address: address(t, "https://"+listens(t, "tcp", "127.0.0.1:0", silent)+"/x")},
		"HTTP: silence":           {Address: address(t, "http://"+listens(t, "tcp", "127.0.0.1:0", silent)+"/x")},
		"HTTP: half a header":     {Address: address(t, "http://"+listens(t, "tcp", "127.0.0.1:0", says("HTTP/1.1 200 OK\r\nContent-"))+"/x")},
		"HTTP: amid the pack":     {Address: address(t, "http://"+listens(t, "tcp", "127.0.0.1:0", passes(strings.TrimPrefix(r.Serve(nil).URL, "http://"), 100_000))+"/"+r.Name())},
		"a proxy: silence":        {Address: address(t, "https://example.com/x"), Login: remote.Login{Proxy: "http://" + listens(t, "tcp", "127.0.0.1:0", silent)}},
		"a helper":                {Address: address(t, "http://127.0.0.1:1/x"), Login: remote.Login{Helper: script(t, "sleep 1000 & sleep 1000")}},
	}
	agent := at(sshd.Addr)
	socket := listens(t, "unix", filepath.Join(shortDir(t), "s"), silent)
	agent.Login.SSH.Key, agent.Login.Lookup = "", environment(map[string]string{"SSH_AUTH_SOCK": socket})
	servers["an agent"] = agent
	return servers
}

func TestWhateverHangsEndsWithTheContext(t *testing.T) {
	for name, server := range hangs(t) {
		t.Run(name, func(t *testing.T) {
			const limit = 400 * time.Millisecond
			before := runtime.NumGoroutine()
			ctx, cancel := context.WithTimeout(t.Context(), limit)
			defer cancel()
			began := time.Now()
			_, _, err := read(ctx, server)
			if took := time.Since(began); took > limit+5*time.Second {
				t.Errorf("it took %s", took)
			}
			if !errors.Is(err, repository.ErrUnreachable) || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("late: %v", err)
			}
			ctx, cancel = context.WithCancel(t.Context())
			stop := time.AfterFunc(limit, cancel)
			defer stop.Stop()
			if _, _, err = read(ctx, server); !errors.Is(err, context.Canceled) || errors.Is(err, repository.ErrUnreachable) {
				t.Errorf("cancelled: %v", err)
			}
			for deadline := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > before+2; runtime.Gosched() {
				if time.Now().After(deadline) {
					t.Fatalf("%d goroutines, %d before", runtime.NumGoroutine(), before)
				}
			}
		})
	}
}

func TestAConnectionThatBreaksIsNotTheEnd(t *testing.T) {
	r, _ := repo(t)
	r.Write(map[string]string{"noise": noise(200_000)})
	r.Commit("Add noise")
	key := gittest.SSHKey(t, "-t", "ed25519")
	sshd := gittest.ServeSSH(t, []string{key + ".pub"})
	web := r.Serve(nil)
	for _, count := range []int64{20_000, 66_000, 100_000, 150_001, 200_000} {
		breaks := func(server string) func(net.Conn) {
			return func(conn net.Conn) {
				to, err := net.Dial("tcp", server)
				if err != nil {
					return
				}
				defer to.Close()
				go func() {
					_, _ = io.Copy(to, conn)
					to.Close()
				}()
				_, _ = io.CopyN(conn, to, count)
				conn.Close()
			}
		}
		for name, server := range map[string]remote.Server{
			"HTTP": {Address: address(t, "http://"+listens(t, "tcp", "127.0.0.1:0", breaks(strings.TrimPrefix(web.URL, "http://")))+"/"+r.Name())},
			"SSH":  elsewhere(t, overSSH(t, sshd, r.Dir, with(sshd, key, "ed25519")), listens(t, "tcp", "127.0.0.1:0", breaks(sshd.Addr))),
		} {
			t.Run(fmt.Sprintf("%s after %d bytes", name, count), func(t *testing.T) {
				// Where it was is chance: a reset throws away what was on its way.
				fails(t, server, repository.ErrUnreachable)
			})
		}
	}
}

// elsewhere is the server at another port, with the same key.
func elsewhere(t *testing.T, server remote.Server, addr string) remote.Server {
	t.Helper()
	known := strings.ReplaceAll(fileOf(t, server.Login.SSH.KnownHosts[0]), server.Address.Port(), port(t, addr))
	server.Login.SSH.KnownHosts = []string{file(t, known)}
	server.Address.Host = addr
	return server
}

func TestPatienceIsBounded(t *testing.T) {
	for name, server := range hangs(t) {
		if !strings.Contains(name, "amid the pack") && !strings.HasPrefix(name, "HTTP:") {
			continue // bounded by the time for connecting
		}
		t.Run(name, func(t *testing.T) {
			server.Patience = 300 * time.Millisecond
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			_, _, err := read(ctx, server)
			if !errors.Is(err, repository.ErrUnreachable) || ctx.Err() != nil {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestWhatAServerSendsIsBounded(t *testing.T) {
	r, _ := repo(t)
	r.Write(map[string]string{"noise": noise(200_000)})
	r.Commit("Add noise")
	key := gittest.SSHKey(t, "-t", "ed25519")
	sshd := gittest.ServeSSH(t, []string{key + ".pub"})
	for name, server := range map[string]remote.Server{
		"HTTP": {Address: address(t, r.Serve(nil).URL+"/"+r.Name())},
		"SSH":  overSSH(t, sshd, r.Dir, with(sshd, key, "ed25519")),
	} {
		t.Run(name, func(t *testing.T) {
			server.Limit = 100
			if _, err := server.Dial(t.Context()); !errors.Is(err, repository.ErrLimit) {
				t.Errorf("the references: %v", err)
			}
			server.Limit = 100_000
			c, err := server.Dial(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			content, err := c.Pack(t.Context(), repository.Question{Wants: []repository.Hash{*c.Advertised().Head}})
			if err != nil {
				t.Fatal(err)
			}
			defer content.Close()
			if n, err := io.Copy(io.Discard, content); !errors.Is(err, repository.ErrLimit) || n > server.Limit || c.Received() < server.Limit {
				t.Errorf("%d bytes, %d received, %v", n, c.Received(), err)
			}
		})
	}
}

func port(t *testing.T, addr string) string {
	t.Helper()
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// noise does not compress.
func noise(size int) string {
	out := make([]byte, size)
	state := uint64(88172645463325252)
	for i := range out {
		state ^= state << 13
		state ^= state >> 7
		state ^= state << 17
		out[i] = byte(state)
	}
	return string(out)
}
