package ignore

import "strings"

// glob is a compiled pattern. It compares bytes, as Git does: "?" is one byte,
// not one character.
type glob struct {
	literal string // every match begins with it
	steps   []step // what follows the literal
	exact   bool   // nothing follows: the literal is the whole pattern
	never   bool   // malformed, such as "[a" or a lone backslash at the end: Git matches nothing
}

// step is one element of a glob. A match is a walk over the steps, done for all
// possible positions at once: no pattern takes more than len(steps) × len(text)
// operations, however many stars it has.
type step struct {
	kind kind
	char byte // of a literal
	set  *set // of a class
}

type kind uint8

const (
	literal  kind = iota
	class         // one byte of a set
	star          // any bytes but "/"
	starstar      // any bytes
	optional      // the two steps after this one ("**" and "/") may be skipped: "a/**/b" matches "a/b"
)

// set is a set of bytes.
type set [4]uint64

func (s *set) add(c byte)      { s[c>>6] |= 1 << (c & 63) }
func (s *set) has(c byte) bool { return s[c>>6]&(1<<(c&63)) != 0 }

func (s *set) addRange(from, to byte) {
	for c := int(from); c <= int(to); c++ {
		s.add(byte(c))
	}
}

// compile cannot fail: what is malformed never matches.
func compile(pattern string) glob {
	n := strings.IndexAny(pattern, `*?[\`)
	if n < 0 {
		return glob{literal: pattern, exact: true}
	}
	// Git compares the part before the first special character on its own and
	// then takes the rest for a pattern that begins there. Hence "a**/b" has
	// its "**" at a beginning, and matches "ax/y/b".
	g := glob{literal: pattern[:n]}
	rest := pattern[n:]
	for i := 0; i < len(rest); {
		steps, width := next(rest, i)
		if width == 0 {
			return glob{never: true}
		}
		g.steps = append(g.steps, steps...)
		i += width
	}
	return g
}

// next compiles the element of pattern at i. Its width is 0 when it is malformed.
func next(pattern string, i int) (steps []step, width int) {
	switch pattern[i] {
	case '\\':
		if i+1 == len(pattern) {
			return nil, 0
		}
		return []step{{kind: literal, char: pattern[i+1]}}, 2
	case '?':
		var any set
		any.addRange(0, 255)
		return []step{{kind: class, set: &any}}, 1
	case '[':
		s, width := parseClass(pattern[i:])
		return []step{{kind: class, set: s}}, width
	case '*':
		return stars(pattern, i)
	}
	return []step{{kind: literal, char: pattern[i]}}, 1
}

// stars compiles a run of stars. Two or more cross slashes only where they
// stand for whole directories; elsewhere they are one star.
func stars(pattern string, i int) (steps []step, width int) {
	rest := strings.TrimLeft(pattern[i:], "*")
	width = len(pattern) - i - len(rest)
	begins := i == 0 || pattern[i-1] == '/'
	ends := rest == "" || rest[0] == '/' || strings.HasPrefix(rest, `\/`)
	if width == 1 || !begins || !ends {
		return []step{{kind: star}}, width
	}
	if strings.HasPrefix(rest, "/") {
		return []step{{kind: optional}, {kind: starstar}, {kind: literal, char: '/'}}, width + 1
	}
	return []step{{kind: starstar}}, width
}

func (g *glob) match(text string) bool {
	if g.never {
		return false
	}
	rest, ok := strings.CutPrefix(text, g.literal)
	if !ok || g.exact {
		return ok && rest == ""
	}
	// at[i]: everything read so far can be matched by the steps before i.
	at, then := make([]bool, len(g.steps)+1), make([]bool, len(g.steps)+1)
	at[0] = true
	g.skip(at)
	for i := range len(rest) {
		clear(then)
		for j, reached := range at[:len(g.steps)] {
			if reached {
				g.steps[j].take(rest[i], j, then)
			}
		}
		at, then = then, at
		g.skip(at)
	}
	return at[len(g.steps)]
}

// take marks the steps that can come next after step j has met c.
func (s *step) take(c byte, j int, then []bool) {
	switch s.kind {
	case literal:
		then[j+1] = then[j+1] || c == s.char
	case class:
		then[j+1] = then[j+1] || c != '/' && s.set.has(c)
	case star:
		then[j] = then[j] || c != '/'
	case starstar:
		then[j] = true
	}
}

// skip marks the steps that are reached without reading anything.
func (g *glob) skip(at []bool) {
	for j := range g.steps {
		if !at[j] {
			continue
		}
		switch g.steps[j].kind {
		case star, starstar:
			at[j+1] = true
		case optional:
			at[j+1], at[j+3] = true, true
		}
	}
}
