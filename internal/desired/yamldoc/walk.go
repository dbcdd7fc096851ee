package yamldoc

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// walk turns the nodes of one document into values, and reports all that YAML
// allows and a document does not.
type walk struct {
	*session
	chunk
	source  source
	anchors map[string]*yaml.Node // met so far
	open    map[*yaml.Node]bool   // anchored nodes that the walk is inside of
}

// problem reports what is wrong at a node.
func (w *walk) problem(n *yaml.Node, what, fix string) {
	w.report(w.before+n.Line, n.Column, what, fix)
}

func (w *walk) node(n *yaml.Node, depth int, secret bool) Node {
	node := Node{Place: Place{w.before + n.Line, n.Column}, Text: n.Value}
	switch {
	case !w.withinLimits(n, depth) || !w.marksAllowed(n, secret):
		node.Broken = true
	case n.Kind == yaml.MappingNode:
		w.mapping(n, &node, depth, secret)
	case n.Kind == yaml.SequenceNode:
		w.sequence(n, &node, depth, secret)
	case n.Kind == yaml.AliasNode:
		w.problem(n, "an alias inside the value it stands for", "write the value out")
		node.Broken = true
	case isPlain(n):
		node.Value, node.Broken = w.unquoted(n, secret)
	default:
		node.Value, node.Broken = n.Value, !w.quotedAlike(n)
	}
	return node
}

func (w *walk) withinLimits(n *yaml.Node, depth int) bool {
	if w.nodes++; w.nodes > maxNodes {
		if w.nodes == maxNodes+1 {
			w.problem(n, fmt.Sprintf("more than %d values in one file, aliases counted each time", maxNodes), "split the file")
		}
		return false
	}
	if depth > maxDepth {
		w.problem(n, fmt.Sprintf("nested deeper than %d levels", maxDepth), "")
		return false
	}
	return true
}

// child reads a value inside another one, through an alias if it is one.
func (w *walk) child(n *yaml.Node, depth int, secret bool) Node {
	if n.Alias != nil && !w.open[n.Alias] {
		n = n.Alias
	}
	if n.Anchor != "" {
		w.open[n] = true
		defer delete(w.open, n)
	}
	return w.node(n, depth+1, secret)
}

func (w *walk) sequence(n *yaml.Node, node *Node, depth int, secret bool) {
	values := make([]any, len(n.Content))
	node.Items = make([]Node, len(n.Content))
	for i, item := range n.Content {
		node.Items[i] = w.child(item, depth, secret)
		values[i] = node.Items[i].Value
		if w.nodes > maxNodes {
			break
		}
	}
	node.Value = values
}

func (w *walk) mapping(n *yaml.Node, node *Node, depth int, secret bool) {
	values := make(map[string]any, len(n.Content)/2)
	node.Fields = make([]Field, 0, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content) && w.nodes <= maxNodes; i += 2 {
		key := n.Content[i]
		good := w.key(key, secret)
		if _, taken := values[key.Value]; good && taken {
			w.problem(key, fmt.Sprintf("key %q is written twice", Short(key.Value)), "remove one")
			good = false
		}
		value := w.child(n.Content[i+1], depth, secret || w.Secret != nil && w.Secret(key.Value))
		if good {
			values[key.Value] = value.Value
			node.Fields = append(node.Fields, Field{Place: Place{w.before + key.Line, key.Column}, Name: key.Value, Node: value})
		}
	}
	node.Value = values
}

// key reports whether a map's key is a string for every reader, or digits: a
// whole number as a key is its text in JSON.
func (w *walk) key(n *yaml.Node, secret bool) bool {
	switch {
	case n.Kind == yaml.AliasNode:
		w.problem(n, "an alias as a key", "write the key out")
		return false
	case n.Kind != yaml.ScalarNode:
		w.problem(n, "a key that is a list or a map", "write a string")
		return false
	case !w.marksAllowed(n, secret):
		return false
	case !isPlain(n):
		return w.quotedAlike(n)
	case isWord(n.Value):
		return true
	case n.Value == "<<":
		w.problem(n, `a merge key "<<"`, "write the merged keys out")
		return false
	case n.Value == "":
		w.problem(n, "an empty key", `write "key: value"`)
		return false
	}
	meaning := w.known.understand(n.Value)
	what, fix := "key "+meaning.what, "write "+Written(n.Value)
	switch {
	case strings.HasSuffix(n.Value, ":"):
		fix = meaning.fix
	case meaning.what == "":
		if _, isString := meaning.value.(string); isString || isDigits(n.Value, meaning.value) {
			return true
		}
		what = fmt.Sprintf("key %s is not a string", Short(n.Value))
	}
	if secret {
		w.problem(n, "a key that is not a string to every reader", "quote it")
	} else {
		w.problem(n, what, fix)
	}
	return false
}

// isDigits reports whether a text is an integer as JSON writes it.
func isDigits(text string, value any) bool {
	_, err := strconv.ParseInt(text, 10, 64)
	return err == nil && value == json.Number(text)
}

// unquoted gives the value of an unquoted text.
func (w *walk) unquoted(n *yaml.Node, secret bool) (value any, refused bool) {
	meaning := w.known.understand(n.Value)
	switch {
	case meaning.what == "":
		return meaning.value, false
	case secret:
		w.problem(n, "a value that readers of YAML do not agree about", "quote it")
	default:
		w.problem(n, meaning.what, meaning.fix)
	}
	return nil, true
}

// marksAllowed refuses tags, and an anchor that is used twice (PyYAML refuses
// it).
func (w *walk) marksAllowed(n *yaml.Node, secret bool) bool {
	if n.Anchor != "" {
		if first, taken := w.anchors[n.Anchor]; taken && first != n {
			w.problem(n, "an anchor that is set twice in one document", "give each its own name")
		}
		w.anchors[n.Anchor] = n
	}
	if !w.tagged(n) {
		return true
	}
	what, fix := "a tag", "remove it"
	if !secret && n.Style&yaml.TaggedStyle != 0 {
		what = "the tag " + Short(n.Tag)
	}
	if n.Tag == "!!str" {
		fix = "quote the value instead"
	}
	w.problem(n, what, fix)
	return false
}

// tagged reports whether a node has a tag. The library does not tell of the
// tag "!", which makes a string of a number: only the text does.
func (w *walk) tagged(n *yaml.Node) bool {
	if n.Style&yaml.TaggedStyle != 0 {
		return true
	}
	if !isPlain(n) || isWord(n.Value) || !w.source.bang {
		return false
	}
	text := w.source.at(n)
	return len(text) > 0 && text[0] == '!'
}
