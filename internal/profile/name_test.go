package profile

import (
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestNamesSenlinTakes(t *testing.T) {
	for _, row := range []struct{ name, profile string }{
		{"letters", "web"},
		{"capitals", "Web"},
		{"every mark", "a_b-c.d"},
		{"a digit first", "1a"},
		{"a dash first", "-a"},
		{"an underscore first", "_a"},
		{"one dot", "."},
		{"two dots", ".."},
		{"a UUID", "0a1b2c3d-0000-4000-8000-000000000000"},
		{"the first of the Chinese range", "\u4e00"},
		{"the last of the Chinese range", "\u9fa5"},
		{"Arabic digits", "web\u0660\u0669"},
		{"fullwidth digits", "web\uff11"},
		{"the longest", strings.Repeat("x", 246)},
		{"the longest, in characters and not in bytes", strings.Repeat("\u4e00", 246)},
	} {
		t.Run(row.name, func(t *testing.T) {
			if err := CheckName(row.profile); err != nil {
				t.Errorf("refused: %v", err)
			}
		})
	}
}

func TestNamesThatAreRefused(t *testing.T) {
	for _, row := range []struct{ name, profile, says string }{
		{"none", "", "name is empty"},
		{"one character too long", strings.Repeat("x", 247), "name has 247 characters, at most 246 are allowed"},
		{"kept for earlier generations", "web~1", `kept for earlier generations`},
		{"a tilde alone", "~", `kept for earlier generations`},
		{"a space", "web 1", `holds ' '`},
		{"a slash", "web/1", `holds '/'`},
		{"a colon", "web:1", `holds ':'`},
		{"a newline at the end, which Senlin takes", "web\n", `holds '\n'`},
		{"a newline inside", "we\nb", `holds '\n'`},
		{"a NUL", "web\x00", `holds '\x00'`},
		{"an accented letter", "größe", `holds 'ö'`},
		{"before the Chinese range", "\u4dff", "allowed are"},
		{"after the Chinese range", "\u9fa6", "allowed are"},
		{"kana", "ウェブ", "allowed are"},
		{"an emoji", "web🦀", "allowed are"},
		{"a Roman numeral, which is a number but no decimal digit", "webⅣ", "allowed are"},
		{"a superscript", "web²", "allowed are"},
		{"half a character", "web\xe4", "not valid UTF-8"},
	} {
		t.Run(row.name, func(t *testing.T) {
			err := CheckName(row.profile)
			if !errors.Is(err, ErrInvalid) {
				t.Fatalf("CheckName = %v", err)
			}
			if !strings.Contains(err.Error(), row.says) {
				t.Errorf("%q does not say %q", err, row.says)
			}
		})
	}
}

// Law: an earlier generation's name fits Senlin, and is no document's.
func TestAsideNamesFitAndAreReserved(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringMatching(`[a-zA-Z0-9_.\x{4e00}-\x{9fa5}-]{1,246}`).Draw(t, "name")
		if err := CheckName(name); err != nil {
			t.Fatal(err)
		}
		id := rapid.StringMatching(`[0-9a-f]{0,36}`).Draw(t, "id")
		aside := AsideName(name, id)
		if n := len([]rune(aside)); n > maxSenlinName {
			t.Errorf("%d characters", n)
		}
		if CheckName(aside) == nil {
			t.Error("a document could use it")
		}
		if !strings.HasPrefix(aside, name+"~") || !strings.HasPrefix(id, aside[len(name)+1:]) {
			t.Errorf("aside as %q", aside)
		}
	})
}

func TestAsideNameShowsTheFirstEightOfTheID(t *testing.T) {
	if got := AsideName("web", "0a1b2c3d-1111-2222"); got != "web~0a1b2c3d" {
		t.Errorf("AsideName = %q", got)
	}
}
