package apply_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"profilesync/internal/live"
	"profilesync/internal/profile"
)

// cloud is a Senlin in memory, as far as an apply can tell: names are not
// unique unless it wants that, an update that changes nothing is refused, a used profile cannot be
// deleted. A fault may befall any call.
type cloud struct {
	mutex    sync.Mutex
	profiles []live.Profile
	users    map[string][]live.User // clusters, nodes and actions the token can see
	hidden   map[string]bool        // used by something the token cannot see
	unique   bool                   // a name that is taken is refused
	calls    []string               // every call, for the stories
	made     int
	fault    func(n int, op string) fault
	before   func(n int, op string) // another writer's chance, just before call n
}

// fault is what befalls one call.
type fault int

const (
	none      fault = iota
	lostAfter       // carried out, the reply lost
	lostFirst       // never arrived, but who can tell
	refused         // refused for good
	busy            // not done, may be done later
)

const project = "p1"

func (c *cloud) act(op, text string, do func() error) error {
	c.mutex.Lock()
	n := len(c.calls)
	c.calls = append(c.calls, text)
	c.mutex.Unlock()
	if c.before != nil {
		c.before(n, op)
	}
	c.mutex.Lock()
	defer c.mutex.Unlock()
	befalls := none
	if c.fault != nil {
		befalls = c.fault(n, op)
	}
	switch befalls {
	case lostFirst:
		return fmt.Errorf("%s: connection reset: %w", op, profile.ErrInDoubt)
	case refused:
		return fmt.Errorf("%s: refused: %w", op, profile.ErrInvalid)
	case busy:
		return fmt.Errorf("%s: busy: %w", op, profile.ErrUnavailable)
	}
	err := do()
	if befalls == lostAfter && err == nil {
		return fmt.Errorf("%s: connection reset: %w", op, profile.ErrInDoubt)
	}
	return err
}

func (c *cloud) at(id string) int {
	return slices.IndexFunc(c.profiles, func(p live.Profile) bool { return p.ID == id })
}

func (c *cloud) Scope(context.Context) (live.Scope, error) {
	return live.Scope{Project: project}, nil
}

func (c *cloud) Profiles(context.Context) (all []live.Profile, err error) {
	err = c.act("list", "list", func() error {
		all = slices.Clone(c.profiles)
		return nil
	})
	return all, err
}

func (c *cloud) Users(context.Context) (users map[string][]live.User, err error) {
	err = c.act("users", "users", func() error {
		users = maps.Clone(c.users)
		return nil
	})
	return users, err
}

func (c *cloud) Profile(_ context.Context, id string) (p live.Profile, err error) {
	err = c.act("get", "get "+c.nameOf(id), func() error {
		at := c.at(id)
		if at < 0 {
			return fmt.Errorf("profile %q: %w", id, profile.ErrNotFound)
		}
		p = c.profiles[at]
		return nil
	})
	return p, err
}

func (c *cloud) Validate(_ context.Context, spec profile.Spec) error {
	return c.act("validate", "validate", func() error {
		if spec.Properties["flavor"] == "bad" {
			return fmt.Errorf("flavor: %w", profile.ErrInvalid)
		}
		return nil
	})
}

func (c *cloud) Create(_ context.Context, p profile.Profile) (made live.Profile, err error) {
	err = c.act("create", "create "+p.Name, func() error {
		if c.taken(p.Name, "") {
			return fmt.Errorf("name %q is taken: %w", p.Name, profile.ErrInvalid)
		}
		made = c.add(p)
		return nil
	})
	if err != nil {
		return live.Profile{}, err
	}
	return made, nil
}

// taken reports whether another profile than this one keeps the name from it.
func (c *cloud) taken(name, id string) bool {
	return c.unique && slices.ContainsFunc(c.profiles, func(p live.Profile) bool {
		return p.ID != id && strings.EqualFold(p.Name, name)
	})
}

// add stores a profile; ids count up so that stories can be read.
func (c *cloud) add(p profile.Profile) live.Profile {
	c.made++
	made := live.Profile{
		Profile: p, Project: project,
		ID:      fmt.Sprintf("%08d-0000-4000-8000-000000000000", c.made),
		Created: time.Unix(int64(c.made), 0),
	}
	made.Metadata = maps.Clone(p.Metadata)
	c.profiles = append(c.profiles, made)
	return made
}

func (c *cloud) Update(_ context.Context, id, name string, metadata map[string]any) (p live.Profile, err error) {
	err = c.act("update", "update "+c.nameOf(id)+" -> "+name, func() error {
		at := c.at(id)
		if at < 0 {
			return profile.ErrNotFound
		}
		if c.profiles[at].Name == name && profile.Equal(c.profiles[at].Metadata, metadata) {
			return profile.ErrUnchanged
		}
		if c.taken(name, id) {
			return fmt.Errorf("name %q is taken: %w", name, profile.ErrInvalid)
		}
		c.profiles[at].Name, c.profiles[at].Metadata = name, maps.Clone(metadata)
		p = c.profiles[at]
		return nil
	})
	return p, err
}

func (c *cloud) Delete(_ context.Context, id string) error {
	return c.act("delete", "delete "+c.nameOf(id), func() error {
		at := c.at(id)
		if at < 0 {
			return profile.ErrNotFound
		}
		counted := slices.ContainsFunc(c.users[id], func(u live.User) bool { return u.Kind != live.Action })
		if counted || c.hidden[id] {
			return profile.ErrInUse
		}
		c.profiles = slices.Delete(slices.Clone(c.profiles), at, at+1)
		return nil
	})
}

func (c *cloud) nameOf(id string) string {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if at := c.at(id); at >= 0 {
		return c.profiles[at].Name
	}
	return "?" + id[:8]
}

// names lists the live profiles as "name spec", sorted.
func (c *cloud) names() string {
	var all []string
	for _, p := range c.profiles {
		all = append(all, fmt.Sprintf("%s=%v", p.Name, p.Spec.Properties["flavor"]))
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}
