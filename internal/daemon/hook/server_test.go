package hook

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"profilesync/internal/daemon/guess"
)

// What a recorder cannot show: a connection that ends or lingers in the middle.
func TestABodyThatNeverComes(t *testing.T) {
	server := httptest.NewServer(newReceiver(nil))
	defer server.Close()
	connection, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	fmt.Fprintf(connection, "POST /hooks/git HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n"+
		"X-GitHub-Event: push\r\nX-Hub-Signature-256: sha256=%064d\r\nContent-Length: 1000\r\n\r\n{", 0)
	if err := connection.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(connection)
	if err != nil || !bytes.HasPrefix(answer, []byte("HTTP/1.1 400 ")) {
		t.Errorf("got %q, %v", answer, err)
	}
}

func TestOnlySomeBodiesAreReadAtOnce(t *testing.T) {
	r := newReceiver(func(o *Options) { o.Count = nil })
	release, reading := make(chan struct{}), make(chan struct{}, 2*bodies)
	var group sync.WaitGroup
	for range bodies {
		group.Go(func() {
			request := httptest.NewRequest(http.MethodPost, "/hooks/git", &lingering{reading, release})
			request.Header.Set("X-GitHub-Event", "push")
			request.Header.Set("X-Hub-Signature-256", "sha256="+sign("another", ""))
			r.ServeHTTP(httptest.NewRecorder(), request)
			reading <- struct{}{} // it was not read at all: the test fails, and does not hang
		})
		<-reading
	}
	answer := r.send(gitlab(sample(t, "gitlab.json"), theSecret))
	if answer.Code != http.StatusServiceUnavailable || answer.Header().Get("Retry-After") == "" {
		t.Errorf("one more: status %d", answer.Code)
	}
	close(release)
	group.Wait()
	if answer := r.send(gitlab(sample(t, "gitlab.json"), theSecret)); answer.Code != http.StatusAccepted {
		t.Errorf("afterwards: status %d", answer.Code)
	}
}

type lingering struct{ reading, release chan struct{} }

func (l *lingering) Read([]byte) (int, error) {
	l.reading <- struct{}{}
	<-l.release
	return 0, io.EOF
}

func TestGuessingIsSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		r := newReceiver(func(o *Options) {
			o.Generic = func() ([]byte, error) { asked++; return []byte(theSecret), nil }
		})
		try := func(from, token string) int {
			request := httptest.NewRequest(http.MethodPost, "/hooks/git", strings.NewReader(""))
			request.RemoteAddr = from
			request.Header.Set("Authorization", "Bearer "+token)
			answer := httptest.NewRecorder()
			r.ServeHTTP(answer, request)
			if answer.Code == http.StatusTooManyRequests && answer.Header().Get("Retry-After") == "" {
				t.Error("no word on how long to wait")
			}
			return answer.Code
		}
		const guesser, server = "[2001:db8:1:2::3]:4000", "192.0.2.1:4000"
		for i := range guess.Burst {
			if got := try(guesser, "wrong"); got != 401 {
				t.Fatalf("guess %d: status %d", i, got)
			}
		}
		if got := try(guesser, theSecret); got != 429 {
			t.Errorf("a good guess after too many bad ones: status %d", got)
		}
		if got := try("[2001:db8:1:2:ffff::9]:1", "wrong"); got != 429 {
			t.Errorf("from the next address: status %d", got)
		}
		if asked != guess.Burst {
			t.Errorf("the secret was read %d times", asked)
		}
		if lines := strings.Count(r.log.String(), "\n"); lines != guess.Burst {
			t.Errorf("%d lines logged, want %d", lines, guess.Burst)
		}
		for range 2 * guess.Burst {
			if got := try(server, theSecret); got != 202 {
				t.Fatalf("from elsewhere: status %d", got)
			}
		}
		right := 0
		for range 600 {
			time.Sleep(time.Second)
			if try(guesser, "wrong") == 401 {
				right++
			}
		}
		if right != 100 {
			t.Errorf("%d guesses in ten minutes, want 100", right)
		}
		time.Sleep(time.Minute)
		if got := try(guesser, theSecret); got != 202 {
			t.Errorf("a minute later: status %d", got)
		}
	})
}

// A secret that is gone may not fill the log either.
func TestASecretThatIsGoneIsToldSoManyTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newReceiver(func(o *Options) { o.Generic = fixed("") })
		for range 5 * guess.Burst {
			r.send(generic("", theSecret))
		}
		if told := strings.Count(r.log.String(), "it is empty"); told != guess.Burst {
			t.Errorf("told %d times, want %d", told, guess.Burst)
		}
	})
}

func TestABodyIsReadOnlyWhenItMayCount(t *testing.T) {
	tests := []struct {
		name   string
		letter letter
		want   int
	}{
		{"a token that does not fit", gitlab("", "another"), 401},
		{"no signature at all", letter{http.MethodPost, "", map[string]string{"X-GitHub-Event": "push"}}, 401},
		{"an unknown sender", letter{http.MethodPost, "", nil}, 400},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			request := httptest.NewRequest(http.MethodPost, "/hooks/git", unread{t})
			for name, value := range test.letter.header {
				request.Header.Set(name, value)
			}
			answer := httptest.NewRecorder()
			newReceiver(nil).ServeHTTP(answer, request)
			if answer.Code != test.want {
				t.Errorf("status %d, want %d", answer.Code, test.want)
			}
		})
	}
}

func TestALengthIsBelievedWhenItIsTooMuch(t *testing.T) {
	request := httptest.NewRequest(http.MethodPost, "/hooks/git", unread{t})
	request.Header.Set("Authorization", "Bearer "+theSecret)
	request.ContentLength = MaxBody + 1
	answer := httptest.NewRecorder()
	newReceiver(nil).ServeHTTP(answer, request)
	if answer.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("status %d", answer.Code)
	}
}

func TestABodyOfUnknownLengthIsBounded(t *testing.T) {
	body := strings.NewReader(strings.Repeat(" ", 3*MaxBody))
	request := httptest.NewRequest(http.MethodPost, "/hooks/git", io.MultiReader(body))
	request.Header.Set("Authorization", "Bearer "+theSecret)
	answer := httptest.NewRecorder()
	r := newReceiver(nil)
	r.ServeHTTP(answer, request)
	if answer.Code != http.StatusRequestEntityTooLarge || len(r.pushes) > 0 {
		t.Errorf("status %d", answer.Code)
	}
	if read := 3*MaxBody - body.Len(); read > MaxBody+1 {
		t.Errorf("%d bytes were read", read)
	}
}

type unread struct{ *testing.T }

func (u unread) Read([]byte) (int, error) {
	u.Error("the body was read")
	return 0, io.EOF
}
