package repository

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/go-git/go-git/v5/plumbing"
)

// Open opens the repository at dir: a bare one, one with a work tree, or a
// linked work tree. It looks no further up. Alternates (git clone --shared)
// are opened with it.
func Open(dir string) (*Repository, error) {
	gitDir, err := findGitDir(dir)
	if err != nil {
		return nil, err
	}
	common := gitDir
	if line, err := readLine(filepath.Join(gitDir, "commondir")); err == nil {
		common = absolute(line, gitDir)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	refs, err := openRefs(gitDir, common)
	if err != nil {
		return nil, err
	}
	objects, err := openStore(filepath.Join(common, "objects"))
	if err != nil {
		return nil, err
	}
	return &Repository{refs: refs, objects: objects}, nil
}

// findGitDir returns where the repository of dir keeps its HEAD.
func findGitDir(dir string) (string, error) {
	if info, err := os.Stat(dir); err != nil {
		return "", fmt.Errorf("%w: %w", ErrNoRepository, err)
	} else if !info.IsDir() {
		return "", fmt.Errorf("%w: it is a file", ErrNoRepository)
	}
	gitDir := dir
	switch info, err := os.Stat(filepath.Join(dir, ".git")); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return "", err
	case info.IsDir():
		gitDir = filepath.Join(dir, ".git")
	default: // a linked work tree, or a submodule
		line, err := readLine(filepath.Join(dir, ".git"))
		if err != nil {
			return "", err
		}
		target, ok := strings.CutPrefix(line, "gitdir: ")
		if !ok {
			return "", fmt.Errorf("%w: its .git is not a link to one", ErrNoRepository)
		}
		gitDir = absolute(target, dir)
	}
	if _, err := os.Lstat(filepath.Join(gitDir, "HEAD")); errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("%w: there is neither .git nor HEAD in it", ErrNoRepository)
	} else if err != nil {
		return "", err
	}
	return gitDir, nil
}

func absolute(target, base string) string {
	if filepath.IsAbs(target) {
		return target
	}
	return filepath.Join(base, target)
}

// maxLine bounds the small files of a repository: HEAD, a reference, commondir.
const maxLine = 4 << 10

// readLine reads a file of one line.
func readLine(file string) (string, error) {
	content, err := readSmall(file, maxLine)
	return strings.TrimSpace(string(content)), err
}

// readSmall reads a regular file of at most limit bytes.
func readSmall(file string, limit int64) ([]byte, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%w: %q is not a regular file", ErrDamaged, file)
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(content)) > limit {
		err = fmt.Errorf("%w: %q is larger than %d bytes", ErrLimit, file, limit)
	}
	return content, err
}

// localRefs are the references of a repository on disk. They are read here and
// not by go-git, which takes the packed value of a branch, an old one, when
// the file that overrides it cannot be read.
type localRefs struct {
	gitDir string // has HEAD
	common string // has refs/
	packed map[string]Hash
}

func openRefs(gitDir, common string) (*localRefs, error) {
	if _, err := os.Lstat(filepath.Join(common, "reftable")); err == nil {
		return nil, fmt.Errorf("%w: it keeps its references in a reftable, which is not supported", ErrNoRepository)
	}
	packed, err := readPackedRefs(filepath.Join(common, "packed-refs"))
	if err != nil {
		return nil, err
	}
	return &localRefs{gitDir: gitDir, common: common, packed: packed}, nil
}

// maxPackedRefs is a million references.
const maxPackedRefs = 64 << 20

func readPackedRefs(file string) (map[string]Hash, error) {
	content, err := readSmall(file, maxPackedRefs)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	packed := make(map[string]Hash)
	lines := bufio.NewScanner(bytes.NewReader(content))
	for lines.Scan() {
		line := lines.Text()
		if strings.HasPrefix(line, "#") || strings.HasPrefix(line, "^") {
			continue // the header; what the tag above is a tag of
		}
		id, full, ok := strings.Cut(line, " ")
		h, err := parseHash(id)
		if !ok || err != nil {
			return nil, fmt.Errorf("%w: packed-refs has a line %q", ErrDamaged, Printable(line))
		}
		packed[full] = h
	}
	if len(content) > 0 && content[len(content)-1] != '\n' {
		return nil, fmt.Errorf("%w: packed-refs is cut short", ErrDamaged)
	}
	return packed, lines.Err()
}

func (r *localRefs) lookup(full string) (ref, error) {
	dir := r.common
	if full == "HEAD" {
		dir = r.gitDir
	} else if !strings.HasPrefix(full, "refs/") || plumbing.ReferenceName(full).Validate() != nil {
		return ref{}, fmt.Errorf("%w: a reference leads to %q", ErrDamaged, Printable(full))
	}
	file := filepath.Join(dir, filepath.FromSlash(full))
	info, err := os.Stat(file)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) || err == nil && info.IsDir() {
		if h, ok := r.packed[full]; ok {
			return ref{hash: h}, nil
		}
		return ref{}, errNoRef
	}
	line, err := readLine(file)
	if err != nil {
		return ref{}, err
	}
	if target, ok := strings.CutPrefix(line, "ref:"); ok {
		return ref{target: strings.TrimSpace(target)}, nil
	}
	h, err := parseHash(line)
	if err != nil {
		return ref{}, fmt.Errorf("reference %q: %w", full, err)
	}
	return ref{hash: h}, nil
}

func (r *localRefs) empty() (bool, error) {
	if len(r.packed) > 0 {
		return false, nil
	}
	found := errors.New("found")
	err := filepath.WalkDir(filepath.Join(r.common, "refs"), func(_ string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			return found
		}
		return err
	})
	if errors.Is(err, found) {
		return false, nil
	}
	return err == nil, err
}

func parseHash(s string) (Hash, error) {
	if len(s) == 64 {
		return Hash{}, fmt.Errorf("%w: it uses SHA-256, which is not supported", ErrNoRepository)
	}
	if !plumbing.IsHash(s) {
		return Hash{}, fmt.Errorf("%w: %q is not a hash", ErrDamaged, Printable(s))
	}
	return plumbing.NewHash(s), nil
}
