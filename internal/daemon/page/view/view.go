// Package view makes the status page: HTML of package status, with its style and
// its script, which need no build step.
//
//	status ──▶ model (what is shown, in words) ──▶ template
//
// Every decision about what is shown and how it is called is in the model, in
// plain functions; the templates lay it out. Whatever comes from Git or the cloud
// is foreign: the model makes it clean and bounds it, the templates escape it.
// The package is pure: it reads no clock, and knows neither HTTP nor who asks.
package view

import (
	"embed"
	"html/template"
	"io"
	"io/fs"
	"time"

	"profilesync/internal/daemon/status"
)

//go:embed assets
var assets embed.FS

// Data is what a page shows.
type Data struct {
	Daemon status.Daemon
	Passes []status.Pass // the newest first; of one target on its page
	Unread bool          // the passes could not be read
	Part   bool          // only <main>, for the script that refreshes the page
}

// Pages renders. It may be used by several goroutines.
type Pages struct{ templates *template.Template }

// New parses the templates.
func New() *Pages {
	return &Pages{template.Must(template.ParseFS(assets, "assets/*.html"))}
}

// Asset is an embedded file: page.css, page.js or favicon.svg. There are no
// others.
func Asset(name string) []byte {
	content, err := fs.ReadFile(assets, "assets/"+name)
	if err != nil {
		return nil
	}
	return content
}

// Overview writes the page of all targets. The error is that of w.
func (p *Pages) Overview(w io.Writer, data Data) error {
	return p.write(w, "overview", data, overviewOf(data))
}

// Target writes the page of one target of data. The error is that of w.
func (p *Pages) Target(w io.Writer, data Data, t status.Target) error {
	return p.write(w, "target-page", data, targetPageOf(data, t))
}

// page is a page with what is the same on all.
type page struct {
	Title    string
	Owner    string
	Source   string
	Instance string
	Version  string
	Now      moment
	Started  moment
	Problems []problem
	Passes   passes
	One      bool // the page of one target

	Glance glance // of all targets
	Cards  []card
}

func (p *Pages) write(w io.Writer, name string, data Data, made page) error {
	made.Owner, made.Source, made.Instance = text(data.Daemon.Owner), text(data.Daemon.Source), text(data.Daemon.Instance)
	made.Version, made.Now = text(data.Daemon.Version), momentOf(data.Daemon.Now, data.Daemon.Now)
	made.Started = momentOf(data.Daemon.Started, data.Daemon.Now)
	if !data.Part {
		name = "page"
	}
	return p.templates.ExecuteTemplate(w, name, made)
}

func overviewOf(data Data) page {
	now := data.Daemon.Now
	made := page{Glance: glanceOf(data.Daemon), Problems: problemsOf(data.Daemon), Passes: passesOf(data, now)}
	for _, t := range data.Daemon.Targets {
		made.Cards = append(made.Cards, cardOf(t, now, fewChanges))
	}
	made.Title = made.Glance.Short + " · profilesync"
	return made
}

func targetPageOf(data Data, t status.Target) page {
	now := data.Daemon.Now
	made := page{One: true, Problems: problemsOf(data.Daemon), Passes: passesOf(data, now), Cards: []card{cardOf(t, now, manyChanges)}}
	made.Title = made.Cards[0].Name + ": " + made.Cards[0].State.Word + " · profilesync"
	return made
}

// problem is something wrong with the process.
type problem struct {
	Kind  string
	Text  []string
	Since moment
}

func problemsOf(d status.Daemon) []problem {
	var made []problem
	for _, p := range d.Problems {
		made = append(made, problem{text(p.Kind), lines(p.Text), momentOf(p.Since, d.Now)})
	}
	return made
}

// moment is a time, absolute and in relation to now. The zero value is none.
type moment struct {
	Machine  string // RFC 3339
	Absolute string // "14:02:10 UTC", with the day when that is another one
	Relative string // "3 minutes ago"
}

func momentOf(t, now time.Time) moment {
	if t.IsZero() {
		return moment{}
	}
	t, now = t.UTC(), now.UTC()
	layout := "15:04:05 UTC"
	if t.Format(time.DateOnly) != now.Format(time.DateOnly) {
		layout = "2006-01-02 15:04 UTC"
	}
	return moment{t.Format("2006-01-02T15:04:05.000Z07:00"), t.Format(layout), relative(now.Sub(t))}
}
