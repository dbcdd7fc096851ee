package source

import (
	"bytes"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"profilesync/internal/source/gittest"
	"profilesync/internal/source/trust"
)

// signers is a repository that ada signs, and the file of her key.
func signers(t *testing.T) (r *gittest.Repo, allowed string) {
	t.Helper()
	r = gittest.New(t)
	key := gittest.SSHKey(t, "-t", "ed25519")
	r.Git("config", "gpg.format", "ssh")
	r.Git("config", "user.signingkey", key)
	public, err := os.ReadFile(key + ".pub")
	if err != nil {
		t.Fatal(err)
	}
	return r, keyFile(t, "ada@example.com "+string(public))
}

func keyFile(t *testing.T, content string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "keys")
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestOnlyASignedRevisionIsRead(t *testing.T) {
	r, allowed := signers(t)
	r.Write(map[string]string{"web.yaml": "name: web\n"})
	r.Git("add", "-A")
	r.Git("commit", "-q", "-S", "-m", "Signed")
	r.Git("tag", "-s", "-m", "A release", "v1")
	r.Git("update-ref", "refs/tags/v2", r.Git("rev-parse", "v1"))
	r.Write(map[string]string{"web.yaml": "name: db\n"})
	r.Commit("Unsigned")
	server := r.Serve(nil)
	for where, url := range map[string]string{"on disk": r.Dir, "over HTTP": server.URL + "/" + r.Name()} {
		read := func(ref string, object trust.Object) (Snapshot, error) {
			return Git{URL: url, Ref: ref, Trust: trust.Policy{Object: object, AllowedSigners: []string{allowed}}}.Read(t.Context())
		}
		t.Run(where, func(t *testing.T) {
			for ref, object := range map[string]trust.Object{"v1": trust.Tag, r.Git("rev-parse", "main~1"): trust.Commit, "refs/tags/v1": trust.Either} {
				s, err := read(ref, object)
				if err != nil {
					t.Fatal(err)
				}
				same(t, contents(t, s.Files), map[string]string{"web.yaml": "name: web\n"})
				if s.Signature.Kind != "ssh" || s.Signature.By != "ada@example.com" || object != trust.Either && s.Signature.Object != object {
					t.Errorf("signature %+v", s.Signature)
				}
			}
			for ref, object := range map[string]trust.Object{"": trust.Commit, "main": trust.Tag, "v2": trust.Tag} {
				_, err := read(ref, object)
				fails(t, err, ErrUntrusted, "source")
			}
			if s, err := (Git{URL: url}).Read(t.Context()); err != nil || s.Signature != (trust.Signature{}) {
				t.Errorf("nobody has asked: %+v, %v", s.Signature, err)
			}
		})
	}
}

func TestNothingIsReadBeforeItIsTrusted(t *testing.T) {
	r, allowed := signers(t)
	r.Write(map[string]string{"web.yaml": "name: web\n"})
	r.Commit("Unsigned")
	tree := r.Git("rev-parse", "HEAD^{tree}")
	if err := os.Remove(filepath.Join(r.Dir, ".git/objects", tree[:2], tree[2:])); err != nil {
		t.Fatal(err)
	}
	_, err := Git{URL: r.Dir}.Read(t.Context())
	fails(t, err, ErrDamaged)
	_, err = Git{URL: r.Dir, Trust: trust.Policy{AllowedSigners: []string{allowed}}}.Read(t.Context())
	fails(t, err, ErrUntrusted)
}

func TestKeysAreReadAtEachRead(t *testing.T) {
	r, allowed := signers(t)
	r.Git("commit", "-q", "--allow-empty", "-S", "-m", "Signed")
	git := Git{URL: r.Dir, Trust: trust.Policy{Object: trust.Commit, AllowedSigners: []string{allowed}}}
	if _, err := git.Read(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, another := signers(t)
	if err := os.Rename(another, allowed); err != nil {
		t.Fatal(err)
	}
	_, err := git.Read(t.Context())
	fails(t, err, trust.ErrUnknownKey, "ssh-ed25519 key SHA256:")
}

func TestWhatIsKeptIsNotTrustedForThat(t *testing.T) {
	r, allowed := signers(t)
	r.Git("commit", "-q", "--allow-empty", "-S", "-m", "Signed")
	r.Git("tag", "-s", "-m", "A release", "v1")
	r.Git("update-ref", "refs/tags/v2", r.Git("rev-parse", "v1"))
	git := Git{URL: r.Serve(nil).URL + "/" + r.Name(), Ref: "v1", Cache: t.TempDir(), Trust: trust.Policy{Object: trust.Tag, AllowedSigners: []string{allowed}}}
	for _, kept := range []bool{false, true} {
		if s, err := git.Read(t.Context()); err != nil || s.Cached != kept || s.Signature.Object != trust.Tag {
			t.Fatalf("%+v, %v; want it kept: %t", s, err, kept)
		}
	}
	renamed := git
	renamed.Ref = "v2"
	_, err := renamed.Read(t.Context())
	fails(t, err, trust.ErrTagName)
	_, git.Trust.AllowedSigners[0] = signers(t)
	_, err = git.Read(t.Context())
	fails(t, err, trust.ErrUnknownKey)
}

func TestKeysThatCannotBeReadAskNothingOfTheServer(t *testing.T) {
	requests := 0
	address := small(t, func(http.Handler) http.Handler {
		return http.HandlerFunc(func(http.ResponseWriter, *http.Request) { requests++ })
	})
	for name, row := range map[string]struct {
		file string
		why  error
	}{
		"not there": {filepath.Join(t.TempDir(), "keys"), fs.ErrNotExist}, "a directory": {t.TempDir(), ErrRefused}, "a device": {os.DevNull, ErrRefused},
		"empty": {keyFile(t, ""), ErrKeys}, "too large": {keyFile(t, string(bytes.Repeat([]byte("#\n"), maxKeys/2+1))), ErrLimit},
	} {
		t.Run(name, func(t *testing.T) {
			for _, policy := range []trust.Policy{{OpenPGP: []string{row.file}}, {AllowedSigners: []string{row.file}}} {
				_, err := Git{URL: address, Trust: policy}.Read(t.Context())
				fails(t, err, ErrKeys, row.file)
				fails(t, err, row.why)
			}
		})
	}
	if requests > 0 {
		t.Errorf("%d requests", requests)
	}
}
