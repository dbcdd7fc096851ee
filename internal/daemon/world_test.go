package daemon

import (
	"context"
	"errors"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"profilesync/internal/apply"
	"profilesync/internal/daemon/history"
	"profilesync/internal/daemon/schedule"
	"profilesync/internal/daemon/status"
	"profilesync/internal/devcloud"
	"profilesync/internal/diff"
	"profilesync/internal/lease"
	"profilesync/internal/reconcile"
	"profilesync/internal/senlin"
	"profilesync/internal/source"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// repo is a source whose documents a test changes.
type repo struct {
	mutex    sync.Mutex
	revision string
	files    fstest.MapFS
	err      error
	reads    int
	slow     time.Duration
}

func (r *repo) Read(context.Context) (source.Snapshot, error) {
	r.mutex.Lock()
	slow := r.slow
	r.reads++
	r.mutex.Unlock()
	time.Sleep(slow)
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if r.err != nil {
		return source.Snapshot{}, r.err
	}
	return source.Snapshot{Revision: r.revision, Files: r.files}, nil
}

// commit replaces the documents; each is a name and its flavor.
func (r *repo) commit(revision string, documents ...string) {
	files := fstest.MapFS{}
	for _, d := range documents {
		name, flavor, _ := strings.Cut(d, ":")
		files[name+".yaml"] = &fstest.MapFile{Data: []byte("name: " + name + `
spec:
  type: os.nova.server
  version: "1.0"
  properties: {name: x, image: cirros, networks: [], flavor: ` + flavor + "}\n")}
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.revision, r.files, r.err = revision, files, nil
}

func (r *repo) fail(err error) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.err = err
}

func (r *repo) readings() int {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return r.reads
}

// journal keeps passes in memory.
type journal struct {
	mutex  sync.Mutex
	passes []status.Pass
	err    error
}

func (j *journal) Append(p status.Pass) (status.Pass, error) {
	j.mutex.Lock()
	defer j.mutex.Unlock()
	p.ID = uint64(len(j.passes) + 1)
	j.passes = append(j.passes, p)
	return p, j.err
}

func (j *journal) Passes(target string, _ uint64, limit int) ([]status.Pass, error) {
	j.mutex.Lock()
	defer j.mutex.Unlock()
	var found []status.Pass
	for _, p := range slices.Backward(j.passes) {
		if (target == "" || p.Target == target) && len(found) < limit {
			found = append(found, p)
		}
	}
	return found, nil
}

// Last knows nothing: a restart is told with a real history.
func (j *journal) Last(string) (history.Last, error) { return history.Last{}, nil }

func (j *journal) all() []status.Pass {
	j.mutex.Lock()
	defer j.mutex.Unlock()
	return slices.Clone(j.passes)
}

// world is a daemon in front of an embedded cloud, in a bubble of time.
type world struct {
	*testing.T
	repo    *repo
	journal *journal
	cloud   *devcloud.Cloud
	config  Config
	options Options
	daemon  *Daemon
	stop    func() // ends the daemon and waits for it

	mutex    sync.Mutex
	requests []string
	down     error         // what the cloud's network gives instead of an answer
	lag      time.Duration // before each request of a pass
	offset   time.Duration // of the wall clock
	locks    string        // directory
}

// play plays a story. The daemon begins when the story says start.
func play(t *testing.T, story func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{T: t, repo: &repo{}, journal: &journal{}}
		var err error
		w.cloud, err = devcloud.Open(devcloud.Options{
			Path: filepath.Join(t.TempDir(), "devcloud.db"), BaseURL: devcloud.InProcessURL, Unsynced: true,
			TokenLife: 10_000 * time.Hour,
		})
		if err != nil {
			t.Fatal(err)
		}
		w.repo.commit("r1", "web:m1.small")
		w.config = Config{Owner: "us", Documents: w.repo, SideBySide: 4, Targets: []Target{w.target("prod")}}
		w.options = Options{Instance: "host-1/1", Journal: w.journal}
		story(w)
		if w.stop != nil {
			w.stop()
		}
		if err := w.cloud.Close(); err != nil {
			t.Error(err)
		}
	})
}

func (w *world) start() {
	w.daemon = New(w.options, w.config)
	w.stop = w.run(w.daemon)
	synctest.Wait()
}

func (w *world) run(d *Daemon) (stop func()) {
	ctx, cancel := context.WithCancel(w.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		d.Run(ctx)
	}()
	return func() {
		cancel()
		<-done
	}
}

// target is one in mode apply that is looked at every five minutes.
func (w *world) target(name string) Target {
	return Target{
		Name: name, Cloud: "devcloud", Key: "us/" + name, Mode: status.Apply, Schedule: every(w.T, "@every 5m"),
		Deadline: 10 * time.Minute, StaleAfter: 15 * time.Minute,
		Backoff: schedule.Backoff{First: 30 * time.Second, Most: 15 * time.Minute},
		Pass: reconcile.Pass{
			Options: diff.Options{Target: name, Cloud: "devcloud", Owner: "us", Prune: true}, Apply: apply.Options{Parallel: 4},
		},
		Connect: w.connect,
	}
}

func every(t *testing.T, expression string) schedule.Schedule {
	t.Helper()
	s, err := schedule.Parse(expression, "UTC")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (w *world) connect(ctx context.Context, fence lease.Fence) (Cloud, error) {
	account := devcloud.Accounts()[0]
	return senlin.Connect(ctx, senlin.Options{
		Transport: w.cloud.Transport(),
		Wrap: func(base http.RoundTripper) http.RoundTripper {
			return &wire{w, lease.Guard{Base: base, Fence: fence, Writes: writes}}
		},
		Login: &senlin.Login{
			AuthURL:  devcloud.AuthURL(devcloud.InProcessURL),
			Username: account.Name, Password: account.Password, Project: account.Project,
		},
	})
}

// wire is the network between a daemon and the cloud.
type wire struct {
	world *world
	base  http.RoundTripper
}

func writes(r *http.Request) bool {
	return r.Method != http.MethodGet && !strings.HasSuffix(r.URL.Path, "/validate") && !strings.HasSuffix(r.URL.Path, "/auth/tokens")
}

func (n *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	w := n.world
	_, path, _ := strings.Cut(r.URL.Path, "/v1/")
	w.mutex.Lock()
	down, lag := w.down, w.lag
	w.mutex.Unlock()
	time.Sleep(lag)
	if down != nil {
		return nil, down
	}
	if !strings.Contains(path, "/") && path != "" || writes(r) {
		w.mutex.Lock()
		w.requests = append(w.requests, r.Method+" "+path)
		w.mutex.Unlock()
	}
	return n.base.RoundTrip(r)
}

func (w *world) sever(err error) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.down = err
}

// asked returns what was asked of the cloud since the last call.
func (w *world) asked() []string {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	requests := w.requests
	w.requests = nil
	return requests
}

// after lets time go by, until nothing moves any more.
func (w *world) after(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// first is the state of the first target.
func (w *world) first() status.Target { return w.daemon.Status().Targets[0] }

// outcomes are the passes so far, each as "trigger: outcome".
func (w *world) outcomes() []string {
	var told []string
	for _, p := range w.journal.all() {
		told = append(told, string(p.Trigger)+": "+string(p.Outcome))
	}
	return told
}

func (w *world) want(what string, got, want []string) {
	w.Helper()
	if !slices.Equal(got, want) {
		w.Errorf("%s: got %q, want %q", what, got, want)
	}
}

var errDown = errors.New("connection refused")

// wall is a clock that can be set, without a monotonic part.
func (w *world) wall() time.Time {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	return time.Now().Add(w.offset).Round(0)
}

func (w *world) setClock(jump time.Duration) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.offset += jump
}

func (w *world) wantNoWrites() {
	w.Helper()
	for _, r := range w.asked() {
		if !strings.HasPrefix(r, "GET") {
			w.Errorf("written: %s", r)
		}
	}
}
