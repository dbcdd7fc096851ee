package page

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"slices"
	"strings"

	"profilesync/internal/daemon/page/login"
	"profilesync/internal/report"
)

// contentPolicy lets the page load its own style, script and icon, ask its own
// server, and nothing else.
const contentPolicy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// setHeaders sets what every answer has, also that of a handler from outside.
func setHeaders(h http.Header) {
	h.Set("Content-Security-Policy", contentPolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
	h.Set("Cache-Control", "no-store")
}

// around is what happens to every request before its path matters.
func (f *face) around(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer f.recovered(w, r)
		setHeaders(w.Header())
		switch open := f.AnyHost || f.Login.Configured() || r.URL.Path == "/hooks/git"; {
		case !open && !isLocal(r.RemoteAddr):
			refuse(w, r, http.StatusForbidden, "no login is configured, so only this machine is answered")
			return
		case !open && !f.isOurHost(r.Host):
			refuse(w, r, http.StatusMisdirectedRequest, "this server is not known by that host name")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// recovered answers for a handler that panicked. What it tells stays here.
func (f *face) recovered(w http.ResponseWriter, r *http.Request) {
	cause := recover()
	if cause == nil {
		return
	}
	if cause == http.ErrAbortHandler {
		panic(cause) // the way to cut an answer off
	}
	f.Log.Error("request panicked", "path", report.Short(r.URL.Path, 200), "cause", cause, "stack", string(debug.Stack()))
	refuse(w, r, http.StatusInternalServerError, "internal error")
}

// isLocal tells this machine's own connections.
func isLocal(remote string) bool {
	from, err := netip.ParseAddrPort(remote)
	return err == nil && from.Addr().Unmap().IsLoopback()
}

// isOurHost keeps names apart that lead here on purpose from those that only
// happen to: see [Options.Hosts].
func (f *face) isOurHost(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	if _, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return true
	}
	return host == "localhost" || slices.ContainsFunc(f.Hosts, func(known string) bool { return strings.EqualFold(known, host) })
}

// caller is who sent a request.
type caller struct {
	name  string // "" for somebody who did not log in
	knows bool   // may be told what is not public
}

type callerKey struct{}

func callerOf(r *http.Request) caller {
	who, _ := r.Context().Value(callerKey{}).(caller)
	return who
}

// guard lets through to a route who may go there.
func (f *face) guard(to route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if to.path == "/" && r.URL.Path != "/" {
			refuse(w, r, http.StatusNotFound, "there is nothing here")
			return
		}
		if r.Method != to.method && (to.method != http.MethodGet || r.Method != http.MethodHead) {
			allowed := to.method
			if allowed == http.MethodGet {
				allowed = "GET, HEAD"
			}
			w.Header().Set("Allow", allowed)
			refuse(w, r, http.StatusMethodNotAllowed, "here only "+allowed+" is answered")
			return
		}
		if to.access == public {
			to.serve(w, r)
			return
		}
		who, err := f.Login.Who(r)
		if err != nil {
			f.turnAway(w, r, err)
			return
		}
		if !f.admits(w, r, to.access, who) {
			return
		}
		known := caller{who, who != "" || !f.Login.Configured()}
		to.serve(w, r.WithContext(context.WithValue(r.Context(), callerKey{}, known)))
	})
}

// admits reports whether a caller may go on, and says why not.
func (f *face) admits(w http.ResponseWriter, r *http.Request, to access, who string) bool {
	if to == writing && !f.Login.Configured() {
		refuse(w, r, http.StatusForbidden, "nothing can be asked for without a login, and none is configured")
		return false
	}
	if to != probe && who == "" && f.Login.Configured() {
		f.askToLogIn(w, r, "log in first")
		return false
	}
	if to == writing && f.origins.Check(r) != nil {
		refuse(w, r, http.StatusForbidden, "this was sent by another site's page")
		return false
	}
	return true
}

// turnAway answers a login that is of no use.
func (f *face) turnAway(w http.ResponseWriter, r *http.Request, err error) {
	switch {
	case errors.Is(err, login.ErrTooMany):
		w.Header().Set("Retry-After", "10")
		refuse(w, r, http.StatusTooManyRequests, "too many wrong logins, wait a moment")
	case errors.Is(err, login.ErrWrong):
		f.Log.Warn("wrong login", "address", r.RemoteAddr)
		f.askToLogIn(w, r, "wrong login")
	default:
		f.Log.Error("logins cannot be checked", "error", err)
		refuse(w, r, http.StatusServiceUnavailable, "logins cannot be checked at the moment")
	}
}

func (f *face) askToLogIn(w http.ResponseWriter, r *http.Request, text string) {
	challenges := f.Login.Challenges()
	if len(challenges) == 0 {
		refuse(w, r, http.StatusForbidden, "a client certificate is needed")
		return
	}
	w.Header()["Www-Authenticate"] = challenges
	refuse(w, r, http.StatusUnauthorized, text)
}
