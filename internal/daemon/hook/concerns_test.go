package hook

import (
	"testing"

	"pgregory.net/rapid"
)

func TestWhichURLsAreOneRepository(t *testing.T) {
	tests := []struct {
		name, told, configured string
		want                   bool
	}{
		{"the same", "https://h.org/team/p", "https://h.org/team/p", true},
		{"with .git", "https://h.org/team/p.git", "https://h.org/team/p", true},
		{"with a slash", "https://h.org/team/p/", "https://h.org/team/p", true},
		{"with both", "https://h.org/team/p.git/", "https://h.org/team/p", true},
		{"with a user and a password", "https://h.org/team/p", "https://u:p@h.org/team/p.git", true},
		{"another case of the host", "https://H.ORG/team/p", "https://h.org/team/p", true},
		{"another case of the name, which hosting services take", "https://h.org/Team/P", "https://h.org/team/p", true},
		{"http", "https://h.org/team/p", "http://h.org/team/p", true},
		{"the protocol's own port", "https://h.org:443/team/p", "https://h.org/team/p", true},
		{"another port", "https://h.org:8443/team/p", "https://h.org/team/p", false},
		{"ssh", "https://h.org/team/p", "ssh://git@h.org/team/p.git", true},
		{"ssh at a port of its own", "https://h.org/team/p", "ssh://git@h.org:2222/team/p.git", true},
		{"ssh at another port", "ssh://git@h.org:2222/team/p", "ssh://git@h.org/team/p", false},
		{"as scp", "ssh://git@h.org/team/p", "git@h.org:team/p.git", true},
		{"as scp, from the root", "https://h.org/team/p", "git@h.org:/team/p.git", true},
		{"as scp, without a user", "https://h.org/team/p", "h.org:team/p", true},
		{"as scp, with a port in the other one", "ssh://git@h.org:22/team/p", "git@h.org:team/p", true},
		{"as scp, IPv6", "ssh://git@[2001:db8::1]/team/p", "git@[2001:db8::1]:team/p", true},
		{"IPv6 with a port", "https://[2001:db8::1]:3000/team/p", "http://[2001:db8::1]:3000/team/p.git", true},
		{"git", "https://h.org/team/p", "git://h.org:9418/team/p", true},
		{"a dot behind the host", "https://h.org./team/p", "https://h.org/team/p", true},
		{"a path with a blank", "https://h.org/team/my%20p", "https://h.org/team/my%20p.git", true},
		{"doubled slashes", "https://h.org//team//p", "https://h.org/team/p", true},
		{"a directory", "/srv/git/p.git", "/srv/git/p", true},
		{"a directory as a URL", "/srv/git/p.git", "file:///srv/git/p.git", true},
		{"another host", "https://i.org/team/p", "https://h.org/team/p", false},
		{"another repository", "https://h.org/team/q", "https://h.org/team/p", false},
		{"one below the other", "https://h.org/team/p/q", "https://h.org/team/p", false},
		{"a name that begins like it", "https://h.org/team/p", "https://h.org/team/pp", false},
		{"a directory of a host's name", "/h.org/team/p", "https://h.org/team/p", false},
		{"nothing", "", "", false},
		{"a server without a path", "https://h.org", "https://h.org/", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for _, pair := range [][2]string{{test.told, test.configured}, {test.configured, test.told}} {
				push := Push{URLs: []string{"https://elsewhere.org/x", pair[0]}, Ref: "refs/heads/main"}
				if got := Concerns(push, pair[1], "main"); got != test.want {
					t.Errorf("%q and %q: %t", pair[0], pair[1], got)
				}
			}
		})
	}
}

func TestWhichRefsAreOne(t *testing.T) {
	const commit = "59b20b8d5c6ff8d09518454d4dd8b7b30f095ab5"
	tests := []struct {
		name, told, byDefault, configured string
		want                              bool
	}{
		{"the branch", "refs/heads/main", "", "main", true},
		{"the branch in full", "refs/heads/main", "", "refs/heads/main", true},
		{"another branch", "refs/heads/dev", "", "main", false},
		{"a branch in a directory of that name", "refs/heads/dev/main", "", "main", false},
		{"the tag", "refs/tags/v1", "", "v1", true},
		{"the tag in full", "refs/tags/v1", "", "refs/tags/v1", true},
		{"a branch where the tag is meant", "refs/heads/v1", "", "refs/tags/v1", false},
		{"the default branch", "refs/heads/main", "main", "", true},
		{"the default branch by the name of HEAD", "refs/heads/main", "main", "HEAD", true},
		{"not the default branch", "refs/heads/dev", "main", "", false},
		{"not the default branch, but the one that is read", "refs/heads/dev", "main", "dev", true},
		{"any branch when nobody knows the default one", "refs/heads/dev", "", "", true},
		{"a tag never is the default branch", "refs/tags/v1", "", "", false},
		{"a tag of the default branch's name", "refs/tags/main", "main", "", false},
		{"told in short", "main", "", "main", true},
		{"told in short, the default branch", "main", "main", "", true},
		{"told in short, asked for in full", "main", "", "refs/heads/main", true},
		{"told in short, another", "dev", "", "main", false},
		{"told in short, nobody knows the default one", "dev", "", "", true},
		{"not told", "", "", "main", true},
		{"not told, the default branch", "", "", "", true},
		{"the commit that was waited for", "refs/heads/main", "", commit, true},
		{"the commit in short", "refs/heads/main", "", commit[:7], true},
		{"the commit in capitals", "refs/heads/main", "", "59B20B8D5C", true},
		{"too short for a commit", "refs/heads/main", "", commit[:6], false},
		{"another commit", "refs/heads/main", "", "6113728f27ae", false},
		{"something else of Git's", "refs/pull/7/head", "", "main", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			push := Push{URLs: []string{"https://h/p"}, Ref: test.told, DefaultBranch: test.byDefault, Commit: commit}
			if got := Concerns(push, "git@h:p.git", test.configured); got != test.want {
				t.Errorf("concerns: %t", got)
			}
			if push.URLs = nil; Concerns(push, "git@h:p.git", test.configured) != test.want {
				t.Error("it depends on the repository being named")
			}
			if push.URLs = []string{"https://h/q"}; Concerns(push, "git@h:p.git", test.configured) {
				t.Error("another repository counts")
			}
		})
	}
}

// However a URL is written, it is one repository with itself, and with what the
// same server calls it by HTTP and by SSH.
func TestOneRepositoryHasManyNames(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		host := rapid.StringMatching(`[a-zA-Z][a-zA-Z0-9-]{0,8}(\.[a-z]{2,3})?`).Draw(t, "host")
		path := rapid.StringMatching(`[a-zA-Z0-9_-]{1,8}(/[a-zA-Z0-9_.-]{0,5}[a-zA-Z0-9_-]){0,3}`).Draw(t, "path")
		names := rapid.SampledFrom([]string{
			"https://" + host + "/" + path, "http://user:word@" + host + ":80/" + path + ".git", "ssh://git@" + host + "/" + path + "/",
			"ssh://" + host + ":2222/" + path, "git@" + host + ":" + path + ".git", host + ":/" + path, "git://" + host + "/" + path,
		})
		one, other := names.Draw(t, "one"), names.Draw(t, "other")
		a, b := locate(one), locate(other)
		if a.web == b.web && a.port != b.port {
			t.Skip("two servers of one protocol")
		}
		if !sameRepository(one, other) || !sameRepository(other, one) {
			t.Fatalf("%q is %+v, %q is %+v", one, a, other, b)
		}
		if another := other + "x"; sameRepository(one, another) {
			t.Fatalf("%q is %q", one, another)
		}
	})
}
