//go:build openstack

package openstack

import (
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gophercloud/gophercloud"
	"github.com/gophercloud/gophercloud/openstack/clustering/v1/profiles"

	"profilesync/internal/devcloud"
)

// TestNameUnique lets profilesync do all it can do to a profile where Senlin refuses a second profile of a name, on a real Senlin
// and on an embedded one. Every pass has to end well, leave what the story says, and leave nothing for the next.
func TestNameUnique(t *testing.T) {
	t.Parallel()
	program := buildProfilesync(t)
	t.Run("on a real cloud", func(t *testing.T) {
		t.Parallel()
		tellNameUnique(t, program, login{cloudsFileOf(t, "PROFILESYNC_TEST_NAME_UNIQUE_CLOUDS_FILE"), "tenant-a"})
	})
	t.Run("on an embedded cloud", func(t *testing.T) {
		t.Parallel()
		tellNameUnique(t, program, login{serveNameUnique(t), "tenant-a"})
	})
}

// pass is a change of the documents or of their users, and what is live after the next apply: a line for each profile, as
// living.lines gives them.
type pass struct {
	name      string
	documents map[string]string // file to flavor and team; empty text removes the file
	users     func(*living, *testing.T)
	want      []string
}

func passes() []pass {
	return []pass{
		{
			name:      "create",
			documents: map[string]string{"db": "m1.medium dba", "web": "m1.small web"},
			want:      []string{"#1 db m1.medium dba", "#2 web m1.small web"},
		},
		{
			name:      "relabel",
			documents: map[string]string{"web": "m1.small edge"},
			want:      []string{"#1 db m1.medium dba", "#2 web m1.small edge"},
		},
		{
			name:      "recreate one that nothing uses",
			documents: map[string]string{"web": "m1.large edge"},
			want:      []string{"#1 db m1.medium dba", "#3 web m1.large edge"},
		},
		{
			name:      "recreate one that a cluster uses",
			users:     func(l *living, t *testing.T) { l.cluster = createCluster(t, l.senlin, "asg", "web") },
			documents: map[string]string{"web": "m1.xlarge edge"},
			want:      []string{"#1 db m1.medium dba", "#4 web m1.xlarge edge", "#3 web~… m1.large edge, superseded web"},
		},
		{
			name:      "restore the earlier generation",
			documents: map[string]string{"web": "m1.large edge"},
			want:      []string{"#1 db m1.medium dba", "#3 web m1.large edge"},
		},
		{
			name:      "rename",
			documents: map[string]string{"web": "", "edge": "m1.large edge"},
			want:      []string{"#1 db m1.medium dba", "#3 edge m1.large edge"},
		},
		{
			name:      "delete",
			users:     func(l *living, t *testing.T) { deleteCluster(t, l.senlin, l.cluster) },
			documents: map[string]string{"edge": ""},
			want:      []string{"#1 db m1.medium dba"},
		},
	}
}

func tellNameUnique(t *testing.T, program string, as login) {
	as.sweep(t, "")
	t.Cleanup(func() { as.sweep(t, "") })
	home := t.TempDir()
	repository := filepath.Join(home, "repository")
	if err := os.Mkdir(repository, 0o755); err != nil {
		t.Fatal(err)
	}
	live := &living{senlin: as.senlin(t, "1.14"), numbers: map[string]int{}}
	for _, pass := range passes() {
		if pass.users != nil {
			pass.users(live, t)
		}
		for file, text := range pass.documents {
			writeDocument(t, filepath.Join(repository, file+".yaml"), text)
		}
		flags := []string{"--worktree", repository, "--cloud", as.cloud, "--owner", "us"}
		if status, stdout, stderr := run(t, home, as.file, program, append([]string{"apply", "--yes"}, flags...)...); status != 0 {
			t.Fatalf("%s: apply: exit status %d, want 0\n%s%s", pass.name, status, stdout, stderr)
		}
		if got := live.lines(t); !slices.Equal(got, pass.want) {
			t.Fatalf("%s: live are\n%s\nwant\n%s", pass.name, strings.Join(got, "\n"), strings.Join(pass.want, "\n"))
		}
		if status, stdout, stderr := run(t, home, as.file, program, append([]string{"plan", "--detailed-exitcode"}, flags...)...); status != 0 {
			t.Fatalf("%s: the next plan: exit status %d, want 0\n%s%s", pass.name, status, stdout, stderr)
		}
		live.refusesASecond(t, "db")
	}
}

// writeDocument writes a spec file with a flavor and a team, or removes it.
func writeDocument(t *testing.T, file, text string) {
	t.Helper()
	flavor, team, found := strings.Cut(text, " ")
	if !found {
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
		return
	}
	name := strings.TrimSuffix(filepath.Base(file), ".yaml")
	document := fmt.Sprintf(`name: %s
metadata: {team: %s}
spec:
  type: os.nova.server
  version: "1.0"
  properties: {flavor: %s, networks: []}
`, name, team, flavor)
	if err := os.WriteFile(file, []byte(document), 0o644); err != nil {
		t.Fatal(err)
	}
}

// living is what lives in a project, the cluster of the story included.
type living struct {
	senlin  *gophercloud.ServiceClient
	numbers map[string]int
	cluster string
}

// lines tells of each profile, sorted by name: its id as a number in the order of first sight, its name (without the digits that an
// earlier generation's name ends in), flavor and team, and what it is an earlier generation of.
func (l *living) lines(t *testing.T) (lines []string) {
	t.Helper()
	for _, p := range allProfiles(t, l.senlin) {
		if l.numbers[p.ID] == 0 {
			l.numbers[p.ID] = len(l.numbers) + 1
		}
		name, _, aside := strings.Cut(p.Name, "~"+p.ID[:8])
		if aside {
			name += "~…"
		}
		line := fmt.Sprintf("#%d %s %v %v", l.numbers[p.ID], name, p.Spec.Properties["flavor"], p.Metadata["team"])
		if of := p.Metadata["profilesync.superseded"]; of != nil {
			line += fmt.Sprint(", superseded ", of)
		}
		lines = append(lines, line)
	}
	return lines
}

// refusesASecond makes sure that the story is told where it is meant to be.
func (l *living) refusesASecond(t *testing.T, name string) {
	t.Helper()
	err := profiles.Create(l.senlin, profiles.CreateOpts{Name: name, Spec: server(nil)}).Err
	if refused := (gophercloud.ErrDefault400{}); !errors.As(err, &refused) || !strings.Contains(string(refused.Body), "already exists") {
		t.Fatalf("create of a second %q: %v, want a refusal: is name_unique set in senlin.conf?", name, err)
	}
}

// serveNameUnique serves an embedded cloud with unique names until the test ends and returns a clouds.yaml for it.
func serveNameUnique(t *testing.T) (cloudsFile string) {
	t.Helper()
	dir := t.TempDir()
	cloud, err := devcloud.Open(devcloud.Options{Path: filepath.Join(dir, "state"), NameUnique: true, Unsynced: true})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(cloud.Handler())
	t.Cleanup(func() {
		server.Close()
		if err := cloud.Close(); err != nil {
			t.Error(err)
		}
	})
	cloudsFile = filepath.Join(dir, "clouds.yaml")
	if err := os.WriteFile(cloudsFile, devcloud.CloudsYAML(server.URL), 0o600); err != nil {
		t.Fatal(err)
	}
	return cloudsFile
}
