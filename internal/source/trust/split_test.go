package trust

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/go-git/go-git/v5/plumbing"

	"profilesync/internal/source/repository"
)

const (
	someCommit = "tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\nauthor Ada <ada@example.com> 1767323045 +0000\ncommitter Ada <ada@example.com> 1767323045 +0000\n"
	someTag    = "object 4b825dc642cb6eb9a060e54bf8d69288fbee4904\ntype commit\ntag v1\ntagger Ada <ada@example.com> 1767323045 +0000\n\nOne\n"
	someArmor  = "-----BEGIN SSH SIGNATURE-----\nU1NIU0lH\n-----END SSH SIGNATURE-----\n"
)

func TestASignatureIsTakenOutWithItsHeaderAlone(t *testing.T) {
	for _, row := range []struct{ name, raw, payload, signature string }{
		{"at the end", "tree x\ngpgsig A\n B\n\nhi\n", "tree x\n\nhi\n", "A\nB\n"},
		{"between others", "tree x\ngpgsig A\n  B\nencoding y\n\nhi", "tree x\nencoding y\n\nhi", "A\n B\n"},
		{"with blank lines", "tree x\ngpgsig A\n \n B\n\nhi\n", "tree x\n\nhi\n", "A\n\nB\n"},
		{"beside the other hash's", "tree x\ngpgsig-sha256 C\n D\ngpgsig A\n B\ngpgsig-sha256 E\n\nhi\n", "tree x\n\nhi\n", "A\nB\n"},
		{"with a merged tag's", "tree x\nmergetag object y\n gpgsig no\n \n -----BEGIN\ngpgsig A\n\nhi\n", "tree x\nmergetag object y\n gpgsig no\n \n -----BEGIN\n\nhi\n", "A\n"},
		{"and not out of the message", "tree x\ngpgsig A\n\ngpgsig B\n C\n", "tree x\n\ngpgsig B\n C\n", "A\n"},
		{"without a message", "tree x\ngpgsig A\n B", "tree x\n", "A\nB"},
	} {
		t.Run(row.name, func(t *testing.T) {
			s, err := splitCommit([]byte(row.raw))
			if err != nil || string(s.payload) != row.payload || string(s.signature) != row.signature {
				t.Errorf("%q and %q, %v", s.payload, s.signature, err)
			}
		})
	}
}

// FuzzCommit holds that a commit comes apart without loss, that its message
// stays whole in what is signed, and that no commit is trusted that nobody has signed.
func FuzzCommit(f *testing.F) {
	f.Add([]byte(someCommit + "gpgsig " + someArmor + "\nhi\n"))
	f.Add([]byte(someCommit + "gpgsig -----BEGIN PGP SIGNATURE-----\n \n wnUEABYIAB0=\n -----END PGP SIGNATURE-----\n\nhi\n"))
	f.Add([]byte("tree x\ngpgsig-sha256 C\n D\ngpgsig A\n B\nmergetag x\n y\n\nhi"))
	keys := Keys{object: Commit}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if found, err := keys.Check(repository.Commit{Raw: raw, Hash: plumbing.ComputeHash(plumbing.CommitObject, raw)}, time.Now()); err == nil || found != (Signature{}) {
			t.Errorf("trusted: %+v, %v", found, err)
		}
		s, err := splitCommit(raw)
		if err != nil {
			return
		}
		head, message, _ := bytes.Cut(raw, []byte("\n\n"))
		if !bytes.HasSuffix(s.payload, message) {
			t.Errorf("the message %q is not in %q", message, s.payload)
		}
		if !bytes.Contains(head, []byte("gpgsig-sha256 ")) && bytes.Count(s.payload, []byte{'\n'})+bytes.Count(s.signature, []byte{'\n'}) != bytes.Count(raw, []byte{'\n'}) {
			t.Errorf("%q is taken apart as %q and %q", raw, s.payload, s.signature)
		}
		if again, err := splitCommit(s.payload); !errors.Is(err, ErrUnsigned) {
			t.Errorf("%q is still signed, by %q", s.payload, again.signature)
		}
	})
}

// FuzzTag is the same for tags.
func FuzzTag(f *testing.F) {
	f.Add([]byte(someTag + someArmor))
	f.Add([]byte(someTag + "-----BEGIN PGP SIGNATURE-----\n\nwnUEABYIAB0=\n-----END PGP SIGNATURE-----\n"))
	f.Add([]byte(someTag + someArmor + someArmor))
	keys := Keys{object: Tag}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if found, err := keys.Check(repository.Commit{Tags: []repository.Tag{{Raw: raw}}}, time.Now()); err == nil || found != (Signature{}) {
			t.Errorf("trusted: %+v, %v", found, err)
		}
		s, err := splitTag(raw)
		if err != nil {
			return
		}
		if form(s.signature) == "" || !bytes.HasSuffix(raw, s.signature) || bytes.Contains(s.signature, []byte("\n"+sshForm)) {
			t.Errorf("%q is taken apart as %q and %q", raw, s.payload, s.signature)
		}
		if whole := append(bytes.Clone(s.payload), s.signature...); !bytes.Contains(raw, []byte(otherHeader)) && !bytes.Equal(whole, raw) {
			t.Errorf("%q is not %q", whole, raw)
		}
	})
}
