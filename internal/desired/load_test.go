package desired_test

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
	"testing/iotest"

	"go.uber.org/goleak"

	"profilesync/internal/desired"
	"profilesync/internal/profile"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const goodSpec = "spec: {type: my.type, version: 1.0, properties: {}}\n"

func document(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }

func TestLoadGivesItemsByName(t *testing.T) {
	set, err := desired.Load(fstest.MapFS{
		"a.yaml": document("name: z\n" + goodSpec + "---\nname: B\n" + goodSpec),
		"z.yml":  document("name: a\n" + goodSpec),
	}, "4f1e")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, item := range set.Items {
		names = append(names, fmt.Sprintf("%s %s:%d", item.Name, item.File, item.Line))
	}
	if got := strings.Join(names, ", "); got != "B a.yaml:4, a z.yml:1, z a.yaml:1" || set.Revision != "4f1e" {
		t.Errorf("%s at %s", got, set.Revision)
	}
}

func TestATreeWithoutDocumentsIsAnEmptySet(t *testing.T) {
	set, err := desired.Load(fstest.MapFS{"README.md": document("hello")}, "r1")
	if err != nil || len(set.Items) != 0 {
		t.Error(set, err)
	}
}

func TestWhatIsNoRegularFileIsReported(t *testing.T) {
	_, err := desired.Load(fstest.MapFS{
		"link.yaml":      {Data: []byte("web.yaml"), Mode: fs.ModeSymlink},
		"web.yaml":       document("name: web\n" + goodSpec),
		"dir.yaml/x.yml": document("name: db\n"),
	}, "r1")
	want := "dir.yaml/x.yml:1:1: the profile has no \"spec\": write its type, version and properties\n" +
		"link.yaml: this is not a regular file: put the document itself here"
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}

func TestANameCannotForgeALine(t *testing.T) {
	_, err := desired.Load(fstest.MapFS{"a\nb.yaml:1:1: fine.yaml": document("")}, "r1")
	want := `"a\nb.yaml:1:1: fine.yaml":1:1: no document in this file: delete it, or write a profile`
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// A tree that cannot be read is no broken document: the caller must be able to
// tell a disk that fails from a mistake in a file.
func TestATreeThatCannotBeReadIsAnotherError(t *testing.T) {
	good := fstest.MapFS{"a.yaml": document("name: a\n" + goodSpec), "b/c.yaml": document("name: c\n" + goodSpec), "d.yaml": document("x: [")}
	for _, broken := range []string{".", "a.yaml", "b", "b/c.yaml"} {
		t.Run(broken, func(t *testing.T) {
			set, err := desired.Load(failing{good, broken}, "r1")
			var problems desired.Errors
			if !errors.Is(err, fs.ErrPermission) || errors.As(err, &problems) || len(set.Items) > 0 {
				t.Errorf("Load = %v, %v", set, err)
			}
		})
	}
}

// failing is a tree in which one path cannot be opened.
type failing struct {
	fs.FS
	path string
}

func (f failing) Open(name string) (fs.File, error) {
	if name == f.path {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
	}
	return f.FS.Open(name)
}

// A file that can be read only in part must not pass for a shorter one.
func TestAFileThatBreaksOffIsAnError(t *testing.T) {
	good := fstest.MapFS{"a.yaml": document("name: a\n" + goodSpec + "---\nname: b\n" + goodSpec)}
	set, err := desired.Load(breakingOff{good}, "r1")
	var problems desired.Errors
	if !errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &problems) || len(set.Items) > 0 {
		t.Errorf("Load = %v, %v", set, err)
	}
}

// breakingOff is a tree whose files fail behind their first document.
type breakingOff struct{ fs.FS }

func (b breakingOff) Open(name string) (fs.File, error) {
	file, err := b.FS.Open(name)
	if err != nil || name == "." {
		return file, err
	}
	return brokenFile{file, io.MultiReader(io.LimitReader(file, int64(len("name: a\n"+goodSpec))), iotest.ErrReader(io.ErrUnexpectedEOF))}, nil
}

type brokenFile struct {
	fs.File
	content io.Reader
}

func (b brokenFile) Read(p []byte) (int, error) { return b.content.Read(p) }

func TestErrorsAreBoundedAndCounted(t *testing.T) {
	var text strings.Builder
	for range 300 {
		text.WriteString("---\nnom: x\n")
	}
	files := fstest.MapFS{}
	for i := range 7 {
		files[fmt.Sprintf("%d.yaml", i)] = document(text.String())
	}
	_, err := desired.Load(files, "r1")
	var problems desired.Errors
	if !errors.As(err, &problems) {
		t.Fatal(err)
	}
	last := problems[len(problems)-1].Error()
	if len(problems) != 1001 || !strings.HasPrefix(last, "and ") || !strings.HasSuffix(last, " more problems") {
		t.Errorf("%d problems, the last %q", len(problems), last)
	}
	var one desired.Error
	if !errors.As(err, &one) || one.File != "0.yaml" || one.Line != 2 || one.Column != 1 {
		t.Errorf("the first problem by itself: %+v", one)
	}
}

// However a secret is miswritten, no problem repeats it.
func TestNoProblemRepeatsASecret(t *testing.T) {
	for _, property := range []string{"admin_pass: ", "user_data: ", "personality: ", "personality: [{path: /x, contents: ", "context: {auth_token: "} {
		for _, value := range []string{
			"hunter2: or not", "*hunter2", "&hunter2", "!hunter2 x", "!!hunter2 x", "'hunter2", "\"hunter2", "\"\\hunter2\"", "[hunter2", "{hunter2", "[hunter2]",
			"{hunter2: x}", "{[hunter2]: x}", "@hunter2", "%hunter2", "`hunter2`", "hunter2\tx", "|hunter2", "hunter2:", "hunter2 \x01", "[&a x, &a hunter2]",
			"\"hunter2\" x", "- hunter2", "? hunter2", "hunter2\n x: y", "hunter2\n--- hunter2", "hunter2\n... hunter2", "| hunter2\n x", "{a: hunter2, a: hunter2}",
			"77770e2", "[77770e2]", "{77770e2}", "7777:02", "7777-02-02", "077770", "77_770", "7777.0", "77770.10", "0x77770",
		} {
			text := "name: web\nspec:\n type: os.nova.server\n version: 1.0\n properties:\n  flavor: x\n  networks: []\n  " + property + value + "\n"
			_, err := desired.Load(fstest.MapFS{"web.yaml": document(text)}, "r1")
			if err != nil && (strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "7777")) {
				t.Errorf("%s\nis reported as\n%v", text, err)
			}
		}
	}
}

// Senlin takes bodies of up to 1 MiB, and an alias can make more of a file.
func TestAProfileThatSenlinCannotTakeIsRefused(t *testing.T) {
	text := "name: web\nmetadata:\n  a: &a " + strings.Repeat("x", 300_000) + "\n  b: [*a, *a, *a]\n" + goodSpec
	_, err := desired.Load(fstest.MapFS{"web.yaml": document(text)}, "r1")
	want := "web.yaml:1:1: the profile takes 1200032 bytes of JSON, at most 1044480 are allowed: make it smaller"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// Whatever the bytes, Load ends with a good set or with problems, the same
// ones each time.
func FuzzLoad(f *testing.F) {
	eachGolden(f, "testdata/*/*.txtar", func(one goldenCase) {
		for _, file := range one.files {
			f.Add(file.Data)
		}
	})
	f.Fuzz(func(t *testing.T, text []byte) {
		files := fstest.MapFS{"web.yaml": {Data: text}}
		set, err := desired.Load(files, "r1")
		if again, errAgain := desired.Load(files, "r1"); fmt.Sprint(errAgain) != fmt.Sprint(err) || len(again.Items) != len(set.Items) {
			t.Errorf("at first %v, then %v", err, errAgain)
		}
		var problems desired.Errors
		switch {
		case err != nil && (!errors.As(err, &problems) || len(problems) == 0 || len(set.Items) > 0):
			t.Errorf("%v with %d items", err, len(set.Items))
		case err == nil && len(set.Items) == 0:
			t.Error("a file with neither items nor problems")
		}
		seen := map[string]bool{}
		for _, item := range set.Items {
			folded := strings.ToLower(item.Name)
			if err := profile.CheckName(item.Name); err != nil || seen[folded] {
				t.Errorf("name %q: %v", item.Name, err)
			}
			seen[folded] = true
			if item.Spec.Type == "" || item.Spec.Version == "" || item.Spec.Properties == nil || item.Line < 1 {
				t.Errorf("half an item: %+v", item)
			}
		}
	})
}
