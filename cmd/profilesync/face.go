package main

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"profilesync/internal/daemon/hook"
	"profilesync/internal/daemon/page"
	"profilesync/internal/daemon/page/login"
	"profilesync/internal/daemon/page/server"
	"profilesync/internal/reconcile"
	"profilesync/internal/source"
)

// swapped is a handler that a reload replaces.
type swapped struct{ now atomic.Pointer[http.Handler] }

func (s *swapped) set(handler http.Handler) { s.now.Store(&handler) }

func (s *swapped) ServeHTTP(w http.ResponseWriter, r *http.Request) { (*s.now.Load()).ServeHTTP(w, r) }

// newFace makes what the server answers, and says where it listens. Secrets are read at each request; here
// it is only seen to it that they can be.
func (v *service) newFace(c config) (http.Handler, server.Options, error) {
	gate, err := v.gateOf(c.Daemon.HTTP.Auth, c.Daemon.HTTP.TLS.ClientCA != "")
	if err != nil {
		return nil, server.Options{}, err
	}
	listen := v.serverOptions(c, gate)
	if err := listen.Check(); err != nil {
		return nil, server.Options{}, err
	}
	hooks, err := v.hooksOf(c)
	if err != nil {
		return nil, server.Options{}, err
	}
	options := page.Options{
		Daemon: v.daemon, Metrics: v.metrics.Handler(), Hooks: hooks, Login: gate, AnyHost: c.Daemon.HTTP.Open, Log: v.logger,
	}
	if link, err := url.Parse(c.Daemon.HTTP.Link); err == nil && link.Hostname() != "" {
		options.Hosts = []string{link.Hostname()}
	}
	return page.New(options), listen, nil
}

func (v *service) gateOf(c authConfig, certificates bool) (*login.Gate, error) {
	options := login.Options{Username: c.Basic.Username, Certificates: certificates}
	var err error
	if options.Bearer, err = v.secret("token of the page", c.Bearer); err != nil {
		return nil, err
	}
	if options.Password, err = v.secret("password of the page", c.Basic.Password); err != nil {
		return nil, err
	}
	return login.New(options), nil
}

// secret reads a secret anew each time it is asked for; nil where none is
// configured.
func (v *service) secret(what string, where secretConfig) (func() (string, error), error) {
	if where.place().IsZero() {
		return nil, nil
	}
	read := func() (string, error) {
		return v.readSecret(what, where)
	}
	_, err := read()
	return read, err
}

func (v *service) hooksOf(c config) (http.Handler, error) {
	options := hook.Options{Count: v.metrics.Hook, Log: v.logger, Push: func(p hook.Push) { v.pushed(c.Source, p) }}
	any := false
	for _, sender := range []struct {
		name  string
		where secretConfig
		into  *hook.Secret
	}{
		{"GitHub", c.Daemon.Hooks.GitHub.place(), &options.GitHub},
		{"GitLab", c.Daemon.Hooks.GitLab.place(), &options.GitLab},
		{"Gitea", c.Daemon.Hooks.Gitea.place(), &options.Gitea},
		{"generic", c.Daemon.Hooks.Generic.place(), &options.Generic},
	} {
		read, err := v.secret("secret of "+sender.name+" hooks", sender.where)
		if err != nil {
			return nil, err
		}
		if read != nil {
			any = true
			*sender.into = func() ([]byte, error) {
				text, err := read()
				return []byte(text), err
			}
		}
	}
	if !any {
		return nil, nil
	}
	return hook.New(options), nil
}

// pushed makes a pass of everything when a push may concern what is read.
func (v *service) pushed(c sourceConfig, p hook.Push) {
	if c.URL != "" && !hook.Concerns(p, c.URL, c.Ref) {
		v.logger.Info("push is about something else", "push", p.String())
		return
	}
	v.logger.Info("push", "push", p.String())
	v.daemon.Push(p.String())
	if v.bell != nil {
		go v.ring(p.String())
	}
}

// bell is how instances tell each other of a push: a sender calls one of them,
// and the target may be served by another.
type bell interface {
	Ring(ctx context.Context, word string) error
	Listen(ctx context.Context, heard func(word string))
}

func (v *service) ring(word string) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := v.bell.Ring(ctx, word); err != nil {
		v.logger.Warn("other instances not told of a push", "error", err)
	}
}

// hear makes a pass of everything when another instance was told of a push.
func (v *service) hear(ctx context.Context) {
	if v.bell == nil {
		return
	}
	v.bell.Listen(ctx, func(word string) {
		v.logger.Info("push, told by another instance", "push", word)
		v.daemon.Push(word)
	})
}

func (v *service) serverOptions(c config, gate *login.Gate) server.Options {
	h := c.Daemon.HTTP
	return server.Options{
		Address: cmp.Or(h.Listen, server.DefaultAddress), Handler: &v.face, Open: h.Open, Log: v.logger,
		TLS:     server.TLS{Certificate: h.TLS.Certificate, Key: h.TLS.Key, ClientCA: h.TLS.ClientCA},
		Guarded: gate.Configured(),
	}
}

// count is told of every request to a cloud.
func (v *service) count(target string, base http.RoundTripper) http.RoundTripper {
	return counter{v, target, base}
}

type counter struct {
	*service
	target string
	base   http.RoundTripper
}

func (c counter) RoundTrip(r *http.Request) (*http.Response, error) {
	began := time.Now()
	answer, err := c.base.RoundTrip(r)
	code := 0 // no answer
	if err == nil {
		code = answer.StatusCode
	}
	c.metrics.Request(c.target, r.Method, code, time.Since(began))
	return answer, err
}

// counted is a source that tells of each reading.
type counted struct {
	reconcile.Source
	read func(fetched bool, err error)
}

func (c counted) Read(ctx context.Context) (source.Snapshot, error) {
	tree, err := c.Source.Read(ctx)
	c.read(tree.Received > 0, err)
	return tree, err
}
