package hostkey

import (
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

func newKey(t *testing.T) ssh.Signer {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

func line(key ssh.Signer) string { return string(ssh.MarshalAuthorizedKey(key.PublicKey())) }

func known(t *testing.T, lines ...string) *Known {
	t.Helper()
	file := filepath.Join(t.TempDir(), "known_hosts")
	if err := os.WriteFile(file, []byte(strings.Join(lines, "")), 0o600); err != nil {
		t.Fatal(err)
	}
	k, err := Open(file)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// certified is a certificate of key for a host.
func certified(t *testing.T, authority, key ssh.Signer, change func(*ssh.Certificate)) ssh.PublicKey {
	t.Helper()
	c := &ssh.Certificate{Key: key.PublicKey(), CertType: ssh.HostCert, ValidPrincipals: []string{"git.example.com"}, ValidBefore: uint64(time.Now().Add(time.Hour).Unix())}
	change(c)
	if err := c.SignCert(rand.Reader, authority); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestWhichKeysAreAccepted(t *testing.T) {
	key, other, authority := newKey(t), newKey(t), newKey(t)
	as := func(change func(*ssh.Certificate)) ssh.PublicKey { return certified(t, authority, key, change) }
	byAuthority := "@cert-authority *.example.com " + line(authority)
	for name, row := range map[string]struct {
		lines  []string
		host   string
		shown  ssh.PublicKey
		reason Reason // "" is accepted
	}{
		"the key":                       {[]string{"git.example.com " + line(key)}, "git.example.com:22", key.PublicKey(), ""},
		"one of two":                    {[]string{"git.example.com " + line(other), "git.example.com " + line(key)}, "git.example.com:22", key.PublicKey(), ""},
		"by a pattern":                  {[]string{"*.example.com " + line(key)}, "git.example.com:22", key.PublicKey(), ""},
		"by a pattern, at another port": {[]string{"*.example.com " + line(key)}, "git.example.com:2222", key.PublicKey(), ""},
		"at its port":                   {[]string{"[git.example.com]:2222 " + line(key)}, "git.example.com:2222", key.PublicKey(), ""},
		"at another port":               {[]string{"git.example.com " + line(key)}, "git.example.com:2222", key.PublicKey(), Unknown},
		"of another host":               {[]string{"other.example.com " + line(key)}, "git.example.com:22", key.PublicKey(), Unknown},
		"of a host with a longer name":  {[]string{"git.example.com " + line(key)}, "git.example.com.evil.net:22", key.PublicKey(), Unknown},
		"excepted":                      {[]string{"*.example.com,!git.example.com " + line(key)}, "git.example.com:22", key.PublicKey(), Unknown},
		"another key":                   {[]string{"git.example.com " + line(other)}, "git.example.com:22", key.PublicKey(), Changed},
		"revoked":                       {[]string{"git.example.com " + line(key), "@revoked * " + line(key)}, "git.example.com:22", key.PublicKey(), Revoked},
		"certified":                     {[]string{byAuthority}, "git.example.com:22", as(func(*ssh.Certificate) {}), ""},
		"certified for another host":    {[]string{byAuthority}, "git.example.com:22", as(func(c *ssh.Certificate) { c.ValidPrincipals = []string{"other"} }), Certificate},
		"certified as a user":           {[]string{byAuthority}, "git.example.com:22", as(func(c *ssh.Certificate) { c.CertType = ssh.UserCert }), Certificate},
		"certified until yesterday":     {[]string{byAuthority}, "git.example.com:22", as(func(c *ssh.Certificate) { c.ValidBefore = 1 }), Certificate},
		"certified by somebody":         {[]string{"git.example.com " + line(key)}, "git.example.com:22", as(func(*ssh.Certificate) {}), Certificate},
		"certified by whom is revoked":  {[]string{byAuthority, "@revoked * " + line(authority)}, "git.example.com:22", as(func(*ssh.Certificate) {}), Certificate},
		"a comment is no key":           {[]string{"# git.example.com " + line(key)}, "git.example.com:22", key.PublicKey(), Unknown},
	} {
		t.Run(name, func(t *testing.T) {
			err := known(t, row.lines...).Check(row.host, &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 22}, row.shown)
			var refused *Error
			switch {
			case row.reason == "" && err != nil, row.reason != "" && !errors.As(err, &refused):
				t.Fatalf("%v", err)
			case refused != nil && (refused.Reason != row.reason || refused.Fingerprint != ssh.FingerprintSHA256(row.shown)):
				t.Errorf("%+v", refused)
			case refused != nil && strings.ContainsAny(err.Error(), "\n\r"):
				t.Errorf("%q", err)
			}
		})
	}
}

func TestWhatIsAskedForFirstIsWhatIsKnown(t *testing.T) {
	key := newKey(t)
	for name, row := range map[string]struct {
		line  string
		first string
	}{
		"a key":        {"host " + line(key), ssh.KeyAlgoED25519},
		"an authority": {"@cert-authority host " + line(key), "-cert-v01@openssh.com"},
	} {
		k := known(t, row.line)
		got := k.Algorithms("host:22")
		if !strings.HasSuffix(got[0], row.first) {
			t.Errorf("%s: %q", name, got)
		}
		if !slices.Contains(got, ssh.KeyAlgoRSASHA512) || slices.Contains(got, ssh.KeyAlgoRSA) {
			t.Errorf("%s: %q: the rest, but not what rests on SHA-1", name, got)
		}
		slices.Sort(got)
		if len(slices.Compact(got)) != len(got) {
			t.Errorf("%s: twice in %q", name, got)
		}
		if none := k.Algorithms("other:22"); slices.ContainsFunc(none, isCertificate) {
			t.Errorf("%s: certificates of a host without an authority: %q", name, none)
		}
	}
}

func TestTheUsualFiles(t *testing.T) {
	home := t.TempDir()
	file := filepath.Join(home, ".ssh", "known_hosts")
	if slices.Contains(Usual(home), file) {
		t.Error("a file that is not there")
	}
	if err := errors.Join(os.Mkdir(filepath.Dir(file), 0o700), os.WriteFile(file, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	if got := Usual(home); len(got) == 0 || got[0] != file {
		t.Errorf("%q", got)
	}
	if slices.Contains(Usual(""), filepath.Join(".ssh", "known_hosts")) {
		t.Error("a file of no home")
	}
}

func FuzzKnownHosts(f *testing.F) {
	f.Add("git.example.com ssh-ed25519 AAAA\n", "git.example.com")
	f.Add("|1|x|y ssh-rsa AAAA", "h")
	f.Add("@cert-authority * ssh-ed25519", "[::1]")
	f.Fuzz(func(t *testing.T, content, host string) {
		file := filepath.Join(t.TempDir(), "known_hosts")
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		k, err := Open(file)
		if err != nil {
			return
		}
		if err := k.Check(net.JoinHostPort(host, "22"), &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 22}, newKey(t).PublicKey()); err == nil {
			t.Errorf("a key that no file names is accepted by %q", fmt.Sprint(content))
		}
		_ = k.Algorithms(net.JoinHostPort(host, "22"))
	})
}
