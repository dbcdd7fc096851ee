package clouds

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"time"
)

// maxIdle connections to one host are kept: as many as changes are carried out
// side by side, and some.
const maxIdle = 16

// dialTimeout is for a host that drops packets: a request is tried several times.
const dialTimeout = 10 * time.Second

// Transport makes the transport of a real network, with the cloud's certificates
// and, as net/http has it, the proxy of HTTP_PROXY and HTTPS_PROXY.
func (c Cloud) Transport() (*http.Transport, error) {
	base := http.DefaultTransport.(*http.Transport).Clone()
	base.MaxIdleConnsPerHost = maxIdle
	base.DialContext = (&net.Dialer{Timeout: dialTimeout}).DialContext
	base.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: c.insecure}
	if c.cacert != "" {
		bundle, err := readFile(c.cacert)
		if err != nil {
			return nil, fmt.Errorf("%w: cacert of %s: %w", ErrNoConfig, c, err)
		}
		base.TLSClientConfig.RootCAs = x509.NewCertPool()
		if !base.TLSClientConfig.RootCAs.AppendCertsFromPEM(bundle) {
			return nil, fmt.Errorf("%w: cacert of %s: no certificate in %s", ErrNoConfig, c, c.cacert)
		}
	}
	if c.cert != "" {
		key := c.key
		if key == "" {
			key = c.cert // one file may hold both
		}
		pair, err := tls.LoadX509KeyPair(c.cert, key)
		if err != nil {
			return nil, fmt.Errorf("%w: cert and key of %s: %w", ErrNoConfig, c, err)
		}
		base.TLSClientConfig.Certificates = []tls.Certificate{pair}
	}
	return base, nil
}

// expand replaces a leading ~ of a path.
func expand(path, home string) string {
	rest, ok := strings.CutPrefix(path, "~/")
	if !ok || home == "" {
		return path
	}
	return filepath.Join(home, rest)
}
