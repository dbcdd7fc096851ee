package store

import (
	"cmp"
	"strings"
)

// Fold returns the form in which names compare: MariaDB's utf8mb3_general_ci takes lower for upper case and
// ignores blanks at the end. That collation also takes accented letters for plain ones; Fold does not, because no
// name can have an accent and so only a query could tell.
func Fold(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' {
			return r - 'a' + 'A'
		}
		return r
	}, strings.TrimRight(s, " "))
}

// Compare orders texts as that collation does: as if the shorter one went on with blanks.
func Compare(a, b string) int {
	x, y := []rune(Fold(a)), []rune(Fold(b))
	for i := range max(len(x), len(y)) {
		if c := cmp.Compare(padded(x, i), padded(y, i)); c != 0 {
			return c
		}
	}
	return 0
}

func padded(text []rune, i int) rune {
	if i < len(text) {
		return text[i]
	}
	return ' '
}

// likeToken is a literal rune, or one of the two wildcards.
type likeToken struct {
	literal  rune
	any, one bool
}

func likeTokens(pattern string) []likeToken {
	var tokens []likeToken
	escaped := false
	for _, r := range pattern {
		switch {
		case escaped:
			tokens = append(tokens, likeToken{literal: r})
			escaped = false
		case r == '\\':
			escaped = true
		default:
			tokens = append(tokens, likeToken{literal: r, any: r == '%', one: r == '_'})
		}
	}
	return tokens
}

// Like reports whether s matches a pattern of SQL's LIKE: % is any text, _ any one character, and a backslash
// takes the next character's meaning away. Its time is bounded by the product of both lengths.
func Like(pattern, s string) bool {
	tokens, text := likeTokens(pattern), []rune(s)
	t, i := 0, 0
	star, resume := -1, 0 // the last % seen, and where its text ends so far
	for i < len(text) {
		switch {
		case t < len(tokens) && tokens[t].any:
			star, resume = t, i
			t++
		case t < len(tokens) && (tokens[t].one || tokens[t].literal == text[i]):
			t++
			i++
		case star >= 0:
			resume++
			t, i = star+1, resume
		default:
			return false
		}
	}
	for t < len(tokens) && tokens[t].any {
		t++
	}
	return t == len(tokens)
}
