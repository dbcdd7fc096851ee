package hook

import (
	"net/url"
	"path"
	"slices"
	"strings"
)

// Concerns reports whether a push may have changed what is read from a
// repository: its URL in any form that Git takes, and a branch, a tag, a full
// reference name or a commit; "" and "HEAD" are the default branch. What the push does not
// name counts as the same. When in doubt the answer is yes: looking in vain
// costs one request, and not looking costs the wait for the schedule.
func Concerns(push Push, url, ref string) bool {
	if ref == "HEAD" {
		ref = ""
	}
	isSame := func(told string) bool { return sameRepository(told, url) }
	if len(push.URLs) > 0 && !slices.ContainsFunc(push.URLs, isSame) {
		return false
	}
	switch {
	case push.Ref == "":
		return true
	case ref == "" && push.DefaultBranch != "":
		return push.Ref == push.DefaultBranch || push.Ref == "refs/heads/"+push.DefaultBranch
	case ref == "":
		return !strings.HasPrefix(push.Ref, "refs/") || strings.HasPrefix(push.Ref, "refs/heads/")
	case isAbbreviated(push.Commit, ref):
		return true
	}
	told := fullNames(push.Ref)
	return slices.ContainsFunc(fullNames(ref), func(name string) bool { return slices.Contains(told, name) })
}

// isAbbreviated reports whether a reference may be a commit's short id.
func isAbbreviated(commit, ref string) bool {
	const shortest = 7
	return len(ref) >= shortest && strings.HasPrefix(commit, strings.ToLower(ref))
}

// fullNames are what a reference may be called in full.
func fullNames(ref string) []string {
	if strings.HasPrefix(ref, "refs/") {
		return []string{ref}
	}
	return []string{"refs/heads/" + ref, "refs/tags/" + ref}
}

// address is where a repository is, whoever asks for it and by whatever
// protocol.
type address struct {
	host, port, path string // port "" when it is the protocol's own
	web              bool   // http or https
}

// sameRepository compares two URLs. One server listens on different ports for
// HTTP and for SSH, so ports count only within one of them. Hosting services
// take names in any case.
func sameRepository(one, other string) bool {
	a, b := locate(one), locate(other)
	if a.host != b.host || !strings.EqualFold(a.path, b.path) || a.path == "" {
		return false
	}
	return a.web != b.web || a.port == b.port
}

func locate(text string) address {
	text = strings.TrimSpace(text)
	if !strings.Contains(text, "://") {
		return locateSCP(text)
	}
	u, err := url.Parse(text)
	if err != nil {
		return address{path: text}
	}
	protocol := strings.ToLower(u.Scheme)
	port := u.Port()
	if own := map[string]string{"http": "80", "https": "443", "ssh": "22", "git+ssh": "22", "git": "9418"}; own[protocol] == port {
		port = ""
	}
	return address{
		host: strings.TrimSuffix(strings.ToLower(u.Hostname()), "."), port: port, path: tidy(u.Path),
		web: protocol == "http" || protocol == "https",
	}
}

// locateSCP reads user@host:path, where the host may be an IPv6 address in
// brackets; what has no colon before the first slash is a path on this machine.
func locateSCP(text string) address {
	server, below, found := strings.Cut(text, ":")
	if start := strings.Index(text, "["); start >= 0 {
		if end := strings.Index(text, "]:"); end > start {
			server, below, found = text[:end], text[end+2:], true
		}
	}
	if !found || strings.Contains(server, "/") {
		return address{path: tidy(text)}
	}
	host := strings.TrimPrefix(server[strings.LastIndex(server, "@")+1:], "[")
	return address{host: strings.TrimSuffix(strings.ToLower(host), "."), path: tidy(below)}
}

// tidy is a path as it is compared: without the slashes around it and the
// ".git" that servers add by themselves.
func tidy(name string) string {
	name = strings.Trim(path.Clean("/"+name), "/")
	return strings.TrimSuffix(name, ".git")
}
