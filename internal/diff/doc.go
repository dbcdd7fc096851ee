// Package diff makes every decision of the program.
//
// [Compare] takes what the documents ask for and what the cloud holds, and
// returns a [Plan]: one change for every desired profile and every profile of
// ours. The idea that carries it: the data is first arranged so that the
// decision is trivial. Everything that bears one name (the document, our
// profiles, other people's profiles, our earlier generations) is put into one
// slot; a rename, the only thing that spans two names, is found then too. What
// remains is a table, a row for each kind of slot, and nothing in a row depends
// on another slot.
//
// An [Action] says what is done to a profile, a [Reason] why, and a [Block] why
// not. A blocked change stops itself and never the others. Protection,
// adoption, renaming and the return of an earlier generation are reasons, not
// more actions.
//
// The package is pure: the same input gives the same plan, whatever the order
// of the input. It never reads a clock, a file, the environment or a network,
// it never logs, and what a plan shows never holds a secret.
package diff
