// Package clustering is the toy cloud's Senlin: the Clustering API v1 with its microversions, and the engine that
// carries out its actions. Where a client can tell, it answers as Senlin 14 on MariaDB does with its default
// configuration, slips included: statuses, error shapes and texts, look-up by name and by id prefix, names without
// regard to case, exact numbers, sorted keys.
//
// Nothing stands behind it: flavors, images and networks are taken to exist, and a node becomes ACTIVE because its
// action ran, unless Senlin itself would have refused. Policies, receivers, events and webhooks are not served.
// It keeps its state in a store and authenticates through a function; it knows no user and no password.
package clustering

import (
	"context"
	"net/http"
	"time"

	"profilesync/internal/devcloud/profiletype"
	"profilesync/internal/devcloud/store"
)

// Caller is on whose behalf a request is made.
type Caller struct {
	User    string // id
	Project string // id; empty for a token that is not scoped to a project
	Admin   bool   // sees and changes every project's things
}

// project returns the project that the caller's view is limited to, or "" for all of them.
func (c Caller) project() string {
	if c.Admin {
		return ""
	}
	return c.Project
}

func (c Caller) sees(r *store.Record) bool { return c.Admin || r.Project == c.Project }

// Options of New. All but NameUnique, PageLimit and ActionTime are required.
type Options struct {
	Store        *store.DB
	Types        *profiletype.Registry
	Authenticate func(token string) (Caller, bool)
	IdentityURL  func(*http.Request) string // for the WWW-Authenticate header
	BaseURL      func(*http.Request) string // under which the sender reaches this API, without a slash at its end
	Now          func() time.Time

	NameUnique bool          // refuse to create a second profile of a name in a project, as name_unique does
	PageLimit  int           // at most so many rows in a list, which the real service never does; 0: no limit
	ActionTime time.Duration // how long an action runs
}

// API is the toy Senlin.
type API struct {
	o      Options
	routes []route
	engine *engine
}

// New returns the API and takes up the actions that a former process left unfinished. Stop it when done.
func New(o Options) (*API, error) {
	a := &API{o: o}
	a.routes = a.table()
	a.engine = newEngine(a)
	if err := a.engine.resume(); err != nil {
		a.engine.stop()
		return nil, err
	}
	return a, nil
}

// Stop abandons the running actions and returns when nothing runs any more. They are taken up again by the next New.
func (a *API) Stop() { a.engine.stop() }

// Settle carries out every unfinished action at once, without waiting for its time, and returns when none is left.
func (a *API) Settle(ctx context.Context) error { return a.engine.settle(ctx) }

// now is the time in whole seconds, which is all that the service's columns hold.
func (a *API) now() int64 { return a.o.Now().Unix() }
