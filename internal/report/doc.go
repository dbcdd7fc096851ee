// Package report turns plans and results into what people and programs read:
// text for a terminal, JSON for programs, Markdown for a comment on a pull
// request. It also writes and reads the file of an approved plan, and it says
// in words how a plan that has gone stale differs from the approved one.
//
// Two rules carry it. Whatever comes from the cloud or from Git is foreign: it
// is made harmless at the one place where it enters an output (clean.go for
// text, markup.go for Markdown), so a name can neither drive a terminal nor
// mention a person. And a value that package diff marked as sensitive is never
// looked at, whatever it holds.
//
// The package is pure: values in, bytes out. It never decides anything, never
// asks what time it is or whether the output is a terminal, and keeps nothing
// between calls.
package report
