package ignore

import "strings"

// parseClass reads a bracket expression at the beginning of pattern: its set
// and how many bytes it takes, 0 when it is malformed. The corner cases are
// Git's: a "]" that comes first is a member, so is a "-" at either end, and a
// backslash escapes.
func parseClass(pattern string) (*set, int) {
	c := classParser{text: pattern, i: 1}
	negated := strings.HasPrefix(pattern[1:], "!") || strings.HasPrefix(pattern[1:], "^")
	if negated {
		c.i++
	}
	for first := true; ; first = false {
		if c.i >= len(pattern) {
			return nil, 0
		}
		if pattern[c.i] == ']' && !first {
			break
		}
		if !c.member() {
			return nil, 0
		}
	}
	if negated {
		for i := range c.set {
			c.set[i] = ^c.set[i]
		}
	}
	return &c.set, c.i + 1
}

type classParser struct {
	text string
	i    int
	last byte // the member before, which a range can start from; 0 when there is none
	set  set
}

// member reads one member, a range's end, or a named class.
func (c *classParser) member() bool {
	switch rest := c.text[c.i:]; {
	case rest[0] == '-' && c.last != 0 && len(rest) > 1 && rest[1] != ']':
		c.i++
		from := c.last
		to, ok := c.char()
		c.last = 0
		if ok && from <= to {
			c.set.addRange(from, to)
		}
		return ok
	case strings.HasPrefix(rest, "[:"):
		return c.named(rest)
	default:
		char, ok := c.char()
		c.last = char
		c.set.add(char)
		return ok
	}
}

// char reads one character, which may be escaped.
func (c *classParser) char() (byte, bool) {
	if c.text[c.i] == '\\' {
		c.i++
	}
	if c.i >= len(c.text) {
		return 0, false
	}
	c.i++
	return c.text[c.i-1], true
}

// named reads [:name:]. Without the closing ":]" its bracket is an ordinary member.
func (c *classParser) named(rest string) bool {
	end := strings.IndexByte(rest[2:], ']')
	if end < 0 {
		return false
	}
	name, ok := strings.CutSuffix(rest[2:2+end], ":")
	if !ok {
		c.i++
		c.last = '['
		c.set.add('[')
		return true
	}
	member := named(name)
	if member == nil {
		return false
	}
	for char := range byte(128) {
		if member(char) {
			c.set.add(char)
		}
	}
	c.i += 2 + end + 1
	c.last = 0
	return true
}

// named returns what a POSIX class holds in the C locale, nil for an unknown name.
func named(name string) func(byte) bool {
	in := func(ranges string) func(byte) bool {
		return func(c byte) bool {
			for i := 0; i < len(ranges); i += 2 {
				if ranges[i] <= c && c <= ranges[i+1] {
					return true
				}
			}
			return false
		}
	}
	switch name {
	case "alnum":
		return in("09AZaz")
	case "alpha":
		return in("AZaz")
	case "blank":
		return in("  \t\t")
	case "cntrl":
		return in("\x00\x1f\x7f\x7f")
	case "digit":
		return in("09")
	case "graph":
		return in("!~")
	case "lower":
		return in("az")
	case "print":
		return in(" ~")
	case "punct":
		return in("!/:@[`{~")
	case "space":
		return in("  \t\r")
	case "upper":
		return in("AZ")
	case "xdigit":
		return in("09AFaf")
	}
	return nil
}
