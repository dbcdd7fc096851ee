package session

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"profilesync/internal/profile"
)

// fault is what an error answer says.
type fault struct {
	kind    string // Senlin's name of the error, or ""
	message string // one line
	html    bool   // a page for people: a proxy or another server answered
}

// clutter is what a failed database adds to its words: where to read about it,
// and the beginning of a stack trace.
var clutter = regexp.MustCompile(`\(Background on this error at: [^()\s]*\)|\n\['\z`)

var tag = regexp.MustCompile(`<[^<>]*>`)

// readFault reads the three shapes of error bodies that come out of a Senlin:
// its own {"error": {"type", "message"}}, the token filter's, which has no
// type and is Keystone's too, and that of its web framework,
// {"message": "...<br />"}. Whatever is not JSON is HTML or a line of text.
func readFault(body []byte) fault {
	var shape struct {
		Error struct {
			Type    string `json:"type"`
			Message string `json:"message"`
		} `json:"error"`
		Message string `json:"message"`
	}
	if err := json.Unmarshal(body, &shape); err == nil {
		message := shape.Error.Message
		if message == "" {
			message = particular(shape.Message)
		}
		return fault{kind: word(shape.Error.Type), message: oneLine(clutter.ReplaceAllString(message, ""))}
	}
	text := bytes.TrimSpace(body)
	if looksLikeHTML(text) {
		return fault{html: true}
	}
	if bytes.HasPrefix(text, []byte("{")) || bytes.HasPrefix(text, []byte("[")) {
		return fault{} // JSON that is broken or of an unknown shape says nothing to people
	}
	return fault{message: oneLine(string(text))}
}

// particular is the part of the web framework's message that is about this
// request: before it stands what the status means in general.
func particular(message string) string {
	if _, rest, _ := strings.Cut(message, "<br /><br />"); oneLine(rest) != "" {
		return rest
	}
	return message
}

func looksLikeHTML(text []byte) bool {
	return bytes.HasPrefix(bytes.TrimSpace(text), []byte("<"))
}

// word keeps a name of an error printable and short.
func word(text string) string {
	return truncate(strings.Map(func(r rune) rune {
		if r > ' ' && r < 0x7f {
			return r
		}
		return -1
	}, text), 60)
}

// oneLine makes a server's text fit into a line: no tags, no control
// characters, no full stop.
func oneLine(text string) string {
	text = html.UnescapeString(tag.ReplaceAllString(text, " "))
	text = strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return ' '
		}
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, text)
	return strings.TrimSuffix(strings.Join(strings.Fields(text), " "), ".")
}

func truncate(text string, characters int) string {
	count := 0
	for i := range text {
		if count == characters {
			return text[:i] + "…"
		}
		count++
	}
	return text
}

// orElse is the fault's message, or the status in words.
func (f fault) orElse(status int) string {
	switch {
	case f.html:
		return "HTML instead of JSON"
	case f.message != "":
		return f.message
	case http.StatusText(status) != "":
		return strings.ToLower(http.StatusText(status))
	}
	return "unknown status"
}

// minSecret is the length below which hiding a word would only garble text.
const minSecret = 4

// scrub hides secrets in a text that went through oneLine, and cuts it to what
// is worth showing. Secrets are looked for line by line: a server that quotes a
// value writes its line breaks and backslashes as escapes.
func scrub(text string, secrets []string) string {
	var hidden []string
	for _, secret := range secrets {
		for line := range strings.Lines(secret) {
			if len(oneLine(line)) >= minSecret {
				hidden = append(hidden, quotations(strings.TrimRight(line, "\r\n"))...)
			}
		}
	}
	slices.SortFunc(hidden, func(a, b string) int { return len(b) - len(a) })
	pairs := make([]string, 0, 2*len(hidden))
	for _, line := range hidden {
		pairs = append(pairs, line, profile.Redacted)
	}
	text = strings.NewReplacer(pairs...).Replace(text) // in one pass: what stands for a secret is not searched again
	return hideBeginnings(truncate(text, maxMessage), hidden)
}

// minBeginning is the length from which a secret's first characters give it
// away wherever they stand; at the end of a text, minSecret does.
const minBeginning = 8

// hideBeginnings hides what a text has of secrets that were quoted in part: a
// server may cut a quotation off, or a broken connection may.
func hideBeginnings(text string, secrets []string) string {
	var shown strings.Builder
	for len(text) >= minSecret {
		longest := 0
		for _, secret := range secrets {
			longest = max(longest, common(text, secret))
		}
		if longest >= minBeginning || longest >= minSecret && longest == len(text) {
			shown.WriteString(profile.Redacted)
			text = text[longest:]
			continue
		}
		_, size := utf8.DecodeRuneInString(text)
		shown.WriteString(text[:size])
		text = text[size:]
	}
	return shown.String() + text
}

// common is how many bytes two texts have in common at their beginning.
func common(a, b string) int {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return n
}

// quotations are the forms in which a server may give a text back: as it is, as
// a JSON string with more or less escaped, in a URL, in base64.
func quotations(text string) []string {
	escaped, _ := json.Marshal(text) // a string can always be marshalled
	inJSON := string(escaped[1 : len(escaped)-1])
	readable := strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&").Replace(inJSON)
	forms := []string{
		text, strings.ReplaceAll(text, `\`, `\\`), inJSON, readable, inASCII(inJSON), inASCII(readable),
		url.QueryEscape(text), url.PathEscape(text), base64.StdEncoding.EncodeToString([]byte(text)),
	}
	for i, form := range forms {
		forms[i] = oneLine(form)
	}
	return forms
}

// inASCII escapes as Python's json does.
func inASCII(text string) string {
	var out strings.Builder
	for _, unit := range utf16.Encode([]rune(text)) {
		if unit < utf8.RuneSelf {
			out.WriteByte(byte(unit))
			continue
		}
		fmt.Fprintf(&out, `\u%04x`, unit)
	}
	return out.String()
}
