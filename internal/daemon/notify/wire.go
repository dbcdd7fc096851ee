package notify

import (
	"encoding/json"
	"fmt"
	"time"

	"profilesync/internal/daemon/status"
)

// cloudEvent is what a webhook gets, as CloudEvents 1.0 wants it in structured
// mode. docs/notifications.md describes it.
type cloudEvent struct {
	SpecVersion     string    `json:"specversion"`
	ID              string    `json:"id"`
	Source          string    `json:"source"`
	Type            string    `json:"type"`
	Subject         string    `json:"subject"`
	Time            time.Time `json:"time"`
	DataContentType string    `json:"datacontenttype"`
	Data            eventData `json:"data"`
}

type eventData struct {
	Target   string          `json:"target"`
	Kind     Kind            `json:"kind"`
	Pass     uint64          `json:"pass,omitempty"`
	Instance string          `json:"instance"`
	Trigger  status.Trigger  `json:"trigger"`
	By       string          `json:"by,omitempty"`
	Began    time.Time       `json:"began"`
	Seconds  float64         `json:"seconds"`
	Outcome  status.Outcome  `json:"outcome"`
	Error    string          `json:"error,omitempty"`
	Hint     string          `json:"hint,omitempty"`
	Failures int             `json:"failures,omitempty"`
	Since    *time.Time      `json:"since,omitempty"`
	Revision eventRevision   `json:"revision"`
	Counts   status.Counts   `json:"counts"`
	Changes  []status.Change `json:"changes"`
	Omitted  int             `json:"omitted"`
	Link     string          `json:"link,omitempty"`
}

type eventRevision struct {
	ID      string `json:"id"`
	Subject string `json:"subject,omitempty"`
	Author  string `json:"author,omitempty"`
	Signer  string `json:"signer,omitempty"`
}

// encode is an event as a webhook gets it. Its id is the same in each try, so
// that a receiver can tell one event that came twice from two.
func encode(e event, o Options) ([]byte, error) {
	p := e.pass
	data := eventData{
		Target: p.Target, Kind: e.kind, Pass: p.ID, Instance: p.Instance, Trigger: p.Trigger, By: p.By, Began: p.Began.UTC(),
		Seconds: p.Took.Seconds(), Outcome: p.Outcome, Error: p.Error, Hint: p.Hint, Failures: e.failures,
		Revision: eventRevision{p.Revision.ID, p.Revision.Subject, p.Revision.Author, p.Revision.Signer},
		Counts:   p.Counts, Changes: p.Changes, Omitted: p.Omitted, Link: o.Link,
	}
	if !e.since.IsZero() {
		since := e.since.UTC()
		data.Since = &since
	}
	if data.Changes == nil {
		data.Changes = []status.Change{}
	}
	return json.Marshal(cloudEvent{
		SpecVersion: "1.0", ID: fmt.Sprintf("%s/%d/%s", p.Target, p.Began.UnixNano(), e.kind), Source: o.Source,
		Type: "profilesync.pass." + string(e.kind), Subject: p.Target, Time: e.ended().UTC(),
		DataContentType: "application/json", Data: data,
	})
}
