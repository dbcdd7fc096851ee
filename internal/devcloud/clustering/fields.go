package clustering

import (
	"slices"
	"strings"
	"unicode"

	"profilesync/internal/devcloud/pyjson"
)

// field is a member of a request's object, checked in two steps as in Senlin: coerce brings each given value into
// its form, in order; then the whole is held against a JSON schema.
type field struct {
	name     string
	coerce   func(name string, v any) (any, error)
	types    []string // in the schema's words; none: any
	nullable bool     // null is allowed, and so is leaving it out
	digits   bool     // a string must consist of digits, says the schema
}

func nullNotAllowed(name string) error { return httpBadRequest("Field `%s' cannot be None", name) }

// wrapped returns the checked object under a key of the body.
func (q *request) wrapped(key string, fields []field) (*pyjson.Object, error) {
	v, ok := q.body.Get(key)
	if !ok {
		return nil, httpBadRequest("Request body missing '%s' key.", key)
	}
	return checked(v, fields)
}

// changes returns the checked object under a key of the body of a PATCH, where the service says it otherwise.
func (q *request) changes(key string, fields []field) (*pyjson.Object, error) {
	v, _ := q.body.Get(key)
	if v == nil {
		return nil, httpBadRequest("Malformed request data, missing '%s' key in request body.", key)
	}
	return checked(v, fields)
}

// changesOf is changes for a cluster or node, into whose object the service first writes a member of its own.
func (q *request) changesOf(key string, fields []field) (*pyjson.Object, error) {
	if v, _ := q.body.Get(key); v != nil {
		if _, ok := v.(*pyjson.Object); !ok {
			return nil, malformed()
		}
	}
	return q.changes(key, append(fields, identityField()))
}

// checked returns an object of coerced values, with only what was given.
func checked(v any, fields []field) (*pyjson.Object, error) {
	data, ok := v.(*pyjson.Object)
	if !ok {
		return nil, notAnObject(v, fields)
	}
	out := pyjson.NewObject()
	for _, f := range fields {
		v, given := data.Get(f.name)
		switch {
		case !given:
		case v != nil:
			c, err := f.coerce(f.name, v)
			if err != nil {
				return nil, err
			}
			out.Set(f.name, c)
		case !f.nullable:
			return nil, nullNotAllowed(f.name)
		default:
			out.Set(f.name, nil)
		}
	}
	return out, againstSchema(data, fields)
}

// notAnObject answers a value in an object's place. Python's "in" works on lists and strings too, and only what it
// finds there makes it fail.
func notAnObject(v any, fields []field) error {
	for _, f := range fields {
		switch v := v.(type) {
		case string:
			if strings.Contains(v, f.name) {
				return malformed()
			}
		case []any:
			if slices.ContainsFunc(v, func(item any) bool { return item == f.name }) {
				return malformed()
			}
		default:
			return malformed()
		}
	}
	return httpBadRequest("%s is not of type 'object'", pyjson.Repr(v))
}

// againstSchema reports the complaint that the JSON schema library finds best: a missing member, then foreign ones,
// then a wrong type.
func againstSchema(data *pyjson.Object, fields []field) error {
	var required, foreign []string
	known := map[string]bool{}
	for _, f := range fields {
		known[f.name] = true
		if !f.nullable && !data.Has(f.name) {
			required = append(required, f.name)
		}
	}
	if len(required) > 0 {
		return httpBadRequest("'%s' is a required property", slices.Min(required))
	}
	for _, key := range data.Keys() {
		if !known[key] {
			foreign = append(foreign, key)
		}
	}
	if len(foreign) > 0 {
		slices.Sort(foreign)
		for i, key := range foreign {
			foreign[i] = pyjson.Repr(key)
		}
		verb := "was"
		if len(foreign) > 1 {
			verb = "were"
		}
		return httpBadRequest("Additional properties are not allowed (%s %s unexpected)", strings.Join(foreign, ", "), verb)
	}
	for _, f := range fields {
		if v, given := data.Get(f.name); given && !f.allows(v) {
			types := slices.Clone(f.types)
			if f.nullable {
				types = append(types, "null")
			}
			return httpBadRequest("%s is not of type '%s'", pyjson.Repr(v), strings.Join(types, "', '"))
		} else if s, ok := v.(string); ok && f.digits && strings.Trim(s, "0123456789") != "" {
			return httpBadRequest("%s does not match '^[0-9]*$'", pyjson.Repr(v))
		}
	}
	return nil
}

func (f field) allows(v any) bool {
	kind := ""
	if len(f.types) == 0 {
		return true
	}
	switch v.(type) {
	case nil:
		return f.nullable
	case bool:
		kind = "boolean"
	case string:
		kind = "string"
	case pyjson.Int:
		kind = "integer"
	case *pyjson.Object:
		kind = "object"
	}
	return slices.Contains(f.types, kind)
}

// nameField: 1 to 255 characters of a small set. The text says that it must start with a letter; nothing checks it.
func nameField(nullable bool) field {
	return field{name: "name", coerce: coerceName, types: []string{"string"}, nullable: nullable}
}

func coerceName(name string, v any) (any, error) {
	length := 0
	switch v := v.(type) {
	case string:
		length = pyjson.Len(v)
	case []any:
		length = len(v)
	case *pyjson.Object:
		length = v.Len()
	default:
		return nil, malformed()
	}
	switch {
	case length < 1:
		return nil, httpBadRequest("The value for the %s field must be at least 1 characters long.", name)
	case length > 255:
		return nil, httpBadRequest("The value for the %s field must be less than 255 characters long.", name)
	}
	s, ok := v.(string)
	if !ok {
		return nil, malformed()
	}
	if strings.ContainsFunc(strings.TrimSuffix(s, "\n"), func(r rune) bool { return !nameRune(r) }) {
		return nil, httpBadRequest("The value for the '%s' (%s) contains illegal characters. It must contain only "+
			"alphanumeric or \"_-.~\" characters and must start with letter.", name, s)
	}
	return s, nil
}

// nameRune also knows the four letters that Python takes for an i, k or s when it ignores case.
func nameRune(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || strings.ContainsRune("._~-\u0130\u0131\u017f\u212a", r) ||
		r >= 0x4e00 && r <= 0x9fa5 || unicode.Is(unicode.Nd, r)
}

// objectField takes a JSON object, and says so late: a string is first read as JSON.
func objectField(name string, nullable bool) field {
	return field{name: name, types: []string{"object"}, nullable: nullable, coerce: func(_ string, v any) (any, error) {
		if s, ok := v.(string); ok {
			if _, err := pyjson.Decode([]byte(s)); err != nil {
				return nil, httpBadRequest("The value (%s) is not a valid JSON.", s)
			}
		}
		return v, nil
	}}
}

// textField takes a string; other scalars pass the coercion and fail the schema.
func textField(name string, nullable bool) field {
	return field{name: name, types: []string{"string"}, nullable: nullable, coerce: func(name string, v any) (any, error) {
		switch v.(type) {
		case []any:
			return nil, httpBadRequest("A string is required in field %s, not a list", name)
		case *pyjson.Object:
			return nil, httpBadRequest("A string is required in field %s, not a dict", name)
		}
		return pyjson.Str(v), nil
	}}
}

func text(o *pyjson.Object, key string) (string, bool) {
	v, _ := o.Get(key)
	s, ok := v.(string)
	return s, ok
}

// identityField is a member that a PATCH of a cluster or node may carry, and that its path overrides.
func identityField() field {
	return field{name: "identity", nullable: true, coerce: func(_ string, v any) (any, error) { return v, nil }}
}

// flag reads a parameter that is true or false.
func flag(name, value string) (bool, error) {
	switch strings.ToLower(value) {
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return false, httpBadRequest("Invalid value '%s' specified for '%s'", value, name)
}

// word reads one of the words that stand for true and false.
func word(value string) (bool, error) {
	switch strings.ToLower(strings.TrimSpace(value)) {
	case "1", "t", "true", "on", "y", "yes":
		return true, nil
	case "0", "f", "false", "off", "n", "no":
		return false, nil
	}
	return false, httpBadRequest("Unrecognized value '%s', acceptable values are: '0', '1', 'f', 'false', 'n', 'no', 'off', 'on', "+
		"'t', 'true', 'y', 'yes'", value)
}
