package report

import (
	"html"
	"strings"
)

// Foreign text appears in Markdown in three places, and in each of them as
// code: there neither markup nor a mention of a person has a meaning.

// span is a code span for a place where Markdown is read.
func span(text string) string {
	text = Clean(text)
	if text == "" {
		return ""
	}
	fence := strings.Repeat("`", longestRun(text)+1)
	if strings.Trim(text, "` ") != text {
		text = " " + text + " "
	}
	return fence + text + fence
}

// tagged is code for a place where HTML is read, such as a summary. It has no
// line break, since an empty line would end the HTML.
func tagged(text string) string {
	return "<code>" + html.EscapeString(Clean(text)) + "</code>"
}

// block is a fenced block of a language. Its fence is longer than any run of
// backticks in the text, so nothing in the text closes it.
func block(language, text string) string {
	fence := strings.Repeat("`", max(3, longestRun(text)+1))
	return fence + language + "\n" + strings.TrimSuffix(text, "\n") + "\n" + fence + "\n"
}

// longestRun is the length of the longest run of backticks.
func longestRun(text string) int {
	longest, run := 0, 0
	for i := range len(text) {
		if text[i] != '`' {
			run = 0
			continue
		}
		run++
		longest = max(longest, run)
	}
	return longest
}
