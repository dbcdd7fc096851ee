// Package desired turns a tree of documents into the [Set] of profiles they
// ask for: it decodes, validates and reports every problem of every file at
// once, each with its position.
//
// It never opens a file by itself (it is handed an fs.FS), never looks at the
// cloud, and never returns a set that is only partly good: a half-read
// repository must not look like deletions.
//
// YAML itself is the business of its package yamldoc. Here is what a document
// may hold, and what Senlin's built-in profile types take (schema.go).
package desired
