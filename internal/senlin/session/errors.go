package session

import (
	"errors"
	"strconv"
	"strings"
	"time"
)

// What can be wrong with a cloud as a whole, beside the errors of packages
// profile and clouds: each has a remedy that a person can be told.
var (
	// ErrAuth: Keystone refused the credentials or the project.
	ErrAuth = errors.New("authentication failed")
	// ErrNoService: the catalog has no clustering service here, or several regions of it.
	ErrNoService = errors.New("no clustering service")
	// ErrUnreachable: no connection, or one that broke before the answer.
	ErrUnreachable = errors.New("unreachable")
	// ErrTimeout: no whole answer within [Options.Timeout].
	ErrTimeout = errors.New("timed out")
	// ErrNotKeystone: something else than Keystone v3 answers at the auth_url.
	ErrNotKeystone = errors.New("not a Keystone v3")
	// ErrNotSenlin: something else than a Senlin answers at the endpoint, or one
	// whose answers do not reach us whole.
	ErrNotSenlin = errors.New("not a Senlin")
	// ErrToken: Senlin refuses a token that Keystone has just issued.
	ErrToken = errors.New("token refused")
	// ErrReadOnly: a client with [Options.ReadOnly] was asked to write.
	ErrReadOnly = errors.New("client is read-only")
)

// Error is a request that did not succeed. It unwraps to sentinels of this
// package and of package profile, and to the context's error when the caller
// gave up.
type Error struct {
	Method    string
	URL       string // without credentials and query
	Status    int    // 0 when there was no answer
	Type      string // Senlin's word for it: "ResourceInUse", "InvalidSpec", ...; may be empty
	Message   string // for people; the server's own words where it has any
	RequestID string // "req-<uuid>", for the operator's logs; may be empty

	kinds []error
	again bool          // repeating it is safe and may help
	after time.Duration // but not before this has passed
}

// Error says what went wrong in one line.
func (e *Error) Error() string {
	var details []string
	if e.Status != 0 {
		details = append(details, strings.TrimSpace(strconv.Itoa(e.Status)+" "+e.Type))
	}
	if e.RequestID != "" {
		details = append(details, e.RequestID)
	}
	if len(details) == 0 {
		return e.Message
	}
	return e.Message + " (" + strings.Join(details, ", ") + ")"
}

// Unwrap gives the sentinels.
func (e *Error) Unwrap() []error { return e.kinds }
