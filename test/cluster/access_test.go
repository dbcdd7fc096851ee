package cluster

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/server/v3/embed"

	"profilesync/internal/lease"
	"profilesync/internal/lease/etcd"
)

func TestEtcdThatAsksForAPassword(t *testing.T) {
	t.Parallel()
	s := start(t, func(c *embed.Config) { c.BcryptCost = 4 })
	operator := s.operator(t)
	ctx := t.Context()
	_, err := operator.RoleAdd(ctx, "syncs")
	if err == nil {
		end := clientv3.GetPrefixRangeEnd(etcd.DefaultPrefix + "/")
		_, err = operator.RoleGrantPermission(ctx, "syncs", etcd.DefaultPrefix+"/", end, clientv3.PermissionType(clientv3.PermReadWrite))
	}
	for _, user := range []struct{ name, role string }{{"root", "root"}, {"sync", "syncs"}} {
		if err == nil && user.role == "root" {
			_, err = operator.RoleAdd(ctx, "root")
		}
		if err == nil {
			_, err = operator.UserAdd(ctx, user.name, "secret")
		}
		if err == nil {
			_, err = operator.UserGrantRole(ctx, user.name, user.role)
		}
	}
	if err == nil {
		_, err = operator.AuthEnable(ctx)
	}
	if err != nil {
		t.Fatal(err)
	}
	as := func(user, password string) func(*etcd.Options) {
		return func(o *etcd.Options) { o.Username, o.Password = user, password }
	}

	k, other := keeper(t, "host-1/1", s.endpoint(), as("sync", "secret")), keeper(t, "host-2/2", s.endpoint(), as("sync", "secret"))
	held := must(t, k, "serve/a")
	for began := time.Now(); time.Since(began) < 2*ttl; time.Sleep(20 * time.Millisecond) {
		if err := held.Check(); err != nil {
			t.Fatal(err)
		}
	}
	if err := held.Release(ctx); err != nil {
		t.Error(err)
	}
	must(t, other, "serve/a")
	if err := other.Close(); err != nil {
		t.Error(err)
	}
	must(t, k, "serve/a")

	for name, story := range map[string]struct {
		change func(*etcd.Options)
		want   string
	}{
		"a wrong password":  {as("sync", "geheim"), "authentication failed"},
		"nobody":            {func(*etcd.Options) {}, "user name is empty"},
		"a foreign prefix":  {func(o *etcd.Options) { as("sync", "secret")(o); o.Prefix = "/other" }, "permission denied"},
		"an unknown person": {as("eve", "geheim"), "authentication failed"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := keeper(t, "host-3/3", s.endpoint(), story.change).Try(t.Context(), "serve/b")
			if !errors.Is(err, lease.ErrUnavailable) || !strings.Contains(err.Error(), story.want) || strings.Contains(err.Error(), "geheim") {
				t.Errorf("got %v, want %q", err, story.want)
			}
		})
	}
}

// authority issues certificates for this machine.
type authority struct {
	dir         string
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{dir: t.TempDir()}
	a.issue(t, "ca")
	return a
}

func (a *authority) file(name string) string { return filepath.Join(a.dir, name+".pem") }

// issue writes NAME.pem and NAME-key.pem; the first one is the authority's own.
func (a *authority) issue(t *testing.T, name string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, BasicConstraintsValid: true, IsCA: a.key == nil,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	parent, signer := a.certificate, a.key
	if a.key == nil {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{
		name: {Type: "CERTIFICATE", Bytes: der}, name + "-key": {Type: "PRIVATE KEY", Bytes: private},
	} {
		if err := os.WriteFile(a.file(name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if a.key == nil {
		if a.certificate, err = x509.ParseCertificate(der); err != nil {
			t.Fatal(err)
		}
		a.key = key
	}
}

func TestEtcdBehindTLS(t *testing.T) {
	t.Parallel()
	a, stranger := newAuthority(t), newAuthority(t)
	a.issue(t, "server")
	a.issue(t, "client")
	stranger.issue(t, "client")
	s := start(t, func(c *embed.Config) {
		c.ListenClientUrls[0].Scheme, c.AdvertiseClientUrls[0].Scheme = "https", "https"
		c.ClientTLSInfo.CertFile, c.ClientTLSInfo.KeyFile = a.file("server"), a.file("server-key")
		c.ClientTLSInfo.TrustedCAFile, c.ClientTLSInfo.ClientCertAuth = a.file("ca"), true
	})
	shows := func(by *authority) func(*etcd.Options) {
		return func(o *etcd.Options) {
			o.CA, o.Certificate, o.Key = a.file("ca"), by.file("client"), by.file("client-key")
		}
	}
	held := must(t, keeper(t, "host-1/1", s.endpoint(), shows(a)), "serve/a")
	for name, change := range map[string]func(*etcd.Options){
		"a stranger's certificate": shows(stranger),
		"no certificate":           func(o *etcd.Options) { o.CA = a.file("ca") },
		"another authority":        func(o *etcd.Options) { shows(a)(o); o.CA = stranger.file("ca") },
		"the system's authorities": func(o *etcd.Options) { shows(a)(o); o.CA = "" },
	} {
		t.Run(name, func(t *testing.T) {
			_, err := keeper(t, "host-2/2", s.endpoint(), change).Try(t.Context(), "serve/b")
			if !errors.Is(err, lease.ErrUnavailable) {
				t.Errorf("got %v", err)
			}
		})
	}
	if err := held.Check(); err != nil {
		t.Error(err)
	}
}
