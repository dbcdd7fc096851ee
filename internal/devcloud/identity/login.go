package identity

import (
	"crypto/subtle"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"

	"profilesync/internal/devcloud/pyjson"
)

const maxBody = 114688 // Keystone's limit

func (s *Service) createToken(w http.ResponseWriter, r *http.Request) {
	t, p := s.login(r)
	if p != nil {
		s.refuse(w, r, p)
		return
	}
	w.Header().Set("X-Subject-Token", s.seal(t))
	answer(w, http.StatusCreated, object{"token": s.tokenDocument(r, t)})
}

func (s *Service) login(r *http.Request) (token, *problem) {
	if !isJSON(r) {
		return token{}, malformed("Expecting to find application/json in Content-Type header.")
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil || len(body) > maxBody {
		return token{}, &problem{status: http.StatusRequestEntityTooLarge, message: "Request is too large."}
	}
	document := any(pyjson.NewObject())
	if len(body) > 0 {
		document, err = pyjson.Decode(body)
	}
	root, ok := document.(*pyjson.Object)
	if err != nil || !ok {
		return token{}, malformed("Expecting to find valid JSON in request body.")
	}
	if v, _ := root.Get("auth"); v == nil {
		return token{}, malformed("Expecting to find auth in request body.")
	}
	if p := checkForm(root); p != nil {
		return token{}, p
	}
	auth, _ := member(root, "auth")
	who, _ := member(auth, "identity")
	a, parent, methods, p := s.identify(who)
	if p != nil {
		return token{}, p
	}
	project, p := wantedProject(auth, a, parent, methods)
	if p != nil {
		return token{}, p
	}
	t := s.issue(a, project, methods, parent)
	if slices.Contains(methods, "application_credential") {
		t.AppCredID = a.CredentialID()
	}
	return t, nil
}

func member(o *pyjson.Object, key string) (*pyjson.Object, bool) {
	v, _ := o.Get(key)
	m, ok := v.(*pyjson.Object)
	return m, ok
}

func text(o *pyjson.Object, key string) string {
	v, _ := o.Get(key)
	s, _ := v.(string)
	return s
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// identify checks every method that a request names. They must agree on the user.
func (s *Service) identify(who *pyjson.Object) (a Account, parent *token, methods []string, p *problem) {
	list, _ := who.Get("methods")
	names, _ := list.([]any)
	if len(names) == 0 {
		return a, nil, nil, unauthorized()
	}
	for _, n := range names {
		name, _ := n.(string)
		payload, ok := member(who, name)
		if !ok {
			return a, nil, nil, malformed("Expecting to find %s in identity.", name)
		}
		var found Account
		switch name {
		case "password":
			found, p = byPassword(payload)
		case "application_credential":
			found, p = byCredential(payload)
		case "token":
			found, parent, p = s.byToken(payload)
		default:
			p = &problem{status: http.StatusUnauthorized, message: "Attempted to authenticate with an unsupported method."}
		}
		if p != nil {
			return a, nil, nil, p
		}
		if len(methods) > 0 && found.Name != a.Name {
			return a, nil, nil, unauthorized()
		}
		a, methods = found, append(methods, name)
	}
	return a, parent, methods, nil
}

// nameless is an object that has neither an id nor a name.
func nameless(path string) *problem {
	return &problem{status: http.StatusBadRequest, message: "Invalid input for field " + path + ": id or name must be present."}
}

// inDomain reports whether an object says that it lives in the one domain; its own domain member must be there.
func inDomain(o *pyjson.Object, what, path string) (bool, *problem) {
	d, ok := member(o, "domain")
	if !ok {
		return false, malformed("Expecting to find domain in %s.", what)
	}
	if text(d, "id") == "" && text(d, "name") == "" {
		return false, nameless(path + "/domain")
	}
	return text(d, "id") == domainID || strings.EqualFold(text(d, "name"), domainName), nil
}

// userOf finds the account that a user object means. Unknown users look like wrong passwords.
func userOf(user *pyjson.Object, path string) (Account, *problem) {
	if wanted := text(user, "id"); wanted != "" {
		a, ok := find(func(a Account) bool { return a.UserID() == wanted })
		if !ok {
			return a, unauthorized()
		}
		return a, nil
	}
	name := text(user, "name")
	if name == "" {
		return Account{}, nameless(path)
	}
	here, p := inDomain(user, "user", path)
	if p != nil {
		return Account{}, p
	}
	a, ok := find(func(a Account) bool { return strings.EqualFold(a.Name, name) })
	if !here || !ok {
		return a, unauthorized()
	}
	return a, nil
}

func byPassword(payload *pyjson.Object) (Account, *problem) {
	user, ok := member(payload, "user")
	if !ok {
		return Account{}, malformed("Expecting to find user in None.")
	}
	a, p := userOf(user, "identity/password/user")
	if p == nil && !same(text(user, "password"), a.Password) {
		p = unauthorized()
	}
	return a, p
}

func byCredential(payload *pyjson.Object) (a Account, p *problem) {
	if wanted := text(payload, "id"); wanted != "" {
		var ok bool
		if a, ok = find(func(a Account) bool { return a.CredentialID() == wanted }); !ok {
			return a, missing("Application Credential", wanted)
		}
	} else {
		if text(payload, "name") == "" {
			return a, malformed("Expecting to find name or ID in application credential.")
		}
		user, ok := member(payload, "user")
		if !ok {
			return a, malformed("Expecting to find user in application credential.")
		}
		if a, p = userOf(user, "identity/application_credential/user"); p != nil {
			return a, p
		}
		if text(payload, "name") != a.CredentialName() {
			return a, unauthorized()
		}
	}
	if !same(text(payload, "secret"), a.CredentialSecret()) {
		return a, unauthorized()
	}
	return a, nil
}

func (s *Service) byToken(payload *pyjson.Object) (Account, *token, *problem) {
	t, err := s.open(text(payload, "id"))
	switch {
	case errors.Is(err, errUnknownToken):
		return Account{}, nil, &problem{status: http.StatusNotFound, message: "Could not recognize Fernet token"}
	case err != nil:
		return Account{}, nil, &problem{status: http.StatusNotFound, message: "Failed to validate token"}
	}
	return t.account(), &t, nil
}

// wantedProject returns the id of the project that a login asks for, or "" for none.
func wantedProject(auth *pyjson.Object, a Account, parent *token, methods []string) (string, *problem) {
	raw, asked := auth.Get("scope")
	if slices.Contains(methods, "application_credential") || parent != nil && parent.AppCredID != "" {
		if asked {
			return "", &problem{
				status: http.StatusUnauthorized, extra: `"identity":{},`,
				message: "Error authenticating with application credential: Application credentials cannot request a scope.",
			}
		}
		return a.ProjectID(), nil
	}
	scope, _ := raw.(*pyjson.Object)
	if !asked || raw == "unscoped" || scope != nil && scope.Has("unscoped") {
		return "", nil
	}
	if scope == nil {
		scope = pyjson.NewObject()
	}
	project, ok := member(scope, "project")
	switch {
	case !ok && (scope.Has("domain") || scope.Has("system") || scope.Has("OS-TRUST:trust")):
		return "", unauthorized() // nobody has a role there
	case !ok || scope.Len() > 1:
		return "", malformed("Expecting to find system, project, domain, OS-TRUST:trust or unscoped in scope.")
	}
	wanted, name := text(project, "id"), text(project, "name")
	if wanted == "" && name == "" {
		return "", nameless("scope/project")
	}
	if wanted != "" && name == "" {
		if wanted != a.ProjectID() {
			return "", unauthorized()
		}
		return wanted, nil
	}
	here, p := inDomain(project, "project", "scope/project")
	if p != nil {
		return "", p
	}
	if !here || !strings.EqualFold(name, a.Project) {
		return "", unauthorized()
	}
	return a.ProjectID(), nil
}
