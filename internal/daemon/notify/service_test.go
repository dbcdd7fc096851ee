package notify

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/cenkalti/backoff/v5"
)

func reach(t *testing.T, url string) *service {
	t.Helper()
	s, _, err := newService(Receiver{Service: url}, Options{Link: "https://status.example.org/"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(http.DefaultClient.CloseIdleConnections) // shoutrrr's
	return s
}

func TestAChatIsTold(t *testing.T) {
	server, got := listener(t, func(w http.ResponseWriter, r *http.Request) {
		answer := map[string]any{"room_id": "!room:example.org", "event_id": "$1", "joined_rooms": []string{"!room:example.org"}, "success": true}
		_ = json.NewEncoder(w).Encode(answer)
	})
	host := strings.TrimPrefix(server.URL, "http://")
	for name, url := range map[string]string{
		"matrix":     "matrix://:t0k3n@" + host + "/?disableTLS=yes&rooms=!room:example.org",
		"rocketchat": "generic+http://" + host + "/hooks/t0k3n?template=json",
		"ntfy":       "ntfy://" + host + "/topic?scheme=http",
		"gotify":     "gotify://" + host + "/AzyoeNS.D4iJLVa?disableTLS=yes",
	} {
		t.Run(name, func(t *testing.T) {
			e := failed("prod")
			e.pass.Revision.Subject = "<!channel> @everyone"
			if err := reach(t, url).send(t.Context(), []event{e}); err != nil {
				t.Fatal(err)
			}
			var all strings.Builder
			for len(got) > 0 {
				all.Write((<-got).body)
			}
			text := all.String()
			for _, want := range []string{"failed: prod", "connection refused", "is the Git server up?", "https://status.example.org/"} {
				if !strings.Contains(text, want) {
					t.Errorf("%q is not in\n%s", want, text)
				}
			}
			if strings.Contains(text, "<!channel>") || strings.Contains(text, "@everyone") {
				t.Errorf("it calls everybody:\n%s", text)
			}
		})
	}
}

func TestALoginWaitsForAMessage(t *testing.T) {
	isDown := true
	server, got := listener(t, func(w http.ResponseWriter, r *http.Request) {
		if isDown {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		answer := map[string]any{"flows": []any{map[string]string{"type": "m.login.password"}}, "access_token": "t0k3n", "room_id": "!room:example.org", "event_id": "$1"}
		_ = json.NewEncoder(w).Encode(answer)
	})
	s := reach(t, "matrix://hidden-user:hidden-pass@"+strings.TrimPrefix(server.URL, "http://")+"/?disableTLS=yes&rooms=!room:example.org")
	if len(got) != 0 {
		t.Fatalf("%d requests before there is anything to tell", len(got))
	}
	err := s.send(t.Context(), []event{failed("prod")})
	var permanent *backoff.PermanentError
	if err == nil || err.Error() != "it cannot be logged in to" || errors.As(err, &permanent) {
		t.Errorf("while the server is down: got %v, permanent is %t", err, permanent != nil)
	}
	isDown = false
	if err := s.send(t.Context(), []event{failed("prod")}); err != nil {
		t.Errorf("when it is back: %v", err)
	}
}

func TestALoginThatHangsIsLeft(t *testing.T) {
	release := make(chan struct{})
	server, _ := listener(t, func(http.ResponseWriter, *http.Request) { <-release })
	s := reach(t, "matrix://bot:pass@"+strings.TrimPrefix(server.URL, "http://")+"/?disableTLS=yes&rooms=!room:example.org")
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	began := time.Now()
	if err := s.send(ctx, []event{failed("prod")}); err == nil || err.Error() != "no answer in time" {
		t.Errorf("got %v", err)
	}
	if took := time.Since(began); took > 5*time.Second { // the client of Matrix itself gives up after 10
		t.Errorf("it took %s", took)
	}
	close(release)
	for range maxStuck { // it ends, and leaves its place
		s.slots <- struct{}{}
	}
}

// mailServer speaks as much SMTP as it takes, and hands on the mails.
func mailServer(t *testing.T, answers map[string]string) (host string, mails chan string) {
	t.Helper()
	listening, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	mails = make(chan string, 5)
	ended := make(chan struct{})
	t.Cleanup(func() { _ = listening.Close(); <-ended })
	go func() {
		defer close(ended)
		for {
			conn, err := listening.Accept()
			if err != nil {
				return
			}
			serveMail(conn, answers, mails)
		}
	}()
	return listening.Addr().String(), mails
}

func serveMail(conn net.Conn, answers map[string]string, mails chan string) {
	defer conn.Close()
	fmt.Fprint(conn, "220 mail.example.org\r\n")
	lines := bufio.NewScanner(conn)
	for lines.Scan() {
		word, _, _ := strings.Cut(lines.Text(), " ")
		answer := answers[word]
		switch {
		case word == "DATA":
			answer = "354 go on"
		case answer == "":
			answer = "250 yes"
		}
		fmt.Fprint(conn, answer+"\r\n")
		if word == "QUIT" {
			return
		}
		if word != "DATA" {
			continue
		}
		var mail strings.Builder
		for lines.Scan() && lines.Text() != "." {
			mail.WriteString(lines.Text() + "\n")
		}
		mails <- mail.String()
		fmt.Fprint(conn, "250 taken\r\n")
	}
}

func TestMailIsSent(t *testing.T) {
	host, mails := mailServer(t, map[string]string{"QUIT": "221 bye"})
	err := reach(t, "smtp://"+host+"/?from=ps@example.org&to=you@example.org&starttls=no").send(t.Context(), []event{failed("prod")})
	if err != nil {
		t.Fatal(err)
	}
	mail := <-mails
	for _, want := range []string{"Subject: profilesync: failed: prod", "connection refused"} {
		if !strings.Contains(mail, want) {
			t.Errorf("%q is not in\n%s", want, mail)
		}
	}
}

func TestAMailHoldsNoMarkupOfOthers(t *testing.T) {
	host, mails := mailServer(t, map[string]string{"QUIT": "221 bye"})
	e := failed("prod")
	e.pass.Revision.Subject = "<a href=https://evil.example.org/>log in</a>"
	err := reach(t, "smtp://"+host+"/?from=ps@example.org&to=you@example.org&starttls=no&usehtml=yes").send(t.Context(), []event{e})
	if err != nil {
		t.Fatal(err)
	}
	if mail := <-mails; !strings.Contains(mail, "text/html") || strings.Contains(mail, "<a href") {
		t.Errorf("the mail is\n%s", mail)
	}
}

func TestAMailServerIsAskedAgainOnlyIfItMayAgree(t *testing.T) {
	for answer, want := range map[string]bool{"450 try later": false, "550 never": true} {
		host, _ := mailServer(t, map[string]string{"MAIL": answer})
		err := reach(t, "smtp://"+host+"/?from=a@example.org&to=b@example.org&starttls=no").send(t.Context(), []event{failed("prod")})
		var permanent *backoff.PermanentError
		if err == nil || errors.As(err, &permanent) != want {
			t.Errorf("%s: got %v, permanent is %t", answer, err, permanent != nil)
		}
	}
}

func TestWhatAServiceSaysIsNotRepeated(t *testing.T) {
	host, _ := mailServer(t, map[string]string{"MAIL": "550 hidden-user may not send"})
	server, _ := listener(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, `{"errcode":"M_UNKNOWN_TOKEN","error":"hidden-token is unknown"}`)
	})
	nobody, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = nobody.Close()
	web := strings.TrimPrefix(server.URL, "http://")
	for name, row := range map[string]struct{ url, want string }{
		"mail refused":  {"smtp://" + host + "/?from=hidden-user@example.org&to=you@example.org&starttls=no", "it answers 550"},
		"chat refused":  {"ntfy://" + web + "/hidden-topic?scheme=http", "it"},
		"another":       {"gotify://" + web + "/AzyoeNS.D4iJLVa?disableTLS=yes", "it"},
		"wrong token":   {"matrix://:hidden-token@" + web + "/?disableTLS=yes&rooms=!hidden:example.org", "it"},
		"nobody there":  {"gotify://" + nobody.Addr().String() + "/AzyoeNS.D4iJLVa?disableTLS=yes", "connection refused"},
		"no such host":  {"ntfy://hidden.invalid/hidden-topic", "its host is not found"},
		"nobody's mail": {"smtp://hidden-user:hidden-pass@" + nobody.Addr().String() + "/?from=a@example.org&to=you@example.org", "connection refused"},
	} {
		t.Run(name, func(t *testing.T) {
			err := reach(t, row.url).send(t.Context(), []event{failed("prod")})
			if err == nil || !strings.HasPrefix(err.Error(), row.want) {
				t.Fatalf("got %v, want %q", err, row.want)
			}
			if strings.Contains(err.Error(), "hidden") || strings.Contains(err.Error(), "Azyoe") {
				t.Errorf("%v tells more than it may", err)
			}
		})
	}
}

func TestAServiceThatHangsIsLeft(t *testing.T) {
	listening, err := net.Listen("tcp", "127.0.0.1:0") // takes connections, and says nothing
	if err != nil {
		t.Fatal(err)
	}
	s := reach(t, "smtp://"+listening.Addr().String()+"/?from=a@example.org&to=b@example.org&starttls=no")
	var hung []net.Conn
	for i := range maxStuck + 1 {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
		err := s.send(ctx, []event{failed("prod")})
		cancel()
		want := "no answer in time"
		if i == maxStuck {
			want = "3 earlier messages are stuck"
		} else if conn, err := listening.Accept(); err == nil {
			hung = append(hung, conn)
		}
		if err == nil || err.Error() != want {
			t.Errorf("message %d: got %v, want %q", i, err, want)
		}
	}
	_ = listening.Close()
	for _, conn := range hung {
		_ = conn.Close()
	}
	for range maxStuck { // all of them end, and leave their places
		s.slots <- struct{}{}
	}
}
