package identity

import (
	"errors"
	"net/http"
	"strings"
)

type object = map[string]any

func (s *Service) routes() *http.ServeMux {
	mux := http.NewServeMux()
	p := s.o.Prefix
	mux.HandleFunc("GET "+p, s.versions)
	mux.HandleFunc("GET "+p+"/{$}", s.versions)
	mux.HandleFunc("GET "+p+"/v3", s.version)
	mux.HandleFunc("GET "+p+"/v3/{$}", s.version)
	mux.HandleFunc("POST "+p+"/v3/auth/tokens", s.createToken)
	mux.HandleFunc("GET "+p+"/v3/auth/tokens", s.withToken(s.showToken))
	mux.HandleFunc("DELETE "+p+"/v3/auth/tokens", s.withToken(s.revokeToken))
	mux.HandleFunc("GET "+p+"/v3/auth/catalog", s.withToken(s.showCatalog))
	mux.HandleFunc("GET "+p+"/v3/auth/projects", s.withToken(s.ownProjects))
	mux.HandleFunc("GET "+p+"/v3/auth/domains", s.withToken(s.ownDomains))
	mux.HandleFunc("GET "+p+"/v3/projects", s.withToken(s.listProjects))
	mux.HandleFunc("GET "+p+"/v3/projects/{id}", s.withToken(s.showProject))
	mux.HandleFunc("GET "+p+"/v3/users/{id}", s.withToken(s.showUser))
	mux.HandleFunc("GET "+p+"/v3/services", s.withToken(s.listServices))
	mux.HandleFunc("GET "+p+"/v3/endpoints", s.withToken(s.listEndpoints))
	mux.HandleFunc("/", s.otherwise)
	return mux
}

// withToken lets only requests with a live token through.
func (s *Service) withToken(next func(http.ResponseWriter, *http.Request, token)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		t, err := s.open(r.Header.Get("X-Auth-Token"))
		if err != nil {
			s.refuse(w, r, unauthorized())
			return
		}
		next(w, r, t)
	}
}

func (s *Service) versionDocument(r *http.Request) object {
	return object{
		"id": "v3.14", "status": "stable", "updated": "2020-04-07T00:00:00Z",
		"links":       []any{object{"rel": "self", "href": s.URL(r) + "/"}},
		"media-types": []any{object{"base": "application/json", "type": "application/vnd.openstack.identity-v3+json"}},
	}
}

func (s *Service) versions(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Location", s.URL(r)+"/")
	answer(w, http.StatusMultipleChoices, object{"versions": object{"values": []any{s.versionDocument(r)}}})
}

func (s *Service) version(w http.ResponseWriter, r *http.Request) {
	answer(w, http.StatusOK, object{"version": s.versionDocument(r)})
}

// subject returns the token that a request asks about.
func (s *Service) subject(r *http.Request, caller token, rule string) (token, *problem) {
	text := r.Header.Get("X-Subject-Token")
	switch {
	case len(r.Header.Values("X-Subject-Token")) == 0:
		return token{}, forbidden(rule)
	case text == "":
		return token{}, &problem{status: http.StatusNotFound, message: "No token in the request"}
	}
	t, err := s.open(text)
	switch {
	case errors.Is(err, errUnknownToken):
		return t, &problem{status: http.StatusNotFound, message: "Could not recognize Fernet token"}
	case err != nil:
		return t, &problem{status: http.StatusNotFound, message: "Failed to validate token"}
	case t.User != caller.User && !caller.account().isAdmin():
		return t, forbidden(rule)
	}
	return t, nil
}

func (s *Service) showToken(w http.ResponseWriter, r *http.Request, caller token) {
	t, p := s.subject(r, caller, "validate_token")
	if p != nil {
		s.refuse(w, r, p)
		return
	}
	w.Header().Set("X-Subject-Token", r.Header.Get("X-Subject-Token"))
	answer(w, http.StatusOK, object{"token": s.tokenDocument(r, t)})
}

func (s *Service) revokeToken(w http.ResponseWriter, r *http.Request, caller token) {
	t, p := s.subject(r, caller, "revoke_token")
	if p != nil {
		s.refuse(w, r, p)
		return
	}
	if err := s.o.Revoke(t.Audit[0], t.Expires); err != nil {
		s.refuse(w, r, &problem{status: http.StatusInternalServerError, message: "An unexpected error prevented the server from fulfilling your request."})
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (s *Service) showCatalog(w http.ResponseWriter, r *http.Request, t token) {
	if t.Project == "" {
		s.refuse(w, r, forbidden("get_auth_catalog"))
		return
	}
	answer(w, http.StatusOK, object{"catalog": s.catalog(r), "links": object{"self": s.URL(r) + "/auth/catalog"}})
}

func (s *Service) projectDocument(r *http.Request, a Account) object {
	return object{
		"id": a.ProjectID(), "name": a.Project, "domain_id": domainID, "description": "", "enabled": true,
		"parent_id": domainID, "is_domain": false, "tags": []any{}, "options": object{},
		"links": object{"self": s.URL(r) + "/projects/" + a.ProjectID()},
	}
}

// list writes a collection, with the links that every Keystone collection has.
func (s *Service) list(w http.ResponseWriter, r *http.Request, name, path string, items []any) {
	answer(w, http.StatusOK, object{
		name: items, "links": object{"next": nil, "previous": nil, "self": s.URL(r) + path},
	})
}

func (s *Service) ownProjects(w http.ResponseWriter, r *http.Request, t token) {
	s.list(w, r, "projects", "/auth/projects", []any{s.projectDocument(r, t.account())})
}

func (s *Service) ownDomains(w http.ResponseWriter, r *http.Request, _ token) {
	s.list(w, r, "domains", "/auth/domains", []any{})
}

// listProjects is for admins, as in Keystone. Names compare without regard to case.
func (s *Service) listProjects(w http.ResponseWriter, r *http.Request, t token) {
	if !t.account().isAdmin() {
		s.refuse(w, r, forbidden("list_projects"))
		return
	}
	items := []any{}
	for _, a := range projects() {
		if name := r.URL.Query().Get("name"); name == "" || strings.EqualFold(name, a.Project) {
			items = append(items, s.projectDocument(r, a))
		}
	}
	s.list(w, r, "projects", "/projects", items)
}

func (s *Service) showProject(w http.ResponseWriter, r *http.Request, t token) {
	wanted := r.PathValue("id")
	a, ok := find(func(a Account) bool { return a.ProjectID() == wanted })
	switch {
	case !t.account().isAdmin() && (!ok || t.account().Project != a.Project):
		s.refuse(w, r, forbidden("get_project"))
	case !ok:
		s.refuse(w, r, missing("project", wanted))
	default:
		answer(w, http.StatusOK, object{"project": s.projectDocument(r, a)})
	}
}

func (s *Service) showUser(w http.ResponseWriter, r *http.Request, t token) {
	wanted := r.PathValue("id")
	a, ok := find(func(a Account) bool { return a.UserID() == wanted })
	switch {
	case !t.account().isAdmin() && wanted != t.User:
		s.refuse(w, r, forbidden("get_user"))
	case !ok:
		s.refuse(w, r, missing("user", wanted))
	default:
		answer(w, http.StatusOK, object{"user": object{
			"id": a.UserID(), "name": a.Name, "domain_id": domainID, "enabled": true,
			"password_expires_at": nil, "options": object{}, "links": object{"self": s.URL(r) + "/users/" + a.UserID()},
		}})
	}
}
