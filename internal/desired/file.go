package desired

import (
	"path"
	"strings"

	"profilesync/internal/desired/yamldoc"
)

// file is one file on its way from bytes to items.
type file struct {
	path     string
	text     []byte // until it is decoded
	found    []found
	problems []Error
	omitted  int // problems beyond maxErrors
	values   int // that the items hold
}

// found is an item with the place of its name. It counts against others of
// its name even when the rest of its document is wrong.
type found struct {
	Item
	named yamldoc.Place
}

// report keeps a problem; the zero place is the file as a whole.
func (f *file) report(at yamldoc.Place, what, fix string) {
	if len(f.problems) == maxErrors {
		f.omitted++
		return
	}
	f.problems = append(f.problems, Error{File: f.path, Line: at.Line, Column: at.Column, What: what, Fix: fix})
}

// decode turns the text into items and problems. A panic becomes a problem:
// the YAML libraries have had some, and a strange file must not end a program
// that looks after a cloud.
func (f *file) decode(read func(text []byte) ([]*yamldoc.Node, []yamldoc.Problem)) {
	defer func() {
		f.text = nil
		if recover() != nil { // its text could hold a piece of the document
			f.report(yamldoc.Place{}, "the YAML reader stumbled over this file", "simplify it, a few lines at a time")
		}
	}()
	documents, problems := read(f.text)
	for _, problem := range problems {
		f.report(problem.Place, problem.What, problem.Fix)
	}
	empty := true
	for _, root := range documents {
		if root != nil {
			empty = false
			f.values += count(root)
			f.document(root, len(documents) == 1)
		}
	}
	if empty && len(f.problems) == 0 {
		f.report(yamldoc.Place{Line: 1, Column: 1}, "no document in this file", "delete it, or write a profile")
	}
}

// count is how many values there are in a value, itself included.
func count(node *yamldoc.Node) int {
	values := 1
	for i := range node.Items {
		values += count(&node.Items[i])
	}
	for i := range node.Fields {
		values += count(&node.Fields[i].Node)
	}
	return values
}

// profileName is the name that a bare spec file gives its profile.
func (f *file) profileName() string {
	base := path.Base(f.path)
	return strings.TrimSuffix(base, path.Ext(base))
}
