// Package clouds finds out which cloud is meant and how to log in there: from
// clouds.yaml and secure.yaml as every OpenStack client finds them, from the
// OS_* variables, or from a login that is given.
//
// It reads those files and the certificates that they name. It never opens a
// connection, and it reads no environment but what it is handed.
package clouds
