package remote

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing/format/pktline"

	"profilesync/internal/source/remote/hostkey"
	"profilesync/internal/source/remote/secret"
	"profilesync/internal/source/repository"
)

// Sentinels of how a server cannot be got at, besides those of package
// repository. They come wrapped with the particulars.
var (
	// ErrLogin is a secret, a key, a certificate or a setting of Login that
	// cannot be used. No server was asked.
	ErrLogin = secret.ErrLogin
	// ErrCertificate is a repository.ErrUnreachable, too: the certificate of
	// the server, or of a proxy, is not to be trusted. The *x509 error is
	// wrapped.
	ErrCertificate = fmt.Errorf("%w: certificate not trusted", repository.ErrUnreachable)
	// ErrProxy is a repository.ErrUnreachable, too: the proxy was not reached
	// or does not let through.
	ErrProxy = fmt.Errorf("%w: no way through the proxy", repository.ErrUnreachable)
)

// HostKeyError is an SSH server whose key is not known, or is another than is known.
type HostKeyError = hostkey.Error

// BusyError is a server that asks to be left alone for a while. It is a
// repository.ErrUnreachable.
type BusyError struct {
	Status     int           // 429 or 503, or 403 from a host that counts requests
	RetryAfter time.Duration // at most a day
}

// Error says how long the server asks to wait.
func (e *BusyError) Error() string {
	return fmt.Sprintf("%s: it answers with status %d and asks to wait %s", repository.ErrUnreachable, e.Status, e.RetryAfter)
}

// Unwrap returns repository.ErrUnreachable.
func (e *BusyError) Unwrap() error { return repository.ErrUnreachable }

// maxWait bounds how long a server can make a client wait.
const maxWait = 24 * time.Hour

// retryAfter reads the header of that name: seconds, or a date. 0 is none.
func retryAfter(header string, now time.Time) time.Duration {
	wait := time.Duration(0)
	if seconds, err := strconv.Atoi(header); err == nil {
		wait = time.Duration(min(max(0, seconds), int(maxWait/time.Second))) * time.Second
	} else if at, err := http.ParseTime(header); err == nil {
		wait = at.Sub(now).Round(time.Second)
	}
	return min(max(0, wait), maxWait)
}

// Words by which servers say that a repository is not there and that it may not
// be read, each in its own way. Many do not tell the two apart, and say the
// first of both.
var (
	notThere = regexp.MustCompile(`(?i)not found|could ?n.t be found|could not be found|cannot find|does not exist|no such (project|repository)|not appear to be a git repository`)
	notYours = regexp.MustCompile(`(?i)permission denied|access denied|not authorized|unauthorized|not allowed|forbidden|authentication failed|no access`)
	// prefixes begin each line that a host says through Git, and rules are
	// drawn around it.
	prefixes = regexp.MustCompile(`(?m)^(remote: *|fatal: *|ERROR: *)*([=\-*# ]+$)?`)
)

// refusal makes an error of what a server says in its own words.
func refusal(said string) error {
	text := repository.Printable(prefixes.ReplaceAllString(strings.ReplaceAll(said, "\r", "\n"), ""))
	kind := repository.ErrUnreachable
	switch {
	case commandless.MatchString(text): // "not found", but not the repository
	case notThere.MatchString(text):
		kind = repository.ErrNoRepository
	case notYours.MatchString(text):
		kind = repository.ErrAuthentication
	}
	return fmt.Errorf("%w: the server says: %s", kind, text)
}

// commandless is a shell on a machine without Git.
var commandless = regexp.MustCompile(`(?i)git-upload-pack.*(not found|no such file)`)

// explained turns what went wrong into an error of package repository or of
// this one: first what any link may meet, then what the link itself makes of
// it, if anything.
func explained(err error, received *meter, link func(error) error) error {
	var said *pktline.ErrorLine
	var untrusted *HostKeyError
	switch {
	case received.exceeded > 0:
		return fmt.Errorf("%w: the server sends more than %d bytes", repository.ErrLimit, received.exceeded)
	case errors.Is(err, ErrLogin), errors.Is(err, repository.ErrEmpty):
		return err
	case errors.As(err, &untrusted):
		return untrusted
	case errors.As(err, &said) && errors.Is(err, repository.ErrNoPack):
		return fmt.Errorf("%w: %w", refusal(said.Text), repository.ErrNoPack)
	case errors.As(err, &said):
		return refusal(said.Text)
	}
	if known := link(err); known != nil {
		return known
	}
	var unconnected *net.OpError
	switch {
	case errors.Is(err, repository.ErrDamaged) && (errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &unconnected)):
		return fmt.Errorf("%w: the connection ended amid the pack", repository.ErrUnreachable)
	case errors.Is(err, repository.ErrDamaged):
		return repository.Trimmed(err)
	case errors.As(err, &unconnected):
		return fmt.Errorf("%w: %w", repository.ErrUnreachable, repository.Trimmed(err))
	}
	return fmt.Errorf("%w: its answer: %w", repository.ErrUnreachable, repository.Trimmed(err))
}

// without is an error that does not show secrets, should a server have
// repeated one.
type without struct {
	err     error
	secrets []secret.Text
}

// minSecret is what a secret has at least. A shorter one would be found
// everywhere, and a mark in its place would tell where.
const minSecret = 6

func (w without) Error() string {
	text := w.err.Error()
	for _, s := range w.secrets {
		if len(s) >= minSecret {
			text = strings.ReplaceAll(text, string(s), fmt.Sprint(s))
		}
	}
	return text
}

func (w without) Unwrap() error { return w.err }
