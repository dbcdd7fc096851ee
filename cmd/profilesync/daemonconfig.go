package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"profilesync/internal/daemon/page/server"
	"profilesync/internal/daemon/schedule"
	"profilesync/internal/daemon/status"
	"profilesync/internal/lease/etcd"
)

// daemonConfig is how the daemon repeats passes, and who may talk to it.
type daemonConfig struct {
	Schedule     string         `json:"schedule"`
	TimeZone     string         `json:"time_zone"`
	Jitter       *duration      `json:"jitter"`
	PassDeadline *duration      `json:"pass_deadline"`
	StaleAfter   *duration      `json:"stale_after"`
	SideBySide   *int           `json:"side_by_side"`
	Retry        retryConfig    `json:"retry"`
	State        string         `json:"state"` // directory
	HTTP         httpConfig     `json:"http"`
	Hooks        hooksConfig    `json:"hooks"`
	Notify       []notifyConfig `json:"notify"`
}

type retryConfig struct {
	First *duration `json:"first"`
	Most  *duration `json:"most"`
}

type httpConfig struct {
	Listen string     `json:"listen"`
	Open   bool       `json:"open"` // beyond loopback without a login: the network is trusted
	TLS    tlsConfig  `json:"tls"`
	Auth   authConfig `json:"auth"`
	Link   string     `json:"link"` // how people reach the page, for notifications
}

type tlsConfig struct {
	Certificate string `json:"certificate"`
	Key         string `json:"key"`
	ClientCA    string `json:"client_ca"`
}

type authConfig struct {
	Bearer secretConfig `json:"bearer"`
	Basic  struct {
		Username string       `json:"username"`
		Password secretConfig `json:"password"`
	} `json:"basic"`
}

type hooksConfig struct {
	GitHub  hookSecret `json:"github"`
	GitLab  hookSecret `json:"gitlab"`
	Gitea   hookSecret `json:"gitea"`
	Generic hookSecret `json:"generic"`
}

// hookSecret is where the secret is that a sender of hooks shows. GitLab and the
// generic form call it a token.
type hookSecret struct {
	Secret secretConfig `json:"secret"`
	Token  secretConfig `json:"token"`
}

func (h hookSecret) place() secretConfig { return cmp.Or(h.Secret, h.Token) }

type notifyConfig struct {
	Webhook string       `json:"webhook"` // URL that takes CloudEvents
	Token   secretConfig `json:"token"`
	Secret  secretConfig `json:"secret"` // for the signature
	Service secretConfig `json:"service"`
	Events  []string     `json:"events"`
}

// windowConfig is when a target may be written to.
type windowConfig struct {
	Opens    string   `json:"opens"`
	For      duration `json:"for"`
	TimeZone string   `json:"time_zone"`
}

// leaseConfig says how processes agree on who writes: through etcd, or through
// files in a directory.
type leaseConfig struct {
	Directory string      `json:"directory"` // or none
	Etcd      *etcdConfig `json:"etcd"`
}

type etcdConfig struct {
	Endpoints   []string     `json:"endpoints"`
	CA          string       `json:"ca"`
	Certificate string       `json:"certificate"`
	Key         string       `json:"key"`
	Username    string       `json:"username"`
	Password    secretConfig `json:"password"`
	Prefix      string       `json:"prefix"`
	TTL         *duration    `json:"ttl"`
}

// duration is a time such as 30s or 4h.
type duration time.Duration

func (d *duration) UnmarshalJSON(text []byte) error {
	var word string
	if err := json.Unmarshal(text, &word); err != nil {
		return fmt.Errorf("%s is not a time such as 30s or 4h", text)
	}
	parsed, err := time.ParseDuration(word)
	if err != nil {
		return fmt.Errorf("%s is not a time such as 30s or 4h", quote(word))
	}
	*d = duration(parsed)
	return nil
}

// or is the time, or another where none is said.
func (d *duration) or(other time.Duration) time.Duration {
	if d == nil {
		return other
	}
	return time.Duration(*d)
}

const (
	defaultSchedule   = "@every 5m"
	defaultListen     = server.DefaultAddress
	defaultJitter     = 15 * time.Second
	defaultDeadline   = 30 * time.Minute
	defaultSideBySide = 4
	defaultFirstRetry = 30 * time.Second
	defaultMostRetry  = 15 * time.Minute
)

func (c *daemonConfig) resolve(dir string) {
	files := []*string{&c.State, &c.HTTP.TLS.Certificate, &c.HTTP.TLS.Key, &c.HTTP.TLS.ClientCA, &c.HTTP.Auth.Bearer.File, &c.HTTP.Auth.Basic.Password.File}
	for _, hook := range []*hookSecret{&c.Hooks.GitHub, &c.Hooks.GitLab, &c.Hooks.Gitea, &c.Hooks.Generic} {
		files = append(files, &hook.Secret.File, &hook.Token.File)
	}
	for i := range c.Notify {
		files = append(files, &c.Notify[i].Token.File, &c.Notify[i].Secret.File, &c.Notify[i].Service.File)
	}
	for _, file := range files {
		*file = beside(dir, *file)
	}
}

func (c *leaseConfig) resolve(dir string) {
	if c.Directory != noLease {
		c.Directory = beside(dir, c.Directory)
	}
	if c.Etcd != nil {
		for _, file := range []*string{&c.Etcd.CA, &c.Etcd.Certificate, &c.Etcd.Key, &c.Etcd.Password.File} {
			*file = beside(dir, *file)
		}
	}
}

func (c leaseConfig) check() error {
	switch {
	case c.Etcd == nil:
		return nil
	case c.Directory != "":
		return usageError{errors.New("lease: leases are kept in etcd or in a directory, not both")}
	case len(c.Etcd.Endpoints) == 0:
		return usageError{errors.New("lease.etcd.endpoints: name at least one, such as https://etcd-1:2379")}
	case c.Etcd.TTL.or(etcd.DefaultTTL) < 3*time.Second || c.Etcd.TTL.or(etcd.DefaultTTL) > 10*time.Minute:
		return usageError{fmt.Errorf("lease.etcd.ttl: %s: want 3s to 10m", c.Etcd.TTL.or(0))}
	}
	return nil
}

func (c daemonConfig) check() error {
	least := map[string]struct {
		d           *duration
		least, most time.Duration
	}{
		"jitter":        {c.Jitter, 0, time.Hour},
		"pass_deadline": {c.PassDeadline, 10 * time.Second, 24 * time.Hour},
		"stale_after":   {c.StaleAfter, 10 * time.Second, 31 * 24 * time.Hour},
		"retry.first":   {c.Retry.First, time.Second, time.Hour},
		"retry.most":    {c.Retry.Most, time.Second, 24 * time.Hour},
	}
	for name, row := range least {
		if row.d != nil && (row.d.or(0) < row.least || row.d.or(0) > row.most) {
			return usageError{fmt.Errorf("daemon.%s: %s: want %s to %s", name, row.d.or(0), row.least, row.most)}
		}
	}
	if c.SideBySide != nil && (*c.SideBySide < 1 || *c.SideBySide > 64) {
		return usageError{fmt.Errorf("daemon.side_by_side: %d: want 1 to 64", *c.SideBySide)}
	}
	return nil
}

// check refuses what the daemon could not do with a target, in every command:
// better in a pipeline than when it is read again.
func (t targetConfig) check(c daemonConfig) error {
	_, err := t.mode()
	if err != nil {
		return err
	}
	_, err = schedule.Parse(cmp.Or(t.Schedule, c.Schedule, defaultSchedule), cmp.Or(t.TimeZone, c.TimeZone))
	if err == nil {
		_, err = t.windows(c.TimeZone)
	}
	if err != nil {
		return usageError{fmt.Errorf("target %s: %w", quote(t.Name), err)}
	}
	return nil
}

// mode is what may be done to a target; nothing said means apply.
func (t targetConfig) mode() (status.Mode, error) {
	switch mode := cmp.Or(status.Mode(t.Mode), status.Apply); mode {
	case status.Report, status.Apply, status.Suspended:
		if len(t.Windows) > 0 && mode != status.Apply {
			return "", usageError{fmt.Errorf("target %s has windows, which need mode: apply", quote(t.Name))}
		}
		return mode, nil
	}
	return "", usageError{fmt.Errorf("target %s: mode %s: want report, apply or suspended", quote(t.Name), quote(t.Mode))}
}

// stateDir is where the daemon keeps what has to survive a restart. Systemd
// names one for a service that has it.
func (s *settings) stateDir(configured string) string {
	if dir := cmp.Or(s.state, configured); dir != "" {
		return dir
	}
	if dir, _, _ := strings.Cut(s.getenv("STATE_DIRECTORY"), ":"); filepath.IsAbs(dir) {
		return dir
	}
	return filepath.Dir(s.devcloudFile())
}
