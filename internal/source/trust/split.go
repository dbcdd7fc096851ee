package trust

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// signed is an object taken apart: what a signature in it is over, and that
// signature with its armor.
type signed struct {
	payload   []byte
	signature []byte
}

// The headers that hold signatures. gpgsig-sha256 is over the object as it would
// be in a repository of SHA-256 hashes. Git leaves it out of what is signed, and so does
// this; it says nothing here.
const (
	signatureHeader = "gpgsig "
	otherHeader     = "gpgsig-sha256 "
)

// splitCommit takes the signature out of the header of a commit. What the
// commit keeps of a tag that was merged (mergetag) stays where it is.
func splitCommit(raw []byte) (signed, error) {
	var s signed
	found := 0
	into := &s.payload
	var dropped []byte
	rest := raw
	for len(rest) > 0 && rest[0] != '\n' {
		line := rest
		if end := bytes.IndexByte(rest, '\n'); end >= 0 {
			line = rest[:end+1]
		}
		rest = rest[len(line):]
		switch {
		case bytes.HasPrefix(line, []byte(signatureHeader)):
			found++
			into, line = &s.signature, line[len(signatureHeader):]
		case bytes.HasPrefix(line, []byte(otherHeader)):
			into = &dropped
		case line[0] != ' ':
			into = &s.payload
		case into == &s.signature:
			line = line[1:]
		}
		*into = append(*into, line...)
	}
	s.payload = append(s.payload, rest...)
	switch found {
	case 0:
		return signed{}, ErrUnsigned
	case 1:
		return s, nil
	}
	return signed{}, fmt.Errorf("%w: %d gpgsig headers", ErrSeveral, found)
}

// splitTag takes the signature off the end of an annotated tag. As in git, it
// begins at the last line that looks like the beginning of one.
func splitTag(raw []byte) (signed, error) {
	at := -1
	for i := 0; i < len(raw); {
		if form(raw[i:]) != "" {
			at = i
		}
		end := bytes.IndexByte(raw[i:], '\n')
		if end < 0 {
			break
		}
		i += end + 1
	}
	body := bytes.Index(raw, []byte("\n\n"))
	if at < 0 || body < 0 || at < body {
		return signed{}, ErrUnsigned
	}
	return signed{payload: withoutOther(raw[:at]), signature: raw[at:]}, nil
}

// withoutOther cuts the gpgsig-sha256 header out of a tag.
func withoutOther(raw []byte) []byte {
	kept := make([]byte, 0, len(raw))
	dropping := false
	for len(raw) > 0 && raw[0] != '\n' {
		line := raw
		if end := bytes.IndexByte(raw, '\n'); end >= 0 {
			line = raw[:end+1]
		}
		raw = raw[len(line):]
		dropping = bytes.HasPrefix(line, []byte(otherHeader)) || dropping && line[0] == ' '
		if !dropping {
			kept = append(kept, line...)
		}
	}
	return append(kept, raw...)
}

// The first lines of signatures.
const (
	openpgpForm    = "-----BEGIN PGP SIGNATURE-----"
	openpgpMessage = "-----BEGIN PGP MESSAGE-----" // early gpg wrote this at times, and git still takes it
	sshForm        = "-----BEGIN SSH SIGNATURE-----"
	x509Form       = "-----BEGIN SIGNED MESSAGE-----"
)

// form returns which of them text begins with, "" for none.
func form(text []byte) string {
	for _, form := range []string{openpgpForm, openpgpMessage, sshForm, x509Form} {
		if bytes.HasPrefix(text, []byte(form)) {
			return form
		}
	}
	return ""
}

// headerValue returns the value of the first header of that name in what is
// signed. The others are git's business: it does not write any twice.
func headerValue(payload []byte, name string) (string, bool) {
	head, _, _ := bytes.Cut(payload, []byte("\n\n"))
	for line := range bytes.SplitSeq(head, []byte{'\n'}) {
		if value, ok := bytes.CutPrefix(line, []byte(name+" ")); ok {
			return string(value), true
		}
	}
	return "", false
}

// madeAt returns when an object says it was made: the time of its committer or
// tagger, "Name <address> seconds zone".
func madeAt(payload []byte, object Object) (time.Time, error) {
	name := "committer"
	if object == Tag {
		name = "tagger"
	}
	who, ok := headerValue(payload, name)
	if !ok {
		return time.Time{}, fmt.Errorf("%w: it names no %s", ErrBad, name)
	}
	fields := strings.Fields(who[strings.LastIndexByte(who, '>')+1:])
	if len(fields) != 2 {
		return time.Time{}, fmt.Errorf("%w: its %s has no time", ErrBad, name)
	}
	seconds, err := strconv.ParseInt(fields[0], 10, 64)
	if err != nil || seconds < 0 {
		return time.Time{}, fmt.Errorf("%w: its %s has the time %q", ErrBad, name, fields[0])
	}
	return time.Unix(seconds, 0).UTC(), nil
}
