package identity

import (
	"net/http"
	"strings"

	"profilesync/internal/devcloud/pyjson"
)

// form is a rule of the shape that a request for a token must have.
type form struct {
	path  string // below auth
	types []string
}

// forms are in the order in which Keystone complains.
func forms() []form {
	object, text := []string{"object"}, []string{"string"}
	return []form{
		{"identity", object},
		{"identity/methods", []string{"array"}},
		{"identity/password", object},
		{"identity/password/user", object},
		{"identity/password/user/id", text},
		{"identity/password/user/name", text},
		{"identity/password/user/password", text},
		{"identity/password/user/domain", object},
		{"identity/password/user/domain/id", text},
		{"identity/password/user/domain/name", text},
		{"identity/token", object},
		{"identity/token/id", text},
		{"scope", []string{"object", "string"}},
		{"scope/project", object},
		{"scope/project/id", text},
		{"scope/project/name", text},
		{"scope/project/domain", object},
		{"scope/project/domain/id", text},
		{"scope/project/domain/name", text},
		{"scope/domain", object},
		{"scope/system", object},
	}
}

// checkForm holds a request for a token against its rules.
func checkForm(root *pyjson.Object) *problem {
	v, _ := root.Get("auth")
	auth, ok := v.(*pyjson.Object)
	switch {
	case !ok:
		return invalid("", pyjson.Repr(v)+" is not of type 'object'")
	case !auth.Has("identity"):
		return invalid("", "'identity' is a required property")
	}
	for _, f := range forms() {
		if v, given := at(auth, f.path); given && !f.fits(v) {
			return invalid(f.path, pyjson.Repr(v)+" is not of type '"+strings.Join(f.types, "', '")+"'")
		}
	}
	for path, key := range map[string]string{"identity": "methods", "identity/token": "id"} {
		v, _ := at(auth, path)
		if o, ok := v.(*pyjson.Object); ok && !o.Has(key) {
			return invalid(path, "'"+key+"' is a required property")
		}
	}
	return nil
}

func invalid(path, message string) *problem {
	if path != "" {
		message = "Invalid input for field '" + path + "': " + message
	}
	return &problem{status: http.StatusBadRequest, message: message}
}

// at returns what is at a path, if everything on the way is an object.
func at(o *pyjson.Object, path string) (v any, given bool) {
	first, rest, deeper := strings.Cut(path, "/")
	v, given = o.Get(first)
	if !deeper {
		return v, given
	}
	next, ok := v.(*pyjson.Object)
	if !ok {
		return nil, false
	}
	return at(next, rest)
}

func (f form) fits(v any) bool {
	kind := ""
	switch v.(type) {
	case *pyjson.Object:
		kind = "object"
	case []any:
		kind = "array"
	case string:
		kind = "string"
	}
	for _, t := range f.types {
		if t == kind {
			return true
		}
	}
	return false
}
