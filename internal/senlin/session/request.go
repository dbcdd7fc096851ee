package session

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/gophercloud/gophercloud"

	"profilesync/internal/profile"
)

// Request is one thing asked of the server.
type Request struct {
	Send    func(*gophercloud.ServiceClient) (*http.Response, error)
	Read    func(body []byte) error // not called when Send returns no response
	Limit   int64                   // of the answer, in bytes; 0 means 8 MiB
	Write   bool                    // it changes something: not repeated when it may have been carried out
	ByID    bool                    // its path names a profile by its id
	Secrets []string                // what an error must not show
}

// Keep makes gophercloud send this body (nil for none), take these statuses for
// success, and leave the answer alone: it would read numbers as float64.
func Keep(body any, ok ...int) *gophercloud.RequestOpts {
	return &gophercloud.RequestOpts{KeepResponseBody: true, JSONBody: body, OkCodes: ok}
}

// Do carries out a request, and repeats it where that is safe and may help. Its
// error wraps an [*Error].
func (s *Session) Do(ctx context.Context, r Request) error {
	return retry(ctx, s.transport.timeout, func() error { return s.once(ctx, r) })
}

// Service is where the requests go, for messages.
func (s *Session) Service() string { return plainURL(s.service.Endpoint) }

func (s *Session) once(ctx context.Context, r Request) error {
	limit := r.Limit
	if limit == 0 {
		limit = answerLimit
	}
	asked := &call{ctx: ctx, limit: limit}
	name := s.transport.open(asked)
	defer s.transport.close(name)
	service := *s.service
	service.MoreHeaders = map[string]string{callHeader: name}

	resp, err := r.Send(&service)
	if err != nil {
		r.Secrets = append(slices.Clone(r.Secrets), service.Token()) // a server may quote that too
		return r.failure(asked, s.transport.timeout, err)
	}
	if resp == nil { // gophercloud has read the answer
		return nil
	}
	defer func() { _ = resp.Body.Close() }() // all of it has been read, or the error says why not
	body, err := io.ReadAll(resp.Body)
	method, address := resp.Request.Method, resp.Request.URL.String()
	if err == nil {
		err = r.Read(body)
	} else if !errors.Is(err, io.ErrUnexpectedEOF) {
		return r.loss(method, address, asked, s.transport.timeout, err)
	}
	if err != nil {
		return r.garbled(method, address, requestID(resp.Header), body, err)
	}
	return nil
}

// failure sorts what gophercloud returns as an error.
func (r Request) failure(c *call, timeout time.Duration, err error) error {
	var known *Error
	if errors.As(err, &known) { // the token could not be renewed
		return known
	}
	if errors.Is(err, ErrReadOnly) {
		return &Error{Message: innermost(err).Error(), kinds: []error{ErrReadOnly, profile.ErrDenied}}
	}
	var answer gophercloud.ErrUnexpectedResponseCode
	if errors.As(err, &answer) {
		return r.refusal(answer)
	}
	var inURL *url.Error
	if errors.As(err, &inURL) {
		return r.loss(strings.ToUpper(inURL.Op), inURL.URL, c, timeout, err)
	}
	return r.loss("", "", c, timeout, err)
}

const (
	tries      = 4
	firstPause = 250 * time.Millisecond
	maxPause   = 10 * time.Second
)

// retry repeats an attempt while its error says that this is safe and may
// help: a few times, ever more slowly, and beginning none later than the budget
// after the first. What is returned is the last attempt's error.
func retry(ctx context.Context, budget time.Duration, attempt func() error) error {
	pauses := backoff.ExponentialBackOff{
		InitialInterval: firstPause, Multiplier: 3, MaxInterval: maxPause,
		RandomizationFactor: backoff.DefaultRandomizationFactor,
	}
	begun := time.Now()
	for try := 1; ; try++ {
		err := attempt()
		var failure *Error
		if !errors.As(err, &failure) || !failure.again || try == tries {
			return err
		}
		pause := max(pauses.NextBackOff(), failure.after)
		if time.Since(begun)+pause > budget {
			return err
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return fmt.Errorf("%w (%w before it was tried again)", err, context.Cause(ctx))
		}
	}
}
