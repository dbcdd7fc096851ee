package senlin

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"profilesync/internal/live"
	"profilesync/internal/senlin/clouds"
	"profilesync/internal/senlin/session"
)

// What can be wrong with a cloud as a whole, beside the errors of package
// profile. Each has a remedy that a person can be told.
var (
	ErrNoConfig    = clouds.ErrNoConfig     // no cloud is configured, or incompletely
	ErrNoCloud     = clouds.ErrNoCloud      // clouds.yaml has no entry of this name
	ErrAuth        = session.ErrAuth        // Keystone refused the credentials or the project
	ErrNoService   = session.ErrNoService   // the catalog has no clustering service here, or several regions of it
	ErrUnreachable = session.ErrUnreachable // no connection, or one that broke before the answer
	ErrTimeout     = session.ErrTimeout     // no whole answer within Options.Timeout
	ErrNotKeystone = session.ErrNotKeystone // something else answers at the auth_url
	ErrNotSenlin   = session.ErrNotSenlin   // something else answers at the endpoint, or not whole
	ErrToken       = session.ErrToken       // Senlin refuses a token that Keystone has just issued
	ErrReadOnly    = session.ErrReadOnly    // a client with Options.ReadOnly was asked to write
)

// DefaultTimeout is what one request may take when nothing else is said.
const DefaultTimeout = session.DefaultTimeout

// Error is a request that did not succeed, with the server's own words.
type Error = session.Error

// Login is a cloud without a clouds.yaml.
type Login = clouds.Login

// Options say which cloud to connect to, and how.
type Options struct {
	// Cloud is the name of an entry of clouds.yaml. Empty means what every
	// OpenStack client takes then: the entry named by OS_CLOUD, else the OS_*
	// variables, else the only entry of clouds.yaml.
	Cloud string
	// Region and Project replace those of the cloud. The project is a name in the
	// same domain, or an id (32 hexadecimal digits).
	Region, Project string
	// Login, when not nil, is used instead of clouds.yaml and the environment.
	Login *Login
	// Getenv reads the environment, as os.Getenv does: the OS_* variables, HOME
	// and XDG_CONFIG_HOME. Nil means an empty environment.
	Getenv func(name string) string

	// Timeout is what one request may take, its answer included; 0 means
	// [DefaultTimeout]. A request is repeated, where that is safe, only within
	// this time again.
	Timeout time.Duration
	// Transport replaces the network, its TLS included; nil means own connections.
	Transport http.RoundTripper
	// Wrap stands around the network, below everything else that the client does:
	// it sees each request once for each time it is sent, logins too. Nil means
	// nothing stands there.
	Wrap func(http.RoundTripper) http.RoundTripper
	// ReadOnly makes the client refuse, below everything else, any request but
	// reading, logging in and validating.
	ReadOnly bool
	// UserAgent is put before gophercloud's own, such as "profilesync/1.2".
	UserAgent string
	// Log gets a debug line per request: method, path, status, request id and
	// milliseconds, never a body or a token. Nil means no log.
	Log *slog.Logger
}

// Client reads and writes the profiles of one project. It implements
// [live.Reader]. Its methods may be called from several goroutines at once;
// their errors are an [*Error], or wrap a sentinel of package profile.
type Client struct {
	session *session.Session
}

var _ live.Reader = (*Client)(nil)

// Connect logs in, finds the clustering service in the catalog and agrees on a
// microversion. Its errors wrap one of this package's sentinels.
func Connect(ctx context.Context, options Options) (*Client, error) {
	cloud, err := clouds.Find(clouds.Options{
		Name: options.Cloud, Region: options.Region, Project: options.Project,
		Login: options.Login, Getenv: options.Getenv,
	})
	if err != nil {
		return nil, err
	}
	opened, err := session.Open(ctx, cloud, session.Options{
		Timeout: options.Timeout, Transport: options.Transport, Wrap: options.Wrap, ReadOnly: options.ReadOnly,
		UserAgent: options.UserAgent, Log: options.Log,
	})
	if err != nil {
		return nil, err
	}
	return &Client{opened}, nil
}

// Scope names the project and the region that the client works in. It asks
// nobody.
func (c *Client) Scope(context.Context) (live.Scope, error) {
	return live.Scope{Project: c.session.Project, Region: c.session.Region}, nil
}

// Close closes connections that are not in use.
func (c *Client) Close() { c.session.Close() }
