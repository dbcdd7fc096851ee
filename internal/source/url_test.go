package source

import (
	"fmt"
	"strings"
	"testing"
)

func TestURLsThatAreNotRead(t *testing.T) {
	t.Chdir(t.TempDir())
	rows := []struct{ url, says string }{
		{"", "neither a path nor a URL"},
		{"nowhere", "no such file"},
		{".", "neither .git nor HEAD"},
		{"url_test.go", "no such file"},
		{"file:///nowhere/at/all", "no such file"},
		{"file://otherhost/srv/x.git", "file:///srv"},
		{"ssh://git@host", "without the path"},
		{"ssh://git@/x.git", "without a host"},
		{"ssh://-oProxyCommand=x/x.git", "begins with -"},
		{"ssh://-x@host/x.git", "begins with -"},
		{"ssh://host/~-x", ""},
		{"ssh://host/x%0ay", "control character"},
		{"ssh://git:passw0rd@host/x.git", "a password in the URL is of no use over SSH"},
		{"git://host/x.git", "what can be read"},
		{"-oProxyCommand=x:x.git", "begins with -"},
		{"host:-x", "begins with -"},
		{"git@host:", "without a host or without a path"},
		{"git@:x.git", "without a host or without a path"},
		{"user:passw0rd@host:x.git", "what can be read"},
		{"git@host:x.git", "neither a key file nor an agent"},
		{"host:x.git", "neither a key file nor an agent"},
		{"https:user:passw0rd@host/x.git", "what can be read"},
		{"https://", "without a host"},
		{"http://:80/x.git", "without a host"},
		{"https://host/x.git?private_token=passw0rd", "after the host"},
		{"https://host/x.git#passw0rd", "after the host"},
		{"https://user:passw0rd/x@host/x.git", "malformed"},
		{"https://user:12/passw0rd@host/x.git", "after the host"},
		{"https://user:12#passw0rd@host/x.git", "after the host"},
		{"https://user:pass w0rd%@host/x.git", "malformed"},
		{"https://user:passw0rd%zz@host/x.git", "malformed"},
		{"https://user:passw0rd@ho st/x.git", "malformed"},
		{"https://user:passw0rd@host:port/x.git", "malformed"},
		{"http://user:passw0rd@127.0.0.1:1/x.git", "refused"},
		{"http://passw0rd@127.0.0.1:1/x.git", "refused"},
		{"http://user:passw0rd@127.0.0.1:1/%zz", "malformed"},
		{"http://user:passw0rd@127.0.0.1:1/%25zz", ""},
		{"http://passw0rd@127.0.0.1:1/%25zz", ""},
	}
	for _, row := range rows {
		t.Run(row.url, func(t *testing.T) {
			_, err := Git{URL: row.url}.Read(t.Context())
			fails(t, err, nil, row.says)
			for _, shown := range []string{err.Error(), Git{URL: row.url}.String(), fmt.Sprintf("%v %+v %#v", Git{URL: row.url}, Git{URL: row.url}, Git{URL: row.url})} {
				if strings.Contains(shown, "w0rd") {
					t.Errorf("%q shows the password", shown)
				}
			}
		})
	}
}

func TestWhatIsShownOfAURL(t *testing.T) {
	for raw, want := range map[string]string{
		"https://user:secret@host:8443/a/b.git": "https://host:8443/a/b.git",
		"https://token@host/a.git":              "https://host/a.git",
		"https://host/a.git":                    "https://host/a.git",
		"https://host/a.git?token=x":            "https://host/a.git",
		"https://u:p@x@host/a.git":              "https://host/a.git",
		"/srv/repo@2":                           "/srv/repo@2",
		"./a:b@c":                               "./a:b@c",
		"git@host:a/b.git":                      "git@host:a/b.git",
		"file:///srv/repo.git":                  "file:///srv/repo.git",
	} {
		if got := (Git{URL: raw}).String(); got != want {
			t.Errorf("%q is shown as %q, want %q", raw, got, want)
		}
	}
}

func FuzzURL(f *testing.F) {
	f.Add("https://user:", "@host/x.git")
	f.Add("", "/x")
	f.Fuzz(func(t *testing.T, before, after string) {
		const secret = "Zw0rdZ"
		raw := before + secret + "@" + after
		_, _, err := locate(raw)
		if scheme, _, ok := strings.Cut(before, "://"); !ok || strings.ContainsAny(scheme, "/:") {
			return // no URL
		}
		if shown := redact(raw); strings.Contains(shown, secret) || err != nil && strings.Contains(err.Error(), secret) {
			t.Errorf("%q is shown as %q, %v", raw, shown, err)
		}
	})
}
