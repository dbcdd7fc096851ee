// Package yamldoc reads YAML as the two readers of this ecosystem do, PyYAML
// (the OpenStack clients) and sigs.k8s.io/yaml, and refuses what they do not
// agree about, with the form to write instead. The result is a tree of JSON
// values, each with its place in the text.
//
// The structure comes from go.yaml.in/yaml/v3, whose nodes have positions;
// what an unquoted text means is decided here, by the rules of both readers.
// Numbers keep their digits. Sizes, depths and counts are bounded.
//
// It opens no files, and takes from the rest of the program only what makes two
// JSON values equal.
package yamldoc
