// Package architecture holds the rules of the house as tests: which room may
// import what, how long files, functions and interfaces may grow, that nothing
// at package level changes, and that whatever is exported says what it is.
//
// It reads the source of the whole module as text and syntax. It never builds
// or runs it, and no other package imports this one. Each rule is a function
// from a tree of files to the places that break it, so that it can be shown, on
// a small tree of its own, to find what it is there for: a rule that cannot
// fail is no rule.
package architecture
