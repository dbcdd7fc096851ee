package secret

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unicode"
)

// Helper is a program that knows user names and passwords and answers as git's
// credential helpers do, such as ["git", "credential-store"]. It is only ever
// asked to "get": what it keeps is its own business.
type Helper struct {
	// Command is the program with its arguments, to which "get" is added. No
	// shell reads it. The arguments are never shown.
	Command []string
	// WithPath tells the helper the path of the repository, too, as git does
	// where credential.useHttpPath is set. Some helpers need it; others then
	// no longer find what they keep for the whole host.
	WithPath bool
}

// IsZero reports whether there is no helper.
func (h Helper) IsZero() bool { return len(h.Command) == 0 }

// Question says for what a helper is asked.
type Question struct {
	Protocol string // "https"
	Host     string // with its port, if it has one
	Path     string // without the first slash
	Username string // "" is any
}

// Answer is what a helper knows.
type Answer struct {
	Username string // "" if it did not say
	Password Text
}

const (
	// helperTime is enough for one that asks a server of its own.
	helperTime = 30 * time.Second
	// helperEnd is how long what the helper wrote is still read after its end.
	helperEnd = time.Second
)

// Get asks the helper. What it writes to its standard error is not passed on.
func (h Helper) Get(ctx context.Context, q Question) (Answer, error) {
	answer, err := h.get(ctx, q)
	if err != nil && ctx.Err() == nil {
		err = fmt.Errorf("%w: credential helper %q: %w", ErrLogin, h.Command[0], err)
	}
	return answer, err
}

func (h Helper) get(ctx context.Context, q Question) (Answer, error) {
	if !h.WithPath {
		q.Path = ""
	}
	asked, err := q.encode()
	if err != nil {
		return Answer{}, err
	}
	limited, cancel := context.WithTimeout(ctx, helperTime)
	defer cancel()
	command := exec.CommandContext(limited, h.Command[0], append(slices.Clone(h.Command[1:]), "get")...)
	command.Stdin = strings.NewReader(asked)
	var said bounded
	command.Stdout = &said
	// A helper may be a script: what it has started ends with it.
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	command.Cancel = func() error { return syscall.Kill(-command.Process.Pid, syscall.SIGKILL) }
	command.WaitDelay = helperEnd
	err = command.Run()
	switch {
	case ctx.Err() != nil:
		return Answer{}, ctx.Err()
	case limited.Err() != nil:
		return Answer{}, fmt.Errorf("no answer within %s", helperTime)
	case said.over:
		return Answer{}, fmt.Errorf("it answers with more than %d bytes", maxText)
	case err != nil && !errors.Is(err, exec.ErrWaitDelay): // a daemon it leaves behind may keep the pipe open
		return Answer{}, err // an exit status, or that there is no such program
	}
	return decode(said.String(), q, time.Now())
}

// encode writes the question as lines. A line break in a value would begin
// another one, with which somebody could ask for another server's password.
func (q Question) encode() (string, error) {
	var lines strings.Builder
	for _, line := range []struct{ key, value string }{
		{"protocol", q.Protocol}, {"host", q.Host}, {"path", q.Path}, {"username", q.Username},
	} {
		if strings.ContainsFunc(line.value, unicode.IsControl) {
			return "", fmt.Errorf("the %s %q has a control character", line.key, line.value)
		}
		if line.value != "" {
			lines.WriteString(line.key + "=" + line.value + "\n")
		}
	}
	return lines.String() + "\n", nil
}

// decode reads an answer, of which no line is ever shown. What a helper says
// of protocol and host is not heeded: the answer is used for no other server
// than the one it was asked for.
func decode(said string, q Question, now time.Time) (Answer, error) {
	answer := Answer{Username: q.Username}
	for line := range strings.SplitSeq(said, "\n") {
		if line == "" {
			break
		}
		key, value, found := strings.Cut(strings.TrimSuffix(line, "\r"), "=")
		switch {
		case !found:
			return Answer{}, errors.New("it does not answer in lines of key=value")
		case key == "quit" && slices.Contains([]string{"1", "true", "yes", "on"}, strings.ToLower(value)):
			return Answer{}, errors.New("it says not to go on")
		case key == "password_expiry_utc":
			if at, err := strconv.ParseInt(value, 10, 64); err == nil && at <= now.Unix() {
				return Answer{}, errors.New("its password has expired")
			}
		case key == "username":
			answer.Username = value
		case key == "password":
			answer.Password = Text(value)
		}
	}
	if answer.Password == "" {
		return Answer{}, fmt.Errorf("it has no password for %q", q.Host)
	}
	if strings.ContainsFunc(answer.Username+string(answer.Password), unicode.IsControl) {
		return Answer{}, errors.New("a control character in its answer")
	}
	return answer, nil
}

// bounded keeps what a program writes, and breaks the pipe when that is too much.
type bounded struct {
	strings.Builder
	over bool
}

func (b *bounded) Write(p []byte) (int, error) {
	if b.Len()+len(p) > maxText {
		b.over = true
		return 0, errors.New("too much")
	}
	return b.Builder.Write(p)
}
