// Package trust says whether somebody who is trusted has signed a commit, or
// the annotated tag that led to it: with an OpenPGP key out of a keyring, or
// with an SSH key that an allowed_signers file names.
//
// It judges the bytes of the objects as they are stored, which the hash of a
// revision is over, and never a decoded copy of them. What git verify-commit and
// git verify-tag refuse, it refuses; it goes further in a few things, which Keys.Check lists.
// It does not compare a signer with the author or the committer, nor does git.
//
// The package is pure: it opens no file, asks no key server and no gpg, runs
// nothing, and knows neither the time nor the time zone but by its arguments.
package trust

import (
	"cmp"
	"errors"
	"fmt"
	"time"
)

// ErrUntrusted is every refusal of a revision. With it comes one of the
// errors below, and for an Either at times two.
var ErrUntrusted = errors.New("revision not trusted")

// Why a revision is not trusted.
var (
	ErrUnsigned    = errors.New("not signed")
	ErrNoTag       = errors.New("no annotated tag")           // a tag was demanded, and a branch, a commit or a plain tag was asked for
	ErrTagName     = errors.New("signed under another name")  // a signed tag has been put in another's place
	ErrUnknownKey  = errors.New("unknown key")                // no trusted key has made the signature
	ErrBad         = errors.New("bad signature")              // what is signed, or the signature, was changed
	ErrExpired     = errors.New("expired")                    // the key, its certificate, or the signature
	ErrRevoked     = errors.New("revoked key")                // by its owner, in the keyring
	ErrNotAllowed  = errors.New("key not allowed for this")   // another namespace, or no key for signing
	ErrWeak        = errors.New("weak signature")             // RSA below 2048 bits, DSA, MD5, SHA-1
	ErrSeveral     = errors.New("more than one signature")    // of which it would be open who has to be trusted
	ErrUnsupported = errors.New("unsupported signature form") // X.509, and what no version of git writes
)

// ErrKeys is a policy that cannot be followed: it names no key, or a file
// that cannot be read as what it is said to be.
var ErrKeys = errors.New("trusted keys")

// Object says which object has to be signed.
type Object string

// The objects of a Policy.
const (
	Commit Object = "commit"
	Tag    Object = "tag"    // the annotated tag that was asked for by its name
	Either Object = "either" // such a tag, or the commit
)

// Policy says whose signature a revision needs. The zero value asks for nothing.
type Policy struct {
	Object Object
	// OpenPGP are files of OpenPGP public keys, armored (any number of blocks)
	// or binary, as gpg --export writes them.
	OpenPGP []string
	// AllowedSigners are files in the format of gpg.ssh.allowedSignersFile; see ALLOWED SIGNERS in ssh-keygen(1).
	AllowedSigners []string
}

// Asks tells whether the policy asks for anything.
func (p Policy) Asks() bool { return p.Object != "" || len(p.OpenPGP)+len(p.AllowedSigners) > 0 }

// Signature is one that was found good. The zero value is none.
type Signature struct {
	Kind        string    // "openpgp" or "ssh"
	By          string    // the key's primary user id, or the principal that an allowed_signers file gives it
	Fingerprint string    // of the very key that signed, as gpg (in capitals) or ssh-keygen ("SHA256:...") write it
	Object      Object    // what is signed: Commit or Tag
	When        time.Time // when it says it was made: for SSH, when the object was
}

// Keys are what a Policy trusts, ready to check with. The zero value asks for nothing.
type Keys struct {
	object  Object
	openpgp keyring
	ssh     []signer
}

// Load reads the files of the policy with read, which has to bound what it
// returns. It refuses every file in which it finds no key, and an
// allowed_signers file for any line that it does not understand.
func (p Policy) Load(read func(file string) ([]byte, error)) (Keys, error) {
	if !p.Asks() {
		return Keys{}, nil
	}
	keys := Keys{object: cmp.Or(p.Object, Commit)}
	switch keys.object {
	case Commit, Tag, Either:
	default:
		return Keys{}, fmt.Errorf("%w: %q is none of %q, %q and %q", ErrKeys, p.Object, Commit, Tag, Either)
	}
	if len(p.OpenPGP)+len(p.AllowedSigners) == 0 {
		return Keys{}, fmt.Errorf("%w: no file of them is named", ErrKeys)
	}
	for _, file := range p.OpenPGP {
		content, err := read(file)
		if err == nil {
			err = keys.openpgp.add(content)
		}
		if err != nil {
			return Keys{}, fmt.Errorf("%w: OpenPGP keys of %q: %w", ErrKeys, file, err)
		}
	}
	for _, file := range p.AllowedSigners {
		content, err := read(file)
		if err != nil {
			return Keys{}, fmt.Errorf("%w: allowed signers of %q: %w", ErrKeys, file, err)
		}
		signers, err := parseSigners(content)
		if err != nil {
			return Keys{}, fmt.Errorf("%w: allowed signers of %q: %w", ErrKeys, file, err)
		}
		keys.ssh = append(keys.ssh, signers...)
	}
	return keys, nil
}
