// Package secret fetches secrets from where an operator keeps them: a file, a
// variable of the environment, or a program that answers as git's credential
// helpers do.
//
// It owns reading them anew each time, so that one that was replaced counts at
// once, and bounding what is read. It never keeps a secret and never writes
// one: none is part of an error, whatever the file or the program holds.
package secret

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"unicode"
)

// ErrLogin says that what an operator has set to get into a server cannot be
// used. It comes wrapped with the particulars, which name a file or a variable
// and never what is in it.
var ErrLogin = errors.New("unusable login settings")

// Text is a secret. It is not shown, however it is formatted or encoded.
type Text string

const hidden = "(secret)"

// Format writes a placeholder for every verb.
func (Text) Format(f fmt.State, _ rune) { io.WriteString(f, hidden) }

// MarshalText encodes a placeholder.
func (Text) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// Place says where a secret is, without being one: in a file, or in a variable
// of the environment. Without either there is none.
type Place struct {
	File     string // whose last newline does not count
	Variable string
}

// IsZero reports whether there is no secret.
func (p Place) IsZero() bool { return p == Place{} }

// Lookup returns the value of a variable of the environment.
type Lookup func(name string) (value string, found bool)

// maxText bounds a secret.
const maxText = 64 << 10

// Read returns the secret, which is one line and not empty. An error is an
// ErrLogin and begins with what the secret is for.
func (p Place) Read(what string, lookup Lookup) (Text, error) {
	switch {
	case p.File != "" && p.Variable != "":
		return "", fmt.Errorf("%w: %s: it is in the file %q or in the variable %q, not in both", ErrLogin, what, p.File, p.Variable)
	case p.File != "":
		content, err := ReadFile(p.File, maxText)
		if err != nil {
			return "", fmt.Errorf("%w: %s: %w", ErrLogin, what, err)
		}
		line := strings.TrimSuffix(strings.TrimSuffix(string(content), "\n"), "\r")
		return oneLine(line, fmt.Sprintf("%s: file %q", what, p.File))
	}
	where := fmt.Sprintf("%s: variable %q", what, p.Variable)
	if lookup == nil {
		return "", fmt.Errorf("%w: %s: there is no environment", ErrLogin, where)
	}
	value, found := lookup(p.Variable)
	if !found {
		return "", fmt.Errorf("%w: %s: not set", ErrLogin, where)
	}
	return oneLine(value, where)
}

func oneLine(line, where string) (Text, error) {
	switch {
	case line == "":
		return "", fmt.Errorf("%w: %s: empty", ErrLogin, where)
	case len(line) > maxText:
		return "", fmt.Errorf("%w: %s: more than %d bytes", ErrLogin, where, maxText)
	case strings.ContainsFunc(line, unicode.IsControl):
		return "", fmt.Errorf("%w: %s: more than one line, or a control character", ErrLogin, where)
	}
	return Text(line), nil
}

// ReadFile returns the content of a regular file of at most limit bytes. A pipe
// is refused and not waited for. The error names the file.
func ReadFile(name string, limit int64) ([]byte, error) {
	f, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, unread(name, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, unread(name, err)
	}
	if !info.Mode().IsRegular() {
		return nil, unread(name, errors.New("not a regular file"))
	}
	content, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, unread(name, err)
	}
	if int64(len(content)) > limit {
		return nil, unread(name, fmt.Errorf("more than %d bytes", limit))
	}
	return content, nil
}

func unread(name string, err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		err = p.Err
	}
	return fmt.Errorf("file %q: %w", name, err)
}
