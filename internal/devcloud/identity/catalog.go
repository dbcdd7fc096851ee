package identity

import "net/http"

const region = "RegionOne"

// service is an entry of the catalog.
type service struct {
	kind, name, url string
}

// services lists what this process serves. The clustering address is unversioned, as Senlin's installers write it:
// gophercloud appends v1/ to whatever is here.
func (s *Service) services(r *http.Request) []service {
	return []service{
		{"clustering", "senlin", s.o.BaseURL(r)},
		{"identity", "keystone", s.URL(r)},
	}
}

func interfaces() []string { return []string{"internal", "admin", "public"} }

func (s *Service) catalog(r *http.Request) []any {
	var entries []any
	for _, e := range s.services(r) {
		var endpoints []any
		for _, face := range interfaces() {
			endpoints = append(endpoints, object{
				"id": id("endpoint", e.kind+" "+face), "interface": face,
				"region": region, "region_id": region, "url": e.url,
			})
		}
		entries = append(entries, object{
			"id": id("service", e.kind), "type": e.kind, "name": e.name, "endpoints": endpoints,
		})
	}
	return entries
}

func (s *Service) listServices(w http.ResponseWriter, r *http.Request, t token) {
	if !t.account().isAdmin() {
		s.refuse(w, r, forbidden("list_services"))
		return
	}
	items := []any{}
	for _, e := range s.services(r) {
		items = append(items, object{
			"id": id("service", e.kind), "type": e.kind, "name": e.name, "enabled": true,
			"links": object{"self": s.URL(r) + "/services/" + id("service", e.kind)},
		})
	}
	s.list(w, r, "services", "/services", items)
}

func (s *Service) listEndpoints(w http.ResponseWriter, r *http.Request, t token) {
	if !t.account().isAdmin() {
		s.refuse(w, r, forbidden("list_endpoints"))
		return
	}
	items := []any{}
	for _, e := range s.services(r) {
		for _, face := range interfaces() {
			endpoint := id("endpoint", e.kind+" "+face)
			items = append(items, object{
				"id": endpoint, "interface": face, "region": region, "region_id": region, "url": e.url,
				"service_id": id("service", e.kind), "enabled": true,
				"links": object{"self": s.URL(r) + "/endpoints/" + endpoint},
			})
		}
	}
	s.list(w, r, "endpoints", "/endpoints", items)
}

// tokenDocument describes a token. An unscoped one has no project, roles or catalog.
func (s *Service) tokenDocument(r *http.Request, t token) object {
	a := t.account()
	domain := object{"id": domainID, "name": domainName}
	d := object{
		"methods": t.Methods, "audit_ids": t.Audit,
		"user":      object{"domain": domain, "id": t.User, "name": a.Name, "password_expires_at": nil},
		"issued_at": keystoneTime(t.Issued), "expires_at": keystoneTime(t.Expires),
	}
	if t.AppCredID != "" {
		d["application_credential"] = object{"id": t.AppCredID, "name": a.CredentialName(), "restricted": true}
	}
	if t.Project == "" {
		return d
	}
	roles := []any{}
	for _, name := range a.Roles {
		roles = append(roles, object{"id": id("role", name), "name": name})
	}
	d["project"] = object{"domain": domain, "id": t.Project, "name": a.Project}
	d["is_domain"] = false
	d["roles"] = roles
	if !r.URL.Query().Has("nocatalog") {
		d["catalog"] = s.catalog(r)
	}
	return d
}
