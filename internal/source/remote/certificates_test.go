package remote_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"profilesync/internal/source/remote"
	"profilesync/internal/source/repository"
)

// authority is a private certificate authority.
type authority struct {
	t           *testing.T
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	// file has its certificate.
	file string
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{t: t}
	certificate, key := a.issue(&x509.Certificate{
		Subject: pkix.Name{CommonName: "private authority"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign, NotAfter: time.Now().Add(time.Hour),
	})
	a.certificate, a.key, a.file = certificate, key, file(t, encoded("CERTIFICATE", certificate.Raw))
	return a
}

// issue signs a certificate: the first by itself.
func (a *authority) issue(template *x509.Certificate) (*x509.Certificate, *ecdsa.PrivateKey) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	template.SerialNumber = big.NewInt(time.Now().UnixNano())
	parent, by := a.certificate, a.key
	if parent == nil {
		parent, by = template, key
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, by)
	if err != nil {
		a.t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(raw)
	if err != nil {
		a.t.Fatal(err)
	}
	return certificate, key
}

// server makes a certificate of 127.0.0.1.
func (a *authority) server(change func(*x509.Certificate)) tls.Certificate {
	template := &x509.Certificate{IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotAfter: time.Now().Add(time.Hour)}
	change(template)
	certificate, key := a.issue(template)
	return tls.Certificate{Certificate: [][]byte{certificate.Raw}, PrivateKey: key}
}

// client makes a certificate to show, and returns the files of it and of its key.
func (a *authority) client() (certificate, key string) {
	issued, private := a.issue(&x509.Certificate{NotAfter: time.Now().Add(time.Hour), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	raw, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		a.t.Fatal(err)
	}
	return file(a.t, encoded("CERTIFICATE", issued.Raw)), file(a.t, encoded("PRIVATE KEY", raw))
}

func encoded(kind string, content []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: content}))
}

// secure serves a handler by TLS.
func secure(t *testing.T, handler http.Handler, config *tls.Config) string {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.TLS = config
	server.StartTLS()
	t.Cleanup(server.Close)
	return server.URL
}

func unchanged(*x509.Certificate) {}

func TestCertificatesOfServers(t *testing.T) {
	r, commit := repo(t)
	known, stranger := newAuthority(t), newAuthority(t)
	for name, row := range map[string]struct {
		shown tls.Certificate
		says  string
	}{
		"of an unknown authority": {stranger.server(unchanged), "unknown authority"},
		"expired":                 {known.server(func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }), "expired"},
		"of another name":         {known.server(func(c *x509.Certificate) { c.IPAddresses, c.DNSNames = nil, []string{"example.com"} }), "127.0.0.1"},
		"good":                    {known.server(unchanged), ""},
	} {
		t.Run(name, func(t *testing.T) {
			url := secure(t, r.In(t).Serve(nil).Config.Handler, &tls.Config{Certificates: []tls.Certificate{row.shown}})
			server := remote.Server{Address: address(t, url+"/"+r.Name()), Login: remote.Login{CA: known.file}}
			if row.says == "" {
				gets(t, server, commit)
				return
			}
			err := fails(t, server, remote.ErrCertificate, row.says)
			if !strings.HasPrefix(err.Error(), repository.ErrUnreachable.Error()) {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestFilesOfAuthorities(t *testing.T) {
	good := fileOf(t, newAuthority(t).file)
	for name, row := range map[string][2]string{
		"not there":                    {"/nowhere/ca.pem", "no such file"},
		"empty":                        {file(t, ""), "no certificate in PEM"},
		"garbage":                      {file(t, "garbage"), "no certificate in PEM"},
		"cut short":                    {file(t, good[:len(good)-40]), "cut short"},
		"cut short after a good one":   {file(t, good+good[:len(good)-40]), "after 1 good ones"},
		"a key":                        {file(t, encoded("PRIVATE KEY", []byte(mark))), "which is no certificate"},
		"no certificate, but it looks": {file(t, encoded("CERTIFICATE", []byte(mark))), "certificate 1"},
		"too large":                    {file(t, strings.Repeat("#\n", 1<<20)), "more than"},
	} {
		t.Run(name, func(t *testing.T) {
			server := remote.Server{Address: address(t, "https://127.0.0.1:1/x"), Login: remote.Login{CA: row[0]}}
			fails(t, server, remote.ErrLogin, "authorities", row[1])
		})
	}
	t.Run("with words around", func(t *testing.T) {
		server := remote.Server{Address: address(t, "https://127.0.0.1:1/x"), Login: remote.Login{CA: file(t, "ours:\n"+good+"\nand more\n"+good+"end\n")}}
		fails(t, server, repository.ErrUnreachable, "refused")
	})
}

func TestClientCertificates(t *testing.T) {
	r, commit := repo(t)
	known, stranger := newAuthority(t), newAuthority(t)
	pool := x509.NewCertPool()
	pool.AddCert(known.certificate)
	url := secure(t, r.Serve(nil).Config.Handler, &tls.Config{
		Certificates: []tls.Certificate{known.server(unchanged)}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool,
	})
	showing := func(certificate, key string) remote.Server {
		return remote.Server{Address: address(t, url+"/"+r.Name()), Login: remote.Login{CA: known.file, Certificate: certificate, Key: key}}
	}
	certificate, key := known.client()
	gets(t, showing(certificate, key), commit)
	fails(t, showing("", ""), repository.ErrAuthentication, "asks for a client certificate")
	// One of another authority is not even shown, since the server says which it takes.
	fails(t, showing(stranger.client()), repository.ErrAuthentication, "client certificate")
	_, otherKey := known.client()
	fails(t, showing(certificate, otherKey), remote.ErrLogin, "client certificate", "does not match")
	fails(t, showing(certificate, ""), remote.ErrLogin, "both")
	fails(t, showing(certificate, certificate), remote.ErrLogin, certificate)
	fails(t, showing(certificate, file(t, encoded("ENCRYPTED PRIVATE KEY", []byte(mark)))), remote.ErrLogin, "the key is encrypted")
	fails(t, showing(certificate, "/nowhere/key.pem"), remote.ErrLogin, `"/nowhere/key.pem"`)
}
