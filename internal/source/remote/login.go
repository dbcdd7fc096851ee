package remote

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/url"
	"strings"

	"profilesync/internal/source/remote/secret"
)

// Login says how to get into a server. It tells where secrets are, and they
// are read anew for each conversation: one that was replaced counts at once.
// The zero Login has no more than what the URL says.
type Login struct {
	// Username goes with Password. "" is that of the URL, or else "git", which
	// stands for anybody where the password is a token, and for everybody over
	// SSH.
	Username string

	// For http and https, one of these, or a password in the URL:

	Password secret.Place  // sent as Basic authorization
	Token    secret.Place  // sent as Bearer authorization
	Helper   secret.Helper // asked for a user name and a password

	// For https:

	// CA is a file of certificates (PEM) of authorities that are trusted
	// besides those the system trusts.
	CA string
	// Certificate and Key are files (PEM) with the certificate to show to a
	// server that asks for one, and its private key. An intermediate
	// certificate follows in the same file.
	Certificate, Key string

	// For http and https:

	// Proxy is the URL of a proxy (http, https, socks5), which may carry a
	// user name and a password, in place of what HTTPS_PROXY, HTTP_PROXY and
	// NO_PROXY of the environment say.
	Proxy string
	// ProxyPassword goes with the user name in Proxy.
	ProxyPassword secret.Place

	SSH SSH

	// Lookup reads the environment: for secrets that are there, and for
	// SSH_AUTH_SOCK and HOME. nil is an environment without variables.
	Lookup secret.Lookup
}

// SSH says how to get into a server over SSH.
type SSH struct {
	// Key is a file with a private key, as ssh-keygen makes it. "" is the
	// agent that SSH_AUTH_SOCK leads to.
	Key string
	// Passphrase decrypts Key.
	Passphrase secret.Place
	// KnownHosts are files with the keys of servers. None stands for
	// ~/.ssh/known_hosts and /etc/ssh/ssh_known_hosts. A server whose key no
	// file names is never talked to.
	KnownHosts []string
}

// Format shows nothing of a Login: the URL of a proxy may hold a password.
func (Login) Format(f fmt.State, _ rune) { io.WriteString(f, "(login)") }

// MarshalText encodes as little.
func (Login) MarshalText() ([]byte, error) { return []byte("(login)"), nil }

// check refuses settings that contradict each other or would go unheeded,
// which is seldom what somebody who sets them expects.
func (l Login) check(address *url.URL) error {
	overSSH := address.Scheme == "ssh"
	_, inURL := address.User.Password()
	var ways []string
	for _, way := range []struct {
		name string
		set  bool
	}{{"a password in the URL", inURL}, {"a password", !l.Password.IsZero()}, {"a token", !l.Token.IsZero()}, {"a credential helper", !l.Helper.IsZero()}} {
		if way.set {
			ways = append(ways, way.name)
		}
	}
	switch {
	case overSSH && len(ways) > 0:
		return fmt.Errorf("%w: %s is of no use over SSH, which takes a key", ErrLogin, ways[0])
	case overSSH && l.CA+l.Certificate+l.Key+l.Proxy != "":
		return fmt.Errorf("%w: certificates and proxies are of no use over SSH", ErrLogin)
	case !overSSH && (l.SSH.Key != "" || !l.SSH.Passphrase.IsZero() || len(l.SSH.KnownHosts) > 0):
		return fmt.Errorf("%w: keys and known hosts of SSH are of no use over %s", ErrLogin, address.Scheme)
	case overSSH && l.SSH.Key == "" && !l.SSH.Passphrase.IsZero():
		return fmt.Errorf("%w: a passphrase without a key file", ErrLogin)
	case len(ways) > 1:
		return fmt.Errorf("%w: %s: choose one", ErrLogin, strings.Join(ways, " and "))
	case (l.Certificate == "") != (l.Key == ""):
		return fmt.Errorf("%w: a client certificate takes both a certificate and a key", ErrLogin)
	case address.Scheme == "http" && l.CA+l.Certificate != "":
		return fmt.Errorf("%w: certificates are of no use over http", ErrLogin)
	}
	return nil
}

// anybody is the user where none is named. Hosts of Git take it over SSH, and
// with a token in place of a password.
const anybody = "git"

func (l Login) username(address *url.URL) string {
	return cmp.Or(l.Username, address.User.Username(), anybody)
}

// credentials are what a request is authorized with.
type credentials struct {
	username        string
	password, token secret.Text
	given           bool
}

// credentials reads or asks for what Login and the URL name.
func (l Login) credentials(ctx context.Context, address *url.URL) (credentials, error) {
	c := credentials{username: l.username(address)}
	var err error
	switch inURL, found := address.User.Password(); {
	case !l.Token.IsZero():
		c.given = true
		c.token, err = l.Token.Read("token", l.Lookup)
	case !l.Password.IsZero():
		c.given = true
		c.password, err = l.Password.Read("password", l.Lookup)
	case !l.Helper.IsZero():
		c.given = true
		c, err = l.ask(ctx, address)
	case found || address.User.Username() != "":
		// Also a user name alone: some hosts take a token there.
		c.given, c.password = true, secret.Text(inURL)
	}
	return c, err
}

// ask asks the credential helper.
func (l Login) ask(ctx context.Context, address *url.URL) (credentials, error) {
	answer, err := l.Helper.Get(ctx, secret.Question{
		Protocol: address.Scheme, Host: address.Host, Path: strings.TrimPrefix(address.Path, "/"),
		Username: cmp.Or(l.Username, address.User.Username()),
	})
	return credentials{username: cmp.Or(answer.Username, anybody), password: answer.Password, given: true}, err
}
