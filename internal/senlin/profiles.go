package senlin

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/gophercloud/gophercloud"
	"github.com/gophercloud/gophercloud/openstack/clustering/v1/profiles"

	"profilesync/internal/live"
	"profilesync/internal/profile"
	"profilesync/internal/senlin/session"
)

// Profiles lists every profile that the token can see, in Senlin's order:
// oldest first, ties by id. An admin's token sees those of all projects.
func (c *Client) Profiles(ctx context.Context) ([]live.Profile, error) {
	return collection[live.Profile]{
		path:   "profiles",
		decode: decodeProfiles,
		id:     func(p live.Profile) string { return p.ID },
	}.read(ctx, c)
}

// Profile reads one profile by its full id. A profile that is merely named like
// the id, which Senlin would answer with, is [profile.ErrNotFound].
func (c *Client) Profile(ctx context.Context, id string) (live.Profile, error) {
	if err := checkID(id); err != nil {
		return live.Profile{}, err
	}
	var found live.Profile
	err := c.session.Do(ctx, session.Request{
		ByID: true,
		Send: func(s *gophercloud.ServiceClient) (*http.Response, error) {
			return s.Get(s.ServiceURL("v1", "profiles", id), nil, session.Keep(nil, http.StatusOK))
		},
		Read: into(&found),
	})
	if err != nil {
		return live.Profile{}, err
	}
	if !strings.EqualFold(found.ID, id) {
		return live.Profile{}, fmt.Errorf("no profile has the id %q, one has it as its name: %w", id, profile.ErrNotFound)
	}
	return found, nil
}

// Validate asks the server whether it would take the spec; nothing is stored.
// A spec that it would refuse is [profile.ErrInvalid].
func (c *Client) Validate(ctx context.Context, spec profile.Spec) error {
	body, err := encode(map[string]any{"spec": wireSpec(spec)})
	if err != nil {
		return err
	}
	return c.session.Do(ctx, session.Request{
		Secrets: secretsOf(spec),
		Send: func(s *gophercloud.ServiceClient) (*http.Response, error) {
			return s.Post(s.ServiceURL("v1", "profiles", "validate"), nil, nil, session.Keep(body, http.StatusOK))
		},
		Read: func(body []byte) error {
			var answer struct {
				Profile *struct{} `json:"profile"`
			}
			if err := decode(body, &answer); err != nil {
				return err
			}
			if answer.Profile == nil {
				return errors.New("no profile")
			}
			return nil
		},
	})
}

// Create makes a profile with one request. It is repeated only when the server
// has surely not carried it out; when that is not known, the error is
// [profile.ErrInDoubt]. Names are not unique, so a second one would be a
// duplicate.
func (c *Client) Create(ctx context.Context, p profile.Profile) (live.Profile, error) {
	body, err := encode(map[string]any{
		"name": p.Name, "metadata": wireMetadata(p.Metadata), "spec": wireSpec(p.Spec),
	})
	if err != nil {
		return live.Profile{}, err
	}
	var created live.Profile
	err = c.session.Do(ctx, session.Request{
		Write: true, Secrets: secretsOf(p.Spec),
		Send: func(s *gophercloud.ServiceClient) (*http.Response, error) {
			return s.Post(s.ServiceURL("v1", "profiles"), nil, nil, session.Keep(body, http.StatusCreated, http.StatusOK))
		},
		Read: into(&created),
	})
	return created, err
}

// Update replaces a profile's name and all of its metadata. Nothing to change
// is [profile.ErrUnchanged]. When a reply is lost, the profile itself tells
// whether it was carried out; when it was not, it may still be
// ([profile.ErrInDoubt]).
func (c *Client) Update(ctx context.Context, id, name string, metadata map[string]any) (live.Profile, error) {
	if err := checkID(id); err != nil {
		return live.Profile{}, err
	}
	metadata = wireMetadata(metadata)
	body, err := encode(map[string]any{"name": name, "metadata": metadata})
	if err != nil {
		return live.Profile{}, err
	}
	var updated live.Profile
	err = c.session.Do(ctx, session.Request{
		Write: true, ByID: true,
		Send: func(s *gophercloud.ServiceClient) (*http.Response, error) {
			return s.Patch(s.ServiceURL("v1", "profiles", id), nil, nil, session.Keep(body, http.StatusOK))
		},
		Read: into(&updated),
	})
	if errors.Is(err, profile.ErrInDoubt) {
		found, lookErr := c.Profile(ctx, id)
		if lookErr == nil && found.Name == name && profile.Equal(wireMetadata(found.Metadata), metadata) {
			return found, nil
		}
	}
	if err != nil {
		return live.Profile{}, err
	}
	if !strings.EqualFold(updated.ID, id) {
		return live.Profile{}, fmt.Errorf("profile %q is gone, and %q, which has its id as its name, was changed instead: %w",
			id, updated.ID, profile.ErrNotFound)
	}
	return updated, nil
}

// Delete removes a profile. One that is not there is [profile.ErrNotFound], one
// that a cluster or node holds on to is [profile.ErrInUse]. When a reply is
// lost, the profile's absence tells that it was carried out; a second DELETE
// could hit another profile that has this id as its name.
func (c *Client) Delete(ctx context.Context, id string) error {
	if err := checkID(id); err != nil {
		return err
	}
	err := c.session.Do(ctx, session.Request{
		Write: true, ByID: true,
		Send: func(s *gophercloud.ServiceClient) (*http.Response, error) {
			return nil, profiles.Delete(s, id).Err
		},
	})
	if errors.Is(err, profile.ErrInDoubt) {
		if _, lookErr := c.Profile(ctx, id); errors.Is(lookErr, profile.ErrNotFound) {
			return nil
		}
	}
	return err
}

// into reads an answer with one profile.
func into(p *live.Profile) func(body []byte) error {
	return func(body []byte) (err error) {
		*p, err = decodeProfile(body)
		return err
	}
}

// checkID refuses anything but a full dashed UUID: Senlin takes names and
// beginnings of ids as well, and matches them with SQL's LIKE.
func checkID(id string) error {
	const shape = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx"
	ok := len(id) == len(shape)
	for i := 0; ok && i < len(shape); i++ {
		if shape[i] == '-' {
			ok = id[i] == '-'
		} else {
			ok = strings.IndexByte("0123456789abcdefABCDEF", id[i]) >= 0
		}
	}
	if !ok {
		return fmt.Errorf("%q is not the full id of a profile: %w", id, profile.ErrNotFound)
	}
	return nil
}
