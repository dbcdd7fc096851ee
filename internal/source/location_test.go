package source

import (
	"errors"
	"os"
	"testing"

	"profilesync/internal/source/gittest"
	"profilesync/internal/source/remote"
)

func TestAddresses(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("host:file", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for raw, want := range map[string]struct{ scheme, user, host, path string }{
		"ssh://git@example.com/org/x.git":      {"ssh", "git", "example.com", "/org/x.git"},
		"ssh://example.com:2222/x":             {"ssh", "", "example.com:2222", "/x"},
		"SSH://[::1]:22/x":                     {"ssh", "", "[::1]:22", "/x"},
		"ssh://example.com/~me/x%20y.git":      {"ssh", "", "example.com", "~me/x y.git"},
		"git@example.com:org/x.git":            {"ssh", "git", "example.com", "org/x.git"},
		"git@example.com:/srv/x.git":           {"ssh", "git", "example.com", "/srv/x.git"},
		"example.com:~me/x.git":                {"ssh", "", "example.com", "~me/x.git"},
		"git@example.com:v3/org/project/a b@2": {"ssh", "git", "example.com", "v3/org/project/a b@2"},
		"git@[::1]:x.git":                      {"ssh", "git", "[::1]", "x.git"},
		"[example.com:2222]:x.git":             {"ssh", "", "example.com:2222", "x.git"},
		"https://user@example.com/x.git":       {"https", "user", "example.com", "/x.git"},
		"host:file":                            {},
		"./host:other":                         {},
		"C:/x":                                 {},
		"/srv/x.git":                           {},
	} {
		t.Run(raw, func(t *testing.T) {
			dir, u, err := locate(raw)
			if err != nil {
				t.Fatal(err)
			}
			if want.scheme == "" {
				if dir != raw || u != nil {
					t.Errorf("%q, %v", dir, u)
				}
				return
			}
			if u == nil || u.Scheme != want.scheme || u.User.Username() != want.user || u.Host != want.host || u.Path != want.path {
				t.Errorf("%+v", u)
			}
		})
	}
	for _, raw := range []string{"git@-x:y", "-x@host:y", "host:-y", "ssh://host/%0a", "ssh://host/", "https:me:pw@host/x", "ssh:x@y"} {
		if _, u, err := locate(raw); !errors.Is(err, ErrNoRepository) {
			t.Errorf("%q is %+v, %v", raw, u, err)
		}
	}
}

func TestARevisionOverSSH(t *testing.T) {
	r := gittest.New(t)
	r.Write(map[string]string{"web.yaml": "name: web\n"})
	commit := r.Commit("Add web")
	key := gittest.SSHKey(t, "-t", "ed25519")
	sshd := gittest.ServeSSH(t, []string{key + ".pub"})
	over := Git{
		URL:   "ssh://" + sshd.User + "@" + sshd.Addr + r.Dir,
		Login: remote.Login{SSH: remote.SSH{Key: key, KnownHosts: []string{sshd.KnownHosts("ed25519")}}},
	}
	s, err := over.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if s.Revision != commit {
		t.Errorf("revision %s, want %s", s.Revision, commit)
	}
	same(t, contents(t, s.Files), map[string]string{"web.yaml": "name: web\n"})
	over.Login.SSH.KnownHosts = []string{os.DevNull}
	if _, err = over.Read(t.Context()); err == nil {
		t.Error("read from a server whose key is not known")
	}
}
