package hook

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"time"
)

// read reads a body within its bounds: of size, of time, and of how many are
// read at once.
func (h *handler) read(w http.ResponseWriter, r *http.Request) ([]byte, answer) {
	select {
	case h.slots <- struct{}{}:
		defer func() { <-h.slots }()
	default:
		return nil, answer{
			status: http.StatusServiceUnavailable, result: Invalid, text: "too many requests at once",
			header: [2]string{"Retry-After", "1"},
		}
	}
	// A writer that knows no deadline, such as one in a test, is bounded elsewhere.
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(deadline))
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBody))
	var large *http.MaxBytesError
	var slow net.Error
	switch {
	case errors.As(err, &large):
		return nil, tooLarge()
	case errors.As(err, &slow) && slow.Timeout():
		return nil, answer{status: http.StatusRequestTimeout, result: Invalid, text: "the body took too long"}
	case err != nil:
		return nil, answer{status: http.StatusBadRequest, result: Invalid, text: "the body is not complete"}
	}
	return body, answer{}
}

// document is the JSON in a body: all of it, or the field "payload" of a form,
// which GitHub and Gitea send when they are told to. A generic sender need not
// send any; and since curl calls whatever it sends a form, its JSON may call
// itself one.
func document(sender, contentType string, body []byte) ([]byte, error) {
	kind, _, _ := mime.ParseMediaType(contentType)
	switch {
	case kind == "application/json":
		return body, nil
	case sender == Generic && (len(body) == 0 || bytes.HasPrefix(bytes.TrimLeft(body, " \t\r\n"), []byte("{"))):
		return body, nil
	case kind == "application/x-www-form-urlencoded":
		form, err := url.ParseQuery(string(body))
		if err != nil || !form.Has("payload") {
			return nil, errors.New(`the form has no "payload"`)
		}
		return []byte(form.Get("payload")), nil
	}
	return nil, errors.New("want application/json, or a form with a payload")
}
