package main

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"profilesync/internal/desired/yamldoc"
)

// config is profilesync.yaml. What the command line or the environment says
// wins over it.
type config struct {
	Owner    string         `json:"owner"`
	Source   sourceConfig   `json:"source"`
	Targets  []targetConfig `json:"targets"`
	Prune    *bool          `json:"prune"`
	Adopt    *bool          `json:"adopt"`
	Parallel *int           `json:"parallel"`
	Limits   limitsConfig   `json:"limits"`
	Daemon   daemonConfig   `json:"daemon"`
	Lease    leaseConfig    `json:"lease"`
}

// limitsConfig are the standing limits; what a run waives is on its command
// line.
type limitsConfig struct {
	Deletes   *int `json:"deletes"`   // never more than this many deletes
	Percent   *int `json:"percent"`   // nor more than this share of what we own
	Recreates *int `json:"recreates"` // never more than this many recreates
}

type targetConfig struct {
	Name    string `json:"name"`
	Cloud   string `json:"cloud"`
	Region  string `json:"region"`
	Project string `json:"project"`

	// What the daemon does with the target, and when.
	Mode     string         `json:"mode"`
	Schedule string         `json:"schedule"`
	TimeZone string         `json:"time_zone"`
	Windows  []windowConfig `json:"windows"`
}

const (
	defaultConfigFile = "profilesync.yaml"
	maxConfigBytes    = yamldoc.MaxSize
	maxOwner          = 255 // characters, as many as a name in Senlin has
)

// configError is a configuration that cannot be used.
type configError struct {
	file string
	err  error
}

func (e configError) Error() string { return fmt.Sprintf("configuration %q: %v", e.file, e.err) }
func (e configError) Unwrap() error { return e.err }

// load reads the configuration file, if there is one, and lays the flags over
// it.
func (s *settings) load(cmd *cobra.Command) (config, error) {
	file, named := s.configFile, s.configFile != ""
	if !named {
		file = defaultConfigFile
	}
	text, err := readBounded(file, maxConfigBytes)
	var c config
	switch {
	case errors.Is(err, fs.ErrNotExist) && !named:
	case err != nil:
		return config{}, configError{file, err}
	default:
		if c, err = parseConfig(text); err != nil {
			return config{}, configError{file, err}
		}
		c.Source.resolve(filepath.Dir(file))
		c.Daemon.resolve(filepath.Dir(file))
		c.Lease.resolve(filepath.Dir(file))
	}
	s.overlay(cmd, &c)
	return c, c.check()
}

// overlay lays flags and environment over the file.
func (s *settings) overlay(cmd *cobra.Command, c *config) {
	if s.source != "" || s.worktree != "" {
		// Another repository is not sent this one's secrets, but what the
		// configuration wants of a revision holds there as well.
		c.Source = sourceConfig{
			URL: s.source, Worktree: s.worktree,
			Cache: c.Source.Cache, Verify: c.Source.Verify, RequireDescent: c.Source.RequireDescent,
		}
	}
	set := func(to *string, value string) {
		if value != "" {
			*to = value
		}
	}
	set(&c.Source.Ref, s.ref)
	set(&c.Source.Path, s.path)
	set(&c.Owner, s.owner)
	if s.cloud != "" {
		c.Targets = []targetConfig{{Name: s.cloud, Cloud: s.cloud}}
	}
	changed := func(flag string) bool {
		f := cmd.Flags().Lookup(flag)
		return f != nil && f.Changed
	}
	if c.Prune != nil && !changed("prune") {
		s.prune = *c.Prune
	}
	if c.Adopt != nil && !changed("adopt") {
		s.adopt = *c.Adopt
	}
	if c.Parallel != nil && !changed("parallel") {
		s.parallel = *c.Parallel
	}
}

var (
	errNoOwner  = errors.New("nobody is named as the owner of the profiles")
	errNoSource = errors.New("no source of documents is named")
)

func (c config) check() error {
	if c.Source.URL != "" && c.Source.Worktree != "" {
		return usageError{errors.New("a source is a Git repository or a directory, not both")}
	}
	if c.Source.Worktree != "" && c.Source.Ref != "" {
		return usageError{errors.New("a directory has no revisions: --ref needs a Git repository")}
	}
	if err := checkOwner(c.Owner); err != nil {
		return usageError{err}
	}
	if c.Parallel != nil && !parallelMakesSense(*c.Parallel) {
		return usageError{fmt.Errorf("parallel: %d: want 1 to 64", *c.Parallel)}
	}
	for _, t := range c.Targets {
		if err := t.check(c.Daemon); err != nil {
			return err
		}
	}
	if err := errors.Join(c.Daemon.check(), c.Lease.check()); err != nil {
		return err
	}
	return c.Limits.check()
}

func checkOwner(name string) error {
	if n := utf8.RuneCountInString(name); n > maxOwner {
		return fmt.Errorf("the owner has %d characters, at most %d are allowed", n, maxOwner)
	}
	hidden := func(r rune) bool { return !unicode.IsPrint(r) }
	if !utf8.ValidString(name) || strings.ContainsFunc(name, hidden) {
		return fmt.Errorf("owner %q holds something that cannot be printed", name)
	}
	return nil
}

func (c limitsConfig) check() error {
	for name, n := range map[string]*int{"deletes": c.Deletes, "percent": c.Percent, "recreates": c.Recreates} {
		if n != nil && (*n < 0 || name == "percent" && *n > 100) {
			return usageError{fmt.Errorf("limits.%s: %d makes no sense", name, *n)}
		}
	}
	return nil
}

// choose returns the targets of this run.
func (s *settings) choose(c config) ([]targetConfig, error) {
	targets := slices.Clone(c.Targets)
	if len(targets) == 0 {
		targets = []targetConfig{s.defaultTarget()}
	}
	if s.target != "" {
		names := make([]string, len(targets))
		for i, t := range targets {
			names[i] = quote(t.Name)
		}
		targets = slices.DeleteFunc(targets, func(t targetConfig) bool { return t.Name != s.target })
		if len(targets) == 0 {
			return nil, usageError{fmt.Errorf("no target %q: there is %s", s.target, strings.Join(names, ", "))}
		}
	}
	for i := range targets {
		if s.region != "" {
			targets[i].Region = s.region
		}
		if s.project != "" {
			targets[i].Project = s.project
		}
	}
	return targets, nil
}

// defaultTarget is the cloud that every OpenStack client would take from the
// environment, or else the embedded one.
func (s *settings) defaultTarget() targetConfig {
	if name := s.getenv("OS_CLOUD"); name != "" {
		return targetConfig{Name: name, Cloud: name}
	}
	if s.getenv("OS_AUTH_URL") != "" {
		return targetConfig{Name: "environment"}
	}
	return targetConfig{Name: devcloudName, Cloud: devcloudName}
}
