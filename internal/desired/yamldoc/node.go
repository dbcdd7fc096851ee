package yamldoc

// Place is a position in a text: line and column from 1, the column in
// characters.
type Place struct{ Line, Column int }

// Problem is something that is refused. Its text never holds a secret value.
type Problem struct {
	Place     // zero: about the text as a whole
	What, Fix string
}

// Node is a value with its place.
type Node struct {
	Place
	Value  any     // nil, bool, string, json.Number, []any or map[string]any
	Broken bool    // it could not be read, and a problem says so; Value is nil
	Text   string  // of a scalar: what is written, without quotes
	Fields []Field // of a map, in the order of the text; each name once
	Items  []Node  // of a list
}

// Field is one entry of a map.
type Field struct {
	Place // of the key
	Name  string
	Node  Node
}
