package etcd

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"profilesync/internal/lease"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestOptionsThatCannotWorkAreRefused(t *testing.T) {
	for name, story := range map[string]struct {
		change func(*Options)
		want   string // "" for what is fine
	}{
		"the least":                 {func(*Options) {}, ""},
		"a host and a port":         {func(o *Options) { o.Endpoints = []string{"etcd-1:2379"} }, ""},
		"an IPv6 address":           {func(o *Options) { o.Endpoints = []string{"http://[::1]:2379/"} }, ""},
		"no endpoint":               {func(o *Options) { o.Endpoints = nil }, "no endpoint"},
		"no port":                   {func(o *Options) { o.Endpoints = []string{"http://etcd-1"} }, `"http://etcd-1"`},
		"another scheme":            {func(o *Options) { o.Endpoints = []string{"ftp://etcd-1:1"} }, "ftp://"},
		"nothing":                   {func(o *Options) { o.Endpoints = []string{""} }, `endpoint ""`},
		"credentials in a URL":      {func(o *Options) { o.Endpoints = []string{"http://a:b@etcd-1:1"} }, "is not like"},
		"plain and TLS":             {func(o *Options) { o.Endpoints = []string{"https://a:1", "http://b:1"} }, "all or none"},
		"a certificate, without":    {func(o *Options) { o.CA = "ca.pem" }, "https://"},
		"a path":                    {func(o *Options) { o.Endpoints = []string{"http://a:1/v3"} }, "is not like"},
		"a short ttl":               {func(o *Options) { o.TTL = time.Second }, "ttl of 1s"},
		"a long ttl":                {func(o *Options) { o.TTL = time.Hour }, "ttl of 1h"},
		"a ttl within a second":     {func(o *Options) { o.TTL = 2500 * time.Millisecond }, "whole seconds"},
		"a certificate without key": {func(o *Options) { o.Certificate = "a" }, "go together"},
		"a user without password":   {func(o *Options) { o.Username = "a" }, "go together"},
		"no file of authorities":    {func(o *Options) { o.Endpoints, o.CA = []string{"https://a:1"}, "/nowhere" }, "authorities for etcd"},
	} {
		t.Run(name, func(t *testing.T) {
			options := Options{Endpoints: []string{"http://etcd-1:2379"}}
			story.change(&options)
			k, err := New(options)
			if err == nil {
				if err := k.Close(); err != nil {
					t.Error(err)
				}
			}
			if (err == nil) != (story.want == "") || err != nil && !strings.Contains(err.Error(), story.want) {
				t.Errorf("got %v, want %q", err, story.want)
			}
		})
	}
}

func TestDefaultsOfOptions(t *testing.T) {
	options, err := Options{Endpoints: []string{"a:1"}, Prefix: ""}.complete()
	if err != nil {
		t.Fatal(err)
	}
	if options.TTL != 15*time.Second || options.Prefix != "/profilesync/" || options.Clock == nil {
		t.Errorf("got %+v", options)
	}
	for ttl, want := range map[time.Duration]time.Duration{2: 1, 6: 2, 15: 5, 600: 5} {
		if got := (Options{TTL: ttl * time.Second}).callLimit(); got != want*time.Second {
			t.Errorf("a request may take %s at a TTL of %ds", got, ttl)
		}
	}
}

// pair writes a certificate and its key, and returns the certificate.
func pair(t *testing.T, dir string) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: serial, NotAfter: time.Now().Add(time.Hour)}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{
		"cert.pem": {Type: "CERTIFICATE", Bytes: certificate}, "key.pem": {Type: "PRIVATE KEY", Bytes: private},
	} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certificate
}

func TestARenewedCertificateIsShownToTheNextConnection(t *testing.T) {
	dir := t.TempDir()
	first := pair(t, dir)
	options := Options{
		Endpoints: []string{"https://etcd-1:2379"}, CA: filepath.Join(dir, "cert.pem"),
		Certificate: filepath.Join(dir, "cert.pem"), Key: filepath.Join(dir, "key.pem"),
	}
	config, err := options.tls()
	if err != nil {
		t.Fatal(err)
	}
	shows := func(want []byte) {
		t.Helper()
		shown, err := config.GetClientCertificate(nil)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(shown.Certificate[0], want) {
			t.Error("another certificate is shown")
		}
	}
	shows(first)
	shows(pair(t, dir))
	if err := os.WriteFile(options.CA, []byte("no PEM"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := options.tls(); err == nil || !strings.Contains(err.Error(), "no certificate in") {
		t.Errorf("got %v", err)
	}
}

func TestNobodyWaitsForAnEtcdThatIsNotThere(t *testing.T) {
	k, err := New(Options{Endpoints: []string{"http://127.0.0.1:1"}, TTL: 3 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	want := "leases are unavailable: etcd at http://127.0.0.1:1: no answer within 1s"
	for range 20 { // of many who ask, one dials
		if _, err := k.Try(t.Context(), "a"); !errors.Is(err, lease.ErrUnavailable) || err.Error() != want {
			t.Errorf("got %v", err)
		}
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it took %s", took)
	}
	if err := k.Close(); err != nil {
		t.Error(err)
	}
	if _, err := k.Try(t.Context(), "a"); !errors.Is(err, lease.ErrUnavailable) || !strings.Contains(err.Error(), "closed") {
		t.Errorf("closed, and got %v", err)
	}
}
