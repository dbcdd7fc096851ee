package gittest

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// SSHD is OpenSSH's server on loopback, as the user who runs the test, for
// whoever has one of the keys that it was told of. It ends with the test.
type SSHD struct {
	t   testing.TB
	dir string
	// Addr is host:port.
	Addr string
	// User is who may log in.
	User string
}

// HostKeyTypes are the types of host key that an SSHD has, one of each, as
// ssh-keygen calls them.
func HostKeyTypes() []string { return []string{"ed25519", "ecdsa", "rsa"} }

// ServeSSH starts a server that lets in whoever has the private key to one of
// the public keys in the files. options are lines of sshd_config, which count
// before its own.
func ServeSSH(t testing.TB, keys []string, options ...string) *SSHD {
	t.Helper()
	Need(t, "ssh-keygen")
	program := "/usr/sbin/sshd" // it insists on an absolute path, and is seldom in PATH
	if _, err := os.Stat(program); err != nil {
		Need(t, "sshd")
		program, _ = exec.LookPath("sshd")
	}
	who, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	if who.Uid == "0" {
		if err := os.MkdirAll("/run/sshd", 0o755); err != nil { // where it locks itself in
			t.Fatal(err)
		}
	}
	s := &SSHD{t: t, dir: t.TempDir(), User: who.Username}
	var authorized strings.Builder
	for _, key := range keys {
		line, err := os.ReadFile(key)
		if err != nil {
			t.Fatal(err)
		}
		authorized.Write(line)
	}
	config := append(options, "StrictModes no", "UsePAM no", "PasswordAuthentication no", "KbdInteractiveAuthentication no",
		"PermitRootLogin yes", "SetEnv GIT_CONFIG_GLOBAL=/dev/null", "AuthorizedKeysFile "+s.write("authorized_keys", authorized.String()))
	for _, kind := range HostKeyTypes() {
		file := filepath.Join(s.dir, kind)
		bits := map[string]string{"ed25519": "256", "ecdsa": "256", "rsa": "2048"} // small: they live for a test
		SSHKeygen(t, "-q", "-N", "", "-C", "", "-t", kind, "-b", bits[kind], "-f", file)
		config = append(config, "HostKey "+file)
	}
	s.listen(program, s.write("sshd_config", strings.Join(config, "\n")+"\n"))
	return s
}

func (s *SSHD) write(name, content string) string {
	s.t.Helper()
	file := filepath.Join(s.dir, name)
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		s.t.Fatal(err)
	}
	return file
}

// listen hands each connection to a server of its own, as inetd does: so the
// port is never that of somebody else.
func (s *SSHD) listen(program, config string) {
	s.t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		s.t.Fatal(err)
	}
	s.Addr = listener.Addr().String()
	var running sync.WaitGroup
	over := make(chan struct{})
	running.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			running.Go(func() { s.serve(conn, over, program, "-i", "-e", "-f", config) })
		}
	})
	s.t.Cleanup(func() {
		close(over)
		listener.Close()
		running.Wait()
	})
}

func (s *SSHD) serve(conn net.Conn, over <-chan struct{}, program string, args ...string) {
	socket, err := conn.(*net.TCPConn).File()
	conn.Close()
	if err != nil {
		s.t.Error(err)
		return
	}
	server := exec.Command(program, args...)
	server.Stdin, server.Stdout = socket, socket
	server.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	err = server.Start()
	socket.Close()
	if err != nil {
		s.t.Error(err)
		return
	}
	ended := make(chan struct{})
	go func() {
		_ = server.Wait() // a client that goes away is an exit status
		close(ended)
	}()
	select {
	case <-ended:
	case <-over:
		_ = syscall.Kill(-server.Process.Pid, syscall.SIGKILL)
		<-ended
	}
}

// HostKey returns the file of a public host key, by its type.
func (s *SSHD) HostKey(kind string) string { return filepath.Join(s.dir, kind+".pub") }

// KnownHosts writes a known_hosts file that has the server's keys of the given types.
func (s *SSHD) KnownHosts(kinds ...string) string {
	s.t.Helper()
	var lines strings.Builder
	for _, kind := range kinds {
		key, err := os.ReadFile(s.HostKey(kind))
		if err != nil {
			s.t.Fatal(err)
		}
		host, port, _ := net.SplitHostPort(s.Addr)
		fmt.Fprintf(&lines, "[%s]:%s %s", host, port, key)
	}
	return s.write("known_"+strings.Join(kinds, "_"), lines.String())
}

// SSHAgent starts ssh-agent with the private keys in the files and returns its socket.
func SSHAgent(t testing.TB, keys ...string) string {
	t.Helper()
	Need(t, "ssh-agent", "ssh-add")
	dir, err := os.MkdirTemp("", "agent") // not t.TempDir: the path of a socket has at most 108 bytes
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	socket := filepath.Join(dir, "socket")
	out, err := exec.Command("ssh-agent", "-s", "-a", socket).Output()
	if err != nil {
		t.Fatal(err)
	}
	var pid int
	for line := range strings.SplitSeq(string(out), "\n") {
		_, _ = fmt.Sscanf(line, "SSH_AGENT_PID=%d", &pid)
	}
	t.Cleanup(func() { _ = syscall.Kill(pid, syscall.SIGTERM) })
	for _, key := range keys {
		add := exec.Command("ssh-add", "-q", key)
		add.Env = append(os.Environ(), "SSH_AUTH_SOCK="+socket)
		if out, err := add.CombinedOutput(); err != nil {
			t.Fatalf("ssh-add: %v: %s", err, out)
		}
	}
	return socket
}
