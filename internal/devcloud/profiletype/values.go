package profiletype

import (
	"fmt"
	"math"
	"strings"

	"profilesync/internal/devcloud/pyjson"
)

// Class says what kind of refusal an Error is; the service answers each in its own way.
type Class int

// The classes.
const (
	Schema    Class = iota // the spec does not fit the schema (Senlin's ESchema)
	Invalid                // the spec fits and makes no sense (InvalidSpec)
	Malformed              // the service trips over it with a TypeError and says nothing useful
	NotFound               // there is no such type
	Internal               // the service fails
)

// Error is a refusal of a spec.
type Error struct {
	Class   Class
	Message string
	Type    string // the exception's name, for Internal
}

func (e *Error) Error() string { return e.Message }

func schemaError(format string, args ...any) *Error {
	return &Error{Class: Schema, Message: fmt.Sprintf(format, args...)}
}

// check is the first of two looks at a value: its own kind, and that of what is in it, as far as that is there.
func (p *Property) check(v any) *Error {
	switch p.Kind {
	case "String":
		if v == nil {
			return schemaError("The value 'None' is not a valid string.")
		}
	case "Integer":
		return checkInteger(v)
	case "Boolean":
		if _, ok := boolean(v); !ok {
			return schemaError("The value '%s' is not a valid Boolean", pyjson.Str(v))
		}
	case "List":
		items, ok := sequence(v)
		if !ok {
			return schemaError("'%s' is not a List", pyjson.Str(v))
		}
		for _, item := range items {
			if err := p.Item.check(item); err != nil {
				return err
			}
		}
	case "Map":
		return p.checkMap(v)
	}
	return nil
}

func (p *Property) checkMap(v any) *Error {
	o, ok := v.(*pyjson.Object)
	if !ok {
		return schemaError("'%s' is not a Map", pyjson.Str(v))
	}
	for i := range p.Fields {
		f := &p.Fields[i]
		if value, _ := o.Get(f.Name); pyjson.Truthy(value) {
			if err := f.check(value); err != nil {
				return err
			}
		}
	}
	return nil
}

// resolve is the second look: it brings a value that passed the first into its canonical form, and finds what is
// missing from maps or foreign to them.
func (p *Property) resolve(v any) (any, *Error) {
	switch p.Kind {
	case "String":
		return pyjson.Str(v), nil
	case "Boolean":
		b, _ := boolean(v)
		return b, nil
	case "Integer":
		return integer(v), nil
	case "List":
		items, _ := sequence(v)
		out := make([]any, len(items))
		for i, item := range items {
			r, err := p.Item.resolve(item)
			if err != nil {
				return nil, err
			}
			out[i] = r
		}
		return out, nil
	}
	if len(p.Fields) == 0 {
		return v, nil
	}
	o, _ := v.(*pyjson.Object)
	return resolveAll(p.Fields, o)
}

// resolveAll resolves the values of a map by its schema, in the schema's order, and refuses keys it does not have.
func resolveAll(schema []Property, data *pyjson.Object) (*pyjson.Object, *Error) {
	out := pyjson.NewObject()
	for i := range schema {
		v, err := resolveKey(&schema[i], data)
		if err != nil {
			return nil, err
		}
		out.Set(schema[i].Name, v)
	}
	for _, key := range data.Keys() {
		if !out.Has(key) {
			return nil, schemaError("Unrecognizable spec item '%s'", key)
		}
	}
	return out, nil
}

// resolveKey returns the canonical value of one key: what is given, else the default, else null.
func resolveKey(p *Property, data *pyjson.Object) (any, *Error) {
	v, given := data.Get(p.Name)
	switch {
	case given:
		if err := p.check(v); err != nil {
			return nil, err
		}
		return p.resolve(v)
	case p.Default != nil:
		return p.defaultValue(), nil
	case p.Required:
		return nil, schemaError("Required spec item '%s' not provided", p.Name)
	}
	return nil, nil
}

// sequence returns the elements of a list. A string is one too: a list of its characters.
func sequence(v any) ([]any, bool) {
	switch v := v.(type) {
	case []any:
		return v, true
	case string:
		var items []any
		for _, r := range v {
			items = append(items, string(r))
		}
		return items, true
	}
	return nil, false
}

func boolean(v any) (value, ok bool) {
	switch strings.ToLower(strings.TrimSpace(pyjson.Str(v))) {
	case "1", "t", "true", "on", "y", "yes":
		return true, true
	case "0", "f", "false", "off", "n", "no":
		return false, true
	}
	return false, false
}

func checkInteger(v any) *Error {
	switch v := v.(type) {
	case string:
		if _, ok := pyjson.ParseInt(v); !ok {
			return schemaError("The value '%s' is not a valid Integer", v)
		}
	case pyjson.Float:
		switch {
		case math.IsNaN(float64(v)):
			return schemaError("The value 'nan' is not a valid Integer")
		case math.IsInf(float64(v), 0):
			return &Error{Class: Internal, Type: "OverflowError", Message: "cannot convert float infinity to integer"}
		}
	case []any:
		return notNumeric("list")
	case *pyjson.Object:
		return notNumeric("dict")
	}
	return nil
}

func notNumeric(kind string) *Error {
	return schemaError("int() argument must be a string, a bytes-like object or a real number, not '%s'", kind)
}

// integer returns the canonical form of a value that passed checkInteger.
func integer(v any) any {
	switch v := v.(type) {
	case string:
		n, _ := pyjson.ParseInt(v)
		return pyjson.Int(n.String())
	case pyjson.Float:
		return pyjson.Int(fmt.Sprintf("%.0f", math.Trunc(float64(v))))
	}
	return v
}
