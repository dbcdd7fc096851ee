// Package identity is the toy cloud's Keystone: the part of the Identity API v3 that OpenStack's clients use to
// log in, to look at their token and to find the services. Its users and projects are fixed (Accounts); what it
// knows beyond them, the sealing secret and which tokens were revoked, its owner keeps for it.
//
// It has nothing to create or change but tokens, and it never reads a file.
package identity

import (
	"net/http"
	"time"
)

// Options of New. All but Revoked and Revoke are required.
type Options struct {
	Secret    []byte // seals the tokens: whoever knows it can make them
	TokenLife time.Duration
	Now       func() time.Time

	// Prefix is the path under which Handler is mounted, without a slash at its end ("/identity").
	Prefix string
	// BaseURL returns the address under which the client that sent a request reaches this process, without a
	// slash at its end.
	BaseURL func(*http.Request) string

	Revoked func(auditID string) bool                       // asks whether a token was revoked
	Revoke  func(auditID string, expires int64) (err error) // remembers it until it expires (Unix seconds)
}

// Service is the toy Keystone.
type Service struct {
	o   Options
	mux *http.ServeMux
}

// New returns a service.
func New(o Options) *Service {
	s := &Service{o: o}
	s.mux = s.routes()
	return s
}

// Scope says on whose behalf a request is made.
type Scope struct {
	UserID    string
	ProjectID string // empty for an unscoped token
	Admin     bool
}

// Authenticate returns the scope of a token. The second result is false for a token that is unknown, expired or
// revoked.
func (s *Service) Authenticate(text string) (Scope, bool) {
	t, err := s.open(text)
	if err != nil {
		return Scope{}, false
	}
	return Scope{UserID: t.User, ProjectID: t.Project, Admin: t.Project != "" && t.account().isAdmin()}, true
}

// URL returns the address of the service's v3 API for the sender of a request.
func (s *Service) URL(r *http.Request) string { return s.o.BaseURL(r) + s.o.Prefix + "/v3" }

// ServeHTTP answers the paths under Prefix.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Vary", "X-Auth-Token")
	s.mux.ServeHTTP(w, r)
}
