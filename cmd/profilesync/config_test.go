package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"profilesync/internal/source"
)

func TestConfigurationsThatAreRefused(t *testing.T) {
	for name, row := range map[string]struct{ text, says string }{
		"an owner that is a truth value":  {"owner: yes\n", "owner is not a string"},
		"an owner that is a number":       {"owner: 12345678901234567890\n", "owner is not a string"},
		"an owner that is octal":          {"owner: 007\n", "owner is not a string"},
		"a date as a ref":                 {"source: {ref: 2026-01-02}\n", "line 1, column 15: "},
		"a key that is there twice":       {"owner: us\nowner: them\n", `line 2, column 1: key "owner" is written twice: remove one`},
		"a merge key":                     {"owner: us\n<<: {prune: false}\n", "line 2, column 1: a merge key"},
		"a second document":               {"owner: us\n---\nowner: them\n", "more than one document"},
		"a key that nobody knows":         {"sauce: {}\n", `unknown field "sauce"`},
		"a list":                          {"[]\n", "it is not a map"},
		"a limit that is half a profile":  {"limits: {deletes: 1.5}\n", "limits.deletes is not a whole number"},
		"a limit beyond every number":     {"limits: {deletes: 9223372036854775808}\n", "limits.deletes is not a whole number"},
		"targets that are none":           {"targets: devcloud\n", "targets is not a list"},
		"a target without a cloud":        {"targets: [{name: x}]\n", "target 1 has no cloud"},
		"several problems, the first one": {"a: !x 1\nb: !x 2\nc: !x 3\n", "line 1, column 4: the tag !x: remove it (and 2 more problems)"},
		"aliases that multiply":           {"a: &a [" + strings.Repeat("x,", 1000) + "]\nb: [" + strings.Repeat("*a,", 1000) + "]\n", "more than 100000 values"},
		"deep nesting":                    {"owner: " + strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000) + "\n", "nested deeper than 100 levels"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := parseConfig([]byte(row.text)); err == nil || !strings.Contains(err.Error(), row.says) || strings.Contains(err.Error(), "\n") {
				t.Errorf("error %v, want one line that says %q", err, row.says)
			}
		})
	}
}

func TestAConfigurationWithoutSenseIsRefused(t *testing.T) {
	zero, much := 0, 9007199254740993
	for _, c := range []config{
		{Parallel: &zero},
		{Parallel: &much},
		{Limits: limitsConfig{Percent: &much}},
		{Owner: strings.Repeat("x", maxOwner+1)},
		{Owner: "a\nb"},
		{Owner: "caf\xe9"},
		{Owner: "\u202eus"},
	} {
		if err := c.check(); err == nil {
			t.Errorf("%+v is taken", c)
		}
	}
	for _, owner := range []string{"", "us", "team/web 服务", strings.Repeat("é", maxOwner)} {
		if err := (config{Owner: owner}).check(); err != nil {
			t.Error(err)
		}
	}
}

func TestOnlyJoinedErrorsAreTakenApart(t *testing.T) {
	one, two := errors.New("one\nof two lines"), errors.New("two")
	wrapped := fmt.Errorf("a file: %w: %w", source.ErrLimit, one)
	for _, row := range []struct {
		err  error
		want []error
	}{
		{one, []error{one}},
		{wrapped, []error{wrapped}},
		{errors.Join(one, errors.Join(wrapped, two)), []error{one, wrapped, two}},
	} {
		if got := flatten(row.err); !slices.Equal(got, row.want) {
			t.Errorf("%q are %q", row.err, got)
		}
	}
}

// Whatever a configuration holds, it is an error or has targets that can be
// told apart.
func FuzzConfig(f *testing.F) {
	f.Add([]byte("owner: us\ntargets: [{cloud: a}, {cloud: b, name: c}]\n"))
	f.Add([]byte("owner: &a [x, x]\nsource: [*a, *a]\n"))
	f.Add([]byte("a: &a {<<: *a}\n"))
	f.Add([]byte("owner: us\nowner: them\n"))
	f.Add([]byte("\x00\xff"))
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := parseConfig(text)
		if err != nil {
			return
		}
		names := map[string]bool{}
		for _, target := range c.Targets {
			if target.Name == "" || target.Cloud == "" || names[target.Name] {
				t.Fatalf("targets %+v", c.Targets)
			}
			names[target.Name] = true
		}
	})
}
