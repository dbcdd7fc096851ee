package ignore

import (
	"bytes"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// entries is the tree every test asks about; a directory ends in a slash.
var entries = []string{
	"web.yaml", "db.yaml", "a", "b", "ab", "aab", "abc", "a b", "a ", "a.b", "#a", "!a", "[a]", "a]", "a-", "-", "a\\b", "ä", "A", "\r", "a\t",
	"foo/", "foo/a", "foo/b", "foo/web.yaml", "foo/bar/", "foo/bar/a", "foo/bar/b.yaml", "foo/bar/baz/", "foo/bar/baz/a", "foo/bar/baz/web.yaml",
	"dir/", "dir/foo/", "dir/foo/a", "dir/foo/bar/", "dir/foo/bar/ab", "dir/a", "dir/ab", "dir/web.yaml", "dir/b/", "dir/b/a", "fooa/", "fooa/bar/", "fooa/bar/a", "link",
}

func TestIgnoredAsGitDoes(t *testing.T) {
	rows := []struct{ name, patterns string }{
		{"nothing", ""},
		{"comment and blank lines", "# a\n\n   \n\t\n"},
		{"base name anywhere", "a\n"},
		{"suffix", "*.yaml\n"},
		{"all but one", "*\n!web.yaml\n"},
		{"all but one, in directories too", "*\n!*/\n!web.yaml\n"},
		{"directory only", "foo/\n"},
		{"directory only does not match a link", "link/\n"},
		{"anchored", "/foo\n"},
		{"anchored by a slash inside", "dir/foo\n"},
		{"two leading slashes", "//foo\n"},
		{"a slash alone", "/\n//\n!\n!/\n"},
		{"re-included inside an excluded directory", "foo/\n!foo/a\n"},
		{"re-included beside it", "foo/*\n!foo/a\n"},
		{"leading double star", "**/foo\n"},
		{"leading double star and a path", "**/foo/a\n"},
		{"trailing double star", "foo/**\n"},
		{"trailing double star and slash", "foo/**/\n"},
		{"inner double star", "foo/**/a\n"},
		{"inner triple star", "foo/***/a\n"},
		{"double star after a literal", "foo**/bar\n"},
		{"double star between letters", "f**o/a\nfoo/b**z/a\n"},
		{"double star alone", "**\n"},
		{"double star and escaped slash", "foo/**\\/a\n"},
		{"star does not cross a slash", "foo/*/a\n"},
		{"star and slash", "*/a\n"},
		{"question mark", "a?b\n?\n"},
		{"question mark is one byte", "?\n??\n"},
		{"class", "[ab]\n"},
		{"negated class", "[!a]\n"},
		{"class negated with a caret", "[^a]\n"},
		{"range", "[a-b]b\n"},
		{"backward range", "[b-a]b\n"},
		{"range with an escaped end", "[a-\\b]\n"},
		{"dash at the end", "a[b-]\n"},
		{"dash first", "[-b]\n"},
		{"bracket first", "a[]]\n[]a]\n"},
		{"negated bracket first", "[!]a]\n"},
		{"named class", "[[:upper:]]\n[[:punct:]]a\n"},
		{"every named class", "[[:alnum:]]b\n[[:alpha:]]\n[[:blank:]]\n[[:cntrl:]]\n[[:digit:]]\n[[:graph:]]\n[[:lower:]]\n[[:print:]]\n[[:space:]]\n[[:xdigit:]]\n"},
		{"unknown named class", "[[:nope:]]\n"},
		{"named class not closed", "[[:alpha]\n[[:alpha\n"},
		{"colon and bracket", "[[:a]a]\n[[:]\n"},
		{"range after a named class", "[[:digit:]-b]\n"},
		{"class holds no slash", "foo[/]a\nfoo[!x]a\n"},
		{"unclosed class", "[a\n"},
		{"unclosed class after a star", "*[a\n"},
		{"escaped comment", "\\#a\n"},
		{"escaped negation", "\\!a\n"},
		{"escaped bracket", "\\[a\\]\n"},
		{"escaped backslash", "a\\\\b\n"},
		{"lone backslash at the end", "a\\\n"},
		{"trailing blanks", "a   \n"},
		{"escaped trailing blank", "a\\ \n"},
		{"blank inside", "a b\n"},
		{"tab at the end", "a\t\n"},
		{"carriage returns", "a\r\nfoo/\r\n"},
		{"carriage return as a name", "\r\r\n"},
		{"no newline at the end", "foo/\na"},
		{"byte order mark", "\ufeffa\n"},
		{"NUL", "a\x00b\nb  \x00x\n"},
		{"not UTF-8", "\xff\n\xc3?\n"},
		{"case matters", "FOO/\nA\n"},
		{"many stars", "*a*a*a*b\n**/*a*/**/a*\n"},
	}
	git := newOracle(t)
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			git.compare(t, map[string]string{"": row.patterns})
		})
	}
	t.Run("a nearer file wins", func(t *testing.T) {
		git.compare(t, map[string]string{"": "a\n!b\n/foo/bar/b.yaml\n", "foo": "!a\n/bar/baz\n", "foo/bar": "a\n!b.yaml\n", "dir": "/foo/bar\n!ab\n"})
	})
	t.Run("a file in an excluded directory says nothing", func(t *testing.T) {
		git.compare(t, map[string]string{"": "foo/\n", "foo": "!*\n"})
	})
}

func TestAnyPatternsAsGitReadsThem(t *testing.T) {
	git := newOracle(t)
	element := rapid.SampledFrom([]string{
		"a", "b", "foo", "bar", "dir", ".", "/", "/", "*", "**", "***", "?", "!", "#", "\\", " ", "-", "[", "]", "[ab]", "[!a]", "[^b]", "[a-", "[]", "[[:alpha:]]", "[:", ":]",
		"\t", "\r", "\n", "\n", "\n!", "\n/", "yaml", "**/", "/**", "/**/", "ä", "\xff", "\x00",
	})
	file := rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(element, 0, 12).Draw(t, "elements"), "")
	})
	rapid.Check(t, func(t *rapid.T) {
		git.compare(t, map[string]string{"": file.Draw(t, "root"), "foo": file.Draw(t, "foo"), "dir/foo": file.Draw(t, "dir/foo")})
	})
}

func FuzzRules(f *testing.F) {
	f.Add("*.yaml\n!web.yaml\n/foo/**/bar/\n[!a-z]\\ \n", "foo/a/web.yaml")
	f.Add(strings.Repeat("*a", 200), strings.Repeat("a", 400)+"b")
	f.Fuzz(func(t *testing.T, patterns, file string) {
		rules := (*Rules)(nil).In("", []byte(patterns)).In("foo", []byte(patterns))
		more := rules.In("foo", []byte("# a comment says nothing\n\n"))
		for _, dir := range []bool{false, true} {
			if rules.Ignored(file, dir) != more.Ignored(file, dir) {
				t.Errorf("a comment changes whether %q is ignored by %q", file, patterns)
			}
		}
	})
}

// oracle is a work tree with the entries, which git check-ignore is asked about.
type oracle struct{ dir string }

type tester interface {
	Helper()
	Fatalf(format string, args ...any)
	Errorf(format string, args ...any)
}

func newOracle(t *testing.T) oracle {
	t.Helper()
	o := oracle{dir: t.TempDir()}
	o.run(t, nil, "init", "-q")
	for _, entry := range entries {
		full, err := filepath.Join(o.dir, entry), error(nil)
		switch {
		case entry == "link":
			err = os.Symlink("foo", full)
		case strings.HasSuffix(entry, "/"):
			err = os.Mkdir(full, 0o755)
		default:
			err = os.WriteFile(full, nil, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return o
}

func (o oracle) run(t tester, stdin []byte, args ...string) []byte {
	t.Helper()
	cmd := exec.Command("git", append([]string{"-C", o.dir, "-c", "core.excludesFile=/dev/null"}, args...)...)
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null")
	cmd.Stdin = bytes.NewReader(stdin)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if exit, ok := err.(*exec.ExitError); err != nil && !(ok && exit.ExitCode() == 1) { // 1: nothing is ignored
		t.Fatalf("git %v: %v: %s", args, err, &stderr)
	}
	return out
}

// compare asks git and Rules about every entry, given the ignore files by directory.
func (o oracle) compare(t tester, files map[string]string) {
	t.Helper()
	for _, dir := range []string{"", "foo", "foo/bar", "dir", "dir/foo"} {
		name := filepath.Join(o.dir, dir, ".gitignore")
		if err := os.WriteFile(name, []byte(files[dir]), 0o644); err != nil {
			t.Fatalf("write: %v", err)
		}
	}
	var asked bytes.Buffer
	for _, entry := range entries {
		asked.WriteString(strings.TrimSuffix(entry, "/") + "\x00")
	}
	ignored := map[string]bool{}
	for name := range strings.SplitSeq(string(o.run(t, asked.Bytes(), "check-ignore", "--no-index", "--stdin", "-z")), "\x00") {
		ignored[name] = true
	}
	for _, entry := range entries {
		name, dir := strings.CutSuffix(entry, "/")
		if got := descend(files, name, dir); got != ignored[name] {
			t.Errorf("%q with %q: ignored is %t, git says %t", name, files, got, ignored[name])
		}
	}
}

// descend asks the rules about name as a walk would: from the root down, and
// never into a directory that is ignored.
func descend(files map[string]string, name string, dir bool) bool {
	rules := (*Rules)(nil).In("", []byte(files[""]))
	parts := strings.Split(name, "/")
	for i := range parts {
		at := path.Join(parts[:i+1]...)
		last := i == len(parts)-1
		if rules.Ignored(at, dir || !last) {
			return true
		}
		rules = rules.In(at, []byte(files[at]))
	}
	return false
}
