package view

import (
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"

	"profilesync/internal/daemon/page/pagetest"
	"profilesync/internal/daemon/status"
)

var (
	tags       = regexp.MustCompile(`^<(/?)([a-zA-Z!][a-zA-Z0-9]*)((?:\s+[a-z-]+(?:="[^"<]*")?)*)\s*>`)
	attributes = regexp.MustCompile(`\s([a-z-]+)(?:="([^"]*)")?`)
	entity     = regexp.MustCompile(`^&(#[0-9]+|#x[0-9a-f]+|amp|lt|gt|quot);`)
)

// elements are those that the templates use.
const elements = " html head meta title link script body a header p span noscript main section div h1 h2 h3 h4 ul li time br strong article " +
	"dl dt dd footer ins del details summary table caption thead tbody tr th td "

// flaw reads a page more strictly than a browser does, and says what is wrong
// with it: every tag is one that the templates have, every element is closed in
// its order, every < and & that is text is written as an entity, and no id is
// there twice.
func flaw(page string) string {
	if !utf8.ValidString(page) {
		return "it is not UTF-8"
	}
	var open []string
	ids := map[string]bool{}
	rest := strings.TrimPrefix(page, "<!doctype html>")
	for at := strings.IndexAny(rest, "<&"); at >= 0; at = strings.IndexAny(rest, "<&") {
		rest = rest[at:]
		if rest[0] == '&' {
			found := entity.FindString(rest)
			if found == "" {
				return fmt.Sprintf("a bare & at %.80q", rest)
			}
			rest = rest[len(found):]
			continue
		}
		found := tags.FindStringSubmatch(rest)
		if found == nil || !strings.Contains(elements, " "+found[2]+" ") {
			return fmt.Sprintf("no tag of ours at %.80q", rest)
		}
		rest = rest[len(found[0]):]
		switch name := found[2]; {
		case found[1] == "/" && (len(open) == 0 || open[len(open)-1] != name):
			return fmt.Sprintf("</%s> closes %q before %.80q", name, open, rest)
		case found[1] == "/":
			open = open[:len(open)-1]
		case name != "meta" && name != "link" && name != "br":
			open = append(open, name)
		}
		for _, attribute := range attributes.FindAllStringSubmatch(found[3], -1) {
			if flaw := flawOfAttribute(attribute[1], attribute[2], ids); flaw != "" {
				return flaw
			}
		}
	}
	if len(open) > 0 {
		return fmt.Sprintf("%q are open at the end", open)
	}
	return ""
}

func flawOfAttribute(name, value string, ids map[string]bool) string {
	switch {
	case name == "id" && ids[value]:
		return fmt.Sprintf("id %q is there twice", value)
	case name == "id":
		ids[value] = true
	case strings.HasPrefix(name, "on"), name == "style":
		return "an attribute " + name
	case (name == "href" || name == "src") && value != "" && value[0] != '/' && value[0] != '#':
		return fmt.Sprintf("a link to %q", value)
	}
	return ""
}

func mustBeWellFormed(t interface{ Fatal(args ...any) }, page string) {
	if flaw := flaw(page); flaw != "" {
		t.Fatal(flaw)
	}
}

// mustBeHarmless finds what could turn the direction of text, or hide in it.
func mustBeHarmless(t *rapid.T, page string) {
	for _, r := range page {
		if r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029') {
			t.Fatalf("%U in the page: %q", r, page)
		}
	}
}

func hostile() *rapid.Generator[string] {
	return rapid.OneOf(
		rapid.SampledFrom([]string{
			"<script>alert(1)</script>", `"><img src=x onerror=alert(1)>`, "</textarea></details></main>", "{{.Title}}", "javascript:alert(1)", "'\"`<>&",
			"\u202egnp.exe", "a\u2066b\u2069", "zero\u200bwidth", "\x1b[2J\x00\x7f", "\xff\xfe broken", "line\nbreak\r\n", "&lt;b&gt;", "<!--", "../../etc/passwd",
			"..", ".", "", "/", "a/b?c#d%2f", strings.Repeat("x", 255), strings.Repeat("\u202e", 255), strings.Repeat("ж", 255), "\u2028", "]]>", "data:text/html,x",
		}),
		rapid.String(),
	)
}

// poison writes something hostile into every text of a value, however deep.
func poison(t *rapid.T, value reflect.Value) {
	switch value.Kind() {
	case reflect.String:
		value.SetString(hostile().Draw(t, "text"))
	case reflect.Pointer:
		if !value.IsNil() {
			poison(t, value.Elem())
		}
	case reflect.Struct:
		if value.Type() == reflect.TypeFor[time.Time]() {
			return
		}
		for i := range value.NumField() {
			poison(t, value.Field(i))
		}
	case reflect.Slice:
		for i := range value.Len() {
			poison(t, value.Index(i))
		}
	case reflect.Interface:
		if _, isText := value.Interface().(string); isText {
			value.Set(reflect.ValueOf(hostile().Draw(t, "value")))
		}
	}
}

// TestNoTextLeavesItsPlace writes hostile text wherever there is text in a
// status and its passes: names, messages, ids, even words such as modes.
func TestNoTextLeavesItsPlace(t *testing.T) {
	now := pagetest.Now(t)
	rapid.Check(t, func(t *rapid.T) {
		data := Data{Daemon: pagetest.Everyday(now), Passes: pagetest.Passes(now)[:6]}
		poison(t, reflect.ValueOf(&data.Daemon).Elem())
		poison(t, reflect.ValueOf(&data.Passes).Elem())
		for i := range data.Daemon.Targets {
			if rapid.Bool().Draw(t, "mode is known") {
				data.Daemon.Targets[i].Mode = rapid.SampledFrom([]status.Mode{status.Apply, status.Report, status.Suspended}).Draw(t, "mode")
			}
		}
		for _, name := range []string{"", data.Daemon.Targets[0].Name} {
			page := render(t, data, name)
			mustBeWellFormed(t, page)
			mustBeHarmless(t, page)
		}
	})
}

func TestABrokenPageIsFound(t *testing.T) {
	for name, page := range map[string]string{
		"an open element": "<p>", "a foreign tag": "<img>", "the wrong order": "<p><a></p></a>", "a bare ampersand": "<p>a & b</p>",
		"a handler": `<p onclick="x"></p>`, "a style": `<p style="x"></p>`, "two ids": `<p id="a"></p><p id="a"></p>`, "a link": `<a href="javascript:x"></a>`,
		"broken text": "<p>\xff</p>", "a bare bracket": "<p>a < b</p>", "an unquoted attribute": "<p class=a></p>",
	} {
		if flaw(page) == "" {
			t.Errorf("%s is not found", name)
		}
	}
}
