// Package ignore decides which paths of a file tree are left out, by files of
// patterns in the syntax of gitignore(5).
//
// It owns the syntax and the precedence: the last matching pattern of the
// nearest directory decides. It never reads a file: a caller hands it the
// content of each ignore file as it descends, and does not descend into a
// directory that is ignored (so that, as in Git, nothing inside can be brought
// back by a later pattern).
//
// go-git has such a matcher, but it parts from Git on exactly the patterns
// people write by hand: [!a], \#, "**" next to other characters, and a
// re-included file under an excluded directory. The tests compare this one
// with git check-ignore.
package ignore

import "strings"

// Rules are the patterns that hold in one directory: its own and those of all
// directories above it. Rules are immutable; a nil *Rules ignores nothing.
type Rules struct {
	above    *Rules
	base     string // directory of the ignore file: "" or "a/b/", always with its slash
	patterns []pattern
}

// In returns the rules that hold in dir, once the ignore file found there has
// been added to r. dir is slash-separated and relative to the root of the
// tree, "" for the root itself. Every content is legal: a line that is not a
// pattern matches nothing.
func (r *Rules) In(dir string, content []byte) *Rules {
	if dir != "" {
		dir += "/"
	}
	return &Rules{above: r, base: dir, patterns: parse(string(content))}
}

// Ignored reports whether the entry at path is left out. path is
// slash-separated and relative to the root of the tree. A symbolic link is no
// directory, whatever it points to.
func (r *Rules) Ignored(path string, dir bool) bool {
	for ; r != nil; r = r.above {
		rel, ok := strings.CutPrefix(path, r.base)
		if !ok {
			continue
		}
		for i := len(r.patterns) - 1; i >= 0; i-- {
			if p := &r.patterns[i]; p.matches(rel, dir) {
				return !p.negated
			}
		}
	}
	return false
}

// pattern is one line of an ignore file.
type pattern struct {
	negated  bool // "!…": brings back what an earlier pattern left out
	dirOnly  bool // "…/"
	anchored bool // holds a slash: compared with the whole path below the ignore file, not with the base name
	glob     glob
}

func (p *pattern) matches(rel string, dir bool) bool {
	if p.dirOnly && !dir {
		return false
	}
	if !p.anchored {
		rel = rel[strings.LastIndexByte(rel, '/')+1:]
	}
	return p.glob.match(rel)
}

func parse(content string) []pattern {
	content = strings.TrimPrefix(content, "\ufeff")
	var patterns []pattern
	for line := range strings.SplitSeq(content, "\n") {
		// Git keeps a line as a C string, so that a NUL ends it.
		line, _, _ = strings.Cut(strings.TrimSuffix(line, "\r"), "\x00")
		if p, ok := parseLine(trimSpaces(line)); ok {
			patterns = append(patterns, p)
		}
	}
	return patterns
}

func parseLine(line string) (pattern, bool) {
	if strings.HasPrefix(line, "#") {
		return pattern{}, false
	}
	var p pattern
	line, p.negated = strings.CutPrefix(line, "!")
	line, p.dirOnly = strings.CutSuffix(line, "/")
	p.anchored = strings.Contains(line, "/")
	line = strings.TrimPrefix(line, "/")
	if line == "" {
		return pattern{}, false
	}
	p.glob = compile(line)
	return p, true
}

// trimSpaces cuts the unescaped blanks at the end of a line. Tabs stay, as in Git.
func trimSpaces(line string) string {
	end := 0
	for i := 0; i < len(line); i++ {
		switch line[i] {
		case ' ':
			continue
		case '\\':
			i++
		}
		end = min(i+1, len(line))
	}
	return line[:end]
}
