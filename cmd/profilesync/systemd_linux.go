package main

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// reloading says that a reload has begun, at a moment that the service manager
// can compare with its own.
func reloading() string {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		return "RELOADING=1"
	}
	return fmt.Sprintf("RELOADING=1\nMONOTONIC_USEC=%d", now.Nano()/1000)
}
