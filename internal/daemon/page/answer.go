package page

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"

	"profilesync/internal/daemon/page/wire"
	"profilesync/internal/report"
)

// refuse answers in plain words, or as JSON to a program.
func refuse(w http.ResponseWriter, r *http.Request, code int, text string) {
	if strings.HasPrefix(r.URL.Path, "/api/") || wantsJSON(r) {
		writeJSON(w, code, wire.Error{FormatVersion: wire.FormatVersion, Error: text})
		return
	}
	writeText(w, code, text+"\n")
}

// wantsJSON reports whether a program asks; the first of several types counts.
func wantsJSON(r *http.Request) bool {
	first, _, _ := strings.Cut(r.Header.Get("Accept"), ",")
	kind, _, _ := strings.Cut(first, ";")
	return strings.EqualFold(strings.TrimSpace(kind), "application/json")
}

func writeText(w http.ResponseWriter, code int, text string) {
	write(w, code, "text/plain; charset=utf-8", []byte(text))
}

// writeJSON writes one of the documents of package wire, none of which can fail
// to encode.
func writeJSON(w http.ResponseWriter, code int, document any) {
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(document)
	text := strings.TrimSuffix(body.String(), "\n")
	write(w, code, "application/json", []byte(report.Visible(text)+"\n"))
}

// write sends a whole answer; a client that has gone does not matter.
func write(w http.ResponseWriter, code int, kind string, body []byte) {
	w.Header().Set("Content-Type", kind)
	w.WriteHeader(code)
	_, _ = w.Write(body)
}
