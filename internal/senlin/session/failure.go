package session

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/gophercloud/gophercloud"

	"profilesync/internal/profile"
)

const maxMessage = 400 // characters: a database error comes with its whole statement

// perhaps ends the message of a write whose outcome is unknown.
const perhaps = "; it may have been carried out"

// refusal makes an error of an answer with a status that was not hoped for.
func (r Request) refusal(answer gophercloud.ErrUnexpectedResponseCode) *Error {
	f := readFault(answer.Body)
	e := &Error{
		Method: answer.Method, URL: plainURL(answer.URL), Status: answer.Actual,
		Type: f.kind, Message: scrub(f.orElse(answer.Actual), r.Secrets),
		RequestID: requestID(answer.ResponseHeader),
		after:     retryAfter(answer.ResponseHeader),
	}
	notDone := answer.ResponseHeader.Get("Retry-After") != "" || idle.Match(answer.Body)
	e.kinds, e.again = r.judge(answer.Actual, f, notDone)
	if errors.Is(e, ErrNotSenlin) {
		e.Message = e.URL + " answered: " + e.Message
		if to := answer.ResponseHeader.Get("Location"); to != "" && answer.Actual/100 == 3 {
			e.Message = fmt.Sprintf("%s is redirected to %s", e.URL, plainURL(to))
		}
	}
	if errors.Is(e, profile.ErrInDoubt) {
		e.Message += perhaps
	}
	return e
}

// idle are the words of a 503 that come before anything is done: of Senlin's
// token filter, and of HAProxy without a backend. Other proxies, such as Envoy,
// also answer 503 when the backend breaks off after it was given the request.
var idle = regexp.MustCompile(`The Keystone service is temporarily unavailable|No server is available to handle this request`)

// judge says what a status means for this request, and whether to repeat it.
// notDone is whether a 503 is one of those.
func (r Request) judge(status int, f fault, notDone bool) (kinds []error, again bool) {
	switch status {
	case http.StatusTooManyRequests, http.StatusRequestTimeout: // a limiter, or a proxy that has no whole request
		return []error{profile.ErrUnavailable}, true
	case http.StatusServiceUnavailable:
		if notDone {
			return []error{profile.ErrUnavailable}, true
		}
		return r.maybeDone(true)
	case http.StatusBadGateway, http.StatusGatewayTimeout:
		return r.maybeDone(true)
	case http.StatusUnauthorized: // again, after its renewal
		return []error{profile.ErrDenied, ErrToken}, false
	case http.StatusForbidden:
		return []error{profile.ErrDenied}, false
	}
	switch {
	case status >= 500:
		return r.broken(f)
	case status < 300: // only a write can have been carried out
		if r.Write {
			return []error{profile.ErrInDoubt, ErrNotSenlin}, false
		}
		return []error{ErrNotSenlin}, false
	case status < 400 || f.html:
		return []error{ErrNotSenlin}, false
	case status == http.StatusNotFound:
		return []error{r.missing(f)}, false
	case status == http.StatusConflict && r.ByID && f.kind == "ResourceInUse":
		return []error{profile.ErrInUse}, false
	case status == http.StatusConflict:
		return []error{profile.ErrUnavailable}, false
	}
	return []error{r.bad(f)}, false
}

// broken judges a 500. Senlin says with one that a spec lacks its type or
// version; that its workers did not answer (MessagingTimeout: they may still);
// and that the database failed them (RemoteError).
func (r Request) broken(f fault) (kinds []error, again bool) {
	switch f.kind {
	case "ESchema":
		return []error{profile.ErrInvalid}, false
	case "MessagingTimeout", "RemoteError":
		return r.maybeDone(true)
	}
	return r.maybeDone(false)
}

// maybeDone is the verdict when the server may have acted: only what changes
// nothing may be repeated.
func (r Request) maybeDone(worthRepeating bool) (kinds []error, again bool) {
	if r.Write {
		return []error{profile.ErrInDoubt}, false
	}
	return []error{profile.ErrUnavailable}, worthRepeating
}

// missing judges a 404. Senlin says it of a profile, of a profile type that it
// does not know (in a POST, and in a DELETE of a profile whose type is no longer
// installed), and of the host of a docker profile. Its web framework says it,
// without a type, of a path.
func (r Request) missing(f fault) error {
	switch {
	case f.kind != "ResourceNotFound":
		return ErrNotSenlin
	case r.ByID && strings.HasPrefix(f.message, "The profile '"):
		return profile.ErrNotFound
	}
	return profile.ErrInvalid
}

// bad judges a 400 and its like.
func (r Request) bad(f fault) error {
	switch {
	case r.ByID && f.kind == "MultipleChoices":
		// No profile has this id, and several have it as their name.
		return profile.ErrNotFound
	case r.ByID && strings.HasPrefix(f.message, "No property needs an update"):
		return profile.ErrUnchanged
	case strings.Contains(f.message, "Field `project' cannot be None"):
		return profile.ErrDenied // the token is not scoped to a project
	}
	return profile.ErrInvalid
}

// loss makes an error of a request that got no answer, or not all of one.
func (r Request) loss(method, address string, c *call, timeout time.Duration, err error) *Error {
	e := &Error{Method: method, URL: plainURL(address)}
	var begun *cut
	if errors.As(err, &begun) {
		e.RequestID = begun.requestID
	}
	var stopped fenced
	switch {
	case errors.As(err, &stopped):
		return r.fenced(e, stopped, c)
	case c.ctx.Err() != nil:
		e.kinds = []error{c.ctx.Err(), context.Cause(c.ctx)}
		e.Message = fmt.Sprintf("gave up waiting for %s %s: %v", method, e.URL, context.Cause(c.ctx))
	case errors.Is(err, ErrTimeout):
		e.kinds = []error{ErrTimeout}
		e.Message = fmt.Sprintf("no answer to %s %s within %s", method, e.URL, timeout)
	case errors.Is(err, errTooLarge):
		e.kinds = []error{ErrNotSenlin}
		e.Message = fmt.Sprintf("%s answered more than %d MiB", e.URL, c.limit>>20)
	default:
		e.kinds, e.again = []error{ErrUnreachable}, !untrusted(err)
		e.Message = fmt.Sprintf("cannot reach %s: %v", e.URL, innermost(err))
		if errors.Is(err, io.EOF) { // a Keystone without its database does so
			e.Message = e.URL + " closed the connection without an answer"
		}
	}
	if r.Write && !c.unsent() {
		e.kinds, e.again = append(e.kinds, profile.ErrInDoubt), false
		e.Message += perhaps
		return e
	}
	e.kinds = append(e.kinds, profile.ErrUnavailable)
	return e
}

// fenced is the error of something around the network that ended a request, such
// as at the end of a lease. It knows whether nothing of the request went out.
type fenced interface {
	error
	Unsent() bool
}

// fenced makes an error of a request that was not let through, or cut short. The
// cloud has nothing to do with it, and the next try would end like it.
func (r Request) fenced(e *Error, why fenced, c *call) *Error {
	e.kinds = []error{why}
	if why.Unsent() || !r.Write || c.unsent() {
		e.Message = "not sent: " + why.Error()
		return e
	}
	e.kinds = append(e.kinds, profile.ErrInDoubt)
	e.Message = fmt.Sprintf("gave up waiting for %s %s: %v%s", e.Method, e.URL, why, perhaps)
	return e
}

// garbled makes an error of a good status with an answer that cannot be read.
func (r Request) garbled(method, address, id string, body []byte, err error) *Error {
	e := &Error{Method: method, URL: plainURL(address), RequestID: id, kinds: []error{ErrNotSenlin}}
	e.Message = fmt.Sprintf("%s answered %s", e.URL, err)
	switch {
	case looksLikeHTML(body):
		e.Message = e.URL + " answered: HTML instead of JSON"
	case errors.Is(err, io.EOF):
		e.Message = e.URL + " answered nothing"
	case errors.Is(err, io.ErrUnexpectedEOF):
		e.Message = e.URL + " answered half a JSON"
		e.again = true
	}
	if r.Write {
		e.kinds, e.again = append(e.kinds, profile.ErrInDoubt), false
		e.Message += perhaps
	}
	return e
}

// untrusted reports a certificate that will be no better the next time.
func untrusted(err error) bool {
	var verification *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	return errors.As(err, &verification) || errors.As(err, &record)
}

// innermost digs the words worth showing out of the wrappings of net/http.
func innermost(err error) error {
	var inURL *url.Error
	for errors.As(err, &inURL) {
		err = inURL.Err
	}
	var inOp *net.OpError
	if errors.As(err, &inOp) && inOp.Err != nil {
		var name *net.DNSError
		if errors.As(inOp, &name) {
			return name
		}
		return inOp.Err
	}
	return err
}

// plainURL is a URL without credentials, query and fragment.
func plainURL(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return "(unreadable URL)"
	}
	u.User, u.RawQuery, u.ForceQuery, u.Fragment, u.RawFragment = nil, "", false, "", ""
	return u.String()
}

// retryAfter reads how long the server asks to be left alone.
func retryAfter(header http.Header) time.Duration {
	value := header.Get("Retry-After")
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(time.Until(at), 0)
	}
	return 0
}
