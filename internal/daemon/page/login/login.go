// Package login says who a request is from: by a bearer token, by a name and a
// password, or by a client certificate that the server has verified.
//
// Secrets are asked for anew at each request, so that they can be replaced while
// the process runs, and are compared in a time that tells nothing about them.
// Guessing is slowed down for each address. The package never says who may do
// what, and never logs or returns a secret.
package login

import (
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"profilesync/internal/daemon/guess"
)

// Options are the ways to log in. Without any of them nobody can.
type Options struct {
	Bearer       func() (string, error) // the token; nil: none is taken
	Username     string                 // "" : no password is taken
	Password     func() (string, error)
	Certificates bool             // a client certificate that the server has verified is a login
	Now          func() time.Time // nil: the wall clock
}

// What can be wrong with a login. Anything else that [Gate.Who] returns says
// why a secret cannot be read.
var (
	ErrWrong   = errors.New("wrong login")
	ErrTooMany = errors.New("too many wrong logins from this address")
)

// Gate tells who a request is from. It may be used by several goroutines.
type Gate struct {
	options Options
	guesses guess.Failures
}

// New returns a gate with these ways in.
func New(options Options) *Gate {
	if options.Now == nil {
		options.Now = time.Now
	}
	return &Gate{options: options}
}

// Configured reports whether there is a way to log in.
func (g *Gate) Configured() bool {
	return g.options.Bearer != nil || g.hasPassword() || g.options.Certificates
}

func (g *Gate) hasPassword() bool { return g.options.Username != "" && g.options.Password != nil }

// Who names whoever sent the request, or returns "" for somebody who does not
// say. An error is about a login that was tried: nobody is let in by it, not
// even where no login is needed.
func (g *Gate) Who(r *http.Request) (string, error) {
	if name, verified := certificate(r); verified && g.options.Certificates {
		return name, nil
	}
	headers := r.Header.Values("Authorization")
	if len(headers) == 0 || !g.Configured() {
		return "", nil
	}
	now := g.options.Now()
	if g.guesses.Wait(r.RemoteAddr, now) > 0 {
		return "", ErrTooMany
	}
	name, err := g.check(r, headers)
	if errors.Is(err, ErrWrong) {
		g.guesses.Add(r.RemoteAddr, now)
	}
	return name, err
}

func (g *Gate) check(r *http.Request, headers []string) (string, error) {
	if len(headers) > 1 {
		return "", ErrWrong
	}
	if scheme, token, _ := strings.Cut(headers[0], " "); g.options.Bearer != nil && strings.EqualFold(scheme, "Bearer") {
		want, err := secret("bearer token", g.options.Bearer)
		if err != nil {
			return "", err
		}
		if !same(strings.TrimSpace(token), want) {
			return "", ErrWrong
		}
		return "token", nil
	}
	username, password, ok := r.BasicAuth()
	if !ok || !g.hasPassword() {
		return "", ErrWrong
	}
	want, err := secret("password", g.options.Password)
	if err != nil {
		return "", err
	}
	rightName, rightPassword := same(username, g.options.Username), same(password, want)
	if !rightName || !rightPassword {
		return "", ErrWrong
	}
	return username, nil
}

// secret reads what a login has to match. One that is empty would let everybody
// in, and is no secret.
func secret(what string, read func() (string, error)) (string, error) {
	value, err := read()
	if err != nil {
		return "", fmt.Errorf("%s: %w", what, err)
	}
	if value == "" {
		return "", fmt.Errorf("%s: it is empty", what)
	}
	return value, nil
}

// same compares hashes: the time it takes depends on neither text, nor on how
// long the right one is.
func same(a, b string) bool {
	hashA, hashB := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(hashA[:], hashB[:]) == 1
}

// certificate names the owner of a verified client certificate.
func certificate(r *http.Request) (string, bool) {
	if r.TLS == nil || len(r.TLS.VerifiedChains) == 0 || len(r.TLS.VerifiedChains[0]) == 0 {
		return "", false
	}
	return nameOf(r.TLS.VerifiedChains[0][0]), true
}

func nameOf(c *x509.Certificate) string {
	switch {
	case c.Subject.CommonName != "":
		return c.Subject.CommonName
	case len(c.URIs) > 0:
		return c.URIs[0].String()
	case len(c.DNSNames) > 0:
		return c.DNSNames[0]
	case len(c.EmailAddresses) > 0:
		return c.EmailAddresses[0]
	}
	return "certificate " + c.SerialNumber.String()
}

// Challenges are the values of WWW-Authenticate that say how to log in. There
// is none for a certificate, which the handshake asks for.
func (g *Gate) Challenges() []string {
	var challenges []string
	if g.hasPassword() {
		challenges = append(challenges, `Basic realm="profilesync", charset="UTF-8"`)
	}
	if g.options.Bearer != nil {
		challenges = append(challenges, `Bearer realm="profilesync"`)
	}
	return challenges
}
