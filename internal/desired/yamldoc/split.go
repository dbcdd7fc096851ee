package yamldoc

import (
	"bytes"
	"fmt"
	"unicode/utf8"
)

// chunk is the text of one document, from its "---" line if it has one.
type chunk struct {
	text   []byte
	before int // lines of the file above it
}

// checkBytes refuses what is not plain UTF-8 text. Line breaks other than LF
// and CRLF are refused because YAML 1.1 and 1.2 disagree about them.
func checkBytes(text []byte, report func(line, column int, what, fix string)) bool {
	if bytes.HasPrefix(text, []byte("\xff\xfe")) || bytes.HasPrefix(text, []byte("\xfe\xff")) {
		report(1, 1, "the file is UTF-16", "save it as UTF-8")
		return false
	}
	line, column := 1, 1
	for rest := text; len(rest) > 0; {
		r, size := rune(rest[0]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRune(rest)
		}
		if what, fix := refusedRune(r, rest, size); what != "" {
			report(line, column, what, fix)
			return false
		}
		rest = rest[size:]
		column++
		if r == '\n' {
			line, column = line+1, 1
		}
	}
	return true
}

func refusedRune(r rune, rest []byte, size int) (what, fix string) {
	switch {
	case r >= ' ' && r < 0x7f || r == '\n' || r == '\t':
	case r == '\r':
		if !bytes.HasPrefix(rest, []byte("\r\n")) {
			return "a carriage return without a line feed", "save the file with LF line ends"
		}
	case r == utf8.RuneError && size == 1:
		return "the file is not valid UTF-8", "save it as UTF-8"
	case r == 0x85 || r == 0x2028 || r == 0x2029:
		return fmt.Sprintf("U+%04X ends a line for some readers only", r),
			fmt.Sprintf(`write \u%04X in double quotes`, r)
	case r < ' ' || r >= 0x7f && r < 0xa0 || r == 0xfeff || r == 0xfffe || r == 0xffff:
		return fmt.Sprintf("the character U+%04X is not allowed in YAML", r),
			fmt.Sprintf(`write \u%04X in double quotes`, r)
	}
	return "", ""
}

// split cuts a file into its documents at the "---" and "..." lines: neither
// can occur inside a value. So one document that cannot be read does not hide
// the problems of the next.
func split(text []byte, report func(line, column int, what, fix string)) []chunk {
	var chunks []chunk
	const none = -1
	start, before := none, 0 // where the open document begins
	ended := false           // behind "...", where only comments may stand
	end := func(offset int) {
		if start != none {
			chunks = append(chunks, chunk{text: text[start:offset], before: before})
		}
		start = none
	}
	for offset, line := 0, 0; offset < len(text); line++ {
		length := bytes.IndexByte(text[offset:], '\n') + 1
		if length == 0 {
			length = len(text) - offset
		}
		content := text[offset : offset+length]
		switch {
		case isMarker(content, "---"):
			end(offset)
			start, before, ended = offset, line, false
		case isMarker(content, "..."):
			if start == none && len(chunks) == 0 {
				report(line+1, 1, `an end mark "..." without a document`, "remove it")
			}
			end(offset)
			ended = true
			if !isBlank(content[3:]) {
				report(line+1, 4, `text behind the end mark "..."`, `begin the next document with "---"`)
			}
		case start != none || isBlank(content):
		case content[0] == '%':
			report(line+1, 1, "a YAML directive", "remove it, every document is read as YAML 1.1")
		case ended:
			report(line+1, 1, `text behind the end mark "..."`, `begin the next document with "---"`)
			ended = false
			start, before = offset, line
		default:
			start, before = offset, line
		}
		offset += length
	}
	end(len(text))
	return chunks
}

func isMarker(line []byte, marker string) bool {
	return bytes.HasPrefix(line, []byte(marker)) &&
		(len(line) == 3 || bytes.IndexByte([]byte(" \t\r\n"), line[3]) >= 0)
}

// isBlank reports whether a line holds nothing but blanks and a comment.
func isBlank(line []byte) bool {
	line = bytes.TrimLeft(line, " \r\n")
	return len(line) == 0 || line[0] == '#'
}
