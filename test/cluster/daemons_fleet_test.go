package cluster

import (
	"fmt"
	"maps"
	"math/rand"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"profilesync/internal/devcloud"
	"profilesync/internal/lease/etcd"
	"profilesync/test/daemon/rig"
)

// fleetToken is the secret of every page and hook.
const fleetToken = "a-secret-of-the-tests"

// fleet is several daemons with the same targets and the same documents. Each
// reaches the one etcd over a network of its own.
type fleet struct {
	*testing.T
	home     *rig.Home
	clouds   []*rig.Cloud
	etcd     *server
	seen     *observer
	networks []*proxy

	mutex   sync.Mutex
	daemons []*rig.Daemon     // nil where none runs
	aims    map[string]func() // to be called when the next write of an instance arrives
}

// muster prepares everything but starts no daemon.
func muster(t *testing.T, daemons, targets int) *fleet {
	t.Helper()
	s := start(t, nil)
	f := &fleet{T: t, etcd: s, seen: observe(t, s), aims: map[string]func(){}, daemons: make([]*rig.Daemon, daemons)}
	for n := range targets {
		name := fmt.Sprintf("cloud-%02d", n)
		c := rig.NewCloudIn(t, name, "region-"+name)
		c.Noting(func(by string) string {
			f.mutex.Lock()
			stop := f.aims[by]
			delete(f.aims, by)
			f.mutex.Unlock()
			if stop != nil {
				stop()
			}
			return f.seen.now(writeKey(c))
		})
		f.clouds = append(f.clouds, c)
	}
	f.home = rig.NewHome(t, rig.Build(t), f.clouds...)
	f.home.Write("token", fleetToken+"\n")
	for n := range daemons {
		f.networks = append(f.networks, through(t, s.host()))
		f.home.Write(configFile(n), f.config(fmt.Sprintf("state-%d", n), f.networks[n].endpoint()))
	}
	f.home.Write("profilesync.yaml", f.config("state", s.endpoint())) // for whoever works beside the daemons
	return f
}

func configFile(n int) string { return fmt.Sprintf("daemon-%d.yaml", n) }

func (f *fleet) config(state, endpoint string) string {
	var text strings.Builder
	fmt.Fprintf(&text, `owner: us
source: {url: docs, cache: none}
prune: true
limits: {deletes: 100, percent: 100, recreates: 100}
lease: {etcd: {endpoints: [%q], ttl: %s}}
daemon:
  schedule: "@every 10s"
  jitter: 0s
  side_by_side: 8
  retry: {first: 1s, most: 2s}
  state: %s
  http: {auth: {bearer: {file: token}}}
  hooks: {generic: {token: {file: token}}}
targets:
`, endpoint, ttl, state)
	for _, c := range f.clouds {
		fmt.Fprintf(&text, "- {name: %s, cloud: %s}\n", c.Name, c.Name)
	}
	return text.String()
}

func writeKey(c *rig.Cloud) string {
	return etcd.DefaultPrefix + "/write/" + c.Region + "/" + devcloud.Accounts()[0].ProjectID() + "/us"
}

func serveKey(c *rig.Cloud) string { return etcd.DefaultPrefix + "/serve/us/" + c.Name }

// begin starts a daemon.
func (f *fleet) begin(n int) *rig.Daemon {
	f.Helper()
	d := f.home.Start("--config", filepath.Join(f.home.Dir, configFile(n)))
	d.Token = fleetToken
	f.set(n, d)
	return d
}

func (f *fleet) set(n int, d *rig.Daemon) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.daemons[n] = d
}

func (f *fleet) daemon(n int) *rig.Daemon {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	return f.daemons[n]
}

// aim calls do in the middle of a daemon's writes; nil takes that back.
func (f *fleet) aim(d *rig.Daemon, do func()) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.aims[d.Instance()] = do
}

// scribe changes the documents.
type scribe struct {
	home    *rig.Home
	random  *rand.Rand
	flavors map[string]string
	labels  map[string]string
	commits int
}

func newScribe(home *rig.Home, random *rand.Rand) *scribe {
	s := &scribe{home: home, random: random, flavors: map[string]string{}, labels: map[string]string{}}
	for n := range 5 {
		s.write(fmt.Sprintf("web-%d", n))
	}
	s.commit()
	return s
}

// change alters some documents: labels, which are changed in place, specs, which
// make new profiles, and whether there is a document at all.
func (s *scribe) change() {
	for range 2 + s.random.Intn(4) {
		name := fmt.Sprintf("web-%d", s.random.Intn(10))
		_, there := s.flavors[name]
		if there && len(s.flavors) > 3 && s.random.Intn(3) == 0 {
			delete(s.flavors, name)
			delete(s.labels, name)
			if err := os.Remove(filepath.Join(s.home.Dir, "docs", name+".yaml")); err != nil {
				s.home.Fatal(err)
			}
			continue
		}
		s.write(name)
	}
	s.commit()
}

func (s *scribe) write(name string) {
	if _, there := s.flavors[name]; !there || s.random.Intn(2) == 0 {
		s.flavors[name] = fmt.Sprintf("m1.%d", s.random.Intn(1000))
	}
	s.labels[name] = fmt.Sprintf("t%d", s.random.Intn(1000))
	s.home.Write("docs/"+name+".yaml", fmt.Sprintf("name: %s\nmetadata: {team: %s}\n"+
		"spec: {type: os.nova.server, version: \"1.0\", properties: {flavor: %s, networks: []}}\n", name, s.labels[name], s.flavors[name]))
}

func (s *scribe) commit() {
	s.commits++
	s.home.Commit(fmt.Sprintf("Change %d", s.commits))
}

// missing says in what a cloud differs from the documents; "" when in nothing.
func (s *scribe) missing(c *rig.Cloud) string {
	live := map[string]bool{}
	for _, p := range c.Profiles(s.home) {
		if live[p.Name] {
			return fmt.Sprintf("%s has two profiles of the name %q", c.Name, p.Name)
		}
		live[p.Name] = true
		if p.Spec.Properties["flavor"] != s.flavors[p.Name] || p.Metadata["team"] != s.labels[p.Name] {
			return fmt.Sprintf("%s: %q has the flavor %v and the team %v, not %q and %q",
				c.Name, p.Name, p.Spec.Properties["flavor"], p.Metadata["team"], s.flavors[p.Name], s.labels[p.Name])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.flavors)) {
		if !live[name] {
			return fmt.Sprintf("%s has no %q", c.Name, name)
		}
	}
	return ""
}

// tell posts the push to every daemon that runs; whether they hear is theirs.
func (f *fleet) tell(group *sync.WaitGroup) {
	for n := range f.daemons {
		if d := f.daemon(n); d != nil {
			group.Go(func() { d.Post("/hooks/git", `{"ref": "refs/heads/main"}`) })
		}
	}
}

// settled waits until every cloud is as the documents say, and every target is
// served by one daemon, which says so, and the others agree.
func (f *fleet) settled(s *scribe, within time.Duration) time.Duration {
	f.Helper()
	began, why := time.Now(), ""
	for {
		if why = f.unsettled(s); why == "" {
			return time.Since(began)
		}
		if time.Since(began) > within {
			f.Errorf("not settled within %s: %s", within, why)
			return time.Since(began)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func (f *fleet) unsettled(s *scribe) string {
	serves := map[string][]string{}
	for n := range f.daemons {
		d := f.daemon(n)
		told, err := d.Status()
		if err != nil {
			return err.Error()
		}
		for _, target := range told.Targets {
			switch {
			case !target.Ready:
				return fmt.Sprintf("%s of daemon %d is not ready: %s", target.Name, n, target.Reason)
			case target.Lease != nil && target.Lease.Held:
				serves[target.Name] = append(serves[target.Name], d.Instance())
			}
		}
	}
	for _, c := range f.clouds {
		if why := s.missing(c); why != "" {
			return why
		}
		if who := serves[c.Name]; len(who) != 1 || !strings.HasPrefix(f.seen.now(serveKey(c)), who[0]+"@") {
			return fmt.Sprintf("%s is served by %q", c.Name, who)
		}
	}
	return ""
}
