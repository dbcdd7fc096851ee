//go:build !linux

package main

// reloading says that a reload has begun; there is no systemd to compare clocks
// with.
func reloading() string { return "RELOADING=1" }
