// Package apply carries out a plan on a cloud.
//
// Independent changes are carried out side by side, deletes after everything
// else; one failure never stops the others, but a cloud that fails all of them
// is not asked for ever. Each change looks at its live profile once more just
// before it is made: Senlin has no ETag, so a profile that is no longer as
// planned is left alone.
//
// A spec change is carried out in an order that survives a kill at any point:
//
//	0  the server validates the new spec        nothing is touched when it is refused
//	1  the old profile is set aside             one PATCH: renamed after its id, marked superseded
//	2  the new one is created under the name    reply lost: look for it before posting again;
//	                                            refused for good: the newest earlier generation gets its name back
//	3  the old one is deleted if unused         otherwise a later pass collects it
//
// What is live is the journal: after a kill the next plan goes on from there,
// with no code of its own for it.
//
// The package never decides what is to be done, never looks a profile up by
// name to change it (only by full id), and never learns whether something is
// in use by trying to delete it.
package apply
