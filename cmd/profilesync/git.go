package main

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"profilesync/internal/reconcile"
	"profilesync/internal/source"
	"profilesync/internal/source/remote"
	"profilesync/internal/source/remote/secret"
	"profilesync/internal/source/trust"
)

// sourceConfig is either a Git repository (url and all but worktree) or a
// directory (worktree, path). Relative paths start at the configuration file.
type sourceConfig struct {
	URL      string `json:"url"`
	Ref      string `json:"ref"`
	Path     string `json:"path"`
	Worktree string `json:"worktree"`

	Login          loginConfig  `json:"login"`
	Cache          string       `json:"cache"` // a directory, or none
	Verify         verifyConfig `json:"verify"`
	RequireDescent bool         `json:"require_descent"`
}

// loginConfig says how to get into a Git server, and where the secrets for
// that are. See remote.Login.
type loginConfig struct {
	Username      string       `json:"username"`
	Password      secretConfig `json:"password"`
	Token         secretConfig `json:"token"`
	Helper        []string     `json:"helper"`
	HelperPath    bool         `json:"helper_with_path"`
	CA            string       `json:"ca"`
	Certificate   string       `json:"certificate"`
	Key           string       `json:"key"`
	Proxy         string       `json:"proxy"`
	ProxyPassword secretConfig `json:"proxy_password"`
	SSH           sshConfig    `json:"ssh"`
}

type sshConfig struct {
	Key        string       `json:"key"`
	Passphrase secretConfig `json:"passphrase"`
	KnownHosts []string     `json:"known_hosts"`
}

// secretConfig is where a secret is.
type secretConfig struct {
	File string `json:"file"`
	Env  string `json:"env"`
}

// verifyConfig says whose signature a revision needs. See trust.Policy.
type verifyConfig struct {
	Object         string   `json:"object"`
	OpenPGP        []string `json:"openpgp"`
	AllowedSigners []string `json:"allowed_signers"`
}

// resolve makes relative paths start at the configuration file's directory.
func (c *sourceConfig) resolve(dir string) {
	c.URL = source.In(dir, c.URL)
	if c.Cache != noCache {
		c.Cache = beside(dir, c.Cache)
	}
	files := []*string{
		&c.Worktree, &c.Login.Password.File, &c.Login.Token.File, &c.Login.CA, &c.Login.Certificate, &c.Login.Key,
		&c.Login.ProxyPassword.File, &c.Login.SSH.Key, &c.Login.SSH.Passphrase.File,
	}
	for _, list := range [][]string{c.Login.SSH.KnownHosts, c.Verify.OpenPGP, c.Verify.AllowedSigners} {
		for i := range list {
			files = append(files, &list[i])
		}
	}
	for _, file := range files {
		*file = beside(dir, *file)
	}
}

func beside(dir, file string) string {
	if file == "" || filepath.IsAbs(file) {
		return file
	}
	return filepath.Join(dir, file)
}

// errUnverifiable refuses to write what a directory says where the
// configuration wants to know who has signed it, or what it descends from.
var errUnverifiable = errors.New("a directory has neither signatures nor history, and the configuration asks for them")

// from is where the documents come from. An approved plan names its commit.
func (s *settings) from(c sourceConfig) (reconcile.Source, error) {
	limits := source.Limits{Time: s.sourceTimeout}
	switch {
	case c.Worktree != "":
		return source.Directory{Dir: c.Worktree, Path: c.Path, Limits: limits}, nil
	case c.URL == "":
		return nil, errNoSource
	case strings.HasPrefix(s.pinned, worktreeRevision):
		return nil, errors.New("the plan was made from a directory, not from a Git repository")
	}
	return source.Git{
		URL: c.URL, Ref: cmp.Or(s.pinned, c.Ref), Path: c.Path, Limits: limits,
		Login: s.login(c.Login, strings.HasPrefix(strings.ToLower(c.URL), "http")), Cache: s.cacheDir(c.Cache), Trust: c.Verify.policy(),
	}, nil
}

// worktreeRevision begins the revision of a directory.
const worktreeRevision = "worktree:"

// The variables that are looked at where the configuration names no secret:
// those of a pipeline, which has no better place for them.
const (
	usernameVariable = "PROFILESYNC_GIT_USERNAME"
	passwordVariable = "PROFILESYNC_GIT_PASSWORD"
	tokenVariable    = "PROFILESYNC_GIT_TOKEN"
)

// login is how to get into a server; over HTTP the environment may have the
// secret, too.
func (s *settings) login(c loginConfig, overHTTP bool) remote.Login {
	login := remote.Login{
		Username: c.Username,
		Password: c.Password.place(), Token: c.Token.place(), Helper: secret.Helper{Command: c.Helper, WithPath: c.HelperPath},
		CA: c.CA, Certificate: c.Certificate, Key: c.Key, Proxy: c.Proxy, ProxyPassword: c.ProxyPassword.place(),
		SSH:    remote.SSH{Key: c.SSH.Key, Passphrase: c.SSH.Passphrase.place(), KnownHosts: c.SSH.KnownHosts},
		Lookup: s.lookup,
	}
	if overHTTP && login.Password.IsZero() && login.Token.IsZero() && login.Helper.IsZero() {
		switch {
		case s.getenv(tokenVariable) != "":
			login.Token.Variable = tokenVariable
		case s.getenv(passwordVariable) != "":
			login.Password.Variable = passwordVariable
			login.Username = cmp.Or(c.Username, s.getenv(usernameVariable))
		}
	}
	return login
}

// readSecret reads a secret that is not for a Git server; what is wrong with it
// is no matter of getting into one.
func (s *settings) readSecret(what string, where secretConfig) (string, error) {
	text, err := where.place().Read(what, s.lookup)
	if err != nil {
		return "", errors.New(strings.TrimPrefix(err.Error(), source.ErrLogin.Error()+": "))
	}
	return string(text), nil
}

func (c secretConfig) place() secret.Place { return secret.Place{File: c.File, Variable: c.Env} }

func (c verifyConfig) policy() trust.Policy {
	return trust.Policy{Object: trust.Object(c.Object), OpenPGP: c.OpenPGP, AllowedSigners: c.AllowedSigners}
}

// noCache is how to ask for none.
const noCache = "none"

// cacheDir is where what Git servers sent is kept; "" keeps it in memory.
func (s *settings) cacheDir(configured string) string {
	switch dir := cmp.Or(s.cache, configured); {
	case dir == noCache:
		return ""
	case dir != "":
		return dir
	}
	if dir, _, _ := strings.Cut(s.getenv("CACHE_DIRECTORY"), ":"); filepath.IsAbs(dir) { // systemd's, of a service
		return filepath.Join(dir, "git")
	}
	if dir := s.getenv("XDG_CACHE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "profilesync", "git")
	}
	if dir := s.getenv("HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, ".cache", "profilesync", "git")
	}
	return ""
}

// signer names who has signed, for a line of text.
func signer(signature trust.Signature) string {
	if signature == (trust.Signature{}) {
		return ""
	}
	return fmt.Sprintf("%s (%s)", signature.By, signature.Fingerprint)
}
