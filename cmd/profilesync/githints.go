package main

import (
	"errors"
	"fmt"

	"profilesync/internal/source"
	"profilesync/internal/source/remote"
	"profilesync/internal/source/remote/hostkey"
	"profilesync/internal/source/trust"
)

// gitHint is the next step after an error whose hint names what is in it.
func gitHint(err error) string {
	var key *remote.HostKeyError
	if errors.As(err, &key) {
		return hostKeyHint(key)
	}
	var rewind rewindError
	if errors.As(err, &rewind) {
		return "look at the history; if the branch was set back on purpose, permit exactly this with --allow-rewind " + rewind.revision
	}
	return ""
}

// hostKeyHint tells how to get to know a host, and what to compare first.
func hostKeyHint(key *remote.HostKeyError) string {
	scan := fmt.Sprintf("ssh-keyscan -p %s %s >> ~/.ssh/known_hosts", key.Port, key.Host)
	switch key.Reason {
	case hostkey.Unknown, hostkey.OtherType:
		return fmt.Sprintf("compare %s with what the host's operator says; if it is the same: %s", key.Fingerprint, scan)
	case hostkey.Changed:
		return fmt.Sprintf("ask the host's operator before anything else; if the key was changed on purpose: ssh-keygen -R '[%s]:%s' (or %s), then %s",
			key.Host, key.Port, key.Host, scan)
	case hostkey.Revoked:
		return "do not go on: somebody who knew has revoked this key"
	}
	return "ask the host's operator for a certificate that holds, or name the host's own key in known_hosts"
}

// gitHints are in order: an error is explained by the first that it is.
func gitHints() []hint {
	return []hint{
		{remote.ErrLogin, "source.login in profilesync.yaml says how to get in: see docs/git.md"},
		{remote.ErrCertificate, "if the authority is your own, name its certificate (PEM) with source.login.ca in profilesync.yaml, or in SSL_CERT_FILE"},
		{remote.ErrProxy, "the proxy comes from source.login.proxy in profilesync.yaml, or from HTTPS_PROXY and NO_PROXY"},
		{trust.ErrUnsigned, "sign it with git commit -S; where tags are signed, set source.verify.object: tag and name one with --ref"},
		{trust.ErrNoTag, "name a signed tag with --ref, or set source.verify.object: either"},
		{trust.ErrTagName, "a signed tag stands under another name: look at git ls-remote --tags before anything else"},
		{trust.ErrUnknownKey, "if you know whose key that is, add it to the file that source.verify in profilesync.yaml names"},
		{trust.ErrBad, "it was changed after it was signed: compare with git verify-commit in a clone that you trust"},
		{trust.ErrExpired, "extend the key and export it again; for SSH, see valid-before in allowed_signers. Is this machine's clock right?"},
		{trust.ErrRevoked, "have it signed again with another key"},
		{trust.ErrNotAllowed, `allowed_signers needs namespaces="git" or none for this key; an OpenPGP key needs the right to sign`},
		{trust.ErrWeak, "sign with Ed25519, or with RSA of 2048 bits and SHA-256 at least"},
		{source.ErrUntrusted, "sign it anew with one OpenPGP or SSH key"},
		{source.ErrKeys, "openpgp takes what gpg --export wrote, allowed_signers what ssh-keygen(1) describes"},
		{source.ErrNotDescended, "look at the history of the branch"},
		{errUnverifiable, "read it from Git, or leave source.verify and source.require_descent out of the configuration"},
	}
}
