package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"profilesync/internal/daemon/page/wire"
	"profilesync/internal/report"
)

var errNoDaemon = errors.New("no daemon answers")

const (
	faceTimeout = 10 * time.Second
	maxAnswer   = 64 << 20
)

// caller asks a running daemon.
type caller struct {
	base   *url.URL
	client *http.Client
	login  func(*http.Request)
}

// addressFlag names the daemon that is asked.
func (s *settings) addressFlag(flags *pflag.FlagSet) {
	flags.StringVar(&s.address, "address", "", "`URL` of the daemon (default the one of the configuration, http://"+defaultListen+")")
}

// caller finds out from the configuration where the daemon is, and how to log in.
func (s *settings) caller(cmd *cobra.Command) (*caller, error) {
	c, err := s.load(cmd)
	if err != nil {
		return nil, err
	}
	h := c.Daemon.HTTP
	address := s.address
	if address == "" {
		address = scheme(h.TLS) + "://" + local(cmp.Or(h.Listen, defaultListen))
	}
	base, err := url.Parse(address)
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return nil, usageError{fmt.Errorf("--address %s: want a URL such as http://%s", quote(address), defaultListen)}
	}
	transport, ok := http.DefaultTransport.(*http.Transport)
	if !ok {
		transport = &http.Transport{}
	}
	transport = transport.Clone()
	if transport.TLSClientConfig, err = trusting(h.TLS.Certificate); err != nil {
		return nil, err
	}
	login, err := s.loginWith(h.Auth)
	if err != nil {
		return nil, err
	}
	return &caller{base: base, client: &http.Client{Transport: transport, Timeout: faceTimeout}, login: login}, nil
}

func scheme(c tlsConfig) string {
	if c.Certificate != "" {
		return "https"
	}
	return "http"
}

// local is where a daemon that listens everywhere is reached from its machine.
func local(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return listen // the request says what is wrong with it
	}
	if host == "" || host == "0.0.0.0" || host == "::" {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}

// trusting trusts the daemon's own certificate, which may be nobody else's.
func trusting(certificate string) (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if certificate == "" {
		return config, nil
	}
	text, err := os.ReadFile(certificate)
	if err != nil {
		return nil, fmt.Errorf("certificate %q: %w", certificate, unwrapPath(err))
	}
	if config.RootCAs, err = x509.SystemCertPool(); err != nil {
		config.RootCAs = x509.NewCertPool()
	}
	config.RootCAs.AppendCertsFromPEM(text)
	return config, nil
}

func (s *settings) loginWith(c authConfig) (func(*http.Request), error) {
	switch {
	case !c.Bearer.place().IsZero():
		token, err := s.readSecret("token of the page", c.Bearer)
		return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }, err
	case c.Basic.Username != "":
		password, err := s.readSecret("password of the page", c.Basic.Password)
		return func(r *http.Request) { r.SetBasicAuth(c.Basic.Username, password) }, err
	}
	return func(*http.Request) {}, nil
}

// call asks for a path; a body is sent as JSON. What the daemon refuses is an
// error with its words.
func (c *caller) call(ctx context.Context, method, path string, query url.Values, body, into any) ([]byte, error) {
	var send io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		send = bytes.NewReader(text)
	}
	address := c.base.JoinPath(path)
	address.RawQuery = query.Encode()
	r, err := http.NewRequestWithContext(ctx, method, address.String(), send)
	if err != nil {
		return nil, err
	}
	if send != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	c.login(r)
	answer, err := c.client.Do(r)
	if err != nil {
		var where *url.Error
		if errors.As(err, &where) {
			err = where.Err
		}
		return nil, fmt.Errorf("%w at %s: %w", errNoDaemon, c.base, err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	if err != nil {
		return nil, fmt.Errorf("answer of the daemon at %s: %w", c.base, err)
	}
	if answer.StatusCode >= 300 {
		var refusal wire.Error
		if json.Unmarshal(text, &refusal) != nil || refusal.Error == "" {
			refusal.Error = answer.Status
		}
		return nil, fmt.Errorf("daemon at %s: %s", c.base, report.Clean(refusal.Error))
	}
	if err := json.Unmarshal(text, into); err != nil {
		return nil, fmt.Errorf("answer of the daemon at %s is not its own: %w", c.base, err)
	}
	return text, nil
}
