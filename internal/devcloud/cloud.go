package devcloud

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"profilesync/internal/devcloud/clustering"
	"profilesync/internal/devcloud/identity"
	"profilesync/internal/devcloud/profiletype"
	"profilesync/internal/devcloud/store"
)

// ErrBusy means that another process holds the store.
var ErrBusy = store.ErrBusy

// identityPrefix is the path of the Keystone: one address serves both APIs, and Senlin's catalog entry has none.
const identityPrefix = "/identity"

// storeWait is how long Open waits for another process to let go of the store.
const storeWait = 5 * time.Second

// Options of Open. Only Path is required.
type Options struct {
	// Path is the file that keeps the cloud's state. Directories that are missing are made, for their owner only.
	Path string
	// BaseURL is the address under which clients reach the handler, without a slash at its end; the catalog and
	// every link say it. Without it the catalog repeats the host that the client named.
	BaseURL string
	// TokenLife is how long a token lives. Default: one hour.
	TokenLife time.Duration
	// NameUnique refuses to create a second profile of a name in a project, as Senlin's name_unique does.
	NameUnique bool
	// PageLimit is the most rows that a list answers with. Default: no limit, as in Senlin, which never caps a list;
	// other services do.
	PageLimit int
	// ActionTime is how long an action on a cluster or node runs. Default: 20 ms; a real one takes from half a second.
	ActionTime time.Duration
	// Now is the clock. Default: time.Now. Actions run by the real clock whatever it says.
	Now func() time.Time
	// Unsynced lets a write be lost in a power cut, and is quicker. For tests.
	Unsynced bool
	// Observe, if set, is called for every request that Handler has answered, by several goroutines at once.
	Observe func(Request)
}

// Request is what Observe is told.
type Request struct {
	Method, Path, Query string
	Header              http.Header // as it came
	Status              int
}

// Cloud is an open cloud. It is safe for concurrent use.
type Cloud struct {
	o        Options
	db       *store.DB
	identity *identity.Service
	senlin   *clustering.API
}

// Open opens the cloud that a file keeps, or a new one. Actions that a former process left unfinished go on. The
// error is ErrBusy when another process has it open and keeps it so for five seconds.
func Open(o Options) (*Cloud, error) {
	o.TokenLife = cmp.Or(o.TokenLife, time.Hour)
	o.ActionTime = cmp.Or(o.ActionTime, 20*time.Millisecond)
	if o.Now == nil {
		o.Now = time.Now
	}
	types, err := profiletype.Load()
	if err != nil {
		return nil, err
	}
	db, err := store.Open(o.Path, store.Options{Wait: storeWait, Unsynced: o.Unsynced})
	if err != nil {
		return nil, fmt.Errorf("open devcloud: %w", err)
	}
	c := &Cloud{o: o, db: db}
	if err := c.start(types); err != nil {
		return nil, errors.Join(fmt.Errorf("open devcloud: %w", err), db.Close())
	}
	return c, nil
}

func (c *Cloud) start(types *profiletype.Registry) error {
	secret, err := c.secret()
	if err != nil {
		return err
	}
	c.identity = identity.New(identity.Options{
		Secret: secret, TokenLife: c.o.TokenLife, Now: c.o.Now, Prefix: identityPrefix, BaseURL: c.baseURL,
		Revoked: c.revoked, Revoke: c.revoke,
	})
	c.senlin, err = clustering.New(clustering.Options{
		Store: c.db, Types: types, Authenticate: c.authenticate, IdentityURL: c.identity.URL, BaseURL: c.baseURL,
		Now: c.o.Now, NameUnique: c.o.NameUnique, PageLimit: c.o.PageLimit, ActionTime: c.o.ActionTime,
	})
	return err
}

// Close abandons running actions, which the next Open takes up, and lets go of the store. Requests that come later
// fail.
func (c *Cloud) Close() error {
	c.senlin.Stop()
	if err := c.db.Close(); err != nil {
		return fmt.Errorf("close devcloud: %w", err)
	}
	return nil
}

// Reset removes every profile, cluster, node and action. Tokens stay valid.
func (c *Cloud) Reset() error { return c.db.Update((*store.Tx).Clear) }

// Settle carries out every unfinished action at once, without waiting for its time, and returns when none is left.
func (c *Cloud) Settle(ctx context.Context) error { return c.senlin.Settle(ctx) }

func (c *Cloud) authenticate(token string) (clustering.Caller, bool) {
	s, ok := c.identity.Authenticate(token)
	return clustering.Caller{User: s.UserID, Project: s.ProjectID, Admin: s.Admin}, ok
}

// baseURL returns the address at which the sender of a request reaches this process.
func (c *Cloud) baseURL(r *http.Request) string {
	if c.o.BaseURL != "" {
		return strings.TrimRight(c.o.BaseURL, "/")
	}
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	return scheme + "://" + r.Host
}

// The settings in the store.
const (
	secretSetting   = "token secret"
	revokedSettings = "revoked "
)

// secret returns what seals the tokens, so that they outlive the process.
func (c *Cloud) secret() ([]byte, error) {
	var secret []byte
	err := c.db.View(func(tx *store.Tx) error {
		secret = tx.Setting(secretSetting)
		return nil
	})
	if err != nil || secret != nil {
		return secret, err
	}
	secret = make([]byte, 32)
	rand.Read(secret) // never fails
	return secret, c.db.Update(func(tx *store.Tx) error {
		tx.PutSetting(secretSetting, secret)
		return nil
	})
}

func (c *Cloud) revoked(auditID string) (revoked bool) {
	err := c.db.View(func(tx *store.Tx) error {
		revoked = tx.Setting(revokedSettings+auditID) != nil
		return nil
	})
	return revoked || err != nil // a store that is closed vouches for nobody
}

// revoke remembers a revoked token until it would have expired anyway, and forgets the others of that kind.
func (c *Cloud) revoke(auditID string, expires int64) error {
	now := c.o.Now().Unix()
	return c.db.Update(func(tx *store.Tx) error {
		tx.DropSettings(revokedSettings, func(value []byte) bool {
			until, n := binary.Varint(value)
			return n <= 0 || until <= now
		})
		tx.PutSetting(revokedSettings+auditID, binary.AppendVarint(nil, expires))
		return nil
	})
}
