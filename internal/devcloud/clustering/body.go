package clustering

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"profilesync/internal/devcloud/pyjson"
)

// maxBody is Senlin's max_json_body_size, in bytes.
const maxBody = 1 << 20

// hardLimit bounds what is read of a body at all. Senlin would read on; its answer is the same.
const hardLimit = 16 * maxBody

// readBody reads the body, if there is one that Senlin takes for one: of known length, of a type it knows, and
// beginning with a brace.
func (q *request) readBody() error {
	if q.http.ContentLength <= 0 {
		return nil
	}
	kind, _, _ := strings.Cut(q.http.Header.Get("Content-Type"), ";")
	if kind != "" && kind != "JSON" && kind != "application/json" && !strings.HasPrefix(kind, "text/plain") {
		return nil
	}
	data, err := io.ReadAll(io.LimitReader(q.http.Body, hardLimit))
	if err != nil {
		return fmt.Errorf("request body: %w", err)
	}
	if len(data) == 0 || data[0] != '{' {
		return nil
	}
	if len(data) > maxBody {
		return &apiError{http.StatusBadRequest, "RequestLimitExceeded", fmt.Sprintf(
			"Request limit exceeded: JSON body size (%d bytes) exceeds maximum allowed size (%d bytes).",
			max(int64(len(data)), q.http.ContentLength), maxBody)}
	}
	v, err := pyjson.Decode(data)
	switch {
	case errors.Is(err, pyjson.ErrDepth):
		return internal("RecursionError", err.Error()+" in comparison")
	case err != nil:
		return httpBadRequest("%s", err.Error())
	}
	q.body, q.hasBody = v.(*pyjson.Object) // it began with a brace
	return nil
}

// parameter is a part of a query.
type parameter struct {
	name, value string
	invalid     string // Python's complaint about its bytes, or ""
}

// parseQuery reads a query as WebOb does: semicolons separate too, and what is not an escape stays as it is.
func parseQuery(raw string) []parameter {
	var list []parameter
	for _, part := range strings.FieldsFunc(raw, func(r rune) bool { return r == '&' || r == ';' }) {
		name, value, _ := strings.Cut(part, "=")
		p := parameter{name: unescape(name), value: unescape(value)}
		if p.invalid = pyjson.InvalidUTF8(p.name); p.invalid == "" {
			p.invalid = pyjson.InvalidUTF8(p.value)
		}
		list = append(list, p)
	}
	return list
}

func unescape(s string) string {
	s = strings.ReplaceAll(s, "+", " ")
	if out, err := url.PathUnescape(s); err == nil {
		return out
	}
	var out strings.Builder
	for s != "" {
		if s[0] == '%' && len(s) >= 3 {
			if b, err := url.PathUnescape(s[:3]); err == nil {
				out.WriteString(b)
				s = s[3:]
				continue
			}
		}
		out.WriteByte(s[0])
		s = s[1:]
	}
	return out.String()
}
