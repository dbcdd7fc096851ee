package etcd

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"profilesync/internal/lease"
)

// What a TTL may be. An etcd raises a shorter one by itself, and a longer one
// keeps a dead instance's targets from others for no use.
const (
	DefaultTTL  = 15 * time.Second
	ShortestTTL = 2 * time.Second
	LongestTTL  = 10 * time.Minute
)

// DefaultPrefix is what keys begin with when nothing else is said.
const DefaultPrefix = "/profilesync"

// Options say which etcd keeps the leases, and for whom.
type Options struct {
	Endpoints []string // "https://etcd-1:2379", ...; a host and port alone is plain HTTP
	Prefix    string   // keys begin with it and a slash; "" means DefaultPrefix
	// TTL is how long a lease outlives its holder, in whole seconds; 0 means
	// DefaultTTL. It is confirmed three times in that time.
	TTL time.Duration

	CA, Certificate, Key string // PEM files; "" for the system's authorities and no certificate
	Username, Password   string

	Self  lease.Holder  // who asks; Since is filled in
	Clock func() Moment // nil means SystemClock
}

// complete fills in the defaults, and refuses what cannot work.
func (o Options) complete() (Options, error) {
	if o.TTL == 0 {
		o.TTL = DefaultTTL
	}
	if o.Prefix == "" {
		o.Prefix = DefaultPrefix
	}
	o.Prefix = strings.TrimRight(o.Prefix, "/") + "/"
	if o.Clock == nil {
		o.Clock = SystemClock()
	}
	if len(o.Endpoints) == 0 {
		return o, errors.New("no endpoint of etcd is given")
	}
	for _, endpoint := range o.Endpoints {
		if err := checkEndpoint(endpoint); err != nil {
			return o, err
		}
		if isTLS(endpoint) != isTLS(o.Endpoints[0]) {
			return o, errors.New("of etcd's endpoints all or none begin with https://")
		}
	}
	if (o.Certificate == "") != (o.Key == "") {
		return o, errors.New("certificate and key for etcd go together")
	}
	if !isTLS(o.Endpoints[0]) && o.CA+o.Certificate+o.Key != "" {
		return o, errors.New("certificates are given for etcd, and its endpoints do not begin with https://")
	}
	if o.TTL < ShortestTTL || o.TTL > LongestTTL || o.TTL%time.Second != 0 {
		return o, fmt.Errorf("ttl of %s is not within %s and %s in whole seconds", o.TTL, ShortestTTL, LongestTTL)
	}
	if (o.Username == "") != (o.Password == "") {
		return o, errors.New("user name and password for etcd go together")
	}
	return o, nil
}

// checkEndpoint refuses what the client would dial in some other way.
func checkEndpoint(endpoint string) error {
	address := endpoint
	if !strings.Contains(endpoint, "://") {
		address = "http://" + endpoint
	}
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Port() == "" || u.User != nil || strings.Trim(u.Path, "/") != "" {
		return fmt.Errorf("endpoint %q of etcd is not like \"https://etcd-1:2379\"", endpoint)
	}
	return nil
}

func isTLS(endpoint string) bool { return strings.HasPrefix(endpoint, "https://") }

// tls reads the certificates, nil for an etcd without TLS. The own one is read
// again for each connection, since those of machines are renewed while they run.
func (o Options) tls() (*tls.Config, error) {
	if !isTLS(o.Endpoints[0]) {
		return nil, nil
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if o.CA != "" {
		text, err := os.ReadFile(o.CA)
		if err != nil {
			return nil, fmt.Errorf("authorities for etcd: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("authorities for etcd: no certificate in %q", o.CA)
		}
	}
	if o.Certificate == "" {
		return config, nil
	}
	own := func() (*tls.Certificate, error) {
		pair, err := tls.LoadX509KeyPair(o.Certificate, o.Key)
		if err != nil {
			return nil, fmt.Errorf("certificate for etcd: %w", err)
		}
		return &pair, nil
	}
	if _, err := own(); err != nil {
		return nil, err
	}
	config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return own() }
	return config, nil
}

// callLimit is what one request to etcd may take, other than a confirmation.
func (o Options) callLimit() time.Duration {
	return min(max(o.TTL/3, time.Second), 5*time.Second)
}
