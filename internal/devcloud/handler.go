package devcloud

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"strings"
)

// Handler serves both APIs: Keystone under /identity (its v3 API is /identity/v3), Senlin everywhere else.
func (c *Cloud) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Openstack-Request-Id", requestID())
		out := &watched{ResponseWriter: w, status: http.StatusOK}
		if r.URL.Path == identityPrefix || strings.HasPrefix(r.URL.Path, identityPrefix+"/") {
			c.identity.ServeHTTP(out, r)
		} else {
			c.senlin.ServeHTTP(out, r)
		}
		if c.o.Observe != nil {
			c.o.Observe(Request{
				Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery, Header: r.Header, Status: out.status,
			})
		}
	})
}

// requestID makes the id that every answer carries. One that the client sends is not taken over.
func requestID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	return fmt.Sprintf("req-%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// watched remembers the status of an answer.
type watched struct {
	http.ResponseWriter
	status int
}

// WriteHeader notes the status and passes it on.
func (w *watched) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController reach what is below.
func (w *watched) Unwrap() http.ResponseWriter { return w.ResponseWriter }
