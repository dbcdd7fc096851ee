package remote_test

import (
	"crypto/tls"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"profilesync/internal/source/remote"
	"profilesync/internal/source/remote/secret"
)

// tunnel is a proxy that connects to where it is told, for whoever brings the
// authorization.
func tunnel(want string, connected *int) http.HandlerFunc {
	return func(w http.ResponseWriter, req *http.Request) {
		switch {
		case req.Header.Get("Proxy-Authorization") != want:
			w.WriteHeader(http.StatusProxyAuthRequired)
			return
		case req.Method != http.MethodConnect:
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		to, err := net.Dial("tcp", req.Host)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		defer to.Close()
		*connected++
		from, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		defer from.Close()
		_, _ = io.WriteString(from, "HTTP/1.1 200 OK\r\n\r\n")
		go func() {
			_, _ = io.Copy(to, from)
			to.Close()
		}()
		_, _ = io.Copy(from, to)
	}
}

// behind is a server that a proxy leads to: the proxy alone knows its name.
func behind(t *testing.T) (server remote.Server, commit string) {
	t.Helper()
	r, commit := repo(t)
	ca := newAuthority(t)
	url := secure(t, r.Serve(nil).Config.Handler, &tls.Config{Certificates: []tls.Certificate{ca.server(unchanged)}})
	return remote.Server{Address: address(t, url+"/"+r.Name()), Login: remote.Login{CA: ca.file}}, commit
}

func TestProxies(t *testing.T) {
	server, commit := behind(t)
	count := 0
	open, closed := httptest.NewServer(tunnel("", &count)), httptest.NewServer(tunnel(basic("me", mark), &count))
	defer open.Close()
	defer closed.Close()
	secured := newAuthority(t)
	overTLS := secure(t, tunnel("", &count), &tls.Config{Certificates: []tls.Certificate{secured.server(unchanged)}})
	named := func(user string) string { return strings.Replace(closed.URL, "http://", "http://"+user+"@", 1) }
	for name, row := range map[string]struct {
		proxy    string
		password secret.Place
		kind     error
		says     string
	}{
		"open":                      {proxy: open.URL},
		"with a password":           {proxy: named("me:" + mark)},
		"with a password in a file": {proxy: named("me"), password: secret.Place{File: file(t, mark+"\n")}},
		"without the password":      {closed.URL, secret.Place{}, remote.ErrProxy, "it asks for credentials, or for others (status 407)"},
		"with another password":     {named("me:other" + mark), secret.Place{}, remote.ErrProxy, "status 407"},
		"nobody listens":            {"http://127.0.0.1:1", secret.Place{}, remote.ErrProxy, "refused"},
		"by TLS, of nobody known":   {overTLS, secret.Place{}, remote.ErrCertificate, "unknown authority"},
		"SOCKS":                     {proxy: "socks5://" + listens(t, "tcp", "127.0.0.1:0", socks)},
		"SOCKS, nobody listens":     {"socks5://127.0.0.1:1", secret.Place{}, remote.ErrProxy, "refused"},
	} {
		t.Run(name, func(t *testing.T) {
			through, before := server, count
			through.Login.Proxy, through.Login.ProxyPassword = row.proxy, row.password
			if row.kind != nil {
				fails(t, through, row.kind, row.says)
				return
			}
			gets(t, through, commit)
			if count == before && !strings.HasPrefix(name, "SOCKS") {
				t.Error("not by the proxy")
			}
		})
	}
	t.Run("to nowhere", func(t *testing.T) {
		nowhere := server
		nowhere.Address, nowhere.Login.Proxy = address(t, "https://127.0.0.1:1/x"), open.URL
		fails(t, nowhere, remote.ErrProxy, "status 502")
	})
	t.Run("for http, without the password", func(t *testing.T) {
		plain := remote.Server{Address: address(t, "http://example.com/x"), Login: remote.Login{Proxy: closed.URL}}
		fails(t, plain, remote.ErrProxy, "status 407")
	})
}

// socks is a SOCKS5 proxy for whoever comes.
func socks(conn net.Conn) {
	head := make([]byte, 2)
	if _, err := io.ReadFull(conn, head); err != nil {
		return
	}
	_, _ = io.CopyN(io.Discard, conn, int64(head[1]))
	_, _ = conn.Write([]byte{5, 0})
	ask := make([]byte, 10) // for an IPv4 address
	if _, err := io.ReadFull(conn, ask); err != nil {
		return
	}
	to, err := net.Dial("tcp", net.JoinHostPort(net.IP(ask[4:8]).String(), strconv.Itoa(int(binary.BigEndian.Uint16(ask[8:])))))
	if err != nil {
		return
	}
	defer to.Close()
	_, _ = conn.Write([]byte{5, 0, 0, 1, 0, 0, 0, 0, 0, 0})
	go func() {
		_, _ = io.Copy(to, conn)
		to.Close()
	}()
	_, _ = io.Copy(conn, to)
	conn.Close()
}
