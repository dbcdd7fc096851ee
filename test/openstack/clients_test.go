//go:build openstack

package openstack

import (
	"crypto/rand"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/aymanbagabas/go-udiff"
)

var update = flag.Bool("update", false, "write what the clients do on the real cloud into testdata/clients")

// TestClients tells the same story with other people's clients on a real Senlin and on "profilesync devcloud". What they print,
// return, raise and exit with has to be in testdata/clients, the same for every cloud; the real one wrote those files.
func TestClients(t *testing.T) {
	t.Parallel() // and so after those who need the projects to themselves
	real := login{file: cloudsFileOf(t, "PROFILESYNC_TEST_CLOUDS_FILE"), cloud: "tenant-b"}
	program := buildProfilesync(t)
	for _, client := range []struct {
		name        string
		tell        func(t *testing.T, as login, name string) string
		credentials bool // whether it also shows what it does with an application credential
	}{
		{"openstack", tellOpenstack, false},
		{"openstacksdk", tellOpenstackSDK, true},
		{"gophercloud", tellGophercloud, true},
	} {
		t.Run(client.name, func(t *testing.T) {
			t.Parallel()
			tell := func(name string, as func(t *testing.T) login) {
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					hold(t, client.name, as(t), client.tell)
				})
			}
			tell("on a real cloud", func(*testing.T) login { return real })
			if *update {
				return
			}
			tell("on devcloud", func(t *testing.T) login { return login{serveDevcloud(t, program), "tenant-b"} })
			if client.credentials {
				tell("on devcloud with an application credential", func(t *testing.T) login {
					return login{serveDevcloud(t, program), "tenant-b-app"}
				})
			}
		})
	}
}

// hold tells a client's story and holds it to the one in testdata/clients. All that the story makes bears a name of its own, and is gone
// when the test ends.
func hold(t *testing.T, client string, as login, tell func(t *testing.T, as login, name string) string) {
	name := "story-" + rand.Text()[:8]
	t.Cleanup(func() { as.sweep(t, name) })
	got := likeness(tell(t, as, name), name)
	golden := filepath.Join("testdata", "clients", client+".golden")
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s does something else here:\n%s", client, udiff.Unified(golden, as.file, string(want), got))
	}
}

// cloudsFileOf returns the clouds.yaml that a variable names. None is a failure.
func cloudsFileOf(t *testing.T, variable string) string {
	t.Helper()
	path := os.Getenv(variable)
	if path == "" {
		t.Fatalf("%s names no clouds.yaml: start a cloud with scripts/openstack start", variable)
	}
	path, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("%s: %v", variable, err)
	}
	return path
}
