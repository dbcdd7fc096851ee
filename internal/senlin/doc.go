// Package senlin is the one place that speaks to a Senlin: it turns requests
// and answers into profiles, and their users, and back. Its packages clouds and
// session know which cloud is meant, and how to talk to it.
//
// A [Client] reads ([live.Reader]) and writes single profiles. It never decides
// what is to be done, and never repeats a request that the server may have
// carried out already.
//
// Requests go through gophercloud's ServiceClient. Its profile, cluster, node
// and action packages are passed over where they would lose something: they
// read one page of a paged list, turn numbers into float64, leave out metadata
// that is empty, and refuse a whole list for one time without a zone.
package senlin
