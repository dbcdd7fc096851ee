package notify

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// webhook posts events to a URL.
type webhook struct {
	url    string
	token  string
	secret string
	client *http.Client
	agent  Options
}

const (
	maxAnswer    = 64 << 10 // read of an answer, so that the connection can be used again
	maxRedirects = 3
)

func newWebhook(r Receiver, o Options) (*webhook, string, error) {
	at, err := url.Parse(r.Webhook)
	if err != nil || at.Host == "" || at.Scheme != "http" && at.Scheme != "https" {
		return nil, "", errors.New("the webhook is no http or https URL")
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost, transport.IdleConnTimeout, transport.MaxResponseHeaderBytes = 1, 30*time.Second, 64<<10
	client := &http.Client{Transport: transport, CheckRedirect: stay}
	return &webhook{url: r.Webhook, token: r.Token, secret: r.Secret, client: client, agent: o}, "webhook at " + at.Hostname(), nil
}

// stay follows a redirect on the same host that wants the same request. Any
// other would hand the token to somebody else, or turn the POST into a GET.
func stay(next *http.Request, before []*http.Request) error {
	first := before[0].URL
	if next.URL.Host != first.Host || next.URL.Scheme != first.Scheme || next.Method != http.MethodPost || len(before) > maxRedirects {
		return http.ErrUseLastResponse
	}
	return nil
}

// send posts one event. Errors say whether another try may help; they never
// hold the URL.
func (h *webhook) send(ctx context.Context, events []event) error {
	body, err := encode(events[0], h.agent)
	if err != nil {
		return backoff.Permanent(fmt.Errorf("event: %w", err))
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, h.url, bytes.NewReader(body))
	if err != nil {
		return backoff.Permanent(errors.New("the URL is not valid"))
	}
	request.Header.Set("Content-Type", "application/cloudevents+json")
	request.Header.Set("User-Agent", "profilesync")
	if h.token != "" {
		request.Header.Set("Authorization", "Bearer "+h.token)
	}
	if h.secret != "" {
		request.Header.Set(SignatureHeader, Sign(h.secret, body))
	}
	answer, err := h.client.Do(request)
	if err != nil {
		return cause(err)
	}
	defer answer.Body.Close()
	_, _ = io.CopyN(io.Discard, answer.Body, maxAnswer)
	return judge(answer)
}

func (h *webhook) close() { h.client.CloseIdleConnections() }

// judge makes an error of an answer that does not say yes.
func judge(answer *http.Response) error {
	code := answer.StatusCode
	said := fmt.Errorf("it answers %d %s", code, http.StatusText(code))
	switch {
	case code >= 200 && code < 300:
		return nil
	case code >= 300 && code < 400:
		return backoff.Permanent(fmt.Errorf("%w, a redirect that is not followed", said))
	case isFinal(code):
		return backoff.Permanent(said)
	}
	if wait, is := retryAfter(answer.Header.Get("Retry-After"), time.Now()); is {
		return fmt.Errorf("%w (%w)", said, &backoff.RetryAfterError{Duration: wait})
	}
	return said
}

// retryAfter is the time that an answer asks for, in either form.
func retryAfter(header string, now time.Time) (time.Duration, bool) {
	if seconds, err := strconv.Atoi(header); err == nil && seconds >= 0 {
		return time.Duration(min(seconds, int(within/time.Second))) * time.Second, true
	}
	if at, err := http.ParseTime(header); err == nil {
		return min(max(at.Sub(now), 0), within), true
	}
	return 0, false
}

// SignatureHeader carries the signature of the body: "sha256=" and the HMAC in
// hexadecimal digits.
const SignatureHeader = "X-Profilesync-Signature"

// Sign is what the header holds for a body.
func Sign(secret string, body []byte) string {
	sum := hmac.New(sha256.New, []byte(secret))
	sum.Write(body)
	return "sha256=" + hex.EncodeToString(sum.Sum(nil))
}
