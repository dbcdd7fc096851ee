package desired

import (
	"cmp"
	"fmt"
	"io"
	"io/fs"
	"path"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"profilesync/internal/desired/yamldoc"
	"profilesync/internal/profile"
)

const (
	maxFiles = 100_000
	// maxValues bounds what the documents hold together: a value of two bytes in a
	// file takes 40 in memory, and more in a plan. A hundred thousand ordinary
	// profiles fit.
	maxValues = 3_000_000
)

// Load reads every *.yaml and *.yml file of a tree into the set of profiles
// they ask for. The revision is passed on.
//
// When a document is wrong the error is [Errors], with every problem of every
// file (or only that they hold too much together); any other error is one of the
// tree itself. The set is empty then.
//
// The tree is read from one goroutine: files need not be safe for several.
func Load(files fs.FS, revision string) (Set, error) {
	read, err := list(files)
	if err != nil {
		return Set{}, fmt.Errorf("list the documents: %w", err)
	}
	if err := readAll(files, read, maxValues); err != nil {
		return Set{}, err
	}
	var wanted []found
	var problems []Error
	omitted := 0
	for _, file := range read {
		wanted = append(wanted, file.found...)
		problems = append(problems, file.problems...)
		omitted += file.omitted
	}
	problems = append(problems, sharedNames(wanted)...)
	if len(problems) > 0 {
		return Set{}, inOrder(problems, omitted)
	}
	set := Set{Revision: revision, Items: make([]Item, len(wanted))}
	for i, one := range wanted {
		set.Items[i] = one.Item
	}
	slices.SortFunc(set.Items, func(a, b Item) int { return cmp.Compare(a.Name, b.Name) })
	return set, nil
}

// list finds the files that hold documents, in the order of their paths.
func list(files fs.FS) ([]*file, error) {
	var found []*file
	err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		if extension := strings.ToLower(path.Ext(name)); extension != ".yaml" && extension != ".yml" {
			return nil
		}
		if len(found) == maxFiles {
			return fmt.Errorf("more than %d files", maxFiles)
		}
		file := &file{path: name}
		if !entry.Type().IsRegular() {
			file.report(yamldoc.Place{}, "this is not a regular file", "put the document itself here")
		}
		found = append(found, file)
		return nil
	})
	slices.SortFunc(found, func(a, b *file) int { return cmp.Compare(a.path, b.path) })
	return found, err
}

// readAll reads the files one after the other and decodes them in parallel. Of
// their texts only a few are in memory at a time. It ends with the error of a
// file that cannot be read, or when there are more values than the limit.
func readAll(files fs.FS, all []*file, limit int64) error {
	workers := min(runtime.GOMAXPROCS(0), len(all))
	jobs := make(chan *file, 2*workers)
	var values atomic.Int64
	var running sync.WaitGroup
	for range workers {
		running.Go(func() {
			reader := yamldoc.Reader{Secret: func(key string) bool { return profile.Sensitive(key) }}
			for file := range jobs {
				file.decode(reader.Read)
				values.Add(int64(file.values))
			}
		})
	}
	err := feed(jobs, files, all, func() bool { return values.Load() > limit })
	close(jobs)
	running.Wait()
	if err == nil && values.Load() > limit {
		what := fmt.Sprintf("more than %d values in the documents together", limit)
		err = Errors{{What: what, Fix: "narrow --path, and give each part an owner of its own"}}
	}
	return err
}

// feed reads the files in their order, until that is enough.
func feed(jobs chan<- *file, files fs.FS, all []*file, enough func() bool) error {
	for _, file := range all {
		if enough() {
			return nil
		}
		if len(file.problems) > 0 {
			continue
		}
		if err := file.read(files); err != nil {
			return fmt.Errorf("read %q: %w", file.path, err)
		}
		jobs <- file
	}
	return nil
}

// read loads the file's text, and of one that is too long just too much.
func (f *file) read(files fs.FS) error {
	opened, err := files.Open(f.path)
	if err != nil {
		return err
	}
	defer opened.Close()
	text, err := io.ReadAll(io.LimitReader(opened, yamldoc.MaxSize+1))
	f.text = text
	return err
}

// sharedNames reports each name that was asked for before, also in another
// case: Senlin on MariaDB finds names without regard to case.
func sharedNames(wanted []found) []Error {
	slices.SortStableFunc(wanted, func(a, b found) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
	})
	var problems []Error
	first := make(map[string]found, len(wanted))
	for _, one := range wanted {
		folded := strings.ToLower(one.Name)
		earlier, taken := first[folded]
		if !taken {
			first[folded] = one
			continue
		}
		what := fmt.Sprintf("name %q is taken by %s:%d", one.Name, printable(earlier.File), earlier.named.Line)
		if earlier.Name != one.Name {
			what = fmt.Sprintf("name %q differs only in case from %q at %s:%d", one.Name, earlier.Name, printable(earlier.File), earlier.named.Line)
		}
		problems = append(problems, Error{
			File: one.File, Line: one.named.Line, Column: one.named.Column,
			What: what, Fix: "give each profile its own name",
		})
	}
	return problems
}
