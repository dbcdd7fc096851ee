package notify

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/textproto"
	"os"
	"regexp"
	"strconv"
	"syscall"

	"github.com/cenkalti/backoff/v5"
	"github.com/nicholas-fedor/shoutrrr/pkg/util/jsonclient"
)

// errLogin says that a client could not be made of a valid URL. Another try may
// help: the server may have been away.
var errLogin = errors.New("it cannot be logged in to")

// cause says in words of ours what went wrong. What other packages say may hold
// parts of a URL, and all of it may be secret.
func cause(err error) error {
	var (
		dns       *net.DNSError
		mail      *textproto.Error
		web       jsonclient.Error
		errno     syscall.Errno
		permanent *backoff.PermanentError
	)
	switch {
	case errors.As(err, &permanent), errors.Is(err, errLogin):
		return err
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded), isTimeout(err):
		return errors.New("no answer in time")
	case errors.Is(err, context.Canceled):
		return errors.New("ended before an answer came")
	case errors.As(err, &dns):
		return errors.New("its host is not found")
	case isTLS(err):
		return errors.New("its certificate is not trusted")
	case errors.As(err, &mail):
		return refusal(fmt.Sprintf("it answers %d", mail.Code), mail.Code >= 500)
	case errors.As(err, &errno):
		return errors.New(errno.Error())
	case errors.As(err, &web) && web.StatusCode >= 300:
		return refusal(fmt.Sprintf("it answers %d", web.StatusCode), isFinal(web.StatusCode))
	}
	if found := statusCode.FindStringSubmatch(err.Error()); found != nil {
		code, _ := strconv.Atoi(found[1] + found[2])
		return refusal(fmt.Sprintf("it answers %d", code), isFinal(code))
	}
	return errors.New("it does not take the message")
}

// statusCode finds the status in a service's error: "status code 403", "403 Forbidden".
var statusCode = regexp.MustCompile(`(?i:\b(?:status|code|response)\b\D{0,12})([3-5]\d\d)\b|\b([3-5]\d\d) [A-Z][a-z]+`)

// isFinal reports whether a server that answers so will do so the next time.
func isFinal(code int) bool {
	return code < 500 && code != http.StatusTooManyRequests && code != http.StatusRequestTimeout
}

func refusal(text string, isPermanent bool) error {
	if isPermanent {
		return backoff.Permanent(errors.New(text))
	}
	return errors.New(text)
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

func isTLS(err error) bool {
	var (
		unverified *tls.CertificateVerificationError
		authority  x509.UnknownAuthorityError
		name       x509.HostnameError
	)
	return errors.As(err, &unverified) || errors.As(err, &authority) || errors.As(err, &name)
}
