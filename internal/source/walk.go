package source

import (
	"bytes"
	"context"
	"fmt"
	"path"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"profilesync/internal/source/ignore"
	"profilesync/internal/source/repository"
)

// tree is a file tree as a walk sees it: a commit's, or one on disk.
type tree interface {
	// list returns the entries of a directory, all of them or an error.
	list(dir entry) ([]entry, error)
	// read returns the content of a regular file, an ErrLimit if it has more than limit bytes.
	read(file entry, limit int64) ([]byte, error)
	// follow returns what a symbolic link says, and whether that is a regular file of this tree.
	follow(link entry) (target string, toFile bool, err error)
}

type entry struct {
	path string // from the root of the tree, "." for the root
	kind kind
	hash repository.Hash // in a commit's tree
}

type kind uint8

const (
	file kind = iota
	directory
	symlink
	submodule
	special // a device, a pipe, a socket
)

const (
	ignoreFile = ".profilesyncignore"
	configFile = "profilesync.yaml" // the program's own configuration, which often lies beside the documents
	maxDepth   = 64                 // directories in each other
	maxRefused = 10                 // entries named in one error
)

// walk collects the documents under one directory of a tree.
type walk struct {
	tree   tree
	root   string // where it begins; ignore files see paths from here, and so does Files
	limits Limits

	entries int
	bytes   int64
	files   *files
	notes   []Note
	refused []string
}

// collect walks the tree under root.
func collect(ctx context.Context, t tree, root entry, limits Limits) (*walk, error) {
	w := &walk{tree: t, root: root.path, limits: limits, files: newFiles()}
	if err := w.dir(ctx, root, nil, 0); err != nil {
		return nil, err
	}
	if n := len(w.refused); n > maxRefused {
		w.refused = append(w.refused[:maxRefused], fmt.Sprintf("and %d more", n-maxRefused))
	}
	if len(w.refused) > 0 {
		return nil, fmt.Errorf("%w: %s", ErrRefused, strings.Join(w.refused, "; "))
	}
	slices.SortFunc(w.notes, func(a, b Note) int { return strings.Compare(a.Path, b.Path) })
	return w, nil
}

func (w *walk) dir(ctx context.Context, dir entry, rules *ignore.Rules, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("%w: %q is more than %d directories deep", ErrLimit, dir.path, maxDepth)
	}
	entries, err := w.tree.list(dir)
	if err != nil {
		return fmt.Errorf("directory %q: %w", dir.path, err)
	}
	if w.entries += len(entries); w.entries > w.limits.Files {
		return fmt.Errorf("%w: more than %d files and directories", ErrLimit, w.limits.Files)
	}
	if len(entries) == 0 && depth > 0 {
		w.note(dir, "empty; so looks a submodule that is not checked out")
	}
	if rules, err = w.rules(dir, entries, rules); err != nil {
		return err
	}
	for _, e := range entries {
		if err := ctx.Err(); err != nil {
			return err
		}
		if path.Base(e.path)[0] == '.' || rules.Ignored(w.rel(e.path), e.kind == directory || e.kind == submodule) {
			continue
		}
		if err := w.visit(ctx, e, rules, depth); err != nil {
			return err
		}
	}
	return nil
}

// rules adds the ignore file of dir, if it has one.
func (w *walk) rules(dir entry, entries []entry, above *ignore.Rules) (*ignore.Rules, error) {
	for _, e := range entries {
		if path.Base(e.path) != ignoreFile {
			continue
		}
		if e.kind != file {
			w.refuse(e, "an ignore file has to be a regular file")
			return above, nil
		}
		content, err := w.content(e)
		if err != nil {
			return nil, err
		}
		rel := w.rel(dir.path)
		if rel == "." {
			rel = ""
		}
		return above.In(rel, content), nil
	}
	return above, nil
}

func (w *walk) visit(ctx context.Context, e entry, rules *ignore.Rules, depth int) error {
	switch e.kind {
	case directory:
		return w.dir(ctx, e, rules, depth+1)
	case file:
		if path.Base(e.path) == configFile {
			return nil
		}
		return w.file(e)
	case symlink:
		return w.link(e)
	case submodule:
		w.refuse(e, "a submodule: its files are in another repository")
	case special:
		if documentLike(e.path) {
			w.refuse(e, "neither a file nor a directory")
		} else {
			w.note(e, "neither a file nor a directory")
		}
	}
	return nil
}

// link decides about a symbolic link, which is never followed. It may hide
// documents if it is named like one, or if it leads to a directory, or to where
// nobody can tell.
func (w *walk) link(e entry) error {
	target, toFile, err := w.tree.follow(e)
	if err != nil {
		return fmt.Errorf("symbolic link %q: %w", e.path, err)
	}
	if what := fmt.Sprintf("a symbolic link to %q, which is not followed", target); toFile && !documentLike(e.path) {
		w.note(e, what)
	} else {
		w.refuse(e, what)
	}
	return nil
}

func (w *walk) file(e entry) error {
	if !documentLike(e.path) {
		return nil
	}
	if ext := path.Ext(e.path); ext != ".yaml" && ext != ".yml" {
		w.refuse(e, fmt.Sprintf("the name of a document ends in .yaml or .yml, not in %s", ext))
		return nil
	}
	rel := w.rel(e.path)
	if why := unfit(rel); why != "" {
		w.refuse(e, why)
		return nil
	}
	content, err := w.content(e)
	if err != nil {
		return err
	}
	if bytes.HasPrefix(content, []byte("version https://git-lfs.github.com/spec/")) {
		w.refuse(e, "only a pointer: its content is kept in Git LFS")
		return nil
	}
	w.files.add(rel, content)
	return nil
}

// content reads a file within the limits.
func (w *walk) content(e entry) ([]byte, error) {
	content, err := w.tree.read(e, w.limits.FileBytes)
	if err != nil {
		return nil, fmt.Errorf("file %q: %w", e.path, err)
	}
	if w.bytes += int64(len(content)); w.bytes > w.limits.TotalBytes {
		return nil, fmt.Errorf("%w: the documents are more than %d bytes together", ErrLimit, w.limits.TotalBytes)
	}
	return content, nil
}

// rel is a path seen from the root of the walk.
func (w *walk) rel(p string) string {
	if w.root == "." {
		return p
	}
	if p == w.root {
		return "."
	}
	return strings.TrimPrefix(p, w.root+"/")
}

func (w *walk) note(e entry, what string) {
	w.notes = append(w.notes, Note{Path: e.path, What: what})
}

func (w *walk) refuse(e entry, why string) {
	w.refused = append(w.refused, fmt.Sprintf("%q: %s", e.path, why))
}

// documentLike reports whether a person would take the name for a document's.
func documentLike(name string) bool {
	ext := path.Ext(name)
	return strings.EqualFold(ext, ".yaml") || strings.EqualFold(ext, ".yml")
}

// unfit says why the path of a document cannot be printed, compared or written
// the same everywhere, "" if it can.
func unfit(name string) string {
	switch {
	case !utf8.ValidString(name):
		return "its name is not UTF-8"
	case strings.ContainsFunc(name, unicode.IsControl):
		return "its name has a control character"
	case strings.Contains(name, `\`):
		return "its name has a backslash"
	}
	return ""
}
