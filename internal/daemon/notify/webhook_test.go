package notify

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/cenkalti/backoff/v5"
	"go.uber.org/goleak"

	"profilesync/internal/daemon/status"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// received is a request as a receiver saw it.
type received struct {
	header http.Header
	body   []byte
}

// listener serves answer, and hands on what it got.
func listener(t *testing.T, answer http.HandlerFunc) (*httptest.Server, chan received) {
	t.Helper()
	got := make(chan received, 50)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
		if err != nil {
			t.Error(err)
		}
		got <- received{r.Header, body}
		answer(w, r)
	}))
	t.Cleanup(server.Close)
	return server, got
}

func fine(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }

func failed(target string) event {
	return event{kind: Failed, pass: pass(target, 0, status.Failed), failures: 1, since: noon()}
}

func hook(t *testing.T, r Receiver) *webhook {
	t.Helper()
	h, _, err := newWebhook(r, Options{Source: "profilesync/web", Link: "https://status.example.org/"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.close)
	return h
}

func TestAWebhookGetsACloudEvent(t *testing.T) {
	server, got := listener(t, fine)
	h := hook(t, Receiver{Webhook: server.URL + "/in?key=1", Token: "letmein", Secret: "s3cret"})
	if err := h.send(t.Context(), []event{failed("prod")}); err != nil {
		t.Fatal(err)
	}
	r := <-got
	for name, want := range map[string]string{
		"Content-Type": "application/cloudevents+json", "Authorization": "Bearer letmein",
		SignatureHeader: Sign("s3cret", r.body),
	} {
		if found := r.header.Get(name); found != want {
			t.Errorf("%s is %q, want %q", name, found, want)
		}
	}
	var found map[string]any
	if err := json.Unmarshal(r.body, &found); err != nil {
		t.Fatal(err)
	}
	data := found["data"].(map[string]any)
	delete(found, "data")
	want := map[string]any{
		"specversion": "1.0", "type": "profilesync.pass.failed", "source": "profilesync/web", "subject": "prod",
		"id": "prod/1774699200000000000/failed", "time": "2026-03-28T12:00:00Z", "datacontenttype": "application/json",
	}
	if !reflect.DeepEqual(found, want) {
		t.Errorf("got %v, want %v", found, want)
	}
	if data["target"] != "prod" || data["error"] != "read the source: connection refused" || data["failures"] != 1.0 ||
		data["link"] != "https://status.example.org/" || data["changes"] == nil || data["since"] != "2026-03-28T12:00:00Z" {
		t.Errorf("the data are %v", data)
	}
}

func TestASignatureIsAnHMAC(t *testing.T) {
	// printf 'what is signed' | openssl dgst -sha256 -hmac key
	const want = "sha256=af7ffac30d36d68efa951d58679f6947f581a54e4bee4bfb7dd3612c18185e33"
	if got := Sign("key", []byte("what is signed")); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestAnswersOfAWebhook(t *testing.T) {
	var elsewhere int
	other, _ := listener(t, func(http.ResponseWriter, *http.Request) { elsewhere++ })
	for name, row := range map[string]struct {
		answer    http.HandlerFunc
		want      string // "" when it is delivered
		permanent bool
		after     time.Duration
	}{
		"taken":        {answer: fine},
		"not for us":   {answer: status403, want: "it answers 403 Forbidden", permanent: true},
		"broken":       {answer: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }, want: "it answers 500 Internal Server Error"},
		"too many":     {answer: slow("7"), want: "it answers 429 Too Many Requests", after: 7 * time.Second},
		"next year":    {answer: slow("99999999"), want: "it answers 429 Too Many Requests", after: within},
		"nonsense":     {answer: slow("-soon"), want: "it answers 429 Too Many Requests"},
		"another host": {answer: http.RedirectHandler(other.URL, 307).ServeHTTP, want: "it answers 307 Temporary Redirect, a redirect that is not followed", permanent: true},
		"another way":  {answer: redirected("/else", 302), want: "it answers 302 Found, a redirect that is not followed", permanent: true},
		"a circle":     {answer: http.RedirectHandler("/again", 307).ServeHTTP, want: "it answers 307 Temporary Redirect, a redirect that is not followed", permanent: true},
		"hangs up":     {answer: func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, want: "it does not take the message"},
	} {
		t.Run(name, func(t *testing.T) {
			server, _ := listener(t, row.answer)
			err := hook(t, Receiver{Webhook: server.URL + "/hidden"}).send(t.Context(), []event{failed("prod")})
			var permanent *backoff.PermanentError
			switch {
			case row.want == "" && err != nil, row.want != "" && (err == nil || !strings.HasPrefix(err.Error(), row.want)):
				t.Errorf("got %v, want %q", err, row.want)
			case errors.As(err, &permanent) != row.permanent:
				t.Errorf("%v: permanent is %t", err, !row.permanent)
			case err != nil && strings.Contains(err.Error(), "hidden"):
				t.Errorf("%v tells the URL", err)
			}
			var wait *backoff.RetryAfterError
			if errors.As(err, &wait); row.after != 0 && (wait == nil || wait.Duration != row.after) {
				t.Errorf("%v: wait %v, want %v", err, wait, row.after)
			}
		})
	}
	if elsewhere != 0 {
		t.Errorf("a redirect to another host was followed")
	}
}

// redirected answers so once, and takes what comes to the other place.
func redirected(to string, code int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != to {
			http.Redirect(w, r, to, code)
		}
	}
}

func TestAnAnswerWithoutEndIsLeft(t *testing.T) {
	written := make(chan int, 1)
	server, _ := listener(t, func(w http.ResponseWriter, _ *http.Request) {
		all := 0
		for n, err := 0, error(nil); err == nil && all < 256<<20; all += n {
			n, err = w.Write(make([]byte, 64<<10))
		}
		written <- all
	})
	if err := hook(t, Receiver{Webhook: server.URL}).send(t.Context(), []event{failed("prod")}); err != nil {
		t.Fatal(err)
	}
	if all := <-written; all >= 256<<20 {
		t.Errorf("%d bytes were taken", all)
	}
}

func status403(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }

func slow(after string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", after)
		w.WriteHeader(http.StatusTooManyRequests)
	}
}

func TestARedirectOnTheSameHostIsFollowed(t *testing.T) {
	server, got := listener(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/old" {
			http.Redirect(w, r, "/new", http.StatusPermanentRedirect)
		}
	})
	if err := hook(t, Receiver{Webhook: server.URL + "/old", Token: "letmein"}).send(t.Context(), []event{failed("prod")}); err != nil {
		t.Fatal(err)
	}
	first, second := <-got, <-got
	if string(first.body) != string(second.body) || second.header.Get("Authorization") != "Bearer letmein" {
		t.Errorf("first %s, then %s", first.body, second.body)
	}
}

func TestAWebhookThatHangsIsLeft(t *testing.T) {
	server, _ := listener(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	err := hook(t, Receiver{Webhook: server.URL}).send(ctx, []event{failed("prod")})
	if err == nil || err.Error() != "no answer in time" {
		t.Errorf("got %v", err)
	}
}

func TestNobodyListens(t *testing.T) {
	server, _ := listener(t, fine)
	server.Close()
	err := hook(t, Receiver{Webhook: server.URL + "/hidden"}).send(t.Context(), []event{failed("prod")})
	if err == nil || err.Error() != "connection refused" {
		t.Errorf("got %v", err)
	}
}

func TestAWebhookIsTold(t *testing.T) {
	server, got := listener(t, fine)
	n, err := New(Options{Receivers: []Receiver{{Webhook: server.URL, On: []Kind{Failed, Recovered}}}})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { n.Run(t.Context()); close(ended) }()
	n.Pass(nil, changing(pass("prod", 0, status.Failed)))
	n.Pass(nil, pass("prod", time.Minute, status.InSync))
	for _, want := range []string{"profilesync.pass.failed", "profilesync.pass.recovered"} {
		var found struct {
			Type string `json:"type"`
		}
		if err := json.Unmarshal((<-got).body, &found); err != nil || found.Type != want {
			t.Errorf("got %q, want %q: %v", found.Type, want, err)
		}
	}
	n.Close()
	<-ended
	if problems := n.Problems(); len(problems) != 0 {
		t.Errorf("there are %v", problems)
	}
}
