package trust

import "strings"

// listed tells whether text matches a list of patterns as OpenSSH does: they are
// separated by commas, * stands for any characters and ? for one, and one that
// begins with ! and matches refuses whatever the others say.
func listed(text, patterns string) bool {
	found := false
	for pattern := range strings.SplitSeq(patterns, ",") {
		pattern, negated := strings.CutPrefix(pattern, "!")
		if !wildcard(pattern, text) {
			continue
		}
		if negated {
			return false
		}
		found = true
	}
	return found
}

// wildcard takes time in the product of the lengths, whatever the pattern.
func wildcard(pattern, text string) bool {
	star, resume := -1, 0
	p, t := 0, 0
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, resume = p, t
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == text[t]):
			p, t = p+1, t+1
		case star >= 0: // the last * takes one character more
			resume++
			p, t = star+1, resume
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}
