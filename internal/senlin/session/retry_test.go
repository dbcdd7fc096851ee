package session

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"profilesync/internal/profile"
)

const (
	read  = "GET senlin.invalid/v1/profiles"
	write = "POST senlin.invalid/v1/profiles"
)

func TestWhatIsRepeated(t *testing.T) {
	const (
		timeoutOfWorkers = `{"code": 500, "error": {"message": "Timed out waiting for a reply to message ID x", "type": "MessagingTimeout"}}`
		database         = `{"code": 500, "error": {"message": "Remote error: TimeoutError QueuePool limit", "type": "RemoteError"}}`
		schema           = `{"code": 500, "error": {"message": "The 'type' key is missing", "type": "ESchema"}}`
		bug              = `{"code": 500, "error": {"message": "'dict' object has no attribute", "type": "AttributeError"}}`
	)
	for _, row := range []struct {
		name          string
		first         http.HandlerFunc
		reads, writes int   // requests of a read and of a write, when the second one succeeds
		doubt         error // of the write
	}{
		{"busy", reply(429, ""), 2, 2, nil},
		{"no backend", reply(503, "<html>503 No server is available to handle this request.</html>"), 2, 2, nil},
		{"no Keystone", reply(503, `{"message": "The Keystone service is temporarily unavailable.<br />", "code": "503 Service Unavailable"}`), 2, 2, nil},
		{"a pause is asked for", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(503)
		}, 2, 2, nil},
		{"unavailable, and no word of when", reply(503, "upstream connect error or disconnect/reset before headers"), 2, 1, profile.ErrInDoubt},
		{"slow client", reply(408, ""), 2, 2, nil},
		{"bad gateway", reply(502, ""), 2, 1, profile.ErrInDoubt},
		{"gateway timed out", reply(504, ""), 2, 1, profile.ErrInDoubt},
		{"workers timed out", reply(500, timeoutOfWorkers), 2, 1, profile.ErrInDoubt},
		{"database", reply(500, database), 2, 1, profile.ErrInDoubt},
		{"bug", reply(500, bug), 1, 1, profile.ErrInDoubt},
		{"caller's fault", reply(500, schema), 1, 1, profile.ErrInvalid},
		{"not allowed", reply(403, ""), 1, 1, profile.ErrDenied},
		{"connection dropped", dropped, 2, 1, profile.ErrInDoubt},
		{"half an answer", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			w.WriteHeader(http.StatusOK)
			panic(http.ErrAbortHandler)
		}, 2, 1, profile.ErrInDoubt},
		{"hanging", hanging, 1, 1, profile.ErrInDoubt},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &stub{routes: map[string]http.HandlerFunc{
					read:  inTurn(row.first, reply(200, "{}")),
					write: inTurn(row.first, reply(201, "{}")),
				}}
				opened := open(t, s, Options{Timeout: testTimeout})
				if _, err := opened.get(t.Context(), "profiles"); (err == nil) != (row.reads == 2) || s.count(read) != row.reads {
					t.Errorf("read: %d requests, want %d, %v", s.count(read), row.reads, err)
				}
				if err := opened.post(t.Context(), "profiles"); !errors.Is(err, row.doubt) || s.count(write) != row.writes {
					t.Errorf("write: %d requests, want %d, %v, want %v", s.count(write), row.writes, err, row.doubt)
				}
			})
		})
	}
}

func TestARepetitionIsBoundedAndKeepsItsLastCause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &stub{routes: map[string]http.HandlerFunc{read: reply(503, `{"message": "gone fishing", "code": "503 Service Unavailable"}`)}}
		opened := open(t, s, Options{Timeout: time.Minute})
		begun := time.Now()
		_, err := opened.get(t.Context(), "profiles")
		if !errors.Is(err, profile.ErrUnavailable) || !strings.Contains(err.Error(), "gone fishing") {
			t.Errorf("got %v", err)
		}
		if s.count(read) != tries {
			t.Errorf("%d requests, want %d", s.count(read), tries)
		}
		if took := time.Since(begun); took < 250*time.Millisecond || took > 10*time.Second {
			t.Errorf("took %s", took)
		}
	})
}

func TestRetryAfterIsHeeded(t *testing.T) {
	for _, row := range []struct {
		name, header string
		requests     int
		atLeast      time.Duration
	}{
		{"some seconds", "7", 2, 7 * time.Second},
		{"a date", time.Date(2000, 1, 1, 0, 0, 8, 0, time.UTC).Format(http.TimeFormat), 2, 5 * time.Second},
		{"longer than is left", "3600", 1, 0},
		{"nonsense", "-5", 2, 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { // the clock begins at 2000-01-01
				s := &stub{routes: map[string]http.HandlerFunc{read: inTurn(func(w http.ResponseWriter, _ *http.Request) {
					w.Header().Set("Retry-After", row.header)
					w.WriteHeader(http.StatusTooManyRequests)
				}, reply(200, "{}"))}}
				opened := open(t, s, Options{Timeout: time.Minute})
				begun := time.Now()
				_, err := opened.get(t.Context(), "profiles")
				if s.count(read) != row.requests || (err == nil) != (row.requests == 2) {
					t.Errorf("%d requests, want %d, %v", s.count(read), row.requests, err)
				}
				if took := time.Since(begun); took < row.atLeast {
					t.Errorf("took %s, want at least %s", took, row.atLeast)
				}
			})
		})
	}
}

func TestACallerWhoGivesUpBetweenTwoTriesLearnsWhy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &stub{routes: map[string]http.HandlerFunc{read: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "30")
			w.WriteHeader(http.StatusServiceUnavailable)
		}}}
		opened := open(t, s, Options{Timeout: time.Minute})
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		_, err := opened.get(ctx, "profiles")
		if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, profile.ErrUnavailable) {
			t.Errorf("got %v", err)
		}
	})
}
