package diff_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"profilesync/internal/diff"
)

var update = flag.Bool("update", false, "rewrite the plans in testdata/table")

// Every file of testdata/table is one row of the decision table, or one
// combination that matters, told by its name: what is asked for, what is live,
// and the plan.
func TestDecisionTable(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "table", "*.txtar"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no rows: %v", err)
	}
	for _, file := range files {
		row := strings.TrimSuffix(filepath.Base(file), ".txtar")
		t.Run(row, func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			archive := txtar.Parse(text)
			got := render(planOf(t, archive))
			if *update {
				setSection(archive, "plan", got)
				if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if want := section(archive, "plan"); got != want {
				t.Errorf("the plan is\n%s\nand not\n%s", got, want)
			}
		})
	}
}

// A row with a typing error in a section's name must not pass for another row.
func TestEveryRowHasKnownSectionsAndAStory(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "table", "*.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	stories := map[string]string{}
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		story := string(bytes.TrimSpace(archive.Comment))
		if story == "" || stories[story] != "" {
			t.Errorf("%s: no story, or that of %s: %q", file, stories[story], story)
		}
		stories[story] = file
		for _, part := range archive.Files {
			if !slices.Contains([]string{"options", "desired", "live", "users", "plan"}, part.Name) {
				t.Errorf("%s: unknown section %q", file, part.Name)
			}
		}
	}
}

func planOf(t *testing.T, archive *txtar.Archive) diff.Plan {
	t.Helper()
	options := options{Owner: "us", Prune: true}
	decode(t, section(archive, "options"), &options)
	var documents []document
	decode(t, section(archive, "desired"), &documents)
	var profiles []liveProfile
	decode(t, section(archive, "live"), &profiles)
	snapshot := snapshotOf(profiles)
	if hasSection(archive, "users") {
		var users map[string][]string
		decode(t, section(archive, "users"), &users)
		snapshot = withUsers(t, snapshot, users)
	}
	return diff.Compare(setOf(documents), snapshot, diff.Options{
		Target: "prod", Cloud: "north", Owner: options.Owner, Prune: options.Prune, Adopt: options.Adopt,
	})
}

func hasSection(archive *txtar.Archive, name string) bool {
	return slices.ContainsFunc(archive.Files, func(f txtar.File) bool { return f.Name == name })
}

func section(archive *txtar.Archive, name string) string {
	for _, file := range archive.Files {
		if file.Name == name {
			return string(file.Data)
		}
	}
	return ""
}

func setSection(archive *txtar.Archive, name, text string) {
	for i := range archive.Files {
		if archive.Files[i].Name == name {
			archive.Files[i].Data = []byte(text)
			return
		}
	}
	archive.Files = append(archive.Files, txtar.File{Name: name, Data: []byte(text)})
}
