package login

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"profilesync/internal/daemon/guess"
)

const (
	rightToken    = "token-4711"
	rightPassword = "correct horse"
)

func is(value string) func() (string, error) { return func() (string, error) { return value, nil } }

func everyWay() Options {
	return Options{Bearer: is(rightToken), Username: "operator", Password: is(rightPassword), Certificates: true}
}

func request(headers ...string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	for _, value := range headers {
		r.Header.Add("Authorization", value)
	}
	return r
}

func basic(username, password string) string {
	r := request()
	r.SetBasicAuth(username, password)
	return r.Header.Get("Authorization")
}

func TestWhoARequestIsFrom(t *testing.T) {
	onlyToken, onlyPassword := Options{Bearer: is(rightToken)}, Options{Username: "operator", Password: is(rightPassword)}
	for _, row := range []struct {
		name    string
		ways    Options
		headers []string
		want    string
		err     error
	}{
		{"nothing said", everyWay(), nil, "", nil},
		{"the token", everyWay(), []string{"Bearer " + rightToken}, "token", nil},
		{"the token, in other letters", everyWay(), []string{"bEARER  " + rightToken}, "token", nil},
		{"another token", everyWay(), []string{"Bearer token-4712"}, "", ErrWrong},
		{"the beginning of the token", everyWay(), []string{"Bearer token"}, "", ErrWrong},
		{"an empty token", everyWay(), []string{"Bearer "}, "", ErrWrong},
		{"a bare word", everyWay(), []string{"Bearer"}, "", ErrWrong},
		{"the password", everyWay(), []string{basic("operator", rightPassword)}, "operator", nil},
		{"another name", everyWay(), []string{basic("bob", rightPassword)}, "", ErrWrong},
		{"another password", everyWay(), []string{basic("operator", "correct")}, "", ErrWrong},
		{"no password", everyWay(), []string{basic("operator", "")}, "", ErrWrong},
		{"no name", everyWay(), []string{basic("", rightPassword)}, "", ErrWrong},
		{"no base64", everyWay(), []string{"Basic ****"}, "", ErrWrong},
		{"the token as a password", everyWay(), []string{basic("operator", rightToken)}, "", ErrWrong},
		{"the password as a token", everyWay(), []string{"Bearer " + rightPassword}, "", ErrWrong},
		{"another scheme", everyWay(), []string{"Digest x"}, "", ErrWrong},
		{"an empty header", everyWay(), []string{""}, "", ErrWrong},
		{"two logins, one right", everyWay(), []string{"Bearer " + rightToken, "Bearer x"}, "", ErrWrong},
		{"a password where tokens are taken", onlyToken, []string{basic("operator", rightPassword)}, "", ErrWrong},
		{"a token where passwords are taken", onlyPassword, []string{"Bearer " + rightToken}, "", ErrWrong},
		{"a password without a name to it", Options{Bearer: is(rightToken), Password: is("")}, []string{basic("", "")}, "", ErrWrong},
		{"where nobody logs in", Options{}, []string{"Bearer x"}, "", nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			who, err := New(row.ways).Who(request(row.headers...))
			if who != row.want || !errors.Is(err, row.err) {
				t.Errorf("got %q and %v, want %q and %v", who, err, row.want, row.err)
			}
		})
	}
}

func TestASecretThatCannotBeReadLetsNobodyIn(t *testing.T) {
	gone := errors.New("no such file")
	for name, read := range map[string]func() (string, error){
		"gone":  func() (string, error) { return "", gone },
		"empty": is(""),
	} {
		gate := New(Options{Bearer: read, Username: "operator", Password: read})
		for _, header := range []string{"Bearer ", "Bearer x", basic("operator", ""), basic("operator", "x")} {
			if who, err := gate.Who(request(header)); who != "" || err == nil || errors.Is(err, ErrWrong) {
				t.Errorf("%s, %q: got %q and %v", name, header, who, err)
			}
		}
	}
}

func TestASecretMayBeReplaced(t *testing.T) {
	token := "old"
	gate := New(Options{Bearer: func() (string, error) { return token, nil }})
	if who, _ := gate.Who(request("Bearer old")); who == "" {
		t.Fatal("the first token is refused")
	}
	token = "new"
	if who, _ := gate.Who(request("Bearer old")); who != "" {
		t.Error("the token of before is still taken")
	}
	if who, _ := gate.Who(request("Bearer new")); who == "" {
		t.Error("the new token is refused")
	}
}

func TestACertificateIsALogin(t *testing.T) {
	uri := &url.URL{Scheme: "spiffe", Host: "example.org", Path: "/prometheus"}
	for want, c := range map[string]*x509.Certificate{
		"operator":                        {Subject: pkix.Name{CommonName: "operator"}, DNSNames: []string{"x"}},
		"spiffe://example.org/prometheus": {URIs: []*url.URL{uri}},
		"host.example.org":                {DNSNames: []string{"host.example.org"}},
		"a@example.org":                   {EmailAddresses: []string{"a@example.org"}},
		"certificate 7":                   {SerialNumber: big.NewInt(7)},
	} {
		r := request("Bearer wrong")
		r.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{c}, VerifiedChains: [][]*x509.Certificate{{c}}}
		if who, err := New(everyWay()).Who(r); who != want || err != nil {
			t.Errorf("got %q and %v, want %q", who, err, want)
		}
		r.Header.Del("Authorization")
		ways := everyWay()
		ways.Certificates = false
		if who, _ := New(ways).Who(r); who != "" {
			t.Errorf("%q is let in though certificates are no login", who)
		}
		r.TLS.VerifiedChains = nil
		if who, _ := New(everyWay()).Who(r); who != "" {
			t.Errorf("%q is let in unverified", who)
		}
	}
}

func TestGuessingIsSlow(t *testing.T) {
	now := time.Date(2026, 3, 1, 8, 30, 0, 0, time.UTC)
	ways := everyWay()
	ways.Now = func() time.Time { return now }
	gate := New(ways)
	try := func(remote, token string) error {
		r := request("Bearer " + token)
		r.RemoteAddr = remote
		_, err := gate.Who(r)
		return err
	}
	for i := range guess.Burst {
		if err := try("[2001:db8::1]:1000", fmt.Sprint("guess", i)); !errors.Is(err, ErrWrong) {
			t.Fatalf("guess %d: %v", i, err)
		}
	}
	if err := try("[2001:db8::ffff]:2000", rightToken); !errors.Is(err, ErrTooMany) {
		t.Errorf("a neighbour in the same /64 gets %v", err)
	}
	if err := try("192.0.2.1:1", rightToken); err != nil {
		t.Errorf("another address gets %v", err)
	}
	now = now.Add(guess.Regain + time.Second)
	if err := try("[2001:db8::1]:1000", rightToken); err != nil {
		t.Errorf("after a while: %v", err)
	}
	now = now.Add(-time.Hour)
	if err := try("192.0.2.1:1", rightToken); err != nil {
		t.Errorf("a clock that goes back: %v", err)
	}
}

func TestWhoeverSaysNothingIsNotSlowedDown(t *testing.T) {
	gate := New(everyWay())
	for range 3 * guess.Burst {
		if _, err := gate.Who(request("Bearer " + rightToken)); err != nil {
			t.Fatal(err)
		}
		if _, err := gate.Who(request()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestChallengesSayWhatIsTaken(t *testing.T) {
	all := strings.Join(New(everyWay()).Challenges(), "\n")
	if !strings.Contains(all, "Basic realm=") || !strings.Contains(all, "Bearer realm=") {
		t.Errorf("got %q", all)
	}
	if some := New(Options{Certificates: true}).Challenges(); len(some) > 0 {
		t.Errorf("for certificates alone: %q", some)
	}
}

func FuzzWho(f *testing.F) {
	f.Add("Bearer "+rightToken, "127.0.0.1:1")
	f.Add(basic("operator", "x"), "[::1%lo]:2")
	f.Add("Basic Og==", "@")
	f.Fuzz(func(t *testing.T, header, remote string) {
		r := request(header)
		r.RemoteAddr = remote
		who, err := New(everyWay()).Who(r)
		username, password, isBasic := r.BasicAuth()
		right := isBasic && username == "operator" && password == rightPassword ||
			len(header) > 7 && strings.EqualFold(header[:7], "bearer ") && strings.TrimSpace(header[7:]) == rightToken
		if (who != "") != right || (err == nil) != right {
			t.Errorf("%q from %q: %q and %v", header, remote, who, err)
		}
	})
}
