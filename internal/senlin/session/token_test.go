package session

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"profilesync/internal/profile"
)

func TestAnExpiredTokenIsRenewedOnceWhateverRunsInParallel(t *testing.T) {
	s := &stub{}
	opened := open(t, s, Options{})
	for round := 2; round <= 3; round++ {
		s.expire()
		var group sync.WaitGroup
		for range 20 {
			group.Go(func() {
				if _, err := opened.get(t.Context(), "profiles"); err != nil {
					t.Error(err)
				}
				if err := opened.post(t.Context(), "profiles"); err == nil || !strings.Contains(err.Error(), "200") {
					t.Error("the stub answers 200 to a write, which is not what was hoped for:", err)
				}
			})
		}
		group.Wait()
		if s.logins != round {
			t.Errorf("%d logins, want %d", s.logins, round)
		}
	}
}

func TestAWriteIsRepeatedWithItsBodyOnceTheTokenIsRenewed(t *testing.T) {
	var bodies []string
	s := &stub{routes: map[string]http.HandlerFunc{"POST senlin.invalid/v1/profiles": func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		bodies = append(bodies, r.Header.Get(tokenHeader)+" "+string(body)+r.Header.Get(callHeader))
		w.WriteHeader(http.StatusCreated)
	}}}
	opened := open(t, s, Options{})
	s.expire()
	if err := opened.post(t.Context(), "profiles"); err != nil {
		t.Fatal(err)
	}
	if len(bodies) != 1 || bodies[0] != `token-2 {"a":"b"}` {
		t.Errorf("the server saw %q", bodies)
	}
}

func TestATokenThatIsRefusedAfterItsRenewalIsDenied(t *testing.T) {
	s := &stub{routes: map[string]http.HandlerFunc{"GET senlin.invalid/v1/profiles": reply(401, "")}}
	opened := open(t, s, Options{})
	_, err := opened.get(t.Context(), "profiles")
	if !errors.Is(err, profile.ErrDenied) || !errors.Is(err, ErrToken) || errors.Is(err, ErrAuth) {
		t.Errorf("got %v", err)
	}
	if n := s.count("GET senlin.invalid/v1/profiles"); s.logins != 2 || n != 2 {
		t.Errorf("%d logins and %d requests, want 2 and 2", s.logins, n)
	}
}

func TestAPasswordThatNoLongerWorksIsAnAuthenticationError(t *testing.T) {
	s := &stub{routes: map[string]http.HandlerFunc{}}
	opened := open(t, s, Options{})
	s.routes["POST keystone.invalid/v3/auth/tokens"] = reply(401, `{"error": {"code": 401, "message": "The password is expired."}}`)
	s.expire()
	err := opened.post(t.Context(), "profiles")
	if !errors.Is(err, ErrAuth) || !errors.Is(err, profile.ErrDenied) || errors.Is(err, profile.ErrInDoubt) {
		t.Errorf("got %v", err)
	}
	if want := "The password is expired"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v does not say %q", err, want)
	}
}

func TestWhoeverWaitsForARenewalCanGiveUpAndTheOthersGetIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		open1 := make(chan struct{})
		s := &stub{routes: map[string]http.HandlerFunc{}}
		opened := open(t, s, Options{})
		s.routes["POST keystone.invalid/v3/auth/tokens"] = func(w http.ResponseWriter, r *http.Request) {
			<-open1
			s.login(w, r)
		}
		s.expire()
		impatient, cancel := context.WithCancel(t.Context())
		var group sync.WaitGroup
		group.Go(func() {
			err := opened.post(impatient, "profiles")
			if !errors.Is(err, context.Canceled) || errors.Is(err, profile.ErrInDoubt) {
				t.Error("a write whose token was refused is not in doubt:", err)
			}
		})
		synctest.Wait() // the first one has begun the renewal
		group.Go(func() {
			if _, err := opened.get(t.Context(), "profiles"); err != nil {
				t.Error(err)
			}
		})
		synctest.Wait()
		cancel()
		synctest.Wait()
		close(open1)
		group.Wait()
		if s.logins != 2 {
			t.Errorf("%d logins, want 2", s.logins)
		}
	})
}

func TestATokenThatIsNoLongerTheCurrentOneIsNotRenewedAgain(t *testing.T) {
	s := &stub{}
	opened := open(t, s, Options{})
	for range 2 { // as two requests do whose refusals come one after the other
		if token, err := opened.transport.renew(t.Context(), "token-1"); err != nil || token != "token-2" {
			t.Errorf("got %q, %v", token, err)
		}
	}
	if s.logins != 2 {
		t.Errorf("%d logins, want 2", s.logins)
	}
}
