// Package conformance is one set of API tests for a Senlin cloud: what a client of profiles can see of Keystone v3 and of the
// clustering API, microversions 1.0 to 1.14. The same tests run against the real service and against the embedded one, so the
// two cannot drift apart unseen. Every expectation was seen on Senlin 14.0.0 with Keystone 22.0.2 and MariaDB first.
//
// It owns its client (plain net/http, so no library can smooth over a difference), its expectations and the things it creates,
// which it deletes again. It never looks behind the API, and never expects what depends on the cloud's compute or network drivers.
package conformance

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// Cloud is what the suite needs to know of a cloud under test.
type Cloud struct {
	// AuthURL is the Keystone v3 address, such as http://127.0.0.1:5000/v3.
	AuthURL string
	// Accounts are the users to speak as, by role in the tests: "tenant-a" and "tenant-b" are members of two projects,
	// "reader-a" has the role reader in tenant-a's project, "admin" has the role admin in a third project.
	// While the suite runs, nobody else may use those projects.
	Accounts map[string]Account
	// Reset deletes all clusters, nodes and profiles before the first test. Without it the cloud has to be empty already.
	Reset func(t testing.TB)
}

// Account is one user with a password, and the project to speak in. Domains are given by name.
type Account struct {
	Username, Password        string
	Project                   string
	UserDomain, ProjectDomain string
	// Credential is an application credential of the user for the project. Where tenant-a has none, the suite makes one
	// through Keystone, and deletes it again.
	Credential Credential
}

// Credential is an application credential. The zero value is none.
type Credential struct{ ID, Name, Secret string }

// suite is the cloud with everybody logged in.
type suite struct {
	cloud               Cloud
	a, b, reader, admin caller
}

// Run checks the cloud, section by section. It fails, and never skips, when the cloud cannot be reached.
func Run(t *testing.T, cloud Cloud) {
	s := logIn(t, cloud)
	if cloud.Reset != nil {
		cloud.Reset(t)
	}
	s.needsEmptyCloud(t)
	for _, section := range []struct {
		name string
		test func(suite, *testing.T)
	}{
		{"identity", suite.identity},
		{"discovery and microversions", suite.discovery},
		{"headers and error bodies", suite.envelopes},
		{"create a profile", suite.creating},
		{"list profiles", suite.listing},
		{"get a profile", suite.getting},
		{"patch a profile", suite.patching},
		{"delete a profile", suite.deleting},
		{"validate a spec", suite.validating},
		{"profile types", suite.types},
		{"clusters", suite.clusters},
		{"nodes", suite.nodes},
		{"actions", suite.actions},
		{"lists of clusters, nodes and actions", suite.otherLists},
		{"who may do what", suite.access},
		{"many at once", suite.parallel},
	} {
		t.Run(section.name, func(t *testing.T) { section.test(s, t) })
	}
	t.Run("the suite leaves nothing behind", s.needsEmptyCloud)
}

// logIn takes a token for each of the four accounts. Connections are kept until the test ends, and no longer.
func logIn(t testing.TB, cloud Cloud) suite {
	t.Helper()
	transport := http.DefaultTransport.(*http.Transport).Clone()
	t.Cleanup(transport.CloseIdleConnections)
	client := &http.Client{
		Transport:     transport,
		Timeout:       requestTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	as := func(name string) caller {
		account, ok := cloud.Accounts[name]
		if !ok {
			t.Fatalf("the cloud under test has no account %q", name)
		}
		return caller{http: client, base: strings.TrimSuffix(cloud.AuthURL, "/")}.logIn(t, account)
	}
	return suite{cloud: cloud, a: as("tenant-a"), b: as("tenant-b"), reader: as("reader-a"), admin: as("admin")}
}

// needsEmptyCloud fails unless the two tenants have no profile, cluster or node: some tests list all there is.
func (s suite) needsEmptyCloud(t *testing.T) {
	t.Helper()
	for name, tenant := range map[string]caller{"tenant-a": s.a, "tenant-b": s.b} {
		for _, kind := range []string{"profiles", "clusters", "nodes"} {
			if rows := tenant.get(t, "/v1/"+kind).want(t, 200).rows(t, kind); len(rows) > 0 {
				t.Fatalf("%s has %d %s, such as %v; the suite needs none", name, len(rows), kind, rows[0]["name"])
			}
		}
	}
}

// requestTimeout bounds every single request; the slowest answer seen from the real service took under two seconds.
const requestTimeout = 20 * time.Second
