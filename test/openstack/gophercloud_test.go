//go:build openstack

package openstack

import (
	"cmp"
	"path"
	"slices"
	"testing"

	"github.com/gophercloud/gophercloud"
	"github.com/gophercloud/gophercloud/openstack/clustering/v1/actions"
	"github.com/gophercloud/gophercloud/openstack/clustering/v1/clusters"
	"github.com/gophercloud/gophercloud/openstack/clustering/v1/nodes"
	"github.com/gophercloud/gophercloud/openstack/clustering/v1/profiles"
	"github.com/gophercloud/gophercloud/openstack/clustering/v1/profiletypes"
)

// gopher tells the story of gophercloud.
type gopher struct {
	diary
	senlin *gophercloud.ServiceClient
	name   string
}

func tellGophercloud(t *testing.T, as login, name string) string {
	g := &gopher{senlin: as.senlin(t, "1.14"), name: name}
	g.types(t)
	web := g.create(t)
	g.find(t, web)
	g.list(t, web)
	g.update(t, web)
	g.validate(t, as.senlin(t, ""))
	g.use(t, web)
	g.delete(t, "delete", web)
	g.delete(t, "delete what is gone", web)
	return g.String()
}

func server(properties map[string]any) profiles.Spec {
	all := map[string]any{"name": "srv", "flavor": "m1.small", "image": "cirros", "networks": []any{map[string]any{"network": "private"}}}
	for key, value := range properties {
		all[key] = value
	}
	return profiles.Spec{Type: "os.nova.server", Version: "1.0", Properties: all}
}

func (g *gopher) types(t *testing.T) {
	page, err := profiletypes.List(g.senlin).AllPages()
	if err != nil {
		t.Fatalf("list profile types: %v", err)
	}
	all, err := profiletypes.ExtractProfileTypes(page)
	slices.SortFunc(all, func(a, b profiletypes.ProfileType) int { return cmp.Compare(a.Name, b.Name) })
	g.note(t, "profile types", all, err)
	for _, name := range []string{"os.heat.stack-1.0", "os.nova.nope-1.0"} {
		one, err := profiletypes.Get(g.senlin, name).Extract()
		if one != nil { // the descriptions are prose, in which clouds may differ
			for _, property := range one.Schema {
				withoutProse(map[string]any(property))
			}
		}
		g.note(t, "profile type "+name, one, err)
	}
	page, err = profiletypes.ListOps(g.senlin, "os.nova.server-1.0").AllPages()
	var names []string
	if err == nil {
		var operations map[string]any
		operations, err = profiletypes.ExtractOps(page)
		for name := range operations {
			names = append(names, name)
		}
		slices.Sort(names)
	}
	g.note(t, "operations of a profile type", names, err)
}

// tell notes a profile, with whether it was ever updated in the place of the times.
func (g *gopher) tell(t *testing.T, step string, p *profiles.Profile, err error) *profiles.Profile {
	if err != nil {
		g.note(t, step, nil, err)
		return &profiles.Profile{}
	}
	g.note(t, step, struct {
		*profiles.Profile
		Created, Updated bool
	}{p, !p.CreatedAt.IsZero(), !p.UpdatedAt.IsZero()}, nil)
	return p
}

func (g *gopher) create(t *testing.T) *profiles.Profile {
	attempt := func(step, name string, spec profiles.Spec) *profiles.Profile {
		p, err := profiles.Create(g.senlin, profiles.CreateOpts{Name: name, Metadata: map[string]any{"team": "web", "tier": 1.5}, Spec: spec}).Extract()
		return g.tell(t, step, p, err)
	}
	web := attempt("create", g.name, server(map[string]any{"metadata": map[string]any{"a": "1"}, "user_data": "<&>"}))
	attempt("create with what no server has", g.name, server(map[string]any{"flavour": "m1.small"}))
	attempt("create in a version that is missing", g.name, profiles.Spec{Type: "os.nova.server", Version: "1", Properties: map[string]any{}})
	attempt("create with an illegal name", g.name+" x", server(nil))
	twin := attempt("create of a name that is taken", g.name, server(nil))
	g.get(t, "get by a name of two", g.name)
	g.delete(t, "delete the second", twin)
	return web
}

func (g *gopher) find(t *testing.T, web *profiles.Profile) {
	g.get(t, "get by id", web.ID)
	g.get(t, "get by name", g.name)
	g.get(t, "get by the start of an id", web.ID[:13])
	g.get(t, "get a missing one", g.name+"-missing")
}

func (g *gopher) get(t *testing.T, step, id string) {
	p, err := profiles.Get(g.senlin, id).Extract()
	g.tell(t, step, p, err)
}

func (g *gopher) list(t *testing.T, web *profiles.Profile) {
	everywhere := true
	list := func(step string, options profiles.ListOpts) {
		page, err := profiles.List(g.senlin, options).AllPages()
		var ids []string
		if err == nil {
			var all []profiles.Profile
			all, err = profiles.ExtractProfiles(page)
			for _, p := range all {
				ids = append(ids, p.ID)
			}
		}
		g.note(t, step, ids, err)
	}
	list("list by name", profiles.ListOpts{Name: g.name})
	list("list by a type", profiles.ListOpts{Name: g.name, Type: "os.heat.stack-1.0"})
	list("list after a marker", profiles.ListOpts{Name: g.name, Marker: web.ID})
	list("list after what is no marker", profiles.ListOpts{Marker: g.name})
	list("list by what does not sort", profiles.ListOpts{Sort: "id"})
	list("list of every project", profiles.ListOpts{GlobalProject: &everywhere})
}

func (g *gopher) update(t *testing.T, web *profiles.Profile) {
	change := func(step, id string, options profiles.UpdateOptsBuilder) {
		p, err := profiles.Update(g.senlin, id, options).Extract()
		g.tell(t, step, p, err)
	}
	change("update the metadata", web.ID, profiles.UpdateOpts{Metadata: map[string]any{"new": "x"}})
	change("update nothing", web.ID, profiles.UpdateOpts{Metadata: map[string]any{"new": "x"}})
	change("clear the metadata, of which gophercloud sends nothing", web.ID, profiles.UpdateOpts{Metadata: map[string]any{}})
	change("clear the metadata with a body of our own", web.ID, updateBody{"metadata": map[string]any{}})
	change("update the spec with a body of our own", web.ID, updateBody{"spec": server(nil)})
	g.name += "-new"
	change("update the name", web.ID, profiles.UpdateOpts{Name: g.name})
	change("update a missing one", g.name+"-missing", profiles.UpdateOpts{Name: g.name})
	g.get(t, "get what was updated", g.name)
}

// updateBody is what gophercloud's own options cannot say.
type updateBody map[string]any

func (b updateBody) ToProfileUpdateMap() (map[string]any, error) {
	return map[string]any{"profile": map[string]any(b)}, nil
}

func (g *gopher) validate(t *testing.T, plain *gophercloud.ServiceClient) {
	check := func(step string, senlin *gophercloud.ServiceClient, spec profiles.Spec) {
		p, err := profiles.Validate(senlin, profiles.ValidateOpts{Spec: spec}).Extract()
		g.tell(t, step, p, err)
	}
	check("validate", g.senlin, server(nil))
	check("validate what no server has", g.senlin, server(map[string]any{"flavour": "m1.small"}))
	check("validate in the first microversion", plain, server(nil))
}

// use tries to delete a profile that a cluster and its node use, and one that a node alone uses.
func (g *gopher) use(t *testing.T, web *profiles.Profile) {
	made := clusters.Create(g.senlin, clusters.CreateOpts{Name: g.name, ProfileID: web.ID, DesiredCapacity: 1, MaxSize: -1})
	cluster, err := made.Extract()
	if err != nil {
		t.Fatalf("create a cluster: %v", err)
	}
	g.note(t, "create a cluster", []any{cluster.Name, cluster.ProfileID, cluster.ProfileName, cluster.Status}, nil)
	g.finish(t, made.Header.Get("Location"))
	page, err := nodes.List(g.senlin, nodes.ListOpts{ClusterID: cluster.ID}).AllPages()
	if err != nil {
		t.Fatalf("list nodes: %v", err)
	}
	members, err := nodes.ExtractNodes(page)
	if err != nil || len(members) != 1 {
		t.Fatalf("list nodes: %d of them, %v", len(members), err)
	}
	g.note(t, "its node", []any{members[0].ProfileID, members[0].ProfileName, members[0].Status, members[0].Index}, nil)
	g.delete(t, "delete what a cluster uses", web)

	gone := clusters.Delete(g.senlin, cluster.ID)
	g.note(t, "delete the cluster", nil, gone.Err)
	awaitGone(t, g.senlin, cluster.ID)

	alone, err := nodes.Create(g.senlin, nodes.CreateOpts{Name: g.name, ProfileID: web.ID}).Extract()
	if err != nil {
		t.Fatalf("create a node: %v", err)
	}
	await(t, "the node is ACTIVE", func() bool {
		node, err := nodes.Get(g.senlin, alone.ID).Extract()
		return err == nil && node.Status == "ACTIVE"
	})
	g.delete(t, "delete what a node uses", web)
	g.note(t, "delete the node", nil, nodes.Delete(g.senlin, alone.ID).ExtractErr())
	await(t, "the node is gone", func() bool { return nodes.Get(g.senlin, alone.ID).Err != nil })
}

// finish waits for the action at a location and notes how it ended.
func (g *gopher) finish(t *testing.T, location string) {
	var action *actions.Action
	await(t, "the action is over", func() bool {
		var err error
		action, err = actions.Get(g.senlin, path.Base(location)).Extract()
		if err != nil {
			t.Fatalf("read action %q: %v", location, err)
		}
		return slices.Contains([]string{"SUCCEEDED", "FAILED", "CANCELLED"}, action.Status)
	})
	g.note(t, "the action", []any{action.Action, action.Target, action.Status, action.StatusReason}, nil)
}

func (g *gopher) delete(t *testing.T, step string, p *profiles.Profile) {
	g.note(t, step, "gone", profiles.Delete(g.senlin, p.ID).ExtractErr())
}
