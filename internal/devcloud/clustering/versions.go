package clustering

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"profilesync/internal/devcloud/pyjson"
)

// maxMinor is the newest microversion, 1.14, which Senlin has had since its ninth release.
const maxMinor = 14

// negotiate answers what has to do with versions, for which no token is needed, and otherwise returns the path
// below the version and the minor version asked for.
func (a *API) negotiate(w http.ResponseWriter, r *http.Request) (path string, minor int, done bool) {
	first, rest, slash := strings.Cut(strings.TrimLeft(r.URL.Path, "/"), "/")
	if first == "" || first == "versions" {
		a.sendVersions(w, r)
		return "", 0, true
	}
	if !isVersion(first) {
		if accept := strings.Join(r.Header.Values("Accept"), ","); accept == "*/*" {
			a.sendVersions(w, r)
		} else {
			writeWebOb(w, r, http.StatusNotFound, "")
		}
		return "", 0, true
	}
	minor, err := requestedMinor(r.Header.Values("OpenStack-API-Version"))
	var refusal *apiError
	switch {
	case errors.As(err, &refusal):
		writeError(w, refusal)
	case err != nil:
		writeWebOb(w, r, http.StatusBadRequest,
			"API Version String '"+err.Error()+"' is of invalid format. It must be of format 'major.minor'.")
	case !slash:
		send(w, http.StatusOK, "application/json", pyjson.Encode(object{"version": a.versionDocument(r, "/"+first)}))
	default:
		return "/" + rest, minor, false
	}
	return "", 0, true
}

// isVersion reports whether a path segment names version 1, in one of the ways that are understood.
func isVersion(segment string) bool { return segment == "v1" || segment == "v1." || segment == "v1.0" }

func isVersionRoot(path string) bool { return isVersion(strings.TrimLeft(path, "/")) }

func (a *API) sendVersions(w http.ResponseWriter, r *http.Request) {
	send(w, http.StatusMultipleChoices, "application/json",
		pyjson.Encode(object{"versions": []any{a.versionDocument(r, "")}}))
}

// versionDocument describes version 1. Below /v1 its own link repeats the version.
func (a *API) versionDocument(r *http.Request, below string) object {
	return object{
		"id": "1.0", "status": "CURRENT", "updated": "2016-01-18T00:00:00Z",
		"min_version": "1.0", "max_version": "1." + strconv.Itoa(maxMinor),
		"media-types": []any{object{"base": "application/json", "type": "application/vnd.openstack.clustering-v1+json"}},
		"links": []any{
			object{"href": a.o.BaseURL(r) + below + "/v1", "rel": "self"},
			object{"href": "https://docs.openstack.org/api-ref/clustering", "rel": "help"},
		},
	}
}

// requestedMinor reads the version header, "clustering 1.5" among entries for other services. The last one counts.
func requestedMinor(headers []string) (int, error) {
	asked := ""
	for _, entry := range strings.Split(strings.Join(headers, ","), ",") {
		service, version, _ := strings.Cut(strings.TrimSpace(entry), " ")
		if strings.EqualFold(service, "clustering") && version != "" {
			asked = strings.TrimSpace(version)
		}
	}
	switch {
	case asked == "":
		return 0, nil
	case strings.EqualFold(asked, "latest"):
		return maxMinor, nil
	case !versionForm().MatchString(asked):
		return 0, unreadable(asked)
	}
	major, minor, _ := strings.Cut(asked, ".")
	n, err := strconv.Atoi(minor)
	if major != "1" || err != nil || n > maxMinor {
		return 0, &apiError{
			http.StatusNotAcceptable, "InvalidGlobalAPIVersion",
			fmt.Sprintf("Version '%s' is not supported by the API. Minimum is '1.0' and maximum is '1.%d'.", asked, maxMinor),
		}
	}
	return n, nil
}

// unreadable is a version that has not the form of one.
type unreadable string

func (v unreadable) Error() string { return string(v) }

func versionForm() *regexp.Regexp { return regexp.MustCompile(`^[1-9]\d*\.([1-9]\d*|0)$`) }

func (a *API) buildInfo(*request) (answer, error) {
	revision := object{"revision": "1.0"}
	return answer{status: http.StatusOK, body: object{"build_info": object{"api": revision, "engine": revision}}}, nil
}

// root answers /v1/, which unlike /v1 needs a token.
func (a *API) root(q *request) (answer, error) {
	return answer{status: http.StatusOK, body: object{"version": a.versionDocument(q.http, "/v1")}}, nil
}
