package remote

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"

	"profilesync/internal/source/remote/secret"
	"profilesync/internal/source/repository"
)

// web is a conversation over HTTP: one GET, and a POST for each question.
type web struct {
	server   Server
	received *meter
	http     *http.Transport
	// at is the repository, which a redirect of the first request moves.
	at            *url.URL
	authorization secret.Text // the header of that name, for the origin of the address alone
	secrets       []secret.Text

	moved  bool // to another origin
	silent atomic.Bool
	status int // of the last answer
	wait   time.Duration
	notGit string // the content type of an answer that is not Git's
}

const (
	service = "git-upload-pack"
	// maxReferences bounds the list of references, half a million of them.
	maxReferences = 32 << 20
	maxRedirects  = 10
)

var (
	errNotGit = errors.New("not Git's protocol")
	errStatus = errors.New("status")
)

func (w *web) references(ctx context.Context) (io.ReadCloser, error) {
	if err := w.prepare(ctx); err != nil {
		return nil, err
	}
	refs := w.at.JoinPath("info", "refs")
	refs.RawQuery = "service=" + service
	stream, from, err := w.send(ctx, http.MethodGet, refs, nil, "advertisement")
	if err != nil {
		return nil, err
	}
	path, found := strings.CutSuffix(from.Path, "/info/refs")
	if !found {
		stream.Close()
		return nil, errors.New("a redirect that leads to something else")
	}
	w.at = &url.URL{Scheme: from.Scheme, Host: from.Host, Path: path, RawPath: strings.TrimSuffix(from.RawPath, "/info/refs")}
	return stream, nil
}

func (w *web) ask(ctx context.Context, question []byte) (io.ReadCloser, error) {
	stream, _, err := w.send(ctx, http.MethodPost, w.at.JoinPath(service), question, "result")
	return stream, err
}

func (w *web) close() {
	if w.http != nil {
		w.http.CloseIdleConnections()
	}
}

// prepare reads all that Login names. The credentials leave the URL here, so
// that no error of the layers below can show them.
func (w *web) prepare(ctx context.Context) error {
	bare := *w.server.Address
	bare.User = nil
	w.at = &bare
	given, err := w.server.Login.credentials(ctx, w.server.Address)
	if err != nil {
		return err
	}
	switch {
	case given.token != "":
		w.authorization = "Bearer " + given.token
		w.secrets = append(w.secrets, given.token)
	case given.given:
		if strings.Contains(given.username, ":") {
			return fmt.Errorf("%w: a user name with a colon", ErrLogin)
		}
		pair := base64.StdEncoding.EncodeToString([]byte(given.username + ":" + string(given.password)))
		w.authorization = secret.Text("Basic " + pair)
		w.secrets = append(w.secrets, given.password, secret.Text(pair))
	}
	w.http, err = w.transport()
	return err
}

func (w *web) transport() (*http.Transport, error) {
	proxy, err := w.server.Login.proxy()
	if err != nil {
		return nil, err
	}
	trust, err := w.server.Login.tls()
	if err != nil {
		return nil, err
	}
	return &http.Transport{
		Proxy: proxy,
		OnProxyConnectResponse: func(_ context.Context, _ *url.URL, _ *http.Request, resp *http.Response) error {
			if resp.StatusCode != http.StatusOK {
				return proxyError(resp.StatusCode)
			}
			return nil
		},
		DialContext:           (&net.Dialer{Timeout: connectTime}).DialContext,
		TLSClientConfig:       trust,
		TLSHandshakeTimeout:   connectTime,
		ResponseHeaderTimeout: w.server.patience(),
		ForceAttemptHTTP2:     true,
	}, nil
}

// send returns what a request is answered with, and by which URL.
func (w *web) send(ctx context.Context, method string, to *url.URL, question []byte, kind string) (io.ReadCloser, *url.URL, error) {
	ctx, cancel := context.WithCancel(ctx)
	req, err := http.NewRequestWithContext(ctx, method, to.String(), bytes.NewReader(question))
	if err != nil {
		cancel()
		return nil, nil, err
	}
	req.Header.Set("User-Agent", capability.DefaultAgent())
	req.Header.Set("Accept", "application/x-"+service+"-"+kind)
	if question != nil {
		req.Header.Set("Content-Type", "application/x-"+service+"-request")
	}
	if w.authorization != "" && !w.moved {
		req.Header.Set("Authorization", string(w.authorization))
	}
	client := http.Client{Transport: w.http, CheckRedirect: w.redirected}
	resp, err := client.Do(req)
	if err != nil {
		cancel()
		return nil, nil, err
	}
	end := func() {
		cancel() // first, or else Close may read what is left
		resp.Body.Close()
	}
	if err := w.look(resp, kind); err != nil {
		end()
		return nil, nil, err
	}
	limit := w.received.limit
	if method == http.MethodGet {
		limit = maxReferences
	}
	timed := newPatient(resp.Body, w.server.patience(), func() { w.silent.Store(true); cancel() })
	return answer{w.received.reader(timed, limit), end}, resp.Request.URL, nil
}

// look refuses an answer that is not one to the question.
func (w *web) look(resp *http.Response, kind string) error {
	w.status = resp.StatusCode
	if w.status != http.StatusOK {
		w.wait = retryAfter(resp.Header.Get("Retry-After"), time.Now())
		return errStatus
	}
	if got, _, _ := strings.Cut(resp.Header.Get("Content-Type"), ";"); got != "application/x-"+service+"-"+kind {
		w.notGit = repository.Printable(got)
		return errNotGit
	}
	return nil
}

// redirected looks at a redirect before it is followed. net/http would carry
// the authorization on to subdomains and to other ports of a host.
func (w *web) redirected(req *http.Request, via []*http.Request) error {
	last := via[len(via)-1]
	switch {
	case len(via) >= maxRedirects:
		return fmt.Errorf("more than %d redirects", maxRedirects)
	case last.Method != http.MethodGet:
		return errors.New("a redirect of a question, which is not asked again")
	case last.URL.Scheme != req.URL.Scheme && req.URL.Scheme != "https":
		return fmt.Errorf("a redirect changes scheme from %s to %s", last.URL.Scheme, req.URL.Scheme)
	}
	w.moved = w.moved || !sameOrigin(w.server.Address, req.URL)
	if w.moved {
		req.Header.Del("Authorization")
	}
	return nil
}

// sameOrigin reports whether credentials for one URL may be sent to another:
// to the same host and port, or from http to https at their usual ports.
func sameOrigin(from, to *url.URL) bool {
	if !strings.EqualFold(from.Hostname(), to.Hostname()) {
		return false
	}
	upgrade := from.Scheme == "http" && to.Scheme == "https" && port(from) == "80" && port(to) == "443"
	return upgrade || from.Scheme == to.Scheme && port(from) == port(to)
}

func port(u *url.URL) string {
	switch {
	case u.Port() != "":
		return u.Port()
	case u.Scheme == "https":
		return "443"
	}
	return "80"
}

// proxyError is the status by which a proxy refuses to connect.
type proxyError int

func (e proxyError) Error() string { return fmt.Sprintf("status %d", int(e)) }

func (w *web) explain(err error) error {
	return without{explained(err, w.received, w.ownWords), w.secrets}
}

func (w *web) ownWords(err error) error {
	var (
		verify *tls.CertificateVerificationError
		refuse proxyError
		failed *net.OpError
	)
	switch {
	case w.silent.Load():
		return fmt.Errorf("%w: it said nothing for %s", repository.ErrUnreachable, w.server.patience())
	case errors.As(err, &verify):
		return fmt.Errorf("%w: %w", ErrCertificate, repository.Trimmed(verify.Err))
	case errors.As(err, &refuse):
		return refusedByProxy(int(refuse))
	case errors.As(err, &failed) && (failed.Op == "proxyconnect" || failed.Op == "socks connect"):
		return fmt.Errorf("%w: %w", ErrProxy, repository.Trimmed(failed.Err))
	case errors.As(err, &failed) && failed.Op == "remote error" && strings.Contains(failed.Err.Error(), "certificate"):
		return fmt.Errorf("%w: the server asks for a client certificate, or for another: %w", repository.ErrAuthentication, repository.Trimmed(failed.Err))
	case errors.Is(err, errNotGit):
		return fmt.Errorf("%w: the server answers %q, not Git's smart HTTP protocol", repository.ErrNoRepository, w.notGit)
	case errors.Is(err, errStatus):
		return w.explainStatus()
	}
	var noAnswer *url.Error
	if errors.As(err, &noAnswer) {
		return fmt.Errorf("%w: %w", repository.ErrUnreachable, repository.Trimmed(noAnswer.Err))
	}
	return nil
}

func (w *web) explainStatus() error {
	switch {
	case w.wait > 0:
		return &BusyError{w.status, w.wait}
	case w.status == http.StatusUnauthorized:
		return fmt.Errorf("%w: the server asks for credentials, or for others (status 401)", repository.ErrAuthentication)
	case w.status == http.StatusForbidden:
		return fmt.Errorf("%w: the server forbids it (status 403)", repository.ErrAuthentication)
	case w.status == http.StatusNotFound:
		return fmt.Errorf("%w: the server has none here, or hides it from these credentials (status 404)", repository.ErrNoRepository)
	case w.status == http.StatusProxyAuthRequired:
		return refusedByProxy(w.status)
	}
	return fmt.Errorf("%w: it answers with status %d", repository.ErrUnreachable, w.status)
}

func refusedByProxy(status int) error {
	if status == http.StatusProxyAuthRequired {
		return fmt.Errorf("%w: it asks for credentials, or for others (status %d)", ErrProxy, status)
	}
	return fmt.Errorf("%w: it answers with status %d", ErrProxy, status)
}
