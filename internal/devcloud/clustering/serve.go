package clustering

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"profilesync/internal/devcloud/pyjson"
)

type object = map[string]any

// request is a request that passed authentication and found its route.
type request struct {
	http    *http.Request
	caller  Caller
	minor   int            // of the microversion 1.minor
	args    []string       // what the route's {} stand for, as Python sees a path: one character per byte
	query   []parameter    // in order
	body    *pyjson.Object // nil when the request has none
	hasBody bool
}

// answer is a success.
type answer struct {
	status   int
	body     any    // written as JSON; pyjson.Raw as it is
	location string // of the action, relative to the API
}

// ServeHTTP answers every path of the API.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodOptions && !isVersionRoot(r.URL.Path) {
		send(w, http.StatusOK, "", nil)
		return
	}
	path, minor, done := a.negotiate(w, r)
	if done {
		return
	}
	caller, ok := a.o.Authenticate(r.Header.Get("X-Auth-Token"))
	switch {
	case !ok:
		w.Header().Set("WWW-Authenticate", `Keystone uri="`+a.o.IdentityURL(r)+`"`)
		send(w, http.StatusUnauthorized, "application/json", []byte(`{"error": {"code": 401, "title": "Unauthorized", `+
			`"message": "The request you have made requires authentication."}}`))
		return
	case caller.Project == "":
		writeWebOb(w, r, http.StatusBadRequest, "Field `project' cannot be None")
		return
	}
	route, args, ok := a.match(r.Method, path)
	if !ok {
		writeWebOb(w, r, http.StatusNotFound, "")
		return
	}
	ans, err := a.run(route, &request{http: r, caller: caller, minor: minor, args: args})
	if err != nil {
		var refusal *apiError
		if !errors.As(err, &refusal) {
			refusal = internal("RemoteError", "Remote error: "+err.Error())
		}
		writeError(w, refusal)
		return
	}
	a.reply(w, minor, ans)
}

// run reads what the request says and hands it to its operation.
func (a *API) run(route route, q *request) (answer, error) {
	if err := q.readBody(); err != nil {
		return answer{}, err
	}
	if q.minor < route.since {
		return answer{}, &apiError{
			http.StatusBadRequest, "MethodVersionNotFound",
			fmt.Sprintf("API version '1.%d' is not supported on this method.", q.minor),
		}
	}
	if q.hasBody && route.body == noBody || !q.hasBody && route.body == needsBody {
		return answer{}, malformed()
	}
	q.query = parseQuery(q.http.URL.RawQuery)
	return route.do(q)
}

// reply writes a success. Only these carry the version.
func (a *API) reply(w http.ResponseWriter, minor int, ans answer) {
	if ans.status == http.StatusNoContent {
		w.WriteHeader(ans.status)
		return
	}
	if ans.location != "" {
		w.Header().Set("Location", ans.location)
	}
	w.Header().Set("OpenStack-API-Version", "clustering 1."+strconv.Itoa(minor))
	w.Header().Set("Vary", "OpenStack-API-Version")
	raw, ok := ans.body.(pyjson.Raw)
	if !ok {
		raw = pyjson.Encode(ans.body)
	}
	send(w, ans.status, "application/json", raw)
}

func send(w http.ResponseWriter, status int, kind string, body []byte) {
	if kind != "" {
		w.Header().Set("Content-Type", kind)
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // a client that is gone is none of our business
}

// bodyRule says whether an operation takes a body. Senlin trips over one that it does not expect, and over a
// missing one.
type bodyRule int

const (
	noBody bodyRule = iota
	needsBody
	anyBody
)

// route is an operation of the API.
type route struct {
	method  string
	pattern []string // path segments; {} stands for any
	since   int      // the first minor version that has it
	body    bodyRule
	do      func(*request) (answer, error)
}

func at(method, path string, since int, body bodyRule, do func(*request) (answer, error)) route {
	return route{method, strings.Split(path, "/"), since, body, do}
}

// match finds the route of a path below /v1. No route ends in a slash, and a method that a path does not have is
// no route either.
func (a *API) match(method, path string) (route, []string, bool) {
	segments := strings.Split(strings.TrimPrefix(path, "/"), "/")
next:
	for _, r := range a.routes {
		if r.method != method || len(r.pattern) != len(segments) {
			continue
		}
		var args []string
		for i, p := range r.pattern {
			switch {
			case p == "{}" && segments[i] != "":
				args = append(args, argument(segments[i], i == len(segments)-1))
			case p != segments[i]:
				continue next
			}
		}
		return r, args, true
	}
	return route{}, nil, false
}

// argument returns a path segment as the service gets it: each byte one character, so that a name beyond ASCII cannot be found
// by its path; and without a line feed at the end of the path, which the service's router does not see.
func argument(s string, last bool) string {
	if last && len(s) > 1 {
		s = strings.TrimSuffix(s, "\n")
	}
	var out strings.Builder
	for i := range len(s) {
		out.WriteRune(rune(s[i]))
	}
	return out.String()
}
