package server

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func hello() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "hello "+r.Method) })
}

// start serves until the test ends or stop is called; both wait for the end.
func start(t *testing.T, options Options) (s *Server, stop func() error) {
	t.Helper()
	if options.Address == "" {
		options.Address = "127.0.0.1:0"
	}
	s, err := Listen(options)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx) }()
	over := false
	stop = func() error {
		cancel()
		if over {
			return nil
		}
		over = true
		return <-ended
	}
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Errorf("end of the server: %v", err)
		}
	})
	return s, stop
}

func TestWhereItListensWithoutALogin(t *testing.T) {
	for address, allowed := range map[string]bool{
		"127.0.0.1:0": true, "localhost:0": true, "[::1]:0": true, "127.9.9.9:0": true, "": true,
		"0.0.0.0:0": false, ":0": false, "[::]:0": false, "192.0.2.1:0": false, "localhost.example.org:0": false, "127.0.0.1.example.org:0": false,
	} {
		s, err := Listen(Options{Address: address, Handler: hello()})
		if refused := errors.Is(err, ErrUnguarded); refused == allowed {
			t.Errorf("%q: %v", address, err)
		}
		if s != nil {
			_ = s.listener.Close()
		}
	}
	for _, options := range []Options{{Guarded: true}, {Open: true}} {
		options.Address, options.Handler = "0.0.0.0:0", hello()
		s, err := Listen(options)
		if err != nil {
			t.Errorf("%+v: %v", options, err)
			continue
		}
		_ = s.listener.Close()
	}
}

func TestWhatIsInHandIsFinishedAtTheEnd(t *testing.T) {
	began, finish := make(chan bool), make(chan bool)
	s, stop := start(t, Options{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		began <- true
		<-finish
		_, _ = io.WriteString(w, "done")
	})})
	answer := make(chan string, 1)
	go func() {
		text, err := get(&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}, s.URL())
		answer <- fmt.Sprint(text, err)
	}()
	<-began
	ended := make(chan error, 1)
	go func() { ended <- stop() }()
	for { // no new connection is taken once the end has begun
		connection, err := net.Dial("tcp", s.Address())
		if err != nil {
			break
		}
		_ = connection.Close()
	}
	close(finish)
	if got := <-answer; got != "done<nil>" {
		t.Errorf("the request in hand got %q", got)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestTheEndDoesNotWaitForEver(t *testing.T) {
	began, release := make(chan bool), make(chan bool)
	defer close(release)
	s, stop := start(t, Options{Shutdown: 50 * time.Millisecond, Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		began <- true
		<-release
	})})
	failed := make(chan error, 1)
	go func() {
		_, err := get(&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}, s.URL())
		failed <- err
	}()
	<-began
	if err := stop(); err != nil {
		t.Error(err)
	}
	if err := <-failed; err == nil {
		t.Error("a request that was cut off has an answer")
	}
}

func TestConnectionsAreBounded(t *testing.T) {
	s, _ := start(t, Options{Handler: hello(), Connections: 2})
	var open []net.Conn
	for range 2 {
		connection := dial(t, s)
		open = append(open, connection)
		if line := ask(t, connection); !strings.Contains(line, "200") {
			t.Fatalf("got %q", line)
		}
	}
	third := dial(t, s)
	_ = third.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
	_, _ = io.WriteString(third, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	if _, err := bufio.NewReader(third).ReadString('\n'); err == nil {
		t.Fatal("a third connection is answered")
	}
	_ = open[0].Close()
	_ = third.SetReadDeadline(time.Now().Add(10 * time.Second))
	if line, err := bufio.NewReader(third).ReadString('\n'); err != nil || !strings.Contains(line, "200") {
		t.Errorf("after one has gone: %q, %v", line, err)
	}
}

func TestALargeHeaderIsRefused(t *testing.T) {
	s, _ := start(t, Options{Handler: hello()})
	request, err := http.NewRequest(http.MethodGet, s.URL(), nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("X-Long", strings.Repeat("x", 2*maxHeader))
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("got %s", answer.Status)
	}
}

func TestEveryStepHasItsTime(t *testing.T) {
	s, _ := start(t, Options{Handler: hello()})
	for name, limit := range map[string]time.Duration{
		"header": s.http.ReadHeaderTimeout, "read": s.http.ReadTimeout, "write": s.http.WriteTimeout, "idle": s.http.IdleTimeout,
	} {
		if limit <= 0 || limit > 2*time.Minute {
			t.Errorf("%s has %s", name, limit)
		}
	}
}

func TestAnAddressThatIsTaken(t *testing.T) {
	s, _ := start(t, Options{Handler: hello()})
	if _, err := Listen(Options{Address: s.Address(), Handler: hello()}); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("got %v", err)
	}
}

func dial(t *testing.T, s *Server) net.Conn {
	t.Helper()
	connection, err := net.Dial("tcp", s.Address())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = connection.Close() })
	return connection
}

func ask(t *testing.T, connection net.Conn) string {
	t.Helper()
	if _, err := io.WriteString(connection, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(connection).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return line
}

func get(client *http.Client, url string) (string, error) {
	answer, err := client.Get(url)
	if err != nil {
		return "", err
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	return string(text), err
}
