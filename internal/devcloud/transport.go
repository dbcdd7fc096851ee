package devcloud

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
)

// InProcessURL is an address for clients that reach the cloud through Transport. No name server knows it.
const InProcessURL = "http://devcloud.invalid"

// AuthURL returns the address of the Keystone of a cloud that is reached at base.
func AuthURL(base string) string { return base + identityPrefix + "/v3" }

// Transport serves requests in this process, without a socket, whatever host they name.
func (c *Cloud) Transport() http.RoundTripper { return InProcess(c.Handler()) }

// InProcess returns a transport that has a handler answer in this process. A request whose context ends is given up
// at once, as a network would; the handler's own context ends with it, and what it still does is lost. An answer is
// delivered when it is whole. A handler that panics with http.ErrAbortHandler breaks the connection: what it wrote
// arrives, and then io.ErrUnexpectedEOF.
func InProcess(h http.Handler) http.RoundTripper { return inProcess{h} }

type inProcess struct{ handler http.Handler }

// RoundTrip implements http.RoundTripper.
func (t inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		closeBody(r)
		return nil, err
	}
	w := &buffer{header: http.Header{}}
	finished := make(chan error, 1)
	go func() {
		defer closeBody(r)
		finished <- serve(t.handler, w, inbound(r))
	}()
	select {
	case <-r.Context().Done():
		return nil, r.Context().Err()
	case err := <-finished:
		return w.response(r, err)
	}
}

func closeBody(r *http.Request) {
	if r.Body != nil {
		_ = r.Body.Close()
	}
}

// inbound turns an outgoing request into what a server would see of it.
func inbound(r *http.Request) *http.Request {
	in := r.Clone(r.Context())
	in.RequestURI = r.URL.RequestURI()
	in.RemoteAddr = "127.0.0.1:0"
	in.Proto, in.ProtoMajor, in.ProtoMinor = "HTTP/1.1", 1, 1
	if in.Host == "" {
		in.Host = r.URL.Host
	}
	if in.Body == nil {
		in.Body = http.NoBody
	}
	if in.ContentLength == 0 && in.Body != http.NoBody {
		in.ContentLength = -1 // an unknown length: the body would have come in chunks
	}
	return in
}

// serve runs a handler; the error is what a broken connection gives the client.
func serve(h http.Handler, w http.ResponseWriter, r *http.Request) (err error) {
	defer func() {
		switch p := recover(); p {
		case nil:
		case http.ErrAbortHandler:
			err = io.ErrUnexpectedEOF
		default:
			err = fmt.Errorf("devcloud: panic in a handler: %v", p)
		}
	}()
	h.ServeHTTP(w, r)
	return nil
}

// buffer collects an answer.
type buffer struct {
	header http.Header // the handler's
	sent   http.Header // as it was when the status was written
	status int
	body   bytes.Buffer
}

func (b *buffer) Header() http.Header { return b.header }

func (b *buffer) WriteHeader(status int) {
	if b.status == 0 {
		b.status, b.sent = status, b.header.Clone()
	}
}

func (b *buffer) Write(p []byte) (int, error) {
	b.WriteHeader(http.StatusOK)
	return b.body.Write(p)
}

// response delivers what was collected. A connection that broke before the status was sent is an error at once.
func (b *buffer) response(r *http.Request, broken error) (*http.Response, error) {
	if broken != nil && (b.status == 0 || !errors.Is(broken, io.ErrUnexpectedEOF)) {
		return nil, fmt.Errorf("%s %q: %w", r.Method, r.URL.Redacted(), broken)
	}
	b.WriteHeader(http.StatusOK)
	length := int64(b.body.Len())
	if n, err := strconv.ParseInt(b.sent.Get("Content-Length"), 10, 64); err == nil {
		length = n
	}
	var body io.Reader = bytes.NewReader(b.body.Bytes())
	switch {
	case r.Method == http.MethodHead:
		body = http.NoBody
	case broken != nil || int64(b.body.Len()) < length:
		body = io.MultiReader(body, failing{io.ErrUnexpectedEOF})
	}
	return &http.Response{
		Status: strconv.Itoa(b.status) + " " + http.StatusText(b.status), StatusCode: b.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: b.sent, Body: io.NopCloser(body), ContentLength: length, Request: r,
	}, nil
}

// failing is a reader that has nothing but an error.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }
