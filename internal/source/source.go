// Package source turns a Git repository or a directory into a revision and the
// files of that revision, held in memory.
//
// What is read are documents: regular files whose names end in .yaml or .yml.
// Left out without a word are other files, and every file and directory whose
// name begins with a dot (.git, .github, .gitlab-ci.yml: what tools put beside
// documents), and a profilesync.yaml, which is this program's configuration and
// never a document. Left out, too, is what a .profilesyncignore says, in the syntax
// of gitignore, in the directory the reading begins in and in those below.
//
// A document that is not read looks like a profile to delete. So nothing that
// may stand for one is passed over: a symbolic link, a submodule or a device in
// place of a document, a document kept in Git LFS or named web.YAML, is an
// error, and so is anything that is damaged, unreadable or above a limit. An
// ignore file is how to say that a thing is no document.
//
// The package never decodes a document, writes nothing but a cache of what a
// server sent, where it is told to, and needs no git program. Its sub-packages
// are remote (a conversation with a server), repository (a commit, read with
// nothing taken on trust), cache (what is kept from one run to the next), trust
// (who has signed a commit) and ignore (patterns).
package source

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"profilesync/internal/source/remote"
	"profilesync/internal/source/repository"
	"profilesync/internal/source/trust"
)

// Sentinels a caller branches on, mostly to give a hint. They come wrapped
// with the particulars.
var (
	ErrNoRepository   = repository.ErrNoRepository   // there is nothing at the path or URL that Git would read
	ErrEmpty          = repository.ErrEmpty          // a repository without a commit
	ErrNoRevision     = repository.ErrNoRevision     // no such branch, tag or commit, or more than one
	ErrNoPath         = repository.ErrNoPath         // the revision has no such directory
	ErrAuthentication = repository.ErrAuthentication // the server wants other credentials
	ErrUnreachable    = repository.ErrUnreachable    // no answer, or none in time
	ErrLogin          = remote.ErrLogin              // a secret, a key or a setting for getting into a server cannot be used
	ErrCertificate    = remote.ErrCertificate        // an ErrUnreachable whose certificate is not to be trusted
	ErrProxy          = remote.ErrProxy              // an ErrUnreachable because of the proxy
	ErrLimit          = repository.ErrLimit          // more than Limits allow
	ErrDamaged        = repository.ErrDamaged        // the repository lacks or garbles an object
	ErrUntrusted      = trust.ErrUntrusted           // nobody who is trusted has signed the revision; package trust says why not
	ErrNotDescended   = repository.ErrNotDescended   // a revision does not descend from another
	ErrKeys           = trust.ErrKeys                // whom to trust cannot be read

	// ErrRefused is an entry that may stand for a document and cannot be read as one.
	ErrRefused = errors.New("not read")
)

// Errors with more in them than a sentinel has.
type (
	HostKeyError = remote.HostKeyError // an SSH server whose key is not known, or is another than is known
	BusyError    = remote.BusyError    // an ErrUnreachable that asks to be left alone for a while
)

// Snapshot is a file tree at one revision.
type Snapshot struct {
	// Revision is the commit, in 40 hexadecimal digits. For a directory it is
	// "worktree:sha256:" and 64 digits: a hash over the names and contents of
	// Files, so that a plan made from them can be held to them.
	Revision string

	// Subject, Author and When are of the commit: the first line of its
	// message, the author's name, and when it was committed. They are fit to
	// print on one line. A directory has none.
	Subject, Author string
	When            time.Time

	// Signature is the one that Git.Trust asked for, the zero value where it asks for none.
	Signature trust.Signature
	// Files are the documents and nothing else, rooted in Path, in memory and
	// read-only. They may be none. Directories without a document are not there.
	Files fs.FS
	// Size is how many bytes all documents have together.
	Size int64
	// Received is how many bytes a server sent for it.
	Received int64
	// Cached says that a server was asked, and had nothing that was not in Git.Cache.
	Cached bool
	// Warning says why nothing could be kept in Git.Cache, "" if there is nothing to say.
	Warning string

	// Notes are things that were seen and not read, and that stand for no
	// document, sorted by path.
	Notes []Note
}

// Note is something that was not read.
type Note struct {
	Path string // from the root of the repository or directory
	What string // such as: symbolic link to "../LICENSE"
}

// String formats a note for people.
func (n Note) String() string { return fmt.Sprintf("%q: %s", n.Path, n.What) }

// DefaultTime is what one Read may take when nothing else is said.
const DefaultTime = 5 * time.Minute

// Limits bound one Read. What is zero has the default.
type Limits struct {
	Files      int           // entries under Path, of any kind: 100,000
	FileBytes  int64         // one document: 1 MiB
	TotalBytes int64         // all documents: 256 MiB
	WireBytes  int64         // everything a server sends: 256 MiB
	Time       time.Duration // all of it: DefaultTime
}

func (l Limits) withDefaults() Limits {
	return Limits{
		Files:      cmp.Or(max(0, l.Files), 100_000),
		FileBytes:  cmp.Or(max(0, l.FileBytes), 1<<20),
		TotalBytes: cmp.Or(max(0, l.TotalBytes), 256<<20),
		WireBytes:  cmp.Or(max(0, l.WireBytes), 256<<20),
		Time:       cmp.Or(max(0, l.Time), DefaultTime),
	}
}

// inTime calls read with the time limit.
func (l Limits) inTime(ctx context.Context, read func(context.Context) (Snapshot, error)) (Snapshot, error) {
	limited, cancel := context.WithTimeout(ctx, l.Time)
	defer cancel()
	s, err := read(limited)
	if err != nil && limited.Err() != nil && ctx.Err() == nil {
		return Snapshot{}, fmt.Errorf("%w (it took longer than %s)", err, l.Time)
	}
	return s, err
}
