package desired_test

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/rogpeppe/go-internal/txtar"

	"profilesync/internal/desired"
)

var update = flag.Bool("update", false, "write what the golden cases give into testdata")

// goldenCase is a small tree of documents and what reading it gives. In the
// archives its files are named "title/path", and "title/want" is the outcome.
type goldenCase struct {
	title string
	files fstest.MapFS
	want  *txtar.File
}

// The broken documents, one archive for each subject: every case gives exactly
// these lines, each with its position, and nothing is half read.
func TestBrokenDocuments(t *testing.T) {
	count := 0
	runGolden(t, "testdata/broken/*.txtar", func(t *testing.T, one goldenCase) string {
		count++
		set, err := desired.Load(one.files, "r1")
		var problems desired.Errors
		if !errors.As(err, &problems) {
			t.Fatalf("Load = %v, want problems", err)
		}
		if len(set.Items) != 0 {
			t.Error("items were returned along with problems")
		}
		for _, problem := range problems {
			if problem.Line < 1 || problem.Column < 1 {
				t.Errorf("no position: %v", problem)
			}
		}
		return err.Error() + "\n"
	})
	if count < 100 {
		t.Errorf("%d broken documents, want at least 100", count)
	}
}

// The good documents, with the values that go to Senlin.
func TestGoodDocuments(t *testing.T) {
	runGolden(t, "testdata/good/*.txtar", func(t *testing.T, one goldenCase) string {
		set, err := desired.Load(one.files, "r1")
		if err != nil {
			t.Fatal(err)
		}
		return describe(t, set)
	})
}

// describe writes a set as one JSON value per line, secrets included.
func describe(t *testing.T, set desired.Set) string {
	t.Helper()
	var text strings.Builder
	for _, item := range set.Items {
		fmt.Fprintf(&text, "%s %s:%d %s", item.Name, item.File, item.Line, item.Spec.TypeName())
		if item.Lifecycle.Protect != nil {
			fmt.Fprintf(&text, " protect=%v", *item.Lifecycle.Protect)
		}
		for _, part := range []any{item.Metadata, map[string]any(item.Spec.Properties)} {
			line, err := json.Marshal(part)
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&text, "\n  %s", line)
		}
		text.WriteByte('\n')
	}
	return text.String()
}

// runGolden compares every case's outcome with what its archive says.
func runGolden(t *testing.T, pattern string, outcome func(*testing.T, goldenCase) string) {
	t.Helper()
	eachGolden(t, pattern, func(one goldenCase) {
		t.Run(one.title, func(t *testing.T) {
			got := outcome(t, one)
			if *update {
				one.want.Data = []byte(got)
			} else if want := string(one.want.Data); got != want {
				t.Errorf("got\n%swant\n%s", got, want)
			}
		})
	})
}

// eachGolden visits the cases of the archives; after it an archive is written
// back if it is to be updated.
func eachGolden(t testing.TB, pattern string, visit func(goldenCase)) {
	t.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil || len(paths) == 0 {
		t.Fatalf("archives %s: %v", pattern, err)
	}
	for _, path := range paths {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range goldenCases(t, archive) {
			visit(one)
		}
		if *update {
			if err := os.WriteFile(path, txtar.Format(archive), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// goldenCases groups an archive's files by title; a missing "want" is added.
func goldenCases(t testing.TB, archive *txtar.Archive) []goldenCase {
	t.Helper()
	var cases []goldenCase
	var files []txtar.File
	wants := map[string]int{}
	for i := 0; i < len(archive.Files); i++ {
		file := archive.Files[i]
		title, name, ok := strings.Cut(file.Name, "/")
		if !ok {
			t.Fatalf("%q has no title", file.Name)
		}
		if len(cases) == 0 || cases[len(cases)-1].title != title {
			if _, again := wants[title]; again {
				t.Fatalf("%q is there twice", title)
			}
			cases = append(cases, goldenCase{title: title, files: fstest.MapFS{}})
		}
		files = append(files, file)
		if name == "want" {
			wants[title] = len(files) - 1
			continue
		}
		cases[len(cases)-1].files[name] = &fstest.MapFile{Data: file.Data}
		if next := i + 1; next == len(archive.Files) || !strings.HasPrefix(archive.Files[next].Name, title+"/") {
			files = append(files, txtar.File{Name: title + "/want"})
			wants[title] = len(files) - 1
		}
	}
	archive.Files = files
	for i := range cases {
		cases[i].want = &archive.Files[wants[cases[i].title]]
	}
	return cases
}
