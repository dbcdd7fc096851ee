package remote

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"profilesync/internal/source/remote/secret"
)

// maxPEM bounds a file of keys or certificates; all public authorities together
// are a quarter of it.
const maxPEM = 1 << 20

// tls returns whom to trust and what to show. nil is what the system trusts.
func (l Login) tls() (*tls.Config, error) {
	if l.CA == "" && l.Certificate == "" {
		return nil, nil
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	var err error
	if l.CA != "" {
		if config.RootCAs, err = authorities(l.CA); err != nil {
			return nil, fmt.Errorf("%w: authorities: %w", ErrLogin, err)
		}
	}
	if l.Certificate != "" {
		pair, err := clientCertificate(l.Certificate, l.Key)
		if err != nil {
			return nil, fmt.Errorf("%w: client certificate: %w", ErrLogin, err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}

// authorities are those of the system, and those in the file. Every
// certificate in it must be one: a file that is cut short or is none at all
// would otherwise only show as a server that is not trusted.
func authorities(file string) (*x509.CertPool, error) {
	content, err := secret.ReadFile(file, maxPEM)
	if err != nil {
		return nil, err
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	count := 0
	for {
		block, rest := pem.Decode(content)
		if block == nil {
			break
		}
		content = rest
		if block.Type != "CERTIFICATE" {
			return nil, fmt.Errorf("file %q: a block %q, which is no certificate", file, block.Type)
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("file %q: certificate %d: %w", file, count+1, err)
		}
		pool.AddCert(certificate)
		count++
	}
	if count == 0 || bytes.Contains(content, []byte("-----BEGIN")) {
		return nil, fmt.Errorf("file %q: no certificate in PEM, or one that is cut short, after %d good ones", file, count)
	}
	return pool, nil
}

func clientCertificate(certificate, key string) (tls.Certificate, error) {
	shown, err := secret.ReadFile(certificate, maxPEM)
	if err != nil {
		return tls.Certificate{}, err
	}
	private, err := secret.ReadFile(key, maxPEM)
	if err != nil {
		return tls.Certificate{}, err
	}
	if block, _ := pem.Decode(private); block != nil && (block.Type == "ENCRYPTED PRIVATE KEY" || block.Headers["DEK-Info"] != "") {
		return tls.Certificate{}, fmt.Errorf("file %q: the key is encrypted: write it in clear into a file that only this program may read", key)
	}
	pair, err := tls.X509KeyPair(shown, private)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("files %q and %q: %w", certificate, key, err)
	}
	return pair, nil
}

// proxy returns the proxy to take, as http.Transport has it. What is wrong with
// the URL of one is not repeated: it may hold a password.
func (l Login) proxy() (func(*http.Request) (*url.URL, error), error) {
	if l.Proxy == "" {
		if !l.ProxyPassword.IsZero() {
			return nil, fmt.Errorf("%w: a password for a proxy, but no proxy", ErrLogin)
		}
		return http.ProxyFromEnvironment, nil
	}
	at, err := url.Parse(l.Proxy)
	if err != nil || at.Hostname() == "" || !slices.Contains([]string{"http", "https", "socks5", "socks5h"}, at.Scheme) {
		return nil, fmt.Errorf("%w: proxy: not a URL that begins with http://, https:// or socks5://", ErrLogin)
	}
	if !l.ProxyPassword.IsZero() {
		if at.User.Username() == "" {
			return nil, fmt.Errorf("%w: a password for a proxy, but no user name in its URL", ErrLogin)
		}
		password, err := l.ProxyPassword.Read("password of the proxy", l.Lookup)
		if err != nil {
			return nil, err
		}
		at.User = url.UserPassword(at.User.Username(), string(password))
	}
	return http.ProxyURL(at), nil
}
