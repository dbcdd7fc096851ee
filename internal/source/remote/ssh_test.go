package remote_test

import (
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"profilesync/internal/source/gittest"
	"profilesync/internal/source/remote"
	"profilesync/internal/source/remote/secret"
	"profilesync/internal/source/repository"
)

// overSSH is the repository on the server.
func overSSH(t *testing.T, sshd *gittest.SSHD, path string, login remote.Login) remote.Server {
	t.Helper()
	return remote.Server{Address: address(t, "ssh://"+sshd.User+"@"+sshd.Addr+path), Login: login}
}

// with logs in by this key file, and knows the server's keys of these types.
func with(sshd *gittest.SSHD, key string, kinds ...string) remote.Login {
	return remote.Login{SSH: remote.SSH{Key: key, KnownHosts: []string{sshd.KnownHosts(kinds...)}}}
}

func TestKeyFiles(t *testing.T) {
	r, commit := repo(t)
	const passphrase = "pass phrase " + mark
	plain, locked := gittest.SSHKey(t, "-t", "ed25519"), gittest.SSHKey(t, "-t", "ed25519", "-N", passphrase)
	rsa, lockedPEM := gittest.SSHKey(t, "-t", "rsa", "-b", "2048"), gittest.SSHKey(t, "-t", "ecdsa", "-m", "PEM", "-N", passphrase)
	stranger := gittest.SSHKey(t, "-t", "ed25519")
	sshd := gittest.ServeSSH(t, []string{plain + ".pub", locked + ".pub", rsa + ".pub", lockedPEM + ".pub"})
	for name, key := range map[string]string{"ed25519": plain, "RSA": rsa} {
		t.Run(name, func(t *testing.T) { gets(t, overSSH(t, sshd, r.Dir, with(sshd, key, "ed25519")), commit) })
	}
	for name, key := range map[string]string{"encrypted": locked, "encrypted, in PEM": lockedPEM} {
		t.Run(name, func(t *testing.T) {
			login := with(sshd, key, "ed25519")
			fails(t, overSSH(t, sshd, r.Dir, login), remote.ErrLogin, "the key is encrypted, and no passphrase is given")
			login.SSH.Passphrase = secret.Place{File: file(t, "wrong "+mark)}
			fails(t, overSSH(t, sshd, r.Dir, login), remote.ErrLogin, "the passphrase is wrong")
			login.SSH.Passphrase = secret.Place{File: file(t, passphrase+"\n")}
			gets(t, overSSH(t, sshd, r.Dir, login), commit)
		})
	}
	t.Run("that the server does not know", func(t *testing.T) {
		fails(t, overSSH(t, sshd, r.Dir, with(sshd, stranger, "ed25519")), repository.ErrAuthentication, "lets in", `"`+sshd.User+`"`, stranger)
	})
	for name, row := range map[string][2]string{
		"not there": {filepath.Join(t.TempDir(), "id"), "no such file"},
		"public":    {plain + ".pub", "this is the public key"},
		"PuTTY":     {file(t, "PuTTY-User-Key-File-3: ssh-ed25519\n"), "puttygen"},
		"garbage":   {file(t, mark), "no private key"},
		"empty":     {file(t, ""), "no private key"},
		"directory": {t.TempDir(), "not a regular file"},
	} {
		t.Run(name, func(t *testing.T) {
			fails(t, overSSH(t, sshd, r.Dir, with(sshd, row[0], "ed25519")), remote.ErrLogin, row[1])
		})
	}
}

func TestAgents(t *testing.T) {
	r, commit := repo(t)
	one, other := gittest.SSHKey(t, "-t", "ed25519"), gittest.SSHKey(t, "-t", "rsa", "-b", "2048")
	sshd := gittest.ServeSSH(t, []string{other + ".pub"})
	through := func(socket string) remote.Server {
		login := with(sshd, "", "ed25519")
		login.Lookup = environment(map[string]string{"SSH_AUTH_SOCK": socket})
		return overSSH(t, sshd, r.Dir, login)
	}
	t.Run("with the key among others", func(t *testing.T) { gets(t, through(gittest.SSHAgent(t, one, other)), commit) })
	t.Run("with other keys", func(t *testing.T) {
		fails(t, through(gittest.SSHAgent(t, one)), repository.ErrAuthentication, "the 1 keys of the agent")
	})
	t.Run("without keys", func(t *testing.T) {
		fails(t, through(gittest.SSHAgent(t)), remote.ErrLogin, "it holds no keys")
	})
	t.Run("not there", func(t *testing.T) {
		fails(t, through("/nowhere/agent"), remote.ErrLogin, `agent "/nowhere/agent"`)
	})
	t.Run("none, and no key file", func(t *testing.T) {
		fails(t, overSSH(t, sshd, r.Dir, with(sshd, "", "rsa")), remote.ErrLogin, "neither a key file nor an agent")
	})
}

func TestAnAgentIsLeftWithTheServer(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // which closes what is forgotten
	r, commit := repo(t)
	key := gittest.SSHKey(t, "-t", "ed25519")
	sshd := gittest.ServeSSH(t, []string{key + ".pub"})
	private, err := ssh.ParseRawPrivateKey([]byte(fileOf(t, key)))
	if err != nil {
		t.Fatal(err)
	}
	keys := agent.NewKeyring()
	if err := keys.Add(agent.AddedKey{PrivateKey: private}); err != nil {
		t.Fatal(err)
	}
	left := make(chan error, 1)
	socket := listens(t, "unix", filepath.Join(shortDir(t), "agent"), func(conn net.Conn) { left <- agent.ServeAgent(keys, conn) })
	login := with(sshd, "", "ed25519")
	login.Lookup = environment(map[string]string{"SSH_AUTH_SOCK": socket})
	gets(t, overSSH(t, sshd, r.Dir, login), commit)
	select {
	case err := <-left:
		if !errors.Is(err, io.EOF) {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Error("still connected")
	}
}

// shortDir is a directory for sockets, whose paths have at most 108 bytes.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "agent")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func TestKnownHosts(t *testing.T) {
	r, commit := repo(t)
	key := gittest.SSHKey(t, "-t", "ed25519")
	sshd := gittest.ServeSSH(t, []string{key + ".pub"})
	for _, kind := range gittest.HostKeyTypes() {
		t.Run("only "+kind, func(t *testing.T) { gets(t, overSSH(t, sshd, r.Dir, with(sshd, key, kind)), commit) })
	}
	t.Run("hashed", func(t *testing.T) {
		login := with(sshd, key, "rsa")
		gittest.SSHKeygen(t, "-H", "-f", login.SSH.KnownHosts[0])
		if lines, err := os.ReadFile(login.SSH.KnownHosts[0]); err != nil || !strings.HasPrefix(string(lines), "|1|") {
			t.Fatalf("%s, %v", lines, err)
		}
		gets(t, overSSH(t, sshd, r.Dir, login), commit)
	})
	t.Run("certified", func(t *testing.T) {
		authority := gittest.SSHKey(t, "-t", "ed25519")
		gittest.SSHKeygen(t, "-q", "-s", authority, "-I", "host", "-h", "-n", "127.0.0.1", sshd.HostKey("rsa"))
		certificate := strings.TrimSuffix(sshd.HostKey("rsa"), ".pub") + "-cert.pub"
		certified := gittest.ServeSSH(t, []string{key + ".pub"}, "HostKey "+strings.TrimSuffix(sshd.HostKey("rsa"), ".pub"), "HostCertificate "+certificate)
		known := file(t, "@cert-authority * "+fileOf(t, authority+".pub"))
		login := remote.Login{SSH: remote.SSH{Key: key, KnownHosts: []string{known}}}
		gets(t, overSSH(t, certified, r.Dir, login), commit)
	})
	t.Run("in the usual place", func(t *testing.T) {
		home := t.TempDir()
		login := with(sshd, key, "ed25519")
		if err := errors.Join(os.Mkdir(home+"/.ssh", 0o700), os.Rename(login.SSH.KnownHosts[0], home+"/.ssh/known_hosts")); err != nil {
			t.Fatal(err)
		}
		login.SSH.KnownHosts, login.Lookup = nil, environment(map[string]string{"HOME": home})
		gets(t, overSSH(t, sshd, r.Dir, login), commit)
	})
}

func TestHostKeysThatAreNotTrusted(t *testing.T) {
	r, _ := repo(t)
	key := gittest.SSHKey(t, "-t", "ed25519")
	sshd := gittest.ServeSSH(t, []string{key + ".pub"})
	other := gittest.ServeSSH(t, nil)
	host, port, _ := net.SplitHostPort(sshd.Addr)
	named := func(prefix string, of *gittest.SSHD, kind string) string {
		return file(t, prefix+"["+host+"]:"+port+" "+fileOf(t, of.HostKey(kind)))
	}
	for name, row := range map[string]struct {
		file   string
		reason string
		kind   string // of the key that is shown
		says   string
	}{
		"a file without the host":         {other.KnownHosts("ed25519"), "unknown", "", "names no key of this host"},
		"an empty file":                   {file(t, ""), "unknown", "", "names no key of this host"},
		"another key":                     {named("", other, "ed25519"), "changed", "ed25519", "was changed, or somebody is in between"},
		"another key, of a later type":    {named("", other, "rsa"), "changed", "rsa", "line 1"},
		"a key that is revoked":           {named("@revoked ", sshd, "ecdsa"), "revoked", "ecdsa", "which is revoked"},
		"a certificate is not shown":      {named("@cert-authority ", other, "ed25519"), "other type", "", "known is only ssh-ed25519"},
		"the port is another":             {file(t, host+" "+fileOf(t, sshd.HostKey("rsa"))), "unknown", "", "names no key"},
		"known by another host's pattern": {file(t, "example.com,!"+host+" "+fileOf(t, sshd.HostKey("rsa"))), "unknown", "", "names no key"},
	} {
		t.Run(name, func(t *testing.T) {
			login := remote.Login{SSH: remote.SSH{Key: key, KnownHosts: []string{row.file}}}
			if row.reason == "revoked" { // and the server has no other
				login.SSH.KnownHosts = append(login.SSH.KnownHosts, sshd.KnownHosts("ecdsa"))
			}
			err := fails(t, overSSH(t, sshd, r.Dir, login), nil, row.says)
			var refused *remote.HostKeyError
			if !errors.As(err, &refused) || errors.Is(err, repository.ErrUnreachable) {
				t.Fatalf("%v", err)
			}
			if string(refused.Reason) != row.reason || refused.Host != host || refused.Port != port {
				t.Errorf("%+v", refused)
			}
			if row.kind != "" && fingerprint(t, sshd.HostKey(row.kind)) != refused.Fingerprint {
				t.Errorf("%+v, want the fingerprint of %s", refused, row.kind)
			}
		})
	}
	t.Run("no file at all", func(t *testing.T) {
		login := remote.Login{SSH: remote.SSH{Key: key}, Lookup: environment(map[string]string{"HOME": t.TempDir()})}
		fails(t, overSSH(t, sshd, r.Dir, login), nil, "host key not trusted", sshd.Addr)
	})
	for name, row := range map[string][2]string{"a file that is not there": {"/nowhere/known_hosts", "no such file"}, "a file with garbage": {file(t, "# keys\n"+mark+"\n"), ":2:"}} {
		t.Run(name, func(t *testing.T) {
			login := remote.Login{SSH: remote.SSH{Key: key, KnownHosts: []string{row[0]}}}
			fails(t, overSSH(t, sshd, r.Dir, login), remote.ErrLogin, "known_hosts", row[1])
		})
	}
}

func fileOf(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// fingerprint is what ssh-keygen says of a key.
func fingerprint(t *testing.T, file string) string {
	t.Helper()
	out, err := exec.Command("ssh-keygen", "-l", "-f", file).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(string(out))[1]
}
