package server

import (
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// clientOf trusts one authority and may show a certificate.
func clientOf(t *testing.T, trusted authority, shown ...tls.Certificate) *http.Client {
	t.Helper()
	roots := x509.NewCertPool()
	roots.AddCert(trusted.certificate)
	transport := &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots, Certificates: shown}, ForceAttemptHTTP2: true, DisableKeepAlives: true,
	}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

func TestTheCertificateIsReadAnew(t *testing.T) {
	dir := t.TempDir()
	first, second := newAuthority(t, "first"), newAuthority(t, "second")
	now := time.Now()
	var log strings.Builder
	k := newKeeper(first.filesIn(t, dir, "a"), slog.New(slog.NewTextHandler(&log, nil)))
	k.now = func() time.Time { return now }
	issuer := func() string {
		t.Helper()
		config, err := k.current()
		if err != nil {
			t.Fatal(err)
		}
		leaf, err := x509.ParseCertificate(config.Certificates[0].Certificate[0])
		if err != nil {
			t.Fatal(err)
		}
		return leaf.Issuer.CommonName
	}
	before, _ := k.current()
	if got := issuer(); got != "first" {
		t.Fatalf("got %q", got)
	}
	files := second.filesIn(t, dir, "b")
	if got := issuer(); got != "first" {
		t.Errorf("within a second it looks again: %q", got)
	}
	now = now.Add(lookEvery)
	if got := issuer(); got != "second" {
		t.Errorf("after a change: %q", got)
	}
	if after, _ := k.current(); after == before {
		t.Error("the keys of session tickets are the ones of before")
	}
	// In the middle of a renewal the two files do not fit together.
	_, otherKey := first.issue(t, "c")
	write(t, files.Key, otherKey)
	for range 3 {
		now = now.Add(lookEvery)
		if got := issuer(); got != "second" {
			t.Errorf("half-way through a renewal: %q", got)
		}
	}
	if got := strings.Count(log.String(), "are refused"); got != 1 {
		t.Errorf("it is said %d times:\n%s", got, log.String())
	}
	if err := os.Remove(files.Certificate); err != nil {
		t.Fatal(err)
	}
	now = now.Add(lookEvery)
	if got := issuer(); got != "second" {
		t.Errorf("with a file missing: %q", got)
	}
	first.filesIn(t, dir, "d")
	now = now.Add(-time.Hour) // the wall clock was set back
	if got := issuer(); got != "first" {
		t.Errorf("after the renewal: %q", got)
	}
}

func TestTLSOnTheWire(t *testing.T) {
	ours, theirs := newAuthority(t, "ours"), newAuthority(t, "theirs")
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Proto", r.Proto)
		if len(r.TLS.VerifiedChains) > 0 {
			w.Header().Set("X-Who", r.TLS.VerifiedChains[0][0].Subject.CommonName)
		}
	})
	s, _ := start(t, Options{Handler: handler, TLS: ours.filesIn(t, t.TempDir(), "server")})
	if !strings.HasPrefix(s.URL(), "https://127.0.0.1:") {
		t.Errorf("URL %q", s.URL())
	}
	for _, row := range []struct {
		name   string
		client *http.Client
		who    string
		fails  string
	}{
		{"no certificate", clientOf(t, ours), "", ""},
		{"one of ours", clientOf(t, ours, ours.pair(t, "operator")), "operator", ""},
		{"one of somebody else's", clientOf(t, ours, theirs.pair(t, "eve")), "", ""},
		{"an authority that is not trusted", clientOf(t, theirs), "", "unknown authority"},
	} {
		t.Run(row.name, func(t *testing.T) {
			answer, err := row.client.Get(s.URL())
			if row.fails != "" {
				if err == nil || !strings.Contains(err.Error(), row.fails) {
					t.Errorf("got %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			_ = answer.Body.Close()
			if got := answer.Header.Get("X-Who"); got != row.who {
				t.Errorf("it is %q, want %q", got, row.who)
			}
			if got := answer.Header.Get("X-Proto"); got != "HTTP/2.0" {
				t.Errorf("it is spoken %q", got)
			}
		})
	}
}

func TestOldTLSIsRefused(t *testing.T) {
	ours := newAuthority(t, "ours")
	s, _ := start(t, Options{Handler: hello(), TLS: ours.filesIn(t, t.TempDir(), "server")})
	client := clientOf(t, ours)
	config := client.Transport.(*http.Transport).TLSClientConfig
	config.MinVersion, config.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
	if _, err := get(client, s.URL()); err == nil || !strings.Contains(err.Error(), "protocol version") {
		t.Errorf("TLS 1.1: %v", err)
	}
}

func TestFilesThatAreNoGoodAreToldAtTheStart(t *testing.T) {
	dir := t.TempDir()
	ours := newAuthority(t, "ours")
	good := ours.filesIn(t, dir, "server")
	_, other := ours.issue(t, "other")
	name := func(name string, content []byte) string {
		path := filepath.Join(dir, name)
		write(t, path, content)
		return path
	}
	for _, row := range []struct {
		name  string
		files TLS
		want  string
	}{
		{"no key", TLS{Certificate: good.Certificate}, "needs a certificate and its key"},
		{"no certificate", TLS{ClientCA: good.ClientCA}, "needs a certificate and its key"},
		{"a missing file", TLS{Certificate: filepath.Join(dir, "gone"), Key: good.Key}, "no such file"},
		{"another's key", TLS{Certificate: good.Certificate, Key: name("other", other)}, "does not match"},
		{"a directory", TLS{Certificate: dir, Key: good.Key}, "not a regular file"},
		{"a large file", TLS{Certificate: name("large", make([]byte, maxFile+1)), Key: good.Key}, "more than 1 MiB"},
		{"authorities without one", TLS{good.Certificate, good.Key, name("empty", nil)}, "no certificate in it"},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := Listen(Options{Address: "127.0.0.1:0", Handler: hello(), TLS: row.files})
			if err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("got %v, want %q", err, row.want)
			}
		})
	}
}
