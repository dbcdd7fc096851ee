package desired

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"profilesync/internal/desired/yamldoc"
	"profilesync/internal/profile"
)

// properties checks a spec's properties against what is known of its type.
func (f *file) properties(typeName string, one field) profile.Properties {
	entries, ok := f.asMap(one)
	if !ok {
		return nil
	}
	known, ok := builtin[typeName]
	if !ok { // an operator's own type: only Senlin itself knows
		for _, entry := range entries {
			if entry.Node.Value == nil && !entry.Node.Broken {
				f.empty(property{}, entry)
			}
		}
		return one.Node.Value.(map[string]any)
	}
	f.within(known, one, entries, typeName, func(key string) string {
		return fmt.Sprintf("unknown property %q of %s", yamldoc.Short(key), typeName)
	})
	f.rules(typeName, one, entries)
	return one.Node.Value.(map[string]any)
}

// within checks the entries of a map against its schema.
func (f *file) within(known schema, one field, entries []field, owner string, unknown func(key string) string) {
	there := make(map[string]bool, len(entries))
	for _, entry := range entries {
		there[entry.Name] = true
		if property, ok := known[entry.Name]; ok {
			f.check(property, entry)
			continue
		}
		names := slices.Sorted(maps.Keys(known))
		fix := nearest(entry.Name, names)
		if owner == stackType && entry.Name == "name" {
			fix = "remove it, as the openstack command does"
		}
		f.report(entry.Place, unknown(entry.Name), fix)
		there[closest(entry.Name, names)] = true
	}
	for name, property := range known {
		if property.required && !there[name] {
			f.report(one.place(), fmt.Sprintf("%s needs %q", owner, name), property.advice(name))
		}
	}
}

// check compares one value with its schema.
func (f *file) check(p property, one field) {
	switch {
	case one.Node.Broken:
	case one.Node.Value == nil:
		f.empty(p, one)
	case p.kind == textKind:
		f.checkText(one)
	case p.kind == integerKind:
		f.checkInteger(one)
	case p.kind == booleanKind:
		f.checkBoolean(one)
	case p.kind == mapKind:
		f.checkMap(p, one)
	case p.kind == listKind:
		f.checkList(p, one)
	}
}

// advice says what to write for a required property.
func (p property) advice(name string) string {
	if p.kind == listKind {
		return fmt.Sprintf("list them, or write %s: []", name)
	}
	return "give it a value"
}

// empty reports a null: Senlin refuses it for almost every property.
func (f *file) empty(p property, one field) {
	fix := "give it a value, or leave it out"
	if p.required {
		fix = p.advice(one.label)
	}
	f.report(one.place(), one.label+" is empty, which Senlin refuses", fix)
}

// refuse reports a scalar together with its text, unless that is a secret.
func (f *file) refuse(one field, what, fix string) {
	property, _, _ := strings.Cut(strings.ReplaceAll(one.label, "[", "."), ".")
	if profile.Sensitive(property) {
		what, fix = one.label+" is "+kindOf(json.Number("")), "quote it"
		if _, isBool := one.Node.Value.(bool); isBool {
			what = one.label + " is true or false"
		}
	}
	f.report(one.Node.Place, what, fix)
}

// checkText accepts strings, and numbers that stay as they are written: Senlin
// makes a string of any scalar, and of 0777 that is 511.
func (f *file) checkText(one field) {
	switch value := one.Node.Value.(type) {
	case string:
	case json.Number:
		if number := plainNumber(value); number != one.Node.Text {
			f.refuse(one, fmt.Sprintf("%s is the number %s", one.label, yamldoc.Short(number)), "write "+yamldoc.Written(one.Node.Text))
		}
	case bool:
		f.refuse(one, one.label+" is "+kindOf(value), "write "+yamldoc.Written(one.Node.Text))
	default:
		f.wrongKind(one, "a string")
	}
}

func (f *file) checkInteger(one field) {
	var digits string
	switch value := one.Node.Value.(type) {
	case string:
		digits = value
	case json.Number:
		digits = string(value)
	default:
		f.wrongKind(one, "a whole number")
		return
	}
	digits = strings.TrimPrefix(digits, "-")
	if digits == "" || strings.Trim(digits, "0123456789") != "" {
		f.report(one.Node.Place, fmt.Sprintf("%s is %s", one.label, yamldoc.Written(one.Node.Value)), "write a whole number")
	}
}

// checkBoolean accepts the words that Senlin accepts.
func (f *file) checkBoolean(one field) {
	switch value := one.Node.Value.(type) {
	case bool:
		return
	case string:
		switch strings.ToLower(value) {
		case "true", "t", "yes", "y", "on", "1", "false", "f", "no", "n", "off", "0":
			return
		}
	case json.Number:
		if value == "0" || value == "1" {
			return
		}
	default:
		f.wrongKind(one, "true or false")
		return
	}
	f.report(one.Node.Place, fmt.Sprintf("%s is %s", one.label, yamldoc.Written(one.Node.Value)), "write true or false")
}

func (f *file) checkMap(p property, one field) {
	if _, isString := one.Node.Value.(string); isString && (one.label == "template" || one.label == "environment") {
		f.report(one.Node.Place, one.label+" is a string", "write the map itself here: only the openstack command reads it from a file")
		return
	}
	if text, isString := one.Node.Value.(string); isString && p.shorthand != "" {
		f.report(one.Node.Place, one.label+" is a string", fmt.Sprintf("write {%s: %s}", p.shorthand, yamldoc.Written(text)))
		return
	}
	entries, ok := f.asMap(one)
	if !ok || p.fields == nil {
		return
	}
	for i := range entries {
		entries[i].label = one.label + "." + entries[i].label
	}
	f.within(p.fields, one, entries, one.label, func(key string) string {
		return fmt.Sprintf("unknown key %q of %s", yamldoc.Short(key), one.label)
	})
}

func (f *file) checkList(p property, one field) {
	value, isString := one.Node.Value.(string)
	switch {
	case isString && value != "" && p.items.kind == textKind:
		f.report(one.Node.Place, one.label+" is a string, of which Senlin takes each letter for an item",
			"write ["+yamldoc.Written(value)+"]")
	case isString && value == "":
		f.report(one.Node.Place, one.label+" is a string", "write []")
	default:
		if _, isList := one.Node.Value.([]any); !isList {
			f.wrongKind(one, "a list")
			return
		}
		for _, item := range one.items() {
			f.check(*p.items, item)
		}
	}
}
