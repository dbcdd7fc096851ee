package trust

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"profilesync/internal/source/gittest"
)

const someKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBQn5cGd9yvtaKSAt50+sTGzDRSiKuYcNlB4xYRGcVSJ"

func TestLinesThatAreNotUnderstood(t *testing.T) {
	for _, row := range []struct{ name, line, says string }{
		{"no key", "ada@example.com", "principals, options, key"},
		{"no principals", someKey, "no key behind the options"},
		{"no one at all", `"" ` + someKey, "principals, options, key"},
		{"half a quote", `"ada@example.com ` + someKey, "does not end"},
		{"half a quote in an option", `a namespaces="git ` + someKey, "does not end"},
		{"an unknown option", "a no-touch-required " + someKey, `unknown option "no-touch-required"`},
		{"an unknown option with a value", `a expires="x" ` + someKey, `unknown option "expires"`},
		{"an option of no value", "a namespaces " + someKey, `unknown option "namespaces"`},
		{"an option without quotes", "a namespaces=git " + someKey, "double quotes"},
		{"a value for one that has none", `a cert-authority="x" ` + someKey, `unknown option "cert-authority"`},
		{"no namespace", `a namespaces="" ` + someKey, "allows nothing"},
		{"namespaces twice", `a namespaces="git",namespaces="file" ` + someKey, "twice"},
		{"a time twice", `a valid-after="20260101",valid-after="20260102" ` + someKey, "twice"},
		{"no day", `a valid-before="20261301" ` + someKey, "YYYYMMDD"},
		{"a time with a dash", `a valid-before="2026-01-01" ` + someKey, "YYYYMMDD"},
		{"an odd length", `a valid-before="2026010100" ` + someKey, "YYYYMMDD"},
		{"before the epoch", `a valid-before="19691231" ` + someKey, "YYYYMMDD"},
		{"never", `a valid-after="20260102",valid-before="20260101" ` + someKey, "not later"},
		{"a comma at the end", "a cert-authority, " + someKey, "followed by a comma"},
		{"no comma", `a namespaces="git"cert-authority ` + someKey, "followed by a comma"},
		{"no base64", "a ssh-ed25519 !!!!", "base64"},
		{"nothing behind the type", "a ssh-ed25519", "base64"},
		{"a key cut short", "a " + someKey[:40], "key"},
		{"another type", "a " + strings.Replace(someKey, "ssh-ed25519", "ssh-rsa", 1), `said to be "ssh-rsa"`},
		{"an unknown type", "a ssh-ed448 AAAA", "key"},
		{"a zero byte", "a\x00b " + someKey, "zero byte"},
	} {
		t.Run(row.name, func(t *testing.T) {
			s, err := parseSigners([]byte("# one\nada@example.com " + someKey + "\n" + row.line + "\n"))
			if err == nil || !strings.Contains(err.Error(), row.says) || !strings.HasPrefix(err.Error(), "line 3: ") || s != nil {
				t.Errorf("%v, want one that says %q", err, row.says)
			}
		})
	}
}

func TestALineInFull(t *testing.T) {
	s, err := parseSigners([]byte(" \"a\\\"b c,!d\"\t Cert-Authority,valid-after=\"20260102\",namespaces=\"g\\\"it, file\",valid-before=\"202601020304Z\"  " + someKey + " a comment, \"\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	berlin := time.FixedZone("", 3600)
	got := s[0]
	if len(s) != 1 || got.line != 1 || got.principals != `a"b c,!d` || !got.authority || got.namespaces != `g"it, file` ||
		!got.validAfter.in(berlin).Equal(time.Date(2026, 1, 1, 23, 0, 0, 0, time.UTC)) ||
		!got.validBefore.in(berlin).Equal(time.Date(2026, 1, 2, 3, 4, 0, 0, time.UTC)) {
		t.Errorf("%+v", s)
	}
}

func TestPatterns(t *testing.T) {
	for _, row := range []struct {
		text, patterns string
		want           bool
	}{
		{"git", "git", true},
		{"git", "Git", false},
		{"git", "gi", false},
		{"git", "gitt", false},
		{"git", "", false},
		{"", "", true},
		{"", "*", true},
		{"git", "g?t", true},
		{"gt", "g?t", false},
		{"git", "*", true},
		{"git", "g*", true},
		{"git", "*t", true},
		{"git", "**i**", true},
		{"git", "g*x", false},
		{"aXbXc", "a*b*c", true},
		{"aXbXcX", "a*b*c", false},
		{"git", "file,git", true},
		{"git", "file, git", false},
		{"git", "!git", false},
		{"git", "!git,*", false},
		{"git", "*,!git", false},
		{"git", "!file,*", true},
		{"git", "!file", false},
		{strings.Repeat("a", 5000), strings.Repeat("*a", 50) + "*b", false},
	} {
		if got := listed(row.text, row.patterns); got != row.want {
			t.Errorf("listed(%.20q, %.20q) is %t", row.text, row.patterns, got)
		}
	}
}

// FuzzAllowedSigners holds that a file is an error or names somebody on each of
// its lines, and that no pattern in it takes forever.
func FuzzAllowedSigners(f *testing.F) {
	for _, line := range []string{
		"ada@example.com " + someKey, `"a b",!c cert-authority,namespaces="git" ` + someKey, "# x\n\n*@x " + someKey + " y",
		`a valid-after="20260101",valid-before="20270101000000Z" ` + someKey, `a namespaces="x\"y" ` + someKey,
	} {
		f.Add([]byte(line))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		signers, err := parseSigners(content)
		if (err == nil) != (len(signers) > 0) {
			t.Errorf("%d signers and %v", len(signers), err)
		}
		for _, s := range signers {
			if s.principals == "" || s.key == nil || s.line < 1 {
				t.Errorf("%+v", s)
			}
			s.allows(s.key, time.Unix(1767323045, 0), time.UTC)
		}
	})
}

// TestSSHKeygenReadsTheSame gives lines to both and compares whom they find.
func TestSSHKeygenReadsTheSame(t *testing.T) {
	w := newWorld(t)
	file := gittest.SSHKey(t, "-t", "ed25519")
	key := publicKey(t, file)
	id := w.signed(file, sshBy()...)
	s, err := splitCommit([]byte(w.raw("commit", id)))
	if err != nil {
		t.Fatal(err)
	}
	signature := filepath.Join(t.TempDir(), "sig")
	if err := os.WriteFile(signature, s.signature, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		"a K", " \t a\tK", `"a b" K`, "a,b K", "a K comment", `a namespaces="git" K`, `a Namespaces="git" K`, `a namespaces="git", K`, `a namespaces=git K`, `a unknown K`,
		`a unknown="x" K`, `a valid-after="20260101" K`, `a valid-after="2026" K`, `a valid-after="20260101",valid-before="20250101" K`, `a valid-after="20260101Z" K`,
		`a valid-before="202701020304Z" K`, `a namespaces="a",namespaces="b" K`, `a cert-authority K`, `a cert-authority="x" K`, "K", `"a K`, `a namespaces="git K`,
		`a namespaces="git"x K`, "a", "a # K", `a namespaces="g\"t,git" K`, "a ssh-ed25519 AAAA",
	} {
		t.Run(line, func(t *testing.T) {
			w := w.in(t)
			w.allow(strings.Replace(line, "K", key, 1))
			cmd := exec.Command("ssh-keygen", "-Y", "find-principals", "-f", w.allowed, "-s", signature, "-Overify-time=20260102030405Z")
			out, finds := cmd.CombinedOutput()
			content, _ := os.ReadFile(w.allowed)
			signers, err := parseSigners(content)
			found := err == nil && len(signers) == 1 && !signers[0].authority
			if found != (finds == nil) {
				t.Errorf("%+v, %v; ssh-keygen: %s", signers, err, out)
			}
			if want := strings.ReplaceAll(strings.TrimSpace(string(out)), "\n", ","); found && signers[0].principals != want {
				t.Errorf("principals %q, ssh-keygen: %q", signers[0].principals, want)
			}
		})
	}
}
