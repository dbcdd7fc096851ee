package source

import (
	"bytes"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"
)

// files is a read-only file tree in memory. It implements fs.ReadFileFS,
// fs.ReadDirFS and fs.StatFS.
type files struct {
	nodes map[string]*node // by path, "." is the root
}

// node is a file or a directory. It is its own fs.FileInfo and fs.DirEntry.
type node struct {
	name    string
	dir     bool
	content []byte
	entries []*node // of a directory, by name
}

func newFiles() *files {
	return &files{nodes: map[string]*node{".": {name: ".", dir: true}}}
}

// add puts a file at name, whose directories come into being with it. A path is
// added once, before the tree is handed out.
func (f *files) add(name string, content []byte) {
	f.attach(name, &node{name: path.Base(name), content: content})
}

func (f *files) attach(name string, n *node) {
	f.nodes[name] = n
	dir := path.Dir(name)
	parent, ok := f.nodes[dir]
	if !ok {
		parent = &node{name: path.Base(dir), dir: true}
		f.attach(dir, parent)
	}
	i, _ := slices.BinarySearchFunc(parent.entries, n.name, func(e *node, name string) int { return strings.Compare(e.name, name) })
	parent.entries = slices.Insert(parent.entries, i, n)
}

// sorted returns the paths of all files, in order.
func (f *files) sorted() []string {
	var names []string
	for name, n := range f.nodes {
		if !n.dir {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// size is how many bytes the files have together.
func (f *files) size() int64 {
	var total int64
	for _, n := range f.nodes {
		total += n.Size()
	}
	return total
}

func (f *files) find(op, name string) (*node, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	n, ok := f.nodes[name]
	if !ok {
		return nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrNotExist}
	}
	return n, nil
}

// Open implements fs.FS.
func (f *files) Open(name string) (fs.File, error) {
	n, err := f.find("open", name)
	if err != nil {
		return nil, err
	}
	if n.dir {
		return &openDir{node: n}, nil
	}
	return &openFile{Reader: bytes.NewReader(n.content), node: n}, nil
}

// ReadFile implements fs.ReadFileFS. The content is the caller's to change.
func (f *files) ReadFile(name string) ([]byte, error) {
	n, err := f.find("read", name)
	if err != nil {
		return nil, err
	}
	if n.dir {
		return nil, isDir("read", name)
	}
	return slices.Clone(n.content), nil
}

// ReadDir implements fs.ReadDirFS.
func (f *files) ReadDir(name string) ([]fs.DirEntry, error) {
	n, err := f.find("readdir", name)
	if err != nil {
		return nil, err
	}
	if !n.dir {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: fs.ErrInvalid}
	}
	return n.list(n.entries), nil
}

// Stat implements fs.StatFS.
func (f *files) Stat(name string) (fs.FileInfo, error) {
	n, err := f.find("stat", name)
	if err != nil {
		return nil, err
	}
	return n, nil
}

func isDir(op, name string) error {
	return &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
}

func (n *node) Name() string               { return n.name }
func (n *node) Size() int64                { return int64(len(n.content)) }
func (n *node) ModTime() time.Time         { return time.Time{} }
func (n *node) IsDir() bool                { return n.dir }
func (n *node) Sys() any                   { return nil }
func (n *node) Type() fs.FileMode          { return n.Mode().Type() }
func (n *node) Info() (fs.FileInfo, error) { return n, nil }
func (n *node) String() string             { return fs.FormatDirEntry(n) }

func (n *node) Mode() fs.FileMode {
	if n.dir {
		return fs.ModeDir | 0o555
	}
	return 0o444
}

func (*node) list(entries []*node) []fs.DirEntry {
	listed := make([]fs.DirEntry, len(entries))
	for i, e := range entries {
		listed[i] = e
	}
	return listed
}

// openFile reads, seeks and reads at.
type openFile struct {
	*bytes.Reader
	node *node
}

func (f *openFile) Stat() (fs.FileInfo, error) { return f.node, nil }
func (f *openFile) Close() error               { return nil }

type openDir struct {
	node *node
	read int
}

func (d *openDir) Stat() (fs.FileInfo, error) { return d.node, nil }
func (d *openDir) Close() error               { return nil }
func (d *openDir) Read([]byte) (int, error)   { return 0, isDir("read", d.node.name) }

// ReadDir implements fs.ReadDirFile.
func (d *openDir) ReadDir(n int) ([]fs.DirEntry, error) {
	rest := d.node.entries[d.read:]
	if n > 0 {
		if len(rest) == 0 {
			return nil, io.EOF
		}
		rest = rest[:min(n, len(rest))]
	}
	d.read += len(rest)
	return d.node.list(rest), nil
}
