package faults_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"profilesync/internal/devcloud"
	"profilesync/internal/devcloud/faults"
	"profilesync/internal/profile"
	"profilesync/internal/senlin"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rig is a cloud, a layer in front of it, and a client that has logged in
// before anything goes wrong.
type rig struct {
	*senlin.Client
	layer *faults.Layer
	calm  *senlin.Client // reaches the cloud past the layer
	plan  atomic.Pointer[faults.Plan]
}

func options(transport http.RoundTripper) senlin.Options {
	return senlin.Options{Transport: transport, Login: &senlin.Login{
		AuthURL: devcloud.AuthURL(devcloud.InProcessURL), Username: "demo", Password: "demo", Project: "demo",
	}}
}

func open(t *testing.T) *devcloud.Cloud {
	t.Helper()
	cloud, err := devcloud.Open(devcloud.Options{Path: filepath.Join(t.TempDir(), "cloud.db"), Unsynced: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cloud.Close(); err != nil {
			t.Error(err)
		}
	})
	return cloud
}

func dial(t *testing.T, o senlin.Options) *senlin.Client {
	t.Helper()
	client, err := senlin.Connect(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

func connect(t *testing.T, lateBy int) *rig {
	t.Helper()
	cloud, r := open(t), &rig{}
	r.layer = faults.New(cloud.Handler(), faults.Options{LateBy: lateBy, Plan: func(n int, req *http.Request) faults.Fault {
		if plan := r.plan.Load(); plan != nil {
			return (*plan)(n, req)
		}
		return faults.None
	}})
	r.Client = dial(t, options(devcloud.InProcess(r.layer)))
	r.calm = dial(t, options(cloud.Transport()))
	return r
}

// next lets one kind of fault befall the next request.
func (r *rig) next(fault faults.Fault) {
	plan := faults.At(r.layer.Requests()+1, fault)
	r.plan.Store(&plan)
}

// always lets it befall all of them.
func (r *rig) always(fault faults.Fault) {
	plan := faults.Plan(func(int, *http.Request) faults.Fault { return fault })
	r.plan.Store(&plan)
}

func (r *rig) live(t *testing.T) int {
	t.Helper()
	all, err := r.calm.Profiles(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}

func web() profile.Profile {
	return profile.Profile{Name: "web", Spec: profile.Spec{
		Type: "os.nova.server", Version: "1.0", Properties: profile.Properties{"flavor": "small", "networks": []any{}},
	}}
}

// verdict is what becomes of a read and of a create that a fault befalls.
type verdict struct {
	fault  faults.Fault
	read   error // of one profile's list, while the fault goes on; nil for success
	create error // of one that the fault befalls once
	posts  int   // how often it was sent
	live   int   // profiles afterwards
	later  int   // and once what was abandoned is carried out
}

func verdicts() []verdict {
	down, lost := profile.ErrUnavailable, profile.ErrInDoubt
	return []verdict{
		{faults.DropBefore, senlin.ErrUnreachable, lost, 1, 0, 0},
		{faults.DropAfter, senlin.ErrUnreachable, lost, 1, 1, 1},
		{faults.Unauthorized, profile.ErrDenied, nil, 2, 1, 1},
		{faults.Forbidden, profile.ErrDenied, profile.ErrDenied, 1, 0, 0},
		{faults.NotFound, errAny, errAny, 1, 0, 0},
		{faults.Conflict, down, down, 1, 0, 0},
		{faults.TooMany, down, nil, 2, 1, 1},
		{faults.Pool, down, lost, 1, 0, 0},
		{faults.Mute, down, lost, 1, 0, 0},
		{faults.MuteLate, down, lost, 1, 0, 1},
		{faults.BadGateway, down, lost, 1, 0, 0},
		{faults.Unavailable, down, lost, 1, 0, 0},
		{faults.GatewayTimeout, down, lost, 1, 1, 1},
		{faults.HTML, senlin.ErrNotSenlin, lost, 1, 0, 0},
		{faults.Truncated, senlin.ErrNotSenlin, lost, 1, 1, 1},
		{faults.Drip, senlin.ErrTimeout, lost, 1, 1, 1},
		{faults.Hang, senlin.ErrTimeout, lost, 1, 0, 0},
		{faults.HangLate, senlin.ErrTimeout, lost, 1, 0, 1},
	}
}

var errAny = errors.New("any error")

func says(err, want error) bool {
	return errors.Is(err, want) || want == errAny && err != nil
}

func TestWhatTheClientMakesOfEachFault(t *testing.T) {
	if len(verdicts()) != len(faults.All()) {
		t.Errorf("%d verdicts about %d faults", len(verdicts()), len(faults.All()))
	}
	for _, v := range verdicts() {
		t.Run(v.fault.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := connect(t, 0)
				r.always(v.fault)
				if _, err := r.Profiles(t.Context()); !says(err, v.read) {
					t.Errorf("a read: %v, want %v", err, v.read)
				}
				r.layer.Release()
				before := r.layer.Requests()
				r.next(v.fault)
				if _, err := r.Create(t.Context(), web()); !says(err, v.create) {
					t.Errorf("a create: %v, want %v", err, v.create)
				}
				if posts := r.layer.Requests() - before; posts != v.posts {
					t.Errorf("sent %d times, want %d", posts, v.posts)
				}
				if live := r.live(t); live != v.live {
					t.Errorf("%d are live, want %d", live, v.live)
				}
				if released := r.layer.Release(); (released > 0) != v.fault.Late() {
					t.Errorf("%d were carried out later", released)
				}
				if live := r.live(t); live != v.later {
					t.Errorf("%d are live later, want %d", live, v.later)
				}
			})
		})
	}
}

// TestEachFaultOnASocket: a broken connection, a hang and a half answer are the
// network's own there.
func TestEachFaultOnASocket(t *testing.T) {
	for _, v := range verdicts() {
		t.Run(v.fault.String(), func(t *testing.T) {
			t.Parallel()
			cloud := open(t)
			behind := httptest.NewServer(cloud.Handler())
			t.Cleanup(behind.Close)
			target, err := url.Parse(behind.URL)
			if err != nil {
				t.Fatal(err)
			}
			posts := func(_ int, r *http.Request) faults.Fault {
				if r.Method == http.MethodPost {
					return v.fault
				}
				return faults.None
			}
			layer := faults.New(faults.Proxy(target), faults.Options{Plan: posts})
			front := httptest.NewServer(layer)
			t.Cleanup(front.Close)
			o := options(redirected{front.Listener.Addr().String()})
			o.Timeout = 200 * time.Millisecond // too short for a second try
			client := dial(t, o)
			want := v.create
			if want == nil {
				want = errAny // it goes wrong every time here
			}
			if _, err := client.Create(t.Context(), web()); !says(err, want) {
				t.Errorf("a create: %v, want %v", err, want)
			}
			layer.Release()
			expected := v.later
			if v.create == nil {
				expected = 0
			}
			if all, err := client.Profiles(t.Context()); err != nil || len(all) != expected {
				t.Errorf("%d are live, want %d, %v", len(all), expected, err)
			}
		})
	}
}

// redirected sends every request to one address.
type redirected struct{ address string }

func (r redirected) RoundTrip(req *http.Request) (*http.Response, error) {
	out := req.Clone(req.Context())
	out.URL.Host = r.address
	transport := &http.Transport{DisableKeepAlives: true}
	return transport.RoundTrip(out)
}

func TestAnErrorThatWasInjectedHasARequestID(t *testing.T) {
	r := connect(t, 0)
	r.next(faults.Forbidden)
	_, err := r.Create(t.Context(), web())
	var failure *senlin.Error
	if !errors.As(err, &failure) || !strings.HasPrefix(failure.RequestID, "req-fa017000-") {
		t.Errorf("got %v", err)
	}
}

func TestAnAbandonedRequestIsCarriedOutAfterSoManyOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := connect(t, 3)
		r.next(faults.HangLate)
		if _, err := r.Create(t.Context(), web()); !errors.Is(err, senlin.ErrTimeout) {
			t.Fatal(err)
		}
		for n, want := range []int{0, 0, 1} {
			if _, err := r.Profile(t.Context(), "00000000-0000-0000-0000-000000000000"); !errors.Is(err, profile.ErrNotFound) {
				t.Error(err)
			}
			if live := r.live(t); live != want {
				t.Errorf("%d are live after %d more requests, want %d", live, n+1, want)
			}
		}
		if n := r.layer.Release(); n != 0 {
			t.Errorf("%d were carried out once more", n)
		}
	})
}

func TestTheKeystoneIsLeftAlone(t *testing.T) {
	cloud := open(t)
	layer := faults.New(cloud.Handler(), faults.Options{
		Plan: func(int, *http.Request) faults.Fault { return faults.DropBefore },
	})
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err := senlin.Connect(ctx, options(devcloud.InProcess(layer)))
	if errors.Is(err, senlin.ErrAuth) || err == nil || layer.Requests() == 0 {
		t.Errorf("%v after %d requests to the Senlin", err, layer.Requests())
	}
}

func TestEveryFaultHasItsOwnName(t *testing.T) {
	seen := map[string]bool{}
	for _, fault := range append(faults.All(), faults.None) {
		if seen[fault.String()] || fault.String() == "" {
			t.Errorf("%d is named %q", int(fault), fault)
		}
		seen[fault.String()] = true
	}
	if got := faults.Fault(99).String(); got != "fault 99" {
		t.Errorf("got %q", got)
	}
}
