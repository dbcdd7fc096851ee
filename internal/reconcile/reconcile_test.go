package reconcile_test

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

	"go.uber.org/goleak"

	"profilesync/internal/apply"
	"profilesync/internal/desired"
	"profilesync/internal/devcloud"
	"profilesync/internal/diff"
	"profilesync/internal/reconcile"
	"profilesync/internal/senlin"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// stage is an embedded cloud that notes what is asked of it.
type stage struct {
	*reconcile.Pass
	client   *senlin.Client
	mutex    sync.Mutex
	requests []string
}

func (s *stage) note(r devcloud.Request) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	path, _, _ := strings.Cut(r.Path, "?")
	if strings.HasPrefix(path, "/v1/") {
		s.requests = append(s.requests, r.Method+" "+strings.TrimPrefix(path, "/v1/"))
	}
}

// asked returns what was asked since the last call.
func (s *stage) asked() []string {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	requests := s.requests
	s.requests = nil
	return requests
}

// seen is asked, without forgetting.
func (s *stage) seen() []string {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return slices.Clone(s.requests)
}

func open(t *testing.T) *stage {
	t.Helper()
	s := &stage{}
	cloud, err := devcloud.Open(devcloud.Options{
		Path: filepath.Join(t.TempDir(), "devcloud.db"), BaseURL: "http://devcloud.invalid", Unsynced: true, Observe: s.note,
	})
	if err != nil {
		t.Fatal(err)
	}
	account := devcloud.Accounts()[0]
	s.client, err = senlin.Connect(t.Context(), senlin.Options{
		Transport: cloud.Transport(),
		Login: &senlin.Login{
			AuthURL:  devcloud.AuthURL("http://devcloud.invalid"),
			Username: account.Name, Password: account.Password, Project: account.Project,
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.client.Close()
		if err := cloud.Close(); err != nil {
			t.Error(err)
		}
	})
	s.Pass = &reconcile.Pass{
		Cloud: s.client, Options: diff.Options{Owner: "us", Prune: true}, Apply: apply.Options{Parallel: 4},
	}
	s.asked()
	return s
}

// want loads "name=flavor" documents.
func want(t *testing.T, items ...string) desired.Set {
	t.Helper()
	files := fstest.MapFS{}
	for _, item := range items {
		name, flavor, _ := strings.Cut(item, "=")
		text := "type: os.nova.server\nversion: 1.0\nproperties: {flavor: " + flavor + ", networks: []}\n"
		files[name+".yaml"] = &fstest.MapFile{Data: []byte(text)}
	}
	set, err := desired.Load(files, "0123456789abcdef0123456789abcdef01234567")
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func (s *stage) pass(t *testing.T, set desired.Set) apply.Result {
	t.Helper()
	planned, err := s.Plan(t.Context(), set)
	if err != nil {
		t.Fatal(err)
	}
	result, err := s.Carry(t.Context(), planned)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func TestAPassInSyncReadsTheProfilesAndNothingElse(t *testing.T) {
	s := open(t)
	set := want(t, "a=1", "b=2")
	s.pass(t, set)
	s.asked()
	if _, err := s.Plan(t.Context(), set); err != nil {
		t.Fatal(err)
	}
	for _, request := range s.asked() {
		if request != http.MethodGet+" profiles" {
			t.Errorf("asked %s", request)
		}
	}
}

func TestUsersAreReadOnlyWhenSomethingWouldGo(t *testing.T) {
	s := open(t)
	s.pass(t, want(t, "a=1", "b=2"))
	for name, set := range map[string]desired.Set{
		"a recreate": want(t, "a=1", "b=3"), "a delete": want(t, "a=1"),
	} {
		s.asked()
		if _, err := s.Plan(t.Context(), set); err != nil {
			t.Fatal(err)
		}
		for _, list := range []string{"GET clusters", "GET nodes", "GET actions"} {
			if !slices.Contains(s.seen(), list) {
				t.Errorf("%s: %s was not asked", name, list)
			}
		}
	}
	s.asked()
	if _, err := s.Plan(t.Context(), want(t, "a=1", "b=2", "c=3")); err != nil {
		t.Fatal(err)
	}
	if slices.Contains(s.seen(), "GET clusters") {
		t.Error("a create read the clusters")
	}
}

func TestAPlanThatHasWaitedIsMadeAgain(t *testing.T) {
	s := open(t)
	set := want(t, "a=1", "b=2")
	planned, err := s.Plan(t.Context(), set)
	if err != nil {
		t.Fatal(err)
	}
	s.Fresh = 1 // every plan has waited too long
	if _, err := s.client.Create(t.Context(), set.Items[0].Profile); err != nil {
		t.Fatal(err)
	}
	_, err = s.Carry(t.Context(), planned)
	var stale *reconcile.StaleError
	if !errors.As(err, &stale) {
		t.Fatalf("got %v, want a stale plan", err)
	}
	if got := stale.Now.Summary(); got.Create != 1 || got.Update != 1 {
		t.Errorf("the plan as it would be now: %+v", got)
	}
	s.asked()
	again, err := s.Plan(t.Context(), set)
	if err != nil {
		t.Fatal(err)
	}
	if result, err := s.Carry(t.Context(), again); err != nil || result.Failed() {
		t.Errorf("an unchanged plan was not carried out: %v", err)
	}
}

func TestLimitsAreCheckedBeforeAnythingIsWritten(t *testing.T) {
	s := open(t)
	s.pass(t, want(t, "a=1", "b=2", "c=3"))
	planned, err := s.Plan(t.Context(), want(t, "a=1", "d=4"))
	if err != nil {
		t.Fatal(err)
	}
	s.asked()
	var limit *diff.LimitError
	if _, err := s.Carry(t.Context(), planned); !errors.As(err, &limit) {
		t.Fatalf("got %v, want a limit", err)
	}
	if asked := s.asked(); len(asked) > 0 {
		t.Errorf("asked %v", asked)
	}
}

func TestACanceledPassSaysSo(t *testing.T) {
	s := open(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Plan(ctx, want(t, "a=1")); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
