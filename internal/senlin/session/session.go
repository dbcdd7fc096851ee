package session

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/gophercloud/gophercloud"

	"profilesync/internal/senlin/clouds"
)

// DefaultTimeout is a little more than the 60 s after which a Senlin whose
// workers do not answer says so itself.
const DefaultTimeout = 70 * time.Second

// Options say how to talk to a cloud.
type Options struct {
	// Timeout is what one request may take, its answer included; 0 means
	// [DefaultTimeout].
	Timeout time.Duration
	// Transport replaces the network, its TLS included; nil means own connections.
	Transport http.RoundTripper
	// Wrap stands around the network, below everything else that the client does:
	// it sees each request once for each time it is sent, logins too. Nil means
	// nothing stands there.
	Wrap func(http.RoundTripper) http.RoundTripper
	// ReadOnly makes the session refuse, below everything else, any request but
	// reading, logging in and validating.
	ReadOnly bool
	// UserAgent is put before gophercloud's own, such as "profilesync/1.2".
	UserAgent string
	// Log gets a debug line per request: method, path, status, request id and
	// milliseconds, never a body or a token. Nil means no log.
	Log *slog.Logger
}

// Session is a token and a Senlin to show it to. Its methods may be called from
// several goroutines at once.
type Session struct {
	Project string // id of the token's project
	Region  string // of the endpoint; may be empty

	service   *gophercloud.ServiceClient
	transport *transport
	idle      func() // closes connections that nobody uses
}

// Open logs in, finds the clustering service in the catalog and agrees on a
// microversion. Its errors wrap a sentinel of this package or of clouds.
func Open(ctx context.Context, cloud clouds.Cloud, options Options) (*Session, error) {
	if options.Timeout <= 0 {
		options.Timeout = DefaultTimeout
	}
	if options.Log == nil {
		options.Log = slog.New(slog.DiscardHandler)
	}
	s := &Session{idle: func() {}, transport: &transport{
		base: options.Transport, timeout: options.Timeout, readOnly: options.ReadOnly,
		log: options.Log, calls: map[string]*call{},
	}}
	if s.transport.base == nil {
		base, err := cloud.Transport()
		if err != nil {
			return nil, err
		}
		s.transport.base, s.idle = base, base.CloseIdleConnections
	}
	if options.Wrap != nil {
		s.transport.base = options.Wrap(s.transport.base)
	}
	if err := s.connect(ctx, identity{cloud, s.transport, options.UserAgent}); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

func (s *Session) connect(ctx context.Context, id identity) error {
	provider, err := id.login(ctx)
	if err != nil {
		return err
	}
	s.transport.renew = (&renewal{provider: provider, login: id.login, timeout: 2 * s.transport.timeout}).renew
	project, catalog, err := id.grant(provider)
	if err != nil {
		return err
	}
	address, region, err := endpoint(id.cloud, catalog)
	if err != nil {
		return err
	}
	s.Project, s.Region = project, region
	s.service = &gophercloud.ServiceClient{
		ProviderClient: provider, Endpoint: unversioned(address), Type: serviceType,
	}
	s.service.Microversion, err = s.microversion(ctx)
	return err
}

// Close closes connections that are not in use.
func (s *Session) Close() { s.idle() }

// unversioned is an endpoint without a /v1 at its end: some catalogs have it,
// and requests bring their own.
func unversioned(endpoint *url.URL) string {
	plain := *endpoint
	plain.Path = strings.TrimSuffix(strings.TrimRight(plain.Path, "/"), "/v1") + "/"
	return plain.String()
}

// Validating came with microversion 1.2, and nothing after 1.14 ever came.
const (
	oldestMinor = 2
	newestMinor = 14
)

// microversion asks the server what it speaks, and takes the newest that this
// package knows: Senlin drops fields of a newer version from a request in
// silence, so the version is always said.
func (s *Session) microversion(ctx context.Context) (string, error) {
	var answer struct {
		Version struct {
			Min string `json:"min_version"`
			Max string `json:"max_version"`
		} `json:"version"`
	}
	var lowest, highest int
	address := s.service.ServiceURL("v1")
	err := s.Do(ctx, Request{
		Send: func(client *gophercloud.ServiceClient) (*http.Response, error) {
			return client.Get(address, nil, Keep(nil, http.StatusOK))
		},
		Read: func(body []byte) error {
			if err := json.NewDecoder(bytes.NewReader(body)).Decode(&answer); err != nil {
				return err
			}
			var ok bool
			if lowest, ok = minor(answer.Version.Min); ok {
				highest, ok = minor(answer.Version.Max)
			}
			if !ok {
				return errNoVersions
			}
			return nil
		},
	})
	if err != nil {
		return "", err
	}
	if highest < oldestMinor || lowest > newestMinor {
		return "", &Error{
			Method: http.MethodGet, URL: plainURL(address), kinds: []error{ErrNotSenlin},
			Message: fmt.Sprintf("clustering service at %s speaks versions %s to %s, not 1.%d to 1.%d",
				plainURL(s.service.Endpoint), answer.Version.Min, answer.Version.Max, oldestMinor, newestMinor),
		}
	}
	return fmt.Sprintf("1.%d", min(highest, newestMinor)), nil
}

var errNoVersions = errors.New("something that is not Senlin's list of versions")

// minor reads the second part of a version 1.x.
func minor(version string) (int, bool) {
	text, ok := strings.CutPrefix(version, "1.")
	number, err := strconv.Atoi(text)
	return number, ok && err == nil
}
