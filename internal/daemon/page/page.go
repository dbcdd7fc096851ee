// Package page is the HTTP face of the daemon: probes, metrics, hooks, an API
// and a status page for people.
//
//	request ──▶ recover, headers, host ──▶ route ──▶ method, login, origin ──▶ answer
//
// The table in [New] is every path there is, with what it asks of a caller. What
// is read shows no secret, but names, plans and errors are not public: where a
// login is configured, the probes say no more than a word to strangers. Nothing
// is changed without a login at all.
//
// The package reads package status and translates it (wire for programs, view
// for people). It decides nothing about a target and opens no connection; server
// listens.
package page

import (
	"log/slog"
	"net/http"

	"profilesync/internal/daemon/page/login"
	"profilesync/internal/daemon/page/view"
	"profilesync/internal/daemon/status"
)

// Daemon is what the page shows and asks. Its methods may be called from
// several goroutines and do not block for long.
type Daemon interface {
	// Status is how everything is doing now.
	Status() status.Daemon
	// Passes are the last ones before an ID, the newest first; no target means
	// all of them, 0 the newest.
	Passes(target string, before uint64, limit int) ([]status.Pass, error)
	// Ask wants a pass of a target and does not wait for it. The error says, for
	// people, why there will be none.
	Ask(target string, trigger status.Trigger, by string) error
	// Stuck names the targets that have not moved for longer than they may.
	Stuck() []string
}

// Options are what the page is made of.
type Options struct {
	Daemon  Daemon
	Metrics http.Handler // nil: there are none
	Hooks   http.Handler // who may call them it judges by itself; nil: there are none
	Login   *login.Gate  // nil, or without a way in: reading needs no login, and nothing can be asked for

	// Without a login only this machine is answered, under the names that are
	// meant to lead here: localhost, bare addresses and Hosts (without port).
	// Somebody else's page, open in a browser here, could otherwise have its own
	// name lead to this machine and read what it likes. AnyHost says that the
	// network is trusted: everybody is answered, under every name.
	Hosts   []string
	AnyHost bool

	Log *slog.Logger // nil: nothing is logged
}

// access is what a path asks of a caller.
type access int

const (
	public  access = iota // everybody; what comes is judged elsewhere
	probe                 // everybody, who is told less without a login
	private               // a login, where one is configured
	writing               // a login, always, and no page of somebody else's
)

// face is the handler and what it shares.
type face struct {
	Options
	views   *view.Pages
	origins *http.CrossOriginProtection
}

// route is one path.
type route struct {
	path   string // as for [http.ServeMux], without a method
	method string // GET stands for HEAD as well
	access access
	serve  http.HandlerFunc
}

// New returns the handler of everything the daemon serves.
func New(options Options) http.Handler {
	if options.Login == nil {
		options.Login = login.New(login.Options{})
	}
	if options.Log == nil {
		options.Log = slog.New(slog.DiscardHandler)
	}
	f := &face{Options: options, views: view.New(), origins: http.NewCrossOriginProtection()}
	mux := http.NewServeMux()
	for _, r := range f.routes() {
		mux.Handle(r.path, f.guard(r))
	}
	return f.around(mux)
}

func (f *face) routes() []route {
	const get, post = http.MethodGet, http.MethodPost
	return []route{
		{"/", get, private, f.overview},
		{"/targets/{name}", get, private, f.target},
		{"/page.css", get, private, f.asset("page.css", "text/css; charset=utf-8")},
		{"/page.js", get, private, f.asset("page.js", "text/javascript; charset=utf-8")},
		{"/favicon.svg", get, private, f.asset("favicon.svg", "image/svg+xml")},

		{"/api/v1/status", get, private, f.getStatus},
		{"/api/v1/targets/{name}", get, private, f.getTarget},
		{"/api/v1/targets/{name}/plan", get, private, f.getPlan},
		{"/api/v1/targets/{name}/pass", post, writing, f.askForPass},
		{"/api/v1/passes", get, private, f.getPasses},

		{"/healthz", get, probe, f.healthz},
		{"/readyz", get, probe, f.readyz},
		{"/metrics", get, private, f.given(f.Metrics, "no metrics are kept")},
		{"/hooks/git", post, public, f.given(f.Hooks, "no hooks are configured")},
	}
}

// given is a handler from outside, or a refusal where there is none.
func (f *face) given(handler http.Handler, missing string) http.HandlerFunc {
	if handler != nil {
		return handler.ServeHTTP
	}
	return func(w http.ResponseWriter, r *http.Request) { refuse(w, r, http.StatusNotFound, missing) }
}
