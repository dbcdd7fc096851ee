package senlin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"

	"golang.org/x/sync/errgroup"

	"profilesync/internal/live"
)

// Users lists what holds on to profiles, by profile id: clusters and nodes in
// any status, hosts of docker profiles, and unfinished actions that are about to
// move a cluster or node to the profile. Senlin cannot filter by profile, so all
// of them are read.
//
// The actions come first: one that ends after it was read is in the answer,
// and one that ended before has moved its cluster or node already.
func (c *Client) Users(ctx context.Context) (map[string][]live.User, error) {
	actions, err := holders(live.Action, "actions", url.Values{"status": {
		"INIT", "WAITING", "READY", "RUNNING", "WAITING_LIFECYCLE_COMPLETION", "SUSPENDED",
	}}).read(ctx, c)
	if err != nil {
		return nil, err
	}
	var clusters, nodes []holder
	group, groupCtx := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		clusters, err = holders(live.Cluster, "clusters", nil).read(groupCtx, c)
		return err
	})
	group.Go(func() (err error) {
		nodes, err = holders(live.Node, "nodes", nil).read(groupCtx, c)
		return err
	})
	if err := group.Wait(); err != nil {
		return nil, err
	}
	users := map[string][]live.User{}
	for _, list := range [][]holder{actions, clusters, nodes} {
		for _, h := range list {
			for _, id := range h.profiles {
				users[id] = append(users[id], h.user)
			}
		}
	}
	return users, nil
}

// holder is a user and the ids of the profiles that it holds on to.
type holder struct {
	user     live.User
	profiles []string
}

// wireHolder is what clusters, nodes and actions have in common, and where they
// name profiles.
type wireHolder struct {
	ID         string         `json:"id"`
	Name       string         `json:"name"`
	Project    string         `json:"project"`
	Status     string         `json:"status"`
	ProfileID  string         `json:"profile_id"`
	Dependents map[string]any `json:"dependents"` // {"profiles": [...]} on the host of docker profiles
	Inputs     map[string]any `json:"inputs"`     // {"new_profile_id": "..."} of an update
}

func (w wireHolder) holder(kind live.Kind) holder {
	h := holder{user: live.User{Kind: kind, ID: w.ID, Name: w.Name, Project: w.Project, Status: w.Status}}
	named := []any{w.ProfileID, w.Inputs["new_profile_id"]}
	if hosted, ok := w.Dependents["profiles"].([]any); ok {
		named = append(named, hosted...)
	}
	for _, value := range named {
		if id, ok := value.(string); ok && id != "" {
			h.profiles = append(h.profiles, id)
		}
	}
	return h
}

// holders is a collection of clusters, nodes or actions.
func holders(kind live.Kind, path string, query url.Values) collection[holder] {
	return collection[holder]{
		path: path, query: query,
		id: func(h holder) string { return h.user.ID },
		decode: func(body []byte) ([]holder, error) {
			var answer map[string]json.RawMessage
			if err := decode(body, &answer); err != nil {
				return nil, err
			}
			var list []wireHolder
			if err := json.Unmarshal(answer[path], &list); err != nil || list == nil {
				return nil, errors.New("no list of " + path)
			}
			all := make([]holder, len(list))
			for i, w := range list {
				if w.ID == "" {
					return nil, fmt.Errorf("%s %q without an id", kind, w.Name)
				}
				all[i] = w.holder(kind)
			}
			return all, nil
		},
	}
}
