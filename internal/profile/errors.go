package profile

import "errors"

// The errors of a cloud that a caller branches on. Whoever talks to a server
// wraps them; nothing else about an error decides what the program does.
var (
	// ErrNotFound: no profile has this id.
	ErrNotFound = errors.New("not found")
	// ErrInUse: a cluster or a node holds on to the profile (Senlin's 409, which
	// counts rows of every project and does not name them).
	ErrInUse = errors.New("in use")
	// ErrInvalid: the content is refused for good; the same request will be
	// refused again.
	ErrInvalid = errors.New("invalid")
	// ErrDenied: the credentials are missing, wrong or not enough.
	ErrDenied = errors.New("denied")
	// ErrUnchanged: the update would change nothing (Senlin answers 400 to a
	// PATCH that changes nothing).
	ErrUnchanged = errors.New("unchanged")
	// ErrInDoubt: the server may have carried the request out, now or later; a
	// reply was lost. Look before repeating it.
	ErrInDoubt = errors.New("outcome unknown")
	// ErrUnavailable: the service did not do it and may do so later.
	ErrUnavailable = errors.New("unavailable")
)
