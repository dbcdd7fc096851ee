package trust

import (
	"bytes"
	"crypto/rsa"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hiddeco/sshsig"
	"golang.org/x/crypto/ssh"

	"profilesync/internal/source/repository"
)

// namespace is what git has SSH keys sign for, so that no signature of another
// purpose (a file, a login) can pass for one of git.
const namespace = "git"

// verifySSH checks an armored SSH signature at the time its object bears.
func verifySSH(signers []signer, s signed, object Object, now time.Time) (Signature, error) {
	sig, err := unarmorSSH(s.signature)
	if err != nil {
		return Signature{}, err
	}
	named := fmt.Sprintf("%s key %s", sig.PublicKey.Type(), ssh.FingerprintSHA256(plain(sig.PublicKey)))
	at, err := madeAt(s.payload, object)
	if err != nil {
		return Signature{}, err
	}
	allowed, denied := allowedBy(signers, sig, at, now.Location())
	if errors.Is(denied, ErrUnknownKey) {
		return Signature{}, fmt.Errorf("%w: %s", ErrUnknownKey, named)
	}
	if err := strengthSSH(sig); err != nil {
		return Signature{}, fmt.Errorf("%w: %s: %w", ErrWeak, named, err)
	}
	if sig.Namespace != namespace {
		return Signature{}, fmt.Errorf("%w: %s has signed for %q, not for %q", ErrNotAllowed, named, repository.Printable(sig.Namespace), namespace)
	}
	if err := sshsig.Verify(bytes.NewReader(s.payload), sig, sig.PublicKey, sig.HashAlgorithm, namespace); err != nil {
		return Signature{}, fmt.Errorf("%w: not by %s, or changed since", ErrBad, named)
	}
	if denied != nil {
		return Signature{}, fmt.Errorf("%s: %w", named, denied)
	}
	return Signature{Kind: "ssh", By: allowed, Fingerprint: ssh.FingerprintSHA256(plain(sig.PublicKey)), When: at}, nil
}

// unarmorSSH decodes a signature; nothing may stand around it.
func unarmorSSH(text []byte) (*sshsig.Signature, error) {
	block, rest := pem.Decode(text)
	switch {
	case block == nil || !bytes.HasPrefix(text, []byte(sshForm)) || block.Type != sshsig.PEMType || len(block.Headers) > 0:
		return nil, fmt.Errorf("%w: its armor is damaged", ErrBad)
	case len(bytes.TrimSpace(rest)) > 0:
		return nil, fmt.Errorf("%w: there is text behind the signature", ErrBad)
	}
	sig, err := sshsig.ParseSignature(block.Bytes)
	if err != nil {
		return nil, damagedSignature(err)
	}
	return sig, nil
}

// plain is the key that a certificate is about, or the key itself.
func plain(key ssh.PublicKey) ssh.PublicKey {
	if certificate, is := key.(*ssh.Certificate); is {
		return certificate.Key
	}
	return key
}

// allowedBy returns the principal of the first line that allows the signature.
// Of several reasons not to, it returns that of the last line with the key; an
// ErrUnknownKey is that no line has it. A key with several lines is trusted if one of them allows it.
func allowedBy(signers []signer, sig *sshsig.Signature, at time.Time, zone *time.Location) (string, error) {
	denied := ErrUnknownKey
	for _, s := range signers {
		if !s.isAbout(sig.PublicKey) {
			continue
		}
		principal, err := s.allows(sig.PublicKey, at, zone)
		if err == nil {
			return principal, nil
		}
		denied = err
	}
	return "", denied
}

// isAbout tells whether a line lists the key, or the authority that certifies it.
func (s signer) isAbout(key ssh.PublicKey) bool {
	if certificate, is := key.(*ssh.Certificate); is {
		return s.authority && same(certificate.SignatureKey, s.key)
	}
	return !s.authority && same(key, s.key)
}

func same(a, b ssh.PublicKey) bool { return bytes.Equal(a.Marshal(), b.Marshal()) }

// allows returns who the line says has signed at that time.
func (s signer) allows(key ssh.PublicKey, at time.Time, zone *time.Location) (string, error) {
	if s.namespaces != "" && !listed(namespace, s.namespaces) {
		return "", fmt.Errorf("%w: line %d allows the namespaces %q, and not %q", ErrNotAllowed, s.line, s.namespaces, namespace)
	}
	if after := s.validAfter.in(zone); !after.IsZero() && at.Before(after) {
		return "", fmt.Errorf("%w: line %d allows it from %s on, and this is of %s", ErrExpired, s.line, stamp(after), stamp(at))
	}
	if before := s.validBefore.in(zone); !before.IsZero() && at.After(before) {
		return "", fmt.Errorf("%w: line %d allows it until %s, and this is of %s", ErrExpired, s.line, stamp(before), stamp(at))
	}
	if certificate, is := key.(*ssh.Certificate); is {
		return s.certified(certificate, at)
	}
	for name := range strings.SplitSeq(s.principals, ",") {
		if !strings.HasPrefix(name, "!") && listed(name, s.principals) {
			return repository.Printable(name), nil
		}
	}
	return "", fmt.Errorf("%w: line %d names nobody whom it allows", ErrNotAllowed, s.line)
}

// certified returns the first principal of a certificate that the line of its authority allows.
func (s signer) certified(c *ssh.Certificate, at time.Time) (string, error) {
	if c.CertType != ssh.UserCert {
		return "", fmt.Errorf("%w: the certificate %q is a host's", ErrNotAllowed, repository.Printable(c.KeyId))
	}
	if c.Signature.Format == ssh.KeyAlgoRSA {
		return "", fmt.Errorf("%w: the certificate %q is signed with SHA-1", ErrWeak, repository.Printable(c.KeyId))
	}
	name := slices.IndexFunc(c.ValidPrincipals, func(name string) bool { return listed(name, s.principals) })
	if name < 0 {
		return "", fmt.Errorf("%w: line %d allows none of the certificate's principals %q", ErrNotAllowed, s.line, c.ValidPrincipals)
	}
	checker := ssh.CertChecker{Clock: func() time.Time { return at }}
	if err := checker.CheckCert(c.ValidPrincipals[name], c); err != nil {
		kind := ErrBad
		second, before := uint64(at.Unix()), c.ValidBefore
		switch {
		case len(c.CriticalOptions) > 0: // which say what a login with it may do
			kind = ErrNotAllowed
		case second < c.ValidAfter || before != ssh.CertTimeInfinity && second >= before:
			kind = ErrExpired
		}
		return "", fmt.Errorf("%w: %s", kind, repository.Printable(err.Error()))
	}
	return repository.Printable(c.ValidPrincipals[name]), nil
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// strengthSSH says what is too weak about a key or its algorithm.
func strengthSSH(sig *sshsig.Signature) error {
	switch sig.Signature.Format {
	case ssh.KeyAlgoRSA:
		return errors.New("digest SHA-1")
	case "ssh-dss":
		return errors.New("DSA")
	}
	crypto, is := plain(sig.PublicKey).(ssh.CryptoPublicKey)
	if !is {
		return nil
	}
	if public, is := crypto.CryptoPublicKey().(*rsa.PublicKey); is && public.N.BitLen() < minRSA {
		return fmt.Errorf("RSA of %d bits", public.N.BitLen())
	}
	return nil
}
