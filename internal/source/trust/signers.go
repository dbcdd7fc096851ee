package trust

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"

	"profilesync/internal/source/repository"
)

// signer is one line of an allowed_signers file.
type signer struct {
	line       int
	principals string // patterns
	key        ssh.PublicKey
	authority  bool   // the key certifies other keys, and signs nothing itself
	namespaces string // patterns, "" for any
	// The key is allowed from the one to the other, both included.
	validAfter, validBefore moment
}

// moment is a time as it stands in a file: one without a zone is that of the reader's clock.
type moment struct {
	wall  time.Time
	local bool
}

// in returns the moment, the zero time for none.
func (m moment) in(zone *time.Location) time.Time {
	if !m.local {
		return m.wall
	}
	w := m.wall
	return time.Date(w.Year(), w.Month(), w.Day(), w.Hour(), w.Minute(), w.Second(), 0, zone)
}

// parseSigners reads an allowed_signers file. ssh-keygen stops at the first line
// that it cannot read, in silence as far as git is concerned; here it is an error, and so
// is a file without a key.
func parseSigners(content []byte) ([]signer, error) {
	var signers []signer
	number := 0
	for raw := range bytes.SplitSeq(content, []byte{'\n'}) {
		number++
		line := strings.Trim(string(raw), blanks)
		if line == "" || line[0] == '#' {
			continue
		}
		s, err := parseSigner(line)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		s.line = number
		signers = append(signers, s)
	}
	if len(signers) == 0 {
		return nil, errors.New("no key in it")
	}
	return signers, nil
}

const blanks = " \t\r\n"

// parseSigner reads "principals [options] type base64 [comment]".
func parseSigner(line string) (signer, error) {
	if strings.IndexByte(line, 0) >= 0 {
		return signer{}, errors.New("a zero byte in it")
	}
	principals, rest, err := cutPrincipals(line)
	if err != nil {
		return signer{}, err
	}
	s := signer{principals: principals}
	word, _ := cutWord(rest)
	if !isKeyType(word) {
		options, after, err := cutOptions(rest)
		if err != nil {
			return signer{}, err
		}
		if err := s.parseOptions(options); err != nil {
			return signer{}, err
		}
		rest = after
	}
	s.key, err = parseKey(rest)
	return s, err
}

// cutPrincipals takes the first word, which may be in double quotes.
func cutPrincipals(line string) (principals, rest string, err error) {
	if !strings.HasPrefix(line, `"`) {
		principals, rest = cutWord(line)
	} else if principals, rest, err = cutQuoted(line); err != nil {
		return "", "", err
	}
	rest = strings.TrimLeft(rest, blanks)
	if principals == "" || rest == "" {
		return "", "", errors.New("it is not: principals, options, key")
	}
	return principals, rest, nil
}

func cutWord(line string) (word, rest string) {
	end := strings.IndexAny(line, blanks)
	if end < 0 {
		return line, ""
	}
	return line[:end], strings.TrimLeft(line[end:], blanks)
}

// cutQuoted takes a text in double quotes, in which \" stands for a quote.
func cutQuoted(text string) (value, rest string, err error) {
	var b strings.Builder
	for i := 1; i < len(text); i++ {
		switch {
		case text[i] == '"':
			return b.String(), text[i+1:], nil
		case text[i] == '\\' && i+1 < len(text) && text[i+1] == '"':
			i++
		}
		b.WriteByte(text[i])
	}
	return "", "", errors.New("a quote that does not end")
}

// cutOptions takes all up to the first blank outside of quotes.
func cutOptions(text string) (options, rest string, err error) {
	quoted := false
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '\\' && i+1 < len(text) && text[i+1] == '"':
			i++
		case text[i] == '"':
			quoted = !quoted
		case !quoted && strings.IndexByte(blanks, text[i]) >= 0:
			return text[:i], strings.TrimLeft(text[i:], blanks), nil
		}
	}
	if quoted {
		return "", "", errors.New("a quote that does not end")
	}
	return "", "", errors.New("no key behind the options, or a key of an unknown type")
}

// parseOptions reads options, which are separated by commas. One that is not known is an error: it may forbid something.
func (s *signer) parseOptions(options string) error {
	for {
		end := strings.IndexAny(options, "=,")
		if end < 0 {
			end = len(options)
		}
		name, rest := strings.ToLower(options[:end]), options[end:]
		value, hasValue := strings.CutPrefix(rest, "=")
		if hasValue {
			if !strings.HasPrefix(value, `"`) {
				return fmt.Errorf("option %q is not followed by a value in double quotes", repository.Printable(name))
			}
			var err error
			if value, rest, err = cutQuoted(value); err != nil {
				return err
			}
		}
		if err := s.setOption(name, value, hasValue); err != nil {
			return err
		}
		if rest == "" {
			return s.checkTimes()
		}
		if rest[0] != ',' || len(rest) == 1 {
			return fmt.Errorf("option %q is not followed by a comma and another, or by a key", name)
		}
		options = rest[1:]
	}
}

func (s *signer) setOption(name, value string, hasValue bool) error {
	twice := false
	var err error
	switch {
	case name == "cert-authority" && !hasValue:
		s.authority = true
	case name == "namespaces" && hasValue:
		if value == "" {
			return errors.New("option \"namespaces\" allows nothing")
		}
		twice = s.namespaces != ""
		s.namespaces = value
	case name == "valid-after" && hasValue:
		twice = s.validAfter != moment{}
		s.validAfter, err = parseMoment(value)
	case name == "valid-before" && hasValue:
		twice = s.validBefore != moment{}
		s.validBefore, err = parseMoment(value)
	default:
		return fmt.Errorf("unknown option %q", repository.Printable(name))
	}
	if twice {
		return fmt.Errorf("option %q is there twice", name)
	}
	if err != nil {
		return fmt.Errorf("option %q: %w", name, err)
	}
	return nil
}

func (s *signer) checkTimes() error {
	after, before := s.validAfter.in(time.UTC), s.validBefore.in(time.UTC)
	if !after.IsZero() && !before.IsZero() && !before.After(after) {
		return errors.New("valid-before is not later than valid-after")
	}
	return nil
}

// parseMoment reads YYYYMMDD, YYYYMMDDHHMM or YYYYMMDDHHMMSS, with a Z for UTC.
func parseMoment(text string) (moment, error) {
	digits, isUTC := strings.CutSuffix(text, "Z")
	for _, layout := range []string{"20060102", "200601021504", "20060102150405"} {
		if len(digits) != len(layout) {
			continue
		}
		if at, err := time.Parse(layout, digits); err == nil && at.Unix() > 0 {
			return moment{at, !isUTC}, nil
		}
	}
	return moment{}, fmt.Errorf("%q is not of the form YYYYMMDD, YYYYMMDDHHMM or YYYYMMDDHHMMSS, with a Z for UTC", repository.Printable(text))
}

// isKeyType tells a key from an option, none of which has such a name.
func isKeyType(word string) bool {
	return strings.HasPrefix(word, "ssh-") || strings.HasPrefix(word, "ecdsa-sha2-") || strings.HasPrefix(word, "sk-")
}

// parseKey reads "type base64 [comment]".
func parseKey(text string) (ssh.PublicKey, error) {
	kind, rest := cutWord(text)
	encoded, _ := cutWord(rest)
	blob, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || len(blob) == 0 {
		return nil, fmt.Errorf("the key is not %q and base64", repository.Printable(kind))
	}
	key, err := ssh.ParsePublicKey(blob)
	if err != nil {
		return nil, fmt.Errorf("key: %s", repository.Printable(err.Error()))
	}
	if key.Type() != kind {
		return nil, fmt.Errorf("the key is said to be %q and is %q", repository.Printable(kind), key.Type())
	}
	if _, is := key.(*ssh.Certificate); is {
		return nil, errors.New("a certificate in place of a key: list its authority, with cert-authority")
	}
	return key, nil
}
