package faults

import (
	"fmt"
	"net/http"
	"strconv"
)

// Fault is one thing that goes wrong with one request. What the server did is
// part of it: the client often cannot tell.
type Fault int

// The faults. Those that only answer keep the request from the server.
const (
	None           Fault = iota // the request is served as it is
	DropBefore                  // the connection breaks before the server has acted
	DropAfter                   // the connection breaks after it: the reply is lost
	Unauthorized                // 401: the token has expired or was revoked
	Forbidden                   // 403
	NotFound                    // 404, of a proxy or a server that lags behind
	Conflict                    // 409 without a reason
	TooMany                     // 429 with Retry-After: 1
	Pool                        // 500: Senlin's database pool is exhausted
	Mute                        // 500: Senlin's workers did not answer, and never saw the request
	MuteLate                    // the same answer; the request is carried out later
	BadGateway                  // 502 of a proxy; the server has not acted
	Unavailable                 // 503 of a proxy; the server has not acted
	GatewayTimeout              // 504 of a proxy; the server has acted
	HTML                        // 200 with a page for people; the server has not acted
	Truncated                   // the server has acted; half of its answer arrives
	Drip                        // the server has acted; its answer takes Options.Drip to arrive
	Hang                        // nothing happens until the client gives up
	HangLate                    // nothing happens until the client gives up; the request is carried out later
)

// All lists the faults, None left out.
func All() []Fault {
	all := make([]Fault, 0, HangLate)
	for f := DropBefore; f <= HangLate; f++ {
		all = append(all, f)
	}
	return all
}

// String names the fault.
func (f Fault) String() string {
	names := [...]string{
		None: "none", DropBefore: "drop before", DropAfter: "drop after", Unauthorized: "401", Forbidden: "403", NotFound: "404",
		Conflict: "409", TooMany: "429", Pool: "500 database pool", Mute: "500 messaging timeout",
		MuteLate: "500 messaging timeout, carried out later", BadGateway: "502", Unavailable: "503", GatewayTimeout: "504 after the fact",
		HTML: "HTML", Truncated: "truncated", Drip: "slow drip", Hang: "hang", HangLate: "hang, carried out later",
	}
	if f < 0 || int(f) >= len(names) {
		return "fault " + strconv.Itoa(int(f))
	}
	return names[f]
}

// Acts reports whether the server sees the request at all, now or later.
func (f Fault) Acts() bool {
	switch f {
	case None, DropAfter, GatewayTimeout, Truncated, Drip:
		return true
	}
	return f.Late()
}

// Late reports whether the request is carried out after its answer.
func (f Fault) Late() bool { return f == MuteLate || f == HangLate }

// answer is what is said instead of the server's own answer.
type answer struct {
	status int
	kind   string // Senlin's name of the error; a proxy has none
	text   string
	header map[string]string
}

func (f Fault) answer() answer {
	switch f {
	case Unauthorized:
		return answer{
			status: http.StatusUnauthorized, text: "The request you have made requires authentication.",
			header: map[string]string{"WWW-Authenticate": `Keystone uri="http://keystone.invalid/v3"`},
		}
	case Forbidden:
		return answer{status: http.StatusForbidden, kind: "Forbidden", text: "You are not authorized to complete this operation."}
	case NotFound:
		return answer{status: http.StatusNotFound, kind: "ResourceNotFound", text: "The profile 'x' could not be found."}
	case Conflict:
		return answer{status: http.StatusConflict, kind: "HTTPConflict", text: "There was a conflict when trying to complete your request."}
	case TooMany:
		return answer{status: http.StatusTooManyRequests, text: "Too many requests.", header: map[string]string{"Retry-After": "1"}}
	case Pool:
		return answer{
			status: http.StatusInternalServerError, kind: "RemoteError", text: "Remote error: TimeoutError QueuePool limit of size 5 " +
				"overflow 50 reached, connection timed out, timeout 30.00 (Background on this error at: https://sqlalche.me/e/14/3o7r)",
		}
	case Mute, MuteLate:
		return answer{
			status: http.StatusInternalServerError, kind: "MessagingTimeout",
			text: "Timed out waiting for a reply to message ID 5f0c8a2e9d3b4c7f8e1a6b2d4c9f0e7a",
		}
	case BadGateway, Unavailable, GatewayTimeout:
		status := map[Fault]int{
			BadGateway: http.StatusBadGateway, Unavailable: http.StatusServiceUnavailable, GatewayTimeout: http.StatusGatewayTimeout,
		}[f]
		return answer{status: status}
	}
	return answer{status: http.StatusOK}
}

// body is Senlin's form of an error, its token filter's, or a proxy's page.
func (a answer) body() (kind, text string) {
	title := http.StatusText(a.status)
	switch {
	case a.text == "":
		return "text/html", fmt.Sprintf("<html><head><title>%s</title></head>\n<body><h1>%[1]s</h1></body></html>\n", title)
	case a.kind == "":
		return "application/json", fmt.Sprintf(`{"error": {"code": %d, "title": %q, "message": %q}}`, a.status, title, a.text)
	}
	return "application/json", fmt.Sprintf(`{"code": %d, "title": %q, "error": {"code": %[1]d, "message": %q, "type": %q}}`,
		a.status, title, a.text, a.kind)
}
