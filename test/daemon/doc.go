// Package daemon holds the tests of the built program as a daemon: real
// processes, signals, files and sockets in front of embedded clouds. The stories
// in a bubble of time are beside internal/daemon.
package daemon
