package remote

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-git/go-git/v5/plumbing/format/pktline"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"golang.org/x/crypto/ssh"

	"profilesync/internal/source/remote/hostkey"
	"profilesync/internal/source/repository"
)

// shell is a conversation over SSH: one connection, and on it a command for
// each question. go-git's own neither heeds its context nor ends a handshake
// that hangs. Here all that waits does so on the connection, which is cut when
// the context ends or the time is over, and nothing outlives that.
type shell struct {
	server   Server
	received *meter
	conn     net.Conn
	keys     *keyring
	client   *ssh.Client
	command  *command

	silent   atomic.Bool // for too long
	accepted atomic.Bool // the server is the one it should be
}

// command is one git-upload-pack on the server.
type command struct {
	session *ssh.Session
	stdin   io.WriteCloser
	stdout  io.Reader
	stderr  *lastWords
	asked   bool
	ended   bool
}

func (s *shell) references(ctx context.Context) (io.ReadCloser, error) {
	if err := s.connect(ctx); err != nil {
		return nil, err
	}
	return s.begin(ctx)
}

// ask writes the question to the command that told the references or, if that
// one has been asked before, to another.
func (s *shell) ask(ctx context.Context, question []byte) (io.ReadCloser, error) {
	if s.command.asked {
		s.command.session.Close()
		again, err := s.begin(ctx)
		if err != nil {
			return nil, err
		}
		err = packp.NewAdvRefs().Decode(again)
		again.Close()
		if err != nil {
			return nil, err
		}
	}
	s.command.asked = true
	stop := s.cutAfter(ctx)
	_, err := s.command.stdin.Write(question)
	if err := errors.Join(err, s.command.stdin.Close()); err != nil && !errors.Is(err, io.EOF) {
		stop()
		return nil, err
	}
	return answer{s.received.reader(s.command.stdout, s.received.limit), stop}, nil
}

// close takes its leave, so that the server has nothing to complain about in its log.
func (s *shell) close() {
	if s.command != nil && !s.command.asked {
		_ = s.conn.SetDeadline(time.Now().Add(time.Second))
		_, _ = s.command.stdin.Write(pktline.FlushPkt)
	}
	s.cut()
	if s.client != nil {
		_ = s.client.Wait() // for the end of its goroutines
	}
}

// cut ends all that waits.
func (s *shell) cut() {
	if s.conn != nil {
		s.conn.Close()
	}
	s.keys.close()
}

// cutAfter cuts when ctx ends, unless stop is called before.
func (s *shell) cutAfter(ctx context.Context) (stop func()) {
	conn, keys := s.conn, s.keys
	unhook := context.AfterFunc(ctx, func() {
		conn.Close()
		keys.close()
	})
	return func() { unhook() }
}

// connect gets the connection as far as that the server has let us in.
func (s *shell) connect(ctx context.Context) error {
	login := s.server.Login
	known, err := login.knownHosts()
	if err != nil {
		return err
	}
	if s.keys, err = login.keys(ctx); err != nil {
		return err
	}
	address := net.JoinHostPort(s.server.Address.Hostname(), cmp.Or(s.server.Address.Port(), "22"))
	if s.conn, err = (&net.Dialer{Timeout: connectTime}).DialContext(ctx, "tcp", address); err != nil {
		return err
	}
	defer s.cutAfter(ctx)()
	late := time.AfterFunc(connectTime, func() { s.silent.Store(true); s.cut() })
	defer late.Stop()
	conn, channels, requests, err := ssh.NewClientConn(s.conn, address, &ssh.ClientConfig{
		User:              login.username(s.server.Address),
		Auth:              []ssh.AuthMethod{ssh.PublicKeys(s.keys.signers...)},
		HostKeyAlgorithms: known.Algorithms(address),
		HostKeyCallback: func(address string, remote net.Addr, key ssh.PublicKey) error {
			err := known.Check(address, remote, key)
			s.accepted.Store(err == nil)
			return err
		},
	})
	if err != nil {
		return err
	}
	s.client = ssh.NewClient(conn, channels, requests)
	return nil
}

func (l Login) knownHosts() (*hostkey.Known, error) {
	files := l.SSH.KnownHosts
	if len(files) == 0 {
		files = hostkey.Usual(l.variable("HOME"))
	}
	known, err := hostkey.Open(files...)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrLogin, err)
	}
	return known, nil
}

// begin starts the command and returns what it says first.
func (s *shell) begin(ctx context.Context) (io.ReadCloser, error) {
	stop := s.cutAfter(ctx)
	started, err := s.start()
	if err != nil {
		stop()
		return nil, err
	}
	s.command = started
	return answer{s.received.reader(started.stdout, maxReferences), stop}, nil
}

func (s *shell) start() (*command, error) {
	late := time.AfterFunc(connectTime, func() { s.silent.Store(true); s.cut() })
	defer late.Stop()
	session, err := s.client.NewSession()
	if err != nil {
		return nil, err
	}
	c := &command{session: session, stderr: &lastWords{}}
	session.Stderr = c.stderr
	stdout, errOut := session.StdoutPipe()
	c.stdin, err = session.StdinPipe()
	if err := errors.Join(err, errOut); err != nil {
		return nil, err
	}
	timed := newPatient(stdout, s.server.patience(), func() { s.silent.Store(true); s.cut() })
	c.stdout = bufio.NewReaderSize(timed, 64<<10)
	return c, session.Start(service + " " + quoted(s.server.Address.Path))
}

// quoted is one word to a shell, as Git quotes it for the shells of others.
func quoted(word string) string {
	return "'" + strings.NewReplacer("'", `'\''`, "!", `'\!'`).Replace(word) + "'"
}

// maxWords bounds what is kept of a server's standard error.
const maxWords = 4 << 10

// lastWords keep the beginning of what a command says to people.
type lastWords struct {
	sync.Mutex
	text []byte
}

func (l *lastWords) Write(p []byte) (int, error) {
	l.Lock()
	defer l.Unlock()
	l.text = append(l.text, p[:min(len(p), maxWords-len(l.text))]...)
	return len(p), nil
}

func (l *lastWords) String() string {
	l.Lock()
	defer l.Unlock()
	return string(l.text)
}

// wordsTime is how long a command that has ended may still take to say why.
const wordsTime = 2 * time.Second

func (s *shell) explain(err error) error { return explained(err, s.received, s.ownWords) }

func (s *shell) ownWords(err error) error {
	said := ""
	if s.command != nil && !s.silent.Load() {
		said = s.lastWords()
	}
	switch {
	case s.silent.Load():
		return fmt.Errorf("%w: it said nothing for too long", repository.ErrUnreachable)
	case strings.TrimSpace(said) != "":
		return refusal(said)
	case s.accepted.Load() && s.client == nil && isRefused(err):
		return fmt.Errorf("%w: the server lets in %q with none of %s", repository.ErrAuthentication, s.server.Login.username(s.server.Address), s.keys)
	}
	return nil
}

// lastWords waits for the end of the command, and returns what it said.
func (s *shell) lastWords() string {
	c := s.command
	if !c.ended {
		c.ended = true // Wait waits for ever the second time
		late := time.AfterFunc(wordsTime, s.cut)
		defer late.Stop()
		_ = c.session.Wait()
	}
	return c.stderr.String()
}

// isRefused recognises that a server has looked at all keys, or at as many as
// it cares to: golang.org/x/crypto/ssh has no type for the first, and the
// second is a message from the server.
func isRefused(err error) bool {
	return strings.Contains(err.Error(), "unable to authenticate") || strings.Contains(strings.ToLower(err.Error()), "too many authentication failures")
}
