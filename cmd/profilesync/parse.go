package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"profilesync/internal/desired/yamldoc"
)

// parseConfig reads a configuration as a document is read: bounded, and with
// what readers of YAML do not agree about refused. An owner that is written as
// 007 or yes must not become another word.
func parseConfig(text []byte) (config, error) {
	var c config
	if err := decodeConfig(text, &c); err != nil {
		return config{}, err
	}
	names := map[string]bool{}
	for i := range c.Targets {
		t := &c.Targets[i]
		if t.Cloud == "" {
			return config{}, fmt.Errorf("target %d has no cloud", i+1)
		}
		if t.Name == "" {
			t.Name = t.Cloud
		}
		if names[t.Name] {
			return config{}, fmt.Errorf("target %q is there twice", t.Name)
		}
		names[t.Name] = true
	}
	return c, nil
}

func decodeConfig(text []byte, into *config) error {
	var reader yamldoc.Reader
	documents, problems := reader.Read(text)
	if len(problems) > 0 {
		return problemOf(problems)
	}
	if len(documents) > 1 {
		return errors.New("more than one document: a configuration has no \"---\" inside")
	}
	if len(documents) == 0 || documents[0] == nil {
		return nil
	}
	plain, err := json.Marshal(documents[0].Value)
	if err != nil {
		return err
	}
	decoder := json.NewDecoder(bytes.NewReader(plain))
	decoder.DisallowUnknownFields()
	err = decoder.Decode(into)
	var kind *json.UnmarshalTypeError
	if errors.As(err, &kind) {
		return fmt.Errorf("%s is not %s", cmp.Or(kind.Field, "it"), wanted(kind.Type.Kind()))
	}
	if err != nil {
		return errors.New(strings.TrimPrefix(err.Error(), "json: "))
	}
	return nil
}

// problemOf is the first problem of a configuration, and how many there are.
func problemOf(problems []yamldoc.Problem) error {
	first := problems[0]
	text := first.What
	if first.Fix != "" {
		text += ": " + first.Fix
	}
	if first.Place.Line > 0 {
		text = fmt.Sprintf("line %d, column %d: %s", first.Place.Line, first.Place.Column, text)
	}
	if more := len(problems) - 1; more > 0 {
		text += fmt.Sprintf(" (and %s)", count(more, "more problem"))
	}
	return errors.New(text)
}

// wanted says what a setting takes.
func wanted(kind reflect.Kind) string {
	switch kind {
	case reflect.Bool:
		return "true or false"
	case reflect.Int:
		return "a whole number"
	case reflect.String:
		return "a string"
	case reflect.Slice:
		return "a list"
	}
	return "a map"
}
