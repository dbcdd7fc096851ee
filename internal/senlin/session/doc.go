// Package session owns one conversation with a Senlin and its Keystone: the
// login and its renewal, the endpoint and the microversion, the deadline and the
// bounds of every request, its repetition, and what a failure means.
//
// It never reads or writes a profile, and never repeats a request that the
// server may have carried out already.
package session
