package desired

import (
	"fmt"
	"io/fs"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"

	"profilesync/internal/desired/yamldoc"
)

// A library that panics costs the file, not the program; what it says may hold
// a secret and is not repeated.
func TestAPanicWhileReadingIsAProblemOfTheFile(t *testing.T) {
	f := &file{path: "web.yaml", text: []byte("name: web")}
	f.decode(func([]byte) ([]*yamldoc.Node, []yamldoc.Problem) { panic("admin_pass: hunter2") })
	if len(f.found) != 0 || len(f.problems) != 1 ||
		f.problems[0].Error() != "web.yaml: the YAML reader stumbled over this file: simplify it, a few lines at a time" {
		t.Errorf("found %v, problems %v", f.found, f.problems)
	}
}

// opens counts the files that are opened.
type opens struct {
	fstest.MapFS
	count *int
}

func (o opens) Open(name string) (fs.File, error) {
	*o.count++
	return o.MapFS.Open(name)
}

func TestDocumentsThatHoldTooMuchTogetherAreNotReadToTheEnd(t *testing.T) {
	tree := fstest.MapFS{}
	var all []*file
	for i := range 10_000 {
		name := fmt.Sprintf("f%04d.yaml", i)
		tree[name] = &fstest.MapFile{Data: []byte("[1, {a: 2}, 3]")} // five values
		all = append(all, &file{path: name})
	}
	opened := 0
	err := readAll(opens{tree, &opened}, all, 499)
	if want := "more than 499 values in the documents together"; err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
	}
	if ahead := 3*runtime.GOMAXPROCS(0) + 1; opened > 100+ahead {
		t.Errorf("%d files were opened", opened)
	}
	if err := readAll(opens{tree, &opened}, all[:100], 500); err != nil {
		t.Errorf("just within the limit: %v", err)
	}
}

func TestTheNearestNameIsSuggested(t *testing.T) {
	known := []string{"flavor", "image", "key_name", "networks", "security_groups", "user_data"}
	for _, one := range []struct{ name, want string }{
		{"flavour", `did you mean "flavor"?`},
		{"FLAVOR", `did you mean "flavor"?`},
		{"key-name", `did you mean "key_name"?`},
		{"imgae", `did you mean "image"?`},
		{"network", `did you mean "networks"?`},
		{"security", `did you mean "security_groups"?`},
		{"image_ref", `did you mean "image"?`},
		{"volume", "known are flavor, image, key_name, networks, security_groups and user_data"},
		{"", "known are flavor, image, key_name, networks, security_groups and user_data"},
	} {
		if got := nearest(one.name, known); got != one.want {
			t.Errorf("%q: %s, want %s", one.name, got, one.want)
		}
	}
}

func TestEditDistance(t *testing.T) {
	for _, one := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"a", "", 1}, {"abc", "abc", 0}, {"abc", "acb", 1}, {"kitten", "sitting", 3}, {"image", "imgae", 1}, {"ab", "ba", 1}} {
		if got := editDistance(one.a, one.b); got != one.want || editDistance(one.b, one.a) != one.want {
			t.Errorf("%q to %q: %d, want %d", one.a, one.b, got, one.want)
		}
	}
}
