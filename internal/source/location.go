package source

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
)

// locate tells a directory from a server. What is wrong with a URL is not
// repeated: a part of it may be a password that was not written as URLs want it.
func locate(raw string) (dir string, address *url.URL, err error) {
	scheme, _, isURL := strings.Cut(raw, "://")
	scheme = strings.ToLower(scheme)
	switch {
	case raw == "":
		return "", nil, fmt.Errorf("%w: neither a path nor a URL", ErrNoRepository)
	case !isURL && scpLike(raw):
		address, err = scpAddress(raw)
	case !isURL:
		return raw, nil, nil
	case scheme == "file":
		return localFile(raw)
	case scheme == "http", scheme == "https", scheme == "ssh":
		address, err = serverURL(raw)
	default:
		err = errNotRead
	}
	if err != nil {
		return "", nil, fmt.Errorf("%w: %w", ErrNoRepository, err)
	}
	return "", address, nil
}

var errNotRead = errors.New("what can be read is a local path, file://, http://, https://, ssh:// and user@host:path")

// serverURL parses a URL that leads to a server.
func serverURL(raw string) (*url.URL, error) {
	u, err := plainURL(raw)
	switch {
	case err != nil:
		return nil, err
	case u.Hostname() == "":
		return nil, errors.New("a URL without a host")
	case u.Scheme != "ssh":
		return u, nil
	case strings.Trim(u.Path, "/") == "":
		return nil, errors.New("a URL without the path of a repository")
	}
	if strings.HasPrefix(u.Path, "/~") {
		u.Path = u.Path[1:] // somebody's home, on the server
	}
	return u, checkSSH(u)
}

func plainURL(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Opaque != "" {
		return nil, errors.New("malformed URL (in a user name or password, write other characters than letters and digits as %XX)")
	}
	if u.RawQuery != "" || u.Fragment != "" || strings.Contains(u.EscapedPath(), "@") {
		return nil, errors.New("a URL with ?, # or @ after the host (in a user name or password, write them as %3F, %23, %40)")
	}
	return u, nil
}

func localFile(raw string) (string, *url.URL, error) {
	u, err := plainURL(raw)
	if err == nil && u.Host != "" && u.Host != "localhost" {
		err = errors.New("file:// is followed by an absolute path, as in file:///srv/repository")
	}
	if err != nil {
		return "", nil, fmt.Errorf("%w: %w", ErrNoRepository, err)
	}
	return u.Path, nil, nil
}

// In returns raw, a Git.URL that stands in a file in dir, as it is meant from
// anywhere: a relative path begins in dir.
func In(dir, raw string) string {
	if raw == "" || filepath.IsAbs(raw) || strings.Contains(raw, "://") {
		return raw
	}
	inside := filepath.Join(dir, raw)
	if _, err := os.Lstat(inside); err != nil && scpLike(raw) {
		return raw
	}
	return inside
}

// scpLike recognises [user@]host:path, which Git takes for SSH unless there is such a file.
func scpLike(raw string) bool {
	colon := strings.IndexByte(raw, ':')
	if colon <= 1 || strings.ContainsAny(raw[:colon], `/\`) { // 1: a drive letter
		return false
	}
	_, err := os.Lstat(raw)
	return err != nil
}

// scpAddress parses [user@]host:path; an IPv6 address, or a host with a port,
// is in brackets. The path begins where the server lets the user in, unless it
// has a slash in front.
func scpAddress(raw string) (*url.URL, error) {
	before, path, _ := strings.Cut(raw, ":")
	at := strings.LastIndexByte(before, '@')
	if bracket := strings.Index(raw, "]:"); bracket > 0 && raw[at+1] == '[' {
		before, path = raw[:bracket+1], raw[bracket+2:]
	}
	schemes := []string{"http", "https", "ssh", "file", "git"}
	switch {
	case at < 0 && strings.Contains(path, "@"), slices.Contains(schemes, strings.ToLower(before)):
		return nil, errNotRead // meant to be a URL, with a password perhaps
	case path == "" || before[at+1:] == "":
		return nil, errors.New("an address without a host or without a path")
	}
	host := before[at+1:]
	if inside := strings.Trim(host, "[]"); strings.Count(inside, ":") == 1 {
		host = inside // Git takes [host:port], too
	}
	u := &url.URL{Scheme: "ssh", Host: host, Path: path}
	if at > 0 {
		u.User = url.User(before[:at])
	}
	return u, checkSSH(u)
}

// checkSSH refuses what a server could take for an option of its git, or for
// more than one line.
func checkSSH(u *url.URL) error {
	for _, part := range []string{u.User.Username(), u.Host, u.Path} {
		if strings.HasPrefix(part, "-") {
			return errors.New("a user, host or path that begins with -")
		}
		if strings.ContainsFunc(part, unicode.IsControl) {
			return errors.New("a control character")
		}
	}
	return nil
}

// redact cuts what may be a secret out of a URL: all between the scheme and
// the last "@", and all from "?" or "#" on. A path comes back as it is.
func redact(raw string) string {
	at := strings.LastIndexByte(raw, '@')
	scheme, rest, isURL := strings.Cut(raw, "://")
	if !isURL {
		if colon := strings.IndexAny(raw, `:/\`); colon >= 0 && colon < at && raw[colon] == ':' {
			return raw[at+1:] // meant to be a URL
		}
		return raw
	}
	rest = rest[strings.LastIndexByte(rest, '@')+1:]
	if i := strings.IndexAny(rest, "?#"); i >= 0 {
		rest = rest[:i]
	}
	return scheme + "://" + rest
}
