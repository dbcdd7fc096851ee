package page

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"profilesync/internal/daemon/page/wire"
	"profilesync/internal/daemon/status"
	"profilesync/internal/report"
)

const (
	fewPasses = 100 // when nothing is said
	maxPasses = 500
	maxBody   = 4 << 10
	maxWhy    = 200 // characters of the reason for an override
)

func (f *face) getStatus(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, wire.StatusOf(f.Daemon.Status()))
}

// named is the target that a path names. Without one the request is refused.
func (f *face) named(w http.ResponseWriter, r *http.Request) (status.Daemon, status.Target, bool) {
	now, name := f.Daemon.Status(), r.PathValue("name")
	at := slices.IndexFunc(now.Targets, func(t status.Target) bool { return t.Name == name })
	if at < 0 {
		refuse(w, r, http.StatusNotFound, "no such target")
		return now, status.Target{}, false
	}
	return now, now.Targets[at], true
}

func (f *face) getTarget(w http.ResponseWriter, r *http.Request) {
	if now, t, ok := f.named(w, r); ok {
		writeJSON(w, http.StatusOK, wire.OneTarget{FormatVersion: wire.FormatVersion, Target: wire.TargetOf(t, now.Now)})
	}
}

// getPlan writes the plan as `plan -o json` does, without what is in sync.
func (f *face) getPlan(w http.ResponseWriter, r *http.Request) {
	_, t, ok := f.named(w, r)
	if !ok {
		return
	}
	if t.Plan == nil {
		refuse(w, r, http.StatusNotFound, "there is no plan of this target yet")
		return
	}
	target := report.Target{Name: t.Name, Plan: &t.Plan.Plan}
	if rev := t.Revision; rev.ID == t.Plan.Plan.Revision && !rev.When.IsZero() {
		target.Commit = &report.Commit{Subject: rev.Subject, Author: rev.Author, When: rev.When, Signer: rev.Signer}
	}
	var body bytes.Buffer
	if err := report.JSON(&body, []report.Target{target}); err != nil {
		f.Log.Error("plan cannot be written as JSON", "target", t.Name, "error", err)
		refuse(w, r, http.StatusInternalServerError, "the plan cannot be written as JSON")
		return
	}
	write(w, http.StatusOK, "application/json", body.Bytes())
}

func (f *face) getPasses(w http.ResponseWriter, r *http.Request) {
	target, before, limit, err := which(r.URL.Query())
	if err != nil {
		refuse(w, r, http.StatusBadRequest, err.Error())
		return
	}
	passes, err := f.Daemon.Passes(target, before, limit)
	if err != nil {
		f.Log.Error("passes cannot be read", "error", err)
		refuse(w, r, http.StatusServiceUnavailable, "the passes cannot be read at the moment")
		return
	}
	writeJSON(w, http.StatusOK, wire.PassesOf(passes, limit))
}

// which passes are asked for.
func which(query url.Values) (target string, before uint64, limit int, err error) {
	limit = fewPasses
	for key, values := range query {
		if len(values) > 1 {
			return "", 0, 0, fmt.Errorf("%q is there %d times", key, len(values))
		}
		switch value := values[0]; key {
		case "target":
			target = value
		case "before":
			before, err = strconv.ParseUint(value, 10, 64)
			if err != nil {
				return "", 0, 0, errors.New(`"before" is not the id of a pass`)
			}
		case "limit":
			limit, err = strconv.Atoi(value)
			if err != nil || limit < 1 || limit > maxPasses {
				return "", 0, 0, fmt.Errorf(`"limit" is not a number from 1 to %d`, maxPasses)
			}
		default:
			return "", 0, 0, fmt.Errorf("%q is not known here: target, before and limit are", report.Short(key, 40))
		}
	}
	return target, before, limit, nil
}

// askForPass wants a pass, and does not wait for it.
func (f *face) askForPass(w http.ResponseWriter, r *http.Request) {
	_, t, ok := f.named(w, r)
	if !ok {
		return
	}
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" {
		refuse(w, r, http.StatusUnsupportedMediaType, "the body has to be application/json, such as {}")
		return
	}
	request, err := readRequest(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		refuse(w, r, http.StatusBadRequest, "the body is not as it should be: "+report.Short(err.Error(), 200))
		return
	}
	trigger, by := status.Manual, oneLine(callerOf(r).name)
	if request.Override != nil {
		trigger, by = status.Override, by+": "+report.Short(strings.TrimSpace(*request.Override), maxWhy)
	}
	if err := f.Daemon.Ask(t.Name, trigger, by); err != nil {
		refuse(w, r, http.StatusConflict, oneLine(err.Error()))
		return
	}
	f.Log.Info("pass asked for", "target", t.Name, "trigger", string(trigger), "by", by)
	writeJSON(w, http.StatusAccepted, wire.Asked{FormatVersion: wire.FormatVersion, Target: t.Name, Trigger: string(trigger), By: by})
}

// readRequest reads one JSON object and nothing behind it. No body at all asks
// for nothing special.
func readRequest(body io.Reader) (wire.Request, error) {
	var request wire.Request
	decoder := json.NewDecoder(body)
	decoder.DisallowUnknownFields()
	switch err := decoder.Decode(&request); {
	case errors.Is(err, io.EOF):
		return request, nil
	case err != nil:
		return request, err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return request, errors.New("there is more than one value")
	}
	if request.Override != nil && strings.TrimSpace(*request.Override) == "" {
		return request, errors.New("an override has to say why")
	}
	return request, nil
}
