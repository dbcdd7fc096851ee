// Package hostkey tells whether an SSH server is the one it claims to be, by
// the files in which OpenSSH keeps the keys of known hosts.
//
// It owns which key is accepted: one that a file names for this very host and
// port, or one certified by an authority that a file names for it. It never
// accepts a key because it is the first one seen, and never writes to a file.
package hostkey

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/skeema/knownhosts"
	"golang.org/x/crypto/ssh"
	xknownhosts "golang.org/x/crypto/ssh/knownhosts"
)

// Reason is why a key was not accepted.
type Reason string

// The reasons.
const (
	Unknown     Reason = "unknown"     // no file names the host
	Changed     Reason = "changed"     // a file names another key of this type for the host
	OtherType   Reason = "other type"  // the files name only keys of other types for the host
	Revoked     Reason = "revoked"     // a file says that this key is never to be accepted
	Certificate Reason = "certificate" // the host shows a certificate that does not hold
)

// Error is a host key that was not accepted. All of it is fit to print.
type Error struct {
	Host, Port  string
	Type        string   // of the key the host shows, such as "ssh-ed25519"
	Fingerprint string   // of that key, "SHA256:" and 43 characters
	Reason      Reason   //
	Known       []string // the keys that the files name for the host: type, fingerprint, file and line
	Files       []string // that were read
	Err         error    // of a certificate
}

// Error says which key was shown and why it was not accepted.
func (e *Error) Error() string {
	shown := fmt.Sprintf("host key not trusted: %q shows %s %s", net.JoinHostPort(e.Host, e.Port), e.Type, e.Fingerprint)
	known := strings.Join(e.Known, ", ")
	switch e.Reason {
	case Changed:
		return shown + ", but known is " + known + ": the key was changed, or somebody is in between"
	case OtherType:
		return shown + ", but known is only " + known
	case Revoked:
		return shown + ", which is revoked: " + known
	case Certificate:
		return shown + ", a certificate that does not hold: " + e.Err.Error()
	}
	if len(e.Files) == 0 {
		return shown + ", and there is no known_hosts file"
	}
	return fmt.Sprintf("%s, and %q names no key of this host", shown, e.Files)
}

// Unwrap returns what is wrong with a certificate.
func (e *Error) Unwrap() error { return e.Err }

// maxFile bounds a file: a hundred thousand hosts.
const maxFile = 16 << 20

// Known are the keys of known hosts.
type Known struct {
	db    *knownhosts.HostKeyDB
	files []string
}

// Open reads files, all of which must be there.
func Open(files ...string) (*Known, error) {
	for _, file := range files {
		info, err := os.Stat(file)
		if err == nil && (!info.Mode().IsRegular() || info.Size() > maxFile) {
			err = fmt.Errorf("not a regular file of at most %d bytes", maxFile)
		}
		if err != nil {
			return nil, fmt.Errorf("known_hosts %q: %w", file, cause(err))
		}
	}
	db, err := knownhosts.NewDB(files...)
	if err != nil {
		// It names the file and the line of what it cannot read.
		return nil, fmt.Errorf("known_hosts: %s", strings.TrimPrefix(cause(err).Error(), "knownhosts: "))
	}
	return &Known{db, files}, nil
}

// Usual returns the files that OpenSSH reads, those of them that are there. An
// empty home is none.
func Usual(home string) []string {
	files := []string{"/etc/ssh/ssh_known_hosts"}
	if home != "" {
		files = slices.Insert(files, 0, filepath.Join(home, ".ssh", "known_hosts"))
	}
	return slices.DeleteFunc(files, func(file string) bool {
		_, err := os.Stat(file)
		return errors.Is(err, fs.ErrNotExist)
	})
}

// Algorithms returns the kinds of key to ask the host for, at host:port: those
// that are known of it first, and then all others, so that Check sees the key
// of a host that is not known and can tell its fingerprint. A server shows the first kind it has.
//
// An authority certifies keys of all types, whatever its own is.
func (k *Known) Algorithms(address string) []string {
	supported := ssh.SupportedAlgorithms().HostKeys
	known := k.db.HostKeyAlgorithms(address)
	certified := slices.ContainsFunc(known, isCertificate)
	known = slices.DeleteFunc(known, func(algorithm string) bool {
		return isCertificate(algorithm) || !slices.Contains(supported, algorithm)
	})
	var certificates, others []string
	for _, algorithm := range supported {
		switch {
		case isCertificate(algorithm):
			certificates = append(certificates, algorithm)
		case !slices.Contains(known, algorithm):
			others = append(others, algorithm)
		}
	}
	if !certified { // a certificate is of use only where an authority is known
		certificates = nil
	}
	return slices.Concat(certificates, known, others)
}

func isCertificate(algorithm string) bool { return strings.Contains(algorithm, "-cert-v01@") }

// Check is an ssh.HostKeyCallback: nil, or an *Error.
func (k *Known) Check(address string, remote net.Addr, key ssh.PublicKey) error {
	err := k.db.HostKeyCallback()(address, remote, key)
	if err == nil {
		return nil
	}
	refused := &Error{Type: key.Type(), Fingerprint: ssh.FingerprintSHA256(key), Reason: Unknown, Files: k.files}
	refused.Host, refused.Port, _ = net.SplitHostPort(address)
	var mismatch *xknownhosts.KeyError
	var revoked *xknownhosts.RevokedError
	switch {
	case errors.As(err, &mismatch):
		refused.Known, refused.Reason = compare(mismatch.Want, key.Type())
	case errors.As(err, &revoked):
		refused.Known, refused.Reason = []string{describe(revoked.Revoked)}, Revoked
	default:
		refused.Reason, refused.Err = Certificate, err
	}
	return refused
}

func compare(known []xknownhosts.KnownKey, shown string) ([]string, Reason) {
	if len(known) == 0 {
		return nil, Unknown
	}
	reason := OtherType
	described := make([]string, len(known))
	for i, k := range known {
		described[i] = describe(k)
		if k.Key.Type() == shown {
			reason = Changed
		}
	}
	return described, reason
}

func describe(k xknownhosts.KnownKey) string {
	return fmt.Sprintf("%s %s (%q line %d)", k.Key.Type(), ssh.FingerprintSHA256(k.Key), k.Filename, k.Line)
}

// cause is what went wrong, without the path.
func cause(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}
