//go:build openstack

package openstack

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gophercloud/gophercloud"
	"github.com/gophercloud/gophercloud/openstack/clustering/v1/profiles"
)

// stage is the program, its documents, and a project in which the next apply has everything to do: four creates, an update, two
// recreates (of which one old profile has a cluster and stays) and a delete. What the program asks of the cloud goes through taps.
type stage struct {
	program, home string
	direct        login
	through       tapped
	senlin        *gophercloud.ServiceClient // past the taps
	used          string                     // id of the profile with a cluster
	foreign       string                     // id of a profile that is not ours
	untouched     string                     // and how it looks
}

func newStage(t *testing.T, program string, as login) *stage {
	t.Helper()
	as.sweep(t, "")
	t.Cleanup(func() { as.sweep(t, "") })
	s := &stage{program: program, home: t.TempDir(), direct: as, through: tapping(t, as), senlin: as.senlin(t, "1.14")}
	if err := os.Mkdir(filepath.Join(s.home, "documents"), 0o755); err != nil {
		t.Fatal(err)
	}
	theirs, err := profiles.Create(s.senlin, profiles.CreateOpts{
		Name: "theirs", Spec: server(nil), Metadata: map[string]any{"a": "b"},
	}).Extract()
	if err != nil {
		t.Fatal(err)
	}
	s.foreign, s.untouched = theirs.ID, s.raw(t, theirs.ID)

	s.write(t, map[string]string{"label": "l a", "plain": "p1 a", "used": "u1 a", "gone": "g a"})
	if status, stdout, stderr := s.run(t, "apply", "--yes"); status != 0 {
		t.Fatalf("the first apply: exit status %d\n%s%s", status, stdout, stderr)
	}
	s.used = s.named(t)["used"][0]
	createCluster(t, s.senlin, "asg", s.used)
	s.write(t, map[string]string{
		"label": "l b", "plain": "p2 a", "used": "u2 a", "gone": "", "fresh-1": "f a", "fresh-2": "f a", "fresh-3": "f a", "fresh-4": "f a",
	})
	return s
}

func (s *stage) write(t *testing.T, documents map[string]string) {
	t.Helper()
	for name, text := range documents {
		writeDocument(t, filepath.Join(s.home, "documents", name+".yaml"), text)
	}
}

func (s *stage) run(t *testing.T, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	return s.runAs(t, s.through.login, args...)
}

func (s *stage) runAs(t *testing.T, as login, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	args = append(args, "--worktree", filepath.Join(s.home, "documents"), "--cloud", as.cloud, "--owner", "us")
	return run(t, s.home, as.file, s.program, args...)
}

// named are the ids of the live profiles by name.
func (s *stage) named(t *testing.T) map[string][]string {
	t.Helper()
	ids := map[string][]string{}
	for _, p := range allProfiles(t, s.senlin) {
		ids[p.Name] = append(ids[p.Name], p.ID)
	}
	return ids
}

// raw is a profile as Senlin shows it.
func (s *stage) raw(t *testing.T, id string) string {
	t.Helper()
	var body json.RawMessage
	if _, err := s.senlin.Get(s.senlin.ServiceURL("v1", "profiles", id), &body, &gophercloud.RequestOpts{OkCodes: []int{http.StatusOK}}); err != nil {
		t.Fatalf("profile %q: %v", id, err)
	}
	return string(body)
}

// converge lets passes finish what was begun, and holds what is live to what has to be true whatever happened. Passes go on until one has
// nothing to do; three must be enough.
func (s *stage) converge(t *testing.T) {
	t.Helper()
	status, stdout, stderr := 0, "", ""
	for range 3 {
		if status, stdout, stderr = s.run(t, "apply", "--yes"); status != 0 {
			t.Errorf("an apply after the cloud was back: exit status %d\n%s%s", status, stdout, stderr)
		}
		if status, stdout, stderr = s.run(t, "plan", "--detailed-exitcode"); status == 0 {
			break
		}
	}
	if status != 0 {
		t.Errorf("not converged: the last plan has exit status %d\n%s%s", status, stdout, stderr)
	}
	var got []string
	named := s.named(t)
	for name, ids := range named {
		got = append(got, fmt.Sprintf("%s %d", name, len(ids)))
	}
	slices.Sort(got)
	want := []string{"fresh-1 1", "fresh-2 1", "fresh-3 1", "fresh-4 1", "label 1", "plain 1", "theirs 1", "used 1", "used~" + s.used[:8] + " 1"}
	if !slices.Equal(got, want) {
		t.Errorf("live are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if ids := named["used~"+s.used[:8]]; !slices.Equal(ids, []string{s.used}) {
		t.Errorf("the profile with a cluster was %s, aside is now %v", s.used, ids)
	}
	if now := s.raw(t, s.foreign); now != s.untouched {
		t.Errorf("a profile that is not ours was changed:\n%s\n%s", s.untouched, now)
	}
}
