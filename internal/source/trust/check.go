package trust

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"time"

	"profilesync/internal/source/repository"
)

// Check returns the signature that makes a revision trusted, or an ErrUntrusted
// that says which object is at fault, who signed it as far as that is known, and why that is not enough.
// Keys that ask for nothing return no signature and no error. now is the
// present, in the time zone in which times of an allowed_signers file without a "Z" are meant.
//
// When: an OpenPGP key has to be valid now, as for gpg: a key that has expired
// or was revoked takes what it has signed with it. An SSH key has to be allowed
// at the time the commit or tag bears, as for git, so that what was signed
// before valid-before stays good; that time is the signer's own word.
//
// A tag vouches for its name, so it has to be asked for by that name: a signed
// "v1" that a server shows as refs/tags/v2 is refused. git verify-tag does not look.
// For an Either it is enough if one of the two is signed well. A commit vouches
// for no branch and for no repository: an old one, or one of elsewhere, is signed as well as ever.
// Asking for descent keeps those out.
//
// Refused, although git accepts it: RSA keys below 2048 bits, DSA keys and SHA-1;
// an OpenPGP signature in text mode, in a "PGP MESSAGE", or dated in the future; a text
// before or behind the armor; SSH certificates with a critical option; an SSH
// security key's signature without a touch.
func (k Keys) Check(c repository.Commit, now time.Time) (Signature, error) {
	switch k.object {
	case Commit:
		return k.checkCommit(c, now)
	case Tag:
		return k.checkTag(c, now)
	case Either:
		s, errTag := k.checkTag(c, now)
		if errTag == nil {
			return s, nil
		}
		s, errCommit := k.checkCommit(c, now)
		if errCommit == nil {
			return s, nil
		}
		if errors.Is(errTag, ErrNoTag) {
			return Signature{}, errCommit
		}
		return Signature{}, fmt.Errorf("%w; and %w", errTag, errCommit)
	}
	return Signature{}, nil
}

func (k Keys) checkCommit(c repository.Commit, now time.Time) (Signature, error) {
	s, err := splitCommit(c.Raw)
	var found Signature
	if err == nil {
		found, err = k.verify(s, Commit, now)
	}
	if err != nil {
		return Signature{}, fmt.Errorf("%w: commit %.12s: %w", ErrUntrusted, c.Hash, err)
	}
	return found, nil
}

// checkTag looks at the outermost tag. By its hash it vouches for what it leads to.
func (k Keys) checkTag(c repository.Commit, now time.Time) (Signature, error) {
	if len(c.Tags) == 0 {
		what := c.Ref
		if what == "" {
			what = "commit " + c.Hash.String()[:12]
		}
		return Signature{}, fmt.Errorf("%w: %s: %w", ErrUntrusted, what, ErrNoTag)
	}
	s, err := splitTag(c.Tags[0].Raw)
	var found Signature
	if err == nil {
		found, err = k.verify(s, Tag, now)
	}
	name, _ := headerValue(s.payload, "tag")
	if err == nil && c.Ref != "" && c.Ref != "refs/tags/"+name {
		err = fmt.Errorf("%w: it is %q by %s", ErrTagName, name, found.By)
	}
	if err != nil {
		what := strings.TrimPrefix(c.Ref, "refs/tags/")
		if what == "" {
			what = c.Tags[0].Hash.String()[:12]
		}
		return Signature{}, fmt.Errorf("%w: tag %q: %w", ErrUntrusted, what, err)
	}
	return found, nil
}

// verify checks one signature, of whichever form it is.
func (k Keys) verify(s signed, object Object, now time.Time) (Signature, error) {
	var found Signature
	var err error
	switch which := form(s.signature); which {
	case openpgpForm:
		found, err = k.openpgp.verify(s, now)
	case sshForm:
		found, err = verifySSH(k.ssh, s, object, now)
	case x509Form:
		err = fmt.Errorf("%w: X.509 (gpgsm)", ErrUnsupported)
	default:
		first, _, _ := bytes.Cut(s.signature, []byte{'\n'})
		err = fmt.Errorf("%w: it begins with %q", ErrUnsupported, repository.Printable(string(first)))
	}
	if err != nil {
		return Signature{}, err
	}
	found.Object = object
	return found, nil
}
