package trust

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/hiddeco/sshsig"
	"golang.org/x/crypto/ssh"

	"profilesync/internal/source/gittest"
)

// publicKey returns "type base64" of a key that ssh-keygen has made.
func publicKey(t *testing.T, file string) string {
	t.Helper()
	content, err := os.ReadFile(file + ".pub")
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(content))
}

// certificate has an authority certify a key and returns its file.
func certificate(t *testing.T, authority, key string, args ...string) string {
	t.Helper()
	gittest.SSHKeygen(t, append(append([]string{"-q", "-s", authority, "-I", "an id"}, args...), key+".pub")...)
	return key + "-cert.pub"
}

// resigned puts a signature into a commit that has none, or another.
func (w *world) resigned(id string, signature []byte) string {
	w.t.Helper()
	raw := w.raw("commit", id)
	if s, err := splitCommit([]byte(raw)); err == nil {
		raw = string(s.payload)
	}
	head, message, _ := strings.Cut(raw, "\n\n")
	header := "\ngpgsig " + strings.ReplaceAll(strings.TrimSpace(string(signature)), "\n", "\n ")
	return w.store("commit", head+header+"\n\n"+message)
}

func TestSSHAsGitJudgesIt(t *testing.T) {
	w := newWorld(t)
	key := func(args ...string) (file, public string) {
		file = gittest.SSHKey(t, args...)
		return file, publicKey(t, file)
	}
	ed, edPublic := key("-t", "ed25519")
	rsa, rsaPublic := key("-t", "rsa", "-b", "2048")
	short, shortPublic := key("-t", "rsa", "-b", "1024")
	ec, ecPublic := key("-t", "ecdsa", "-b", "256")
	ec5, ec5Public := key("-t", "ecdsa", "-b", "521")
	other, otherPublic := key("-t", "ed25519")
	ca, caPublic := key("-t", "ed25519")
	by := func(key string) string { return w.signed(key, sshBy()...) }
	good := by(ed)
	certified := func(args ...string) string {
		key, _ := key("-t", "ed25519")
		return by(certificate(t, ca, key, args...))
	}
	valid := certified("-n", "ada@example.com", "-V", "20250101:20270101")
	forFile := w.resigned(good, signFor(t, w, ed, "file", good))
	w.repo.Git("-c", "gpg.format=ssh", "tag", "-u", ed, "-m", "x", "a-tag") // which does not matter
	const ada = "ada@example.com "

	rows := []struct {
		name     string
		id       string
		allowed  string
		why      error
		stricter bool
	}{
		{"by an Ed25519 key", good, ada + edPublic, nil, false},
		{"by an RSA key", by(rsa), ada + rsaPublic, nil, false},
		{"by an ECDSA key", by(ec), ada + ecPublic, nil, false},
		{"by an ECDSA key of 521 bits", by(ec5), ada + ec5Public, nil, false},
		{"by a key with a comment", good, "# all of us\n\n\t" + ada + edPublic + " ada's own key\n", nil, false},
		{"by one of several", good, "eve@example.com " + otherPublic + "\n" + ada + edPublic, nil, false},
		{"by somebody in quotes", good, `"ada@example.com" ` + edPublic, nil, false},
		{"by one name of several", good, "ada@example.com,robot@example.com " + edPublic, nil, false},
		{"by anybody of a domain", good, "*@example.com " + edPublic, nil, false},
		{"by anybody but", good, "*@example.com,!eve@example.com " + edPublic, nil, false},
		{"by nobody at all", good, "!*,ada@example.com " + edPublic, ErrNotAllowed, false},
		{"for git", good, ada + `namespaces="git" ` + edPublic, nil, false},
		{"for git and more", good, ada + `namespaces="file,g?t*" ` + edPublic, nil, false},
		{"for files", good, ada + `namespaces="file" ` + edPublic, ErrNotAllowed, false},
		{"for all but git", good, ada + `namespaces="*,!git" ` + edPublic, ErrNotAllowed, false},
		{"in a key's time", good, ada + `valid-after="20260101",valid-before="20260103Z" ` + edPublic, nil, false},
		{"to the second", good, ada + `valid-after="20260102030405Z",valid-before="20260102030406Z" ` + edPublic, nil, false},
		{"too early", good, ada + `valid-after="20260102030406Z" ` + edPublic, ErrExpired, false},
		{"too late", good, ada + `valid-before="20260102030404Z" ` + edPublic, ErrExpired, false},
		{"too late by the minute", good, ada + `VALID-BEFORE="202601020304Z" ` + edPublic, ErrExpired, false},
		{"by a key of an old line and a new one", good, ada + `valid-before="20250101" ` + edPublic + "\n" + ada + edPublic, nil, false},
		{"by an unknown key", by(other), ada + edPublic, ErrUnknownKey, false},
		{"by an authority itself", good, ada + "cert-authority " + edPublic, ErrUnknownKey, false},
		{"not at all", w.repo.Commit("Unsigned"), ada + edPublic, ErrUnsigned, false},
		{"with another message", w.changed(good, "\n\nSigned", "\n\nForged"), ada + edPublic, ErrBad, false},
		{"with another author", w.changed(good, "author Ada", "author Eve"), ada + edPublic, ErrBad, false},
		{"with another time", w.changed(good, "1767323045 +0000\ngpgsig", "1767323046 +0000\ngpgsig"), ada + edPublic, ErrBad, false},
		{"without a time", w.changed(good, "committer Ada <ada@example.com> 1767323045 +0000", "committer Ada <ada@example.com>"), ada + edPublic, ErrBad, false},
		{"for another purpose", forFile, ada + edPublic, ErrNotAllowed, false},
		{"with text behind it", w.changed(good, "-----END SSH SIGNATURE-----\n", "-----END SSH SIGNATURE-----\n and more\n"), ada + edPublic, ErrBad, true},
		{"cut short", w.changed(good, "-----END SSH SIGNATURE-----\n", ""), ada + edPublic, ErrBad, false},
		{"by a key of 1024 bits", by(short), ada + shortPublic, ErrWeak, true},
		{"by a certificate", valid, ada + "cert-authority " + caPublic, nil, false},
		{"by a certificate of a domain", valid, "*@example.com cert-authority " + caPublic, nil, false},
		{"by a certificate for another", valid, "eve@example.com cert-authority " + caPublic, ErrNotAllowed, false},
		{"by a certificate, and not its authority", valid, ada + caPublic, ErrUnknownKey, false},
		{"by a certificate of another authority", valid, ada + "cert-authority " + otherPublic, ErrUnknownKey, false},
		{"by an expired certificate", certified("-n", "ada@example.com", "-V", "20250101:20250201"), ada + "cert-authority " + caPublic, ErrExpired, false},
		{"by a certificate of tomorrow", certified("-n", "ada@example.com", "-V", "20260201:20270201"), ada + "cert-authority " + caPublic, ErrExpired, false},
		{"by a certificate without a name", certified(), ada + "cert-authority " + caPublic, ErrNotAllowed, false},
		{"by a host's certificate", certified("-h", "-n", "ada@example.com"), ada + "cert-authority " + caPublic, ErrNotAllowed, false},
		{"by a certificate with a critical option", certified("-n", "ada@example.com", "-O", "force-command=true"), ada + "cert-authority " + caPublic, ErrNotAllowed, true},
		{"by a certificate that nobody signed", w.changed(valid, certLine(t, w, valid), flippedBase64(certLine(t, w, valid))), ada + "cert-authority " + caPublic, ErrBad, false},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			w := w.in(t)
			w.allow(row.allowed)
			w.agrees(Commit, row.id, row.why, row.stricter)
		})
	}
}

// signFor has ssh-keygen sign a commit for another purpose than git's.
func signFor(t *testing.T, w *world, key, purpose, id string) []byte {
	t.Helper()
	s, err := splitCommit([]byte(w.raw("commit", id)))
	if err != nil {
		t.Fatal(err)
	}
	file := t.TempDir() + "/payload"
	if err := os.WriteFile(file, s.payload, 0o600); err != nil {
		t.Fatal(err)
	}
	gittest.SSHKeygen(t, "-Y", "sign", "-n", purpose, "-f", key, file)
	signature, err := os.ReadFile(file + ".sig")
	if err != nil {
		t.Fatal(err)
	}
	return signature
}

// certLine is a line amid the armor of a certificate's signature.
func certLine(t *testing.T, w *world, id string) string {
	t.Helper()
	s, err := splitCommit([]byte(w.raw("commit", id)))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(string(s.signature), "\n")[6]
}

func flippedBase64(line string) string {
	b, _ := base64.StdEncoding.DecodeString(line[:len(line)/4*4])
	b[5] ^= 1
	return base64.StdEncoding.EncodeToString(b) + line[len(line)/4*4:]
}

// securityKey is a FIDO token in software: what it signs has a flag for a touch.
type securityKey struct {
	private ed25519.PrivateKey
	flags   byte
}

const skType, skApplication = "sk-ssh-ed25519@openssh.com", "ssh:"

func (k securityKey) PublicKey() ssh.PublicKey {
	key, err := ssh.ParsePublicKey(ssh.Marshal(struct {
		Type, Key, Application string
	}{skType, string(k.private.Public().(ed25519.PublicKey)), skApplication}))
	if err != nil {
		panic(err)
	}
	return key
}

func (k securityKey) Sign(_ io.Reader, data []byte) (*ssh.Signature, error) {
	application, message := sha256.Sum256([]byte(skApplication)), sha256.Sum256(data)
	rest := binary.BigEndian.AppendUint32([]byte{k.flags}, 7)
	signed := append(append(application[:], rest...), message[:]...)
	return &ssh.Signature{Format: skType, Blob: ed25519.Sign(k.private, signed), Rest: rest}, nil
}

func TestASecurityKeyHasToBeTouched(t *testing.T) {
	w := newWorld(t)
	id := w.repo.Commit("Signed")
	for _, row := range []struct {
		name     string
		flags    byte
		why      error
		stricter bool
	}{{"touched", 1, nil, false}, {"not touched", 0, ErrBad, true}} {
		t.Run(row.name, func(t *testing.T) {
			w := w.in(t)
			key := securityKey{ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, 32)), row.flags}
			sig, err := sshsig.Sign(strings.NewReader(w.raw("commit", id)), key, sshsig.HashSHA512, namespace)
			if err != nil {
				t.Fatal(err)
			}
			w.allow("ada@example.com " + string(ssh.MarshalAuthorizedKey(key.PublicKey())))
			w.agrees(Commit, w.resigned(id, sshsig.Armor(sig)), row.why, row.stricter)
		})
	}
}

func TestAnSSHSignatureWithSHA1IsNone(t *testing.T) {
	w := newWorld(t)
	id := w.repo.Commit("Signed")
	file := gittest.SSHKey(t, "-t", "rsa", "-b", "2048")
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	key, err := ssh.ParsePrivateKey(content)
	if err != nil {
		t.Fatal(err)
	}
	w.allow("ada@example.com " + publicKey(t, file))
	sig, err := sshsig.Sign(strings.NewReader(w.raw("commit", id)), sha1Signer{key.(ssh.AlgorithmSigner)}, sshsig.HashSHA256, namespace)
	if err != nil {
		t.Fatal(err)
	}
	w.agrees(Commit, w.resigned(id, sshsig.Armor(sig)), ErrBad, false)
}

// sha1Signer signs as SSH did before 2016, whatever it is asked for.
type sha1Signer struct{ ssh.AlgorithmSigner }

func (s sha1Signer) SignWithAlgorithm(rand io.Reader, data []byte, algorithm string) (*ssh.Signature, error) {
	if algorithm != ssh.KeyAlgoRSASHA512 {
		return nil, errors.New("not asked for by sshsig")
	}
	return s.AlgorithmSigner.SignWithAlgorithm(rand, data, ssh.KeyAlgoRSA)
}
