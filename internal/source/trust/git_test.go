package trust

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"profilesync/internal/source/gittest"
	"profilesync/internal/source/repository"
)

// world is a repository, whom git trusts in it, and how commits come to be signed.
type world struct {
	t       *testing.T
	repo    *gittest.Repo
	trusted *gittest.GnuPG
	allowed string // the file of allowed signers
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, repo: gittest.New(t), trusted: gittest.NewGnuPG(t), allowed: filepath.Join(t.TempDir(), "allowed_signers")}
	w.repo.Git("config", "gpg.program", w.trusted.Program())
	w.repo.Git("config", "gpg.ssh.allowedSignersFile", w.allowed)
	w.repo.Commit("First")
	return w
}

// in is the same world in a sub-test.
func (w *world) in(t *testing.T) *world {
	return &world{t: t, repo: w.repo.In(t), trusted: w.trusted, allowed: w.allowed}
}

// signed makes a commit with options before and behind "commit" and returns it.
func (w *world) signed(key string, options ...string) string {
	w.t.Helper()
	args := append(options, "commit", "-q", "--allow-empty", "-m", "Signed", "-S"+key)
	w.repo.Git(args...)
	return w.repo.Git("rev-parse", "HEAD")
}

// signedMessage is signed with a message that git keeps as it is.
func (w *world) signedMessage(key, message string) string {
	w.t.Helper()
	w.repo.Input(message, "commit", "-q", "--allow-empty", "--cleanup=verbatim", "-F", "-", "-S"+key)
	return w.repo.Git("rev-parse", "HEAD")
}

// openpgpBy and sshBy are what git is told to sign with such keys.
func openpgpBy(program string) []string { return []string{"-c", "gpg.program=" + program} }
func sshBy() []string                   { return []string{"-c", "gpg.format=ssh"} }

// raw returns the very bytes of an object, which git prints without a newline of its own.
func (w *world) raw(kind, id string) string {
	w.t.Helper()
	cmd := exec.Command("git", "cat-file", kind, id)
	cmd.Dir = w.repo.Dir
	out, err := cmd.Output()
	if err != nil {
		w.t.Fatal(err)
	}
	return string(out)
}

// store writes an object as it is and returns its id.
func (w *world) store(kind, raw string) string {
	w.t.Helper()
	return w.repo.Input(raw, "hash-object", "-t", kind, "-w", "--literally", "--stdin")
}

// changed writes a commit in which one text stands for another.
func (w *world) changed(id, old, replacement string) string {
	w.t.Helper()
	raw := w.raw("commit", id)
	if !strings.Contains(raw, old) {
		w.t.Fatalf("no %q in %s", old, raw)
	}
	return w.store("commit", strings.Replace(raw, old, replacement, 1))
}

// keys loads what git trusts: the public keys of the home, and the allowed signers.
func (w *world) keys(object Object) Keys {
	w.t.Helper()
	policy := Policy{Object: object, OpenPGP: []string{"keys.asc"}}
	files := map[string][]byte{"keys.asc": []byte(w.trusted.Run("--armor", "--export"))}
	if content, err := os.ReadFile(w.allowed); err == nil {
		policy.AllowedSigners = []string{"allowed_signers"}
		files["allowed_signers"] = content
	}
	if len(files["keys.asc"]) == 0 {
		policy.OpenPGP = nil
	}
	keys, err := policy.Load(read(files))
	if err != nil {
		w.t.Fatal(err)
	}
	return keys
}

func read(files map[string][]byte) func(string) ([]byte, error) {
	return func(name string) ([]byte, error) {
		content, ok := files[name]
		if !ok {
			return nil, os.ErrNotExist
		}
		return content, nil
	}
}

// allow writes the file of allowed signers.
func (w *world) allow(lines ...string) {
	w.t.Helper()
	if err := os.WriteFile(w.allowed, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// commit reads a revision as the program does.
func (w *world) commit(ref string) repository.Commit {
	w.t.Helper()
	repo, err := repository.Open(w.repo.Dir)
	if err != nil {
		w.t.Fatal(err)
	}
	defer repo.Close()
	c, err := repo.Commit(w.t.Context(), ref)
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

// verdict is git's own, and what it says of the signer.
func (w *world) verdict(object Object, ref string) (good bool, signer, fingerprint string) {
	w.t.Helper()
	cmd := exec.Command("git", "verify-"+string(object), "--raw", ref)
	cmd.Dir = w.repo.Dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null")
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		w.t.Fatal(err)
	}
	w.t.Logf("git verify-%s: %t\n%s", object, err == nil, out)
	if object == Commit && err == nil {
		said := w.repo.Git("log", "-1", "--format=%GS%x00%GF", ref)
		signer, fingerprint, _ = strings.Cut(said, "\x00")
	}
	return err == nil, signer, fingerprint
}

// agrees asks both, and wants the same answer, or ours to be the stricter one
// where stricter is set. why is nil where the signature is good.
func (w *world) agrees(object Object, ref string, why error, stricter bool) Signature {
	w.t.Helper()
	s, err := w.keys(object).Check(w.commit(ref), time.Now())
	w.t.Logf("profilesync: %+v, %v", s, err)
	good, signer, fingerprint := w.verdict(object, ref)
	switch {
	case why == nil && err != nil:
		w.t.Errorf("refused: %v", err)
	case why != nil && (!errors.Is(err, why) || !errors.Is(err, ErrUntrusted)):
		w.t.Errorf("%v, want %q", err, why)
	case err == nil && !good:
		w.t.Error("good, and git refuses it")
	case err != nil && good != stricter:
		w.t.Errorf("refused, and git's verdict is %t, want %t", good, stricter)
	}
	if err == nil && object == Commit && (s.By != signer || s.Fingerprint != fingerprint) {
		w.t.Errorf("by %q with %s, and git says %q with %s", s.By, s.Fingerprint, signer, fingerprint)
	}
	if err != nil && s != (Signature{}) {
		w.t.Errorf("an error and a signature: %+v", s)
	}
	return s
}
