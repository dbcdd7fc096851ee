package clouds

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestTheCertificatesOfACloud(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, blocks ...*pem.Block) string {
		var text []byte
		for _, block := range blocks {
			text = append(text, pem.EncodeToMemory(block)...)
		}
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	certificate, key := client(t)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert}
	server.StartTLS()
	defer server.Close()

	ca := write("ca.pem", &pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	cert, alone := write("cert.pem", certificate), write("key.pem", key)
	both, empty := write("both.pem", certificate, key), write("empty.pem")
	for _, row := range []struct {
		name  string
		cloud Cloud
		made  bool // the transport
		works bool
	}{
		{"a bundle, certificate and key", Cloud{cacert: ca, cert: cert, key: alone}, true, true},
		{"certificate and key in one file", Cloud{cacert: ca, cert: both}, true, true},
		{"an unknown authority", Cloud{cert: both}, true, false},
		{"an unknown authority, unverified", Cloud{cert: both, insecure: true}, true, true},
		{"no certificate", Cloud{cacert: ca}, true, false},
		{"no bundle there", Cloud{cacert: ca + ".gone"}, false, false},
		{"a bundle without a certificate", Cloud{cacert: empty}, false, false},
		{"a certificate without a key", Cloud{cert: cert}, false, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			transport, err := row.cloud.Transport()
			if (err == nil) != row.made || (err != nil && !errors.Is(err, ErrNoConfig)) {
				t.Fatalf("got %v", err)
			}
			if err != nil {
				return
			}
			defer transport.CloseIdleConnections()
			resp, err := (&http.Client{Transport: transport}).Get(server.URL)
			if (err == nil) != row.works {
				t.Errorf("got %v", err)
			}
			if err == nil {
				_ = resp.Body.Close()
			}
		})
	}
}

// client makes a self-signed certificate and its key.
func client(t *testing.T) (certificate, key *pem.Block) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	made, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	bytes, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return &pem.Block{Type: "CERTIFICATE", Bytes: made}, &pem.Block{Type: "PRIVATE KEY", Bytes: bytes}
}
