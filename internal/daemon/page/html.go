package page

import (
	"bytes"
	"io"
	"net/http"

	"profilesync/internal/daemon/page/view"
	"profilesync/internal/daemon/status"
)

// shownPasses is how many passes the page has.
const shownPasses = 100

func (f *face) overview(w http.ResponseWriter, r *http.Request) {
	f.html(w, r, view.Data{Daemon: f.Daemon.Status()}, "", f.views.Overview)
}

func (f *face) target(w http.ResponseWriter, r *http.Request) {
	now, t, ok := f.named(w, r)
	if !ok {
		return
	}
	f.html(w, r, view.Data{Daemon: now}, t.Name, func(to io.Writer, data view.Data) error {
		return f.views.Target(to, data, t)
	})
}

// html renders a page with the passes of a target, or of all. A part of it is
// what the page's script asks for when it refreshes the page.
func (f *face) html(w http.ResponseWriter, r *http.Request, data view.Data, target string, render func(io.Writer, view.Data) error) {
	passes, err := f.Daemon.Passes(target, 0, shownPasses)
	if err != nil {
		f.Log.Error("passes cannot be read", "error", err)
		passes, data.Unread = []status.Pass{}, true
	}
	data.Passes, data.Part = passes, r.URL.Query().Get("part") == "main"
	var body bytes.Buffer
	if err := render(&body, data); err != nil {
		f.Log.Error("page cannot be rendered", "error", err)
		refuse(w, r, http.StatusInternalServerError, "internal error")
		return
	}
	write(w, http.StatusOK, "text/html; charset=utf-8", body.Bytes())
}

func (f *face) asset(name, kind string) http.HandlerFunc {
	content := view.Asset(name)
	return func(w http.ResponseWriter, _ *http.Request) { write(w, http.StatusOK, kind, content) }
}
