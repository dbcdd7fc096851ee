//go:build openstack

package openstack

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gophercloud/gophercloud"
)

// Spec files as people have them: the version is a YAML number.
const (
	goodSpecFile = `type: os.nova.server
version: 1.0
properties:
  name: srv
  flavor: m1.small
  image: cirros
  networks:
    - network: private
`
	badSpecFile = `type: os.nova.server
version: 1.0
properties:
  networks: []
  flavour: m1.small
`
)

// tellOpenstack tells the story of the openstack command. A call takes seconds, so it asks for less than the others.
func tellOpenstack(t *testing.T, as login, name string) string {
	needDebiansClients(t)
	c := &command{as: as, dir: t.TempDir()}
	for file, text := range map[string]string{"good.yaml": goodSpecFile, "bad.yaml": badSpecFile} {
		if err := os.WriteFile(filepath.Join(c.dir, file), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	c.run(t, "cluster profile type list")
	c.showType(t, "os.nova.server-1.0")

	id := dashedID.FindString(c.run(t, "cluster profile create --spec-file good.yaml --metadata team=web;tier=front "+name))
	c.run(t, "cluster profile create --spec-file bad.yaml "+name)
	c.run(t, "cluster profile list --filters name="+name)
	c.run(t, "cluster profile show "+id+" -f json")
	c.run(t, "cluster profile show "+name+"-missing")
	c.run(t, "cluster profile create --spec-file good.yaml -f value -c name "+name)
	c.run(t, "cluster profile show "+name)
	renamed := name + "-new"
	c.run(t, "cluster profile update --name "+renamed+" --metadata team=ops -f json "+id)
	c.run(t, "cluster profile update --metadata {} -f value -c metadata -c spec "+renamed)
	c.run(t, "cluster profile validate --spec-file good.yaml -f json")

	c.run(t, "cluster create --profile "+renamed+" -c name -c profile_id -c profile_name "+name)
	c.run(t, "cluster profile delete --force "+renamed)
	senlin := as.senlin(t, "")
	await(t, "cluster "+name+" is ACTIVE", func() bool { return statusOf(t, senlin, name) == "ACTIVE" })
	c.run(t, "cluster delete --force "+name)
	await(t, "cluster "+name+" is gone", func() bool { return statusOf(t, senlin, name) == "" })
	c.run(t, "cluster profile delete --force "+renamed+" "+name)
	c.run(t, "cluster profile delete --force "+renamed)
	return c.String()
}

// statusOf returns the status of the cluster of a name, which is empty when there is none.
func statusOf(t *testing.T, senlin *gophercloud.ServiceClient, name string) string {
	t.Helper()
	for _, cluster := range allClusters(t, senlin) {
		if cluster.Name == name {
			return cluster.Status
		}
	}
	return ""
}

// command is the openstack command and what it has been seen to do.
type command struct {
	diary
	as  login
	dir string
}

// run carries out a command line, which has blanks only between its words, and notes it as a terminal would show it.
func (c *command) run(t *testing.T, line string) (stdout string) {
	t.Helper()
	stdout, stderr, status := c.call(t, line)
	fmt.Fprintf(c, "# openstack %s\n%s%sexit status %d\n", line, stdout, stderr, status)
	return stdout
}

// showType notes what a profile type asks of every property. The descriptions are prose, in which clouds may differ.
func (c *command) showType(t *testing.T, name string) {
	t.Helper()
	line := "cluster profile type show " + name + " -f json"
	stdout, stderr, status := c.call(t, line)
	var shown struct {
		Name          string
		SupportStatus any `json:"support_status"`
		Schema        map[string]any
	}
	if err := json.Unmarshal([]byte(stdout), &shown); err != nil {
		t.Fatalf("openstack %s: %v\n%s%s", line, err, stdout, stderr)
	}
	c.note(t, "openstack "+line, []any{shown.Name, shown.SupportStatus}, nil)
	for _, property := range slices.Sorted(maps.Keys(shown.Schema)) {
		schema, err := json.Marshal(withoutProse(shown.Schema[property]))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(c, "%s %s\n", property, schema)
	}
	fmt.Fprintf(c, "%sexit status %d\n", stderr, status)
}

func withoutProse(schema any) any {
	if object, ok := schema.(map[string]any); ok {
		delete(object, "description")
		for _, value := range object {
			withoutProse(value)
		}
	}
	return schema
}

func (c *command) call(t *testing.T, line string) (stdout, stderr string, status int) {
	t.Helper()
	status, stdout, stderr = run(t, c.dir, c.as.file, "/usr/bin/openstack", append([]string{"--os-cloud", c.as.cloud}, strings.Fields(line)...)...)
	return stdout, stderr, status
}
