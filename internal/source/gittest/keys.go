package gittest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// GnuPG is a home of GnuPG: a keyring with its secret keys, and an agent that
// ends with the test.
type GnuPG struct {
	t    testing.TB
	home string
}

// NewGnuPG makes an empty one.
func NewGnuPG(t testing.TB) *GnuPG {
	t.Helper()
	Need(t, "gpg", "gpgconf")
	home, err := os.MkdirTemp("", "gpg") // not t.TempDir: the path of a socket has at most 108 bytes
	if err != nil {
		t.Fatal(err)
	}
	g := &GnuPG{t: t, home: home}
	t.Cleanup(func() {
		if out, err := exec.Command("gpgconf", "--homedir", home, "--kill", "all").CombinedOutput(); err != nil {
			t.Errorf("gpgconf: %v: %s", err, out)
		}
		os.RemoveAll(home)
	})
	return g
}

// Need ends the test when a program is not there: as failed in CI, where all
// of them are installed, as skipped elsewhere.
func Need(t testing.TB, programs ...string) {
	t.Helper()
	for _, program := range programs {
		if _, err := exec.LookPath(program); err == nil {
			continue
		}
		if os.Getenv("CI") != "" {
			t.Fatalf("%s is not installed", program)
		}
		t.Skipf("%s is not installed", program)
	}
}

// Run runs gpg without questions and returns what it prints.
func (g *GnuPG) Run(args ...string) string {
	g.t.Helper()
	return g.Input("", args...)
}

// Input is Run with something to read.
func (g *GnuPG) Input(stdin string, args ...string) string {
	g.t.Helper()
	cmd := exec.Command("gpg", append([]string{"--homedir", g.home, "--batch", "--quiet", "--no-tty", "--pinentry-mode", "loopback", "--passphrase", ""}, args...)...)
	cmd.Stdin = strings.NewReader(stdin)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		g.t.Fatalf("gpg %q: %v: %s", args, err, &stderr)
	}
	return string(out)
}

// Key makes a key of "NAME <NAME@example.com>" and returns its fingerprint.
// usage and expire are as for gpg --quick-gen-key; options go before it.
func (g *GnuPG) Key(name, algorithm, usage, expire string, options ...string) string {
	g.t.Helper()
	id := fmt.Sprintf("%s <%s@example.com>", name, name)
	g.Run(append(options, "--quick-gen-key", id, algorithm, usage, expire)...)
	for line := range strings.SplitSeq(g.Run("--with-colons", "--list-keys", "="+id), "\n") {
		if fields := strings.Split(line, ":"); fields[0] == "fpr" {
			return fields[9]
		}
	}
	g.t.Fatalf("gpg has made no key of %q", id)
	return ""
}

// Revoke imports the revocation that was made together with a key.
func (g *GnuPG) Revoke(fingerprint string) {
	g.t.Helper()
	file, err := os.ReadFile(filepath.Join(g.home, "openpgp-revocs.d", fingerprint+".rev"))
	if err != nil {
		g.t.Fatal(err)
	}
	_, armored, _ := strings.Cut(string(file), "\n:") // which keeps it from being imported by mistake
	g.Input(armored, "--import")
}

// Program writes a program that is gpg with this home and options, for gpg.program.
func (g *GnuPG) Program(options ...string) string {
	g.t.Helper()
	file, err := os.CreateTemp(g.home, "program")
	if err != nil {
		g.t.Fatal(err)
	}
	fmt.Fprintf(file, "#!/bin/sh\nexec gpg --homedir '%s' --pinentry-mode loopback --passphrase '' %s \"$@\"\n", g.home, strings.Join(options, " "))
	if err := file.Chmod(0o700); err != nil {
		g.t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		g.t.Fatal(err)
	}
	return file.Name()
}

// SSHKey makes a key pair with ssh-keygen and returns the file of the private
// key; that of the public key is called the same, with .pub.
func SSHKey(t testing.TB, args ...string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "id")
	SSHKeygen(t, append([]string{"-q", "-N", "", "-C", "", "-f", file}, args...)...)
	return file
}

// SSHKeygen runs ssh-keygen.
func SSHKeygen(t testing.TB, args ...string) {
	t.Helper()
	Need(t, "ssh-keygen")
	if out, err := exec.Command("ssh-keygen", args...).CombinedOutput(); err != nil {
		t.Fatalf("ssh-keygen %q: %v: %s", args, err, out)
	}
}
