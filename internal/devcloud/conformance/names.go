package conformance

import (
	"strings"
	"testing"
)

// names runs as tenant-b: some of the names are short enough to be an id prefix of something else.
func (s suite) names(t *testing.T) {
	tail := unique("name")
	for name, value := range map[string]string{
		"letters, digits and every sign": tail + "_.~-9Z",
		"a digit first":                  "1" + tail,
		"a dash first":                   "-" + tail,
		"a dot first":                    "." + tail,
		"Chinese":                        "一龥" + tail,
		"digits of another script":       "\u0663" + tail,
		"255 characters":                 strings.Repeat("a", 255-len(tail)) + tail,
		"255 Chinese characters":         strings.Repeat("龥", 255),
		"one newline at the end":         tail + "\n",
		"a single dot":                   ".",
		"two dots":                       "..",
		"a lone tilde":                   "~",
		"a UUID":                         "00000000-0000-4000-8000-000000000000",
	} {
		t.Run(name+" is a name", func(t *testing.T) {
			if got := s.b.makes(t, newProfile(value, server, "")).object(t, "profile")["name"]; got != value {
				t.Errorf("got name %q, want %q", got, value)
			}
		})
	}
	const illegal = `The value for the 'name' (...) contains illegal characters. It must contain only alphanumeric or "_-.~" characters and must start with letter.`
	for _, sign := range []string{
		" ", "@", "/", ":", "+", ",", "(", ")", `"`, "'", "#", "%", "?", "&", "=", ";", "*", "!", "$", "[", "]", "{", "}", "|", "<", `\`, "^", "`",
		"\t", "\nx", "\n\n", "\r", "\x00", "ö", "ア", "🚀", "\u9fa6", "\u4dff", "\u00a0", "\u00b2", "\u2160",
	} {
		t.Run("no "+strings.Trim(quote(sign), `"`), func(t *testing.T) {
			s.b.post(t, "/v1/profiles", newProfile("a"+sign, server, "")).refused(t, 400, "HTTPBadRequest", strings.Replace(illegal, "...", "a"+sign, 1))
		})
	}
	for name, c := range map[string]struct{ value, message string }{
		"256 characters": {quote(strings.Repeat("a", 256)), "... must be less than 255 characters long..."},
		"empty":          {`""`, "..."},
		"null":           {`null`, "Field `name' cannot be None"},
		"a number":       {`7`, "..."},
		"a list":         {`[]`, "..."},
		"true":           {`true`, "..."},
	} {
		t.Run("not "+name, func(t *testing.T) {
			s.b.post(t, "/v1/profiles", `{"profile":{"name":`+c.value+`,"spec":`+server+`}}`).refused(t, 400, "HTTPBadRequest", c.message)
		})
	}
	t.Run("two profiles may have one name", func(t *testing.T) {
		if first, second := s.b.profile(t, tail), s.b.profile(t, tail); first == second {
			t.Error("two creates gave one id")
		}
	})
}
