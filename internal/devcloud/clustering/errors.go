package clustering

import (
	"fmt"
	"html"
	"net/http"
	"strconv"
	"strings"

	"profilesync/internal/devcloud/pyjson"
)

// apiError is a refusal in Senlin's own shape: a document with a code, an explanation and an error inside.
type apiError struct {
	status  int
	kind    string // the exception's class name
	message string
}

func (e *apiError) Error() string { return e.message }

// explanation returns what WebOb says about a status. It has nothing of its own for 406 and takes that of 400.
func explanation(status int) string {
	switch status {
	case http.StatusBadRequest, http.StatusNotAcceptable:
		return "The server could not comply with the request since it is either malformed or otherwise incorrect."
	case http.StatusForbidden:
		return "Access was denied to this resource."
	case http.StatusNotFound:
		return "The resource could not be found."
	case http.StatusConflict:
		return "There was a conflict when trying to complete your request."
	}
	return "The server has either erred or is incapable of performing the requested operation."
}

func httpBadRequest(format string, args ...any) *apiError {
	return &apiError{http.StatusBadRequest, "HTTPBadRequest", fmt.Sprintf(format, args...)}
}

// malformed is what becomes of a TypeError anywhere in the service: no hint at all.
func malformed() *apiError { return httpBadRequest("%s", explanation(http.StatusBadRequest)) }

func badRequest(format string, args ...any) *apiError {
	return &apiError{http.StatusBadRequest, "BadRequest", fmt.Sprintf(format, args...)}
}

func forbidden() *apiError {
	return &apiError{http.StatusForbidden, "Forbidden", "You are not authorized to complete this operation."}
}

func notFound(kind, id string) *apiError {
	return &apiError{http.StatusNotFound, "ResourceNotFound", "The " + kind + " '" + id + "' could not be found."}
}

func multipleChoices(arg string) *apiError {
	return &apiError{
		http.StatusBadRequest, "MultipleChoices",
		"Multiple results found matching the query criteria '" + arg + "'. Please be more specific.",
	}
}

func conflict(kind, format string, args ...any) *apiError {
	return &apiError{http.StatusConflict, kind, fmt.Sprintf(format, args...)}
}

func internal(kind, message string) *apiError {
	return &apiError{http.StatusInternalServerError, kind, message}
}

func writeError(w http.ResponseWriter, e *apiError) {
	send(w, e.status, "application/json", pyjson.Encode(object{
		"code": e.status, "title": http.StatusText(e.status), "explanation": explanation(e.status),
		"error": object{"code": e.status, "message": e.message, "type": e.kind},
	}))
}

// writeWebOb answers what never reaches Senlin's own code: an unknown path, a version that cannot be read. Its form
// depends on what the client accepts, and its code is a string.
func writeWebOb(w http.ResponseWriter, r *http.Request, status int, detail string) {
	title := http.StatusText(status)
	full := fmt.Sprintf("%d %s", status, title)
	switch preferred(r) {
	case "text/html":
		body := explanation(status) + "<br /><br />\n" + html.EscapeString(detail) + "\n\n"
		body = strings.NewReplacer("&#39;", "&#x27;", "&#34;", "&quot;").Replace(body)
		send(w, status, "text/html; charset=UTF-8", []byte("<html>\n <head>\n  <title>"+full+"</title>\n </head>\n <body>\n  <h1>"+
			full+"</h1>\n  "+body+"\n </body>\n</html>"))
	case "application/json":
		send(w, status, "application/json", pyjson.Encode(object{
			"code": full, "title": title, "message": explanation(status) + "<br /><br />\n" + detail + "\n\n",
		}))
	default:
		send(w, status, "text/plain; charset=UTF-8", []byte(full+"\n\n"+explanation(status)+"\n\n "+detail+"  "))
	}
}

// preferred returns which of the two forms of an error the client likes best: HTML where it likes both as much, and "" where
// it likes neither. A HEAD gets no body, and so the head of HTML.
func preferred(r *http.Request) string {
	if r.Method == http.MethodHead {
		return "text/html"
	}
	best, quality := "", 0.0
	for _, offer := range []string{"text/html", "application/json"} {
		if q := accepts(strings.Join(r.Header.Values("Accept"), ","), offer); q > quality {
			best, quality = offer, q
		}
	}
	return best
}

// accepts returns how much an Accept header likes a type, from 0 to 1. The most exact entry for it decides.
func accepts(header, offer string) float64 {
	quality, exactness := 0.0, 0
	for _, entry := range strings.Split(header, ",") {
		kind, parameters, _ := strings.Cut(entry, ";")
		exact := 0
		switch strings.TrimSpace(kind) {
		case offer:
			exact = 3
		case offer[:strings.IndexByte(offer, '/')] + "/*":
			exact = 2
		case "*/*":
			exact = 1
		}
		if exact <= exactness {
			continue
		}
		quality, exactness = 1, exact
		if _, value, ok := strings.Cut(parameters, "q="); ok {
			quality, _ = strconv.ParseFloat(strings.TrimSpace(value), 64) // what is no number is 0
		}
	}
	return quality
}
