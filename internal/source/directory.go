package source

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// Directory is a directory's files as they lie on disk, such as the checkout
// of a pull request. It need not be a repository; .gitignore means nothing here.
// A submodule that is checked out is an ordinary directory.
type Directory struct {
	Dir    string
	Path   string // the directory to read, from Dir; "" is all of it
	Limits Limits // WireBytes is of no use
}

// String returns the directory.
func (d Directory) String() string { return d.Dir }

// Read returns the files. No symbolic link leads it out of Dir, or anywhere.
func (d Directory) Read(ctx context.Context) (Snapshot, error) {
	limits := d.Limits.withDefaults()
	s, err := limits.inTime(ctx, func(ctx context.Context) (Snapshot, error) { return d.read(ctx, limits) })
	if err != nil {
		return Snapshot{}, fmt.Errorf("directory %q: %w", d.Dir, err)
	}
	return s, nil
}

func (d Directory) read(ctx context.Context, limits Limits) (Snapshot, error) {
	start, err := cleanPath(d.Path)
	if err != nil {
		return Snapshot{}, err
	}
	// A pipe would be waited for, so what it is is asked before it is opened.
	if info, err := os.Stat(d.Dir); err == nil && !info.IsDir() {
		return Snapshot{}, fmt.Errorf("%w: it is not a directory", ErrNoPath)
	}
	root, err := os.OpenRoot(d.Dir)
	if err != nil {
		return Snapshot{}, fmt.Errorf("%w: %w", ErrNoPath, cause(err))
	}
	defer root.Close()
	if err := checkDirectory(root, start); err != nil {
		return Snapshot{}, err
	}
	w, err := collect(ctx, diskTree{root, limits.Files}, entry{path: start, kind: directory}, limits)
	if err != nil {
		return Snapshot{}, err
	}
	return Snapshot{Revision: fingerprint(w.files), Files: w.files, Notes: w.notes, Size: w.files.size()}, nil
}

// checkDirectory makes sure that name is a directory that no symbolic link leads to.
func checkDirectory(root *os.Root, name string) error {
	at := "."
	for part := range strings.SplitSeq(name, "/") {
		at = path.Join(at, part)
		info, err := root.Lstat(filepath.FromSlash(at))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return fmt.Errorf("%w: %q", ErrNoPath, at)
		case err != nil:
			return fmt.Errorf("%q: %w", at, cause(err))
		case info.Mode()&fs.ModeSymlink != 0:
			return fmt.Errorf("%w: %q is a symbolic link, which is not followed", ErrNoPath, at)
		case !info.IsDir():
			return fmt.Errorf("%w: %q is not a directory", ErrNoPath, at)
		}
	}
	return nil
}

// fingerprint hashes the names and contents of files, in order, each preceded
// by its length so that no two trees run into the same bytes.
func fingerprint(f *files) string {
	sum := sha256.New()
	for _, name := range f.sorted() {
		for _, part := range [][]byte{[]byte(name), f.nodes[name].content} {
			sum.Write(binary.BigEndian.AppendUint64(nil, uint64(len(part))))
			sum.Write(part)
		}
	}
	return "worktree:sha256:" + hex.EncodeToString(sum.Sum(nil))
}

// diskTree is a tree on disk.
type diskTree struct {
	root *os.Root
	max  int // entries of one directory
}

func (t diskTree) list(dir entry) ([]entry, error) {
	f, err := t.root.Open(filepath.FromSlash(dir.path))
	if err != nil {
		return nil, cause(err)
	}
	defer f.Close()
	var entries []entry
	for {
		batch, err := f.ReadDir(1000)
		for _, e := range batch {
			entries = append(entries, entry{path: path.Join(dir.path, e.Name()), kind: kindOnDisk(e.Type())})
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, cause(err)
		}
		if len(entries) > t.max {
			return nil, fmt.Errorf("%w: more than %d files and directories", ErrLimit, t.max)
		}
	}
	slices.SortFunc(entries, func(a, b entry) int { return strings.Compare(a.path, b.path) })
	return entries, nil
}

func kindOnDisk(mode fs.FileMode) kind {
	switch mode.Type() {
	case 0:
		return file
	case fs.ModeDir:
		return directory
	case fs.ModeSymlink:
		return symlink
	}
	return special
}

// read opens without waiting for a writer, should the file have become a pipe
// meanwhile, and makes sure that it is still the file that was listed.
func (t diskTree) read(file entry, limit int64) ([]byte, error) {
	name := filepath.FromSlash(file.path)
	listed, err := t.root.Lstat(name)
	if err != nil {
		return nil, cause(err)
	}
	f, err := t.root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, cause(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, cause(err)
	}
	if !info.Mode().IsRegular() || !os.SameFile(listed, info) {
		return nil, errors.New("changed while it was read")
	}
	content, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, cause(err)
	}
	if int64(len(content)) > limit {
		return nil, fmt.Errorf("%w: more than %d bytes", ErrLimit, limit)
	}
	return content, nil
}

func (t diskTree) follow(link entry) (target string, toFile bool, err error) {
	name := filepath.FromSlash(link.path)
	if target, err = t.root.Readlink(name); err != nil {
		return "", false, cause(err)
	}
	info, err := t.root.Stat(name) // an error where it leads out, or nowhere
	return filepath.ToSlash(target), err == nil && info.Mode().IsRegular(), nil
}

// cause is what went wrong, without the path, which the caller knows better.
func cause(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}
