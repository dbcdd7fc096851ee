package identity

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"profilesync/internal/devcloud/pyjson"
)

// problem is a refusal, in Keystone's words.
type problem struct {
	status  int
	message string
	extra   string // further members of the error object
}

func malformed(format string, args ...any) *problem {
	return &problem{status: http.StatusBadRequest, message: fmt.Sprintf(format, args...) +
		" The server could not comply with the request since it is either malformed or otherwise incorrect." +
		" The client is assumed to be in error."}
}

func unauthorized() *problem {
	return &problem{status: http.StatusUnauthorized, message: "The request you have made requires authentication."}
}

func forbidden(rule string) *problem {
	return &problem{
		status:  http.StatusForbidden,
		message: "You are not authorized to perform the requested action: identity:" + rule + ".",
	}
}

func missing(kind, id string) *problem {
	return &problem{status: http.StatusNotFound, message: "Could not find " + kind + ": " + id + "."}
}

// refuse writes a problem, compact and with a new line, as Keystone does.
func (s *Service) refuse(w http.ResponseWriter, r *http.Request, p *problem) {
	if p.status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Keystone uri="`+s.URL(r)+`"`)
	}
	body := fmt.Sprintf(`{"error":{"code":%d,%s"message":%s,"title":%q}}`+"\n",
		p.status, p.extra, pyjson.Encode(p.message), http.StatusText(p.status))
	send(w, p.status, []byte(body))
}

// answer writes a document.
func answer(w http.ResponseWriter, status int, document any) {
	send(w, status, pyjson.Encode(document))
}

func send(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // a client that is gone is none of our business
}

// otherwise answers what no route is for: a path that does not exist, in HTML, or a method that a path does not have.
func (s *Service) otherwise(w http.ResponseWriter, r *http.Request) {
	probe := r.Clone(r.Context())
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		probe.Method = method
		if _, pattern := s.mux.Handler(probe); pattern != "/" {
			send(w, http.StatusMethodNotAllowed, []byte(`{"message": "The method is not allowed for the requested URL."}`+"\n"))
			return
		}
	}
	const page = "<!doctype html>\n<html lang=en>\n<title>404 Not Found</title>\n<h1>Not Found</h1>\n" +
		"<p>The requested URL was not found on the server.</p>\n"
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(page)))
	w.WriteHeader(http.StatusNotFound)
	_, _ = w.Write([]byte(page))
}

// isJSON reports whether a request says that its body is JSON, or does not say what it is; Keystone looks at no other.
func isJSON(r *http.Request) bool {
	kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	return kind == "" || strings.TrimSpace(kind) == "application/json"
}
