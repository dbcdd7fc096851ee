package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	systemd "github.com/coreos/go-systemd/v22/daemon"
)

// tellSystemd tells the service manager how the process is doing; without one
// it does nothing.
func (v *service) tellSystemd(state string) {
	if _, err := systemd.SdNotify(false, state); err != nil {
		v.logger.Warn("service manager not told", "error", err)
	}
}

// watchdog tells the service manager, as often as it asks for, that no target is
// stuck, and what a line can tell of them. A process with a stuck target is not
// told to be well, so that it is begun anew.
func (v *service) watchdog(ctx context.Context) {
	every, err := systemd.SdWatchdogEnabled(false)
	if err != nil || every == 0 {
		every = time.Minute
	}
	tick := time.NewTicker(every / 2)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		if stuck := v.daemon.Stuck(); len(stuck) > 0 {
			v.tellSystemd("STATUS=stuck: " + strings.Join(stuck, ", "))
			continue
		}
		v.tellSystemd("WATCHDOG=1\nSTATUS=" + v.inALine())
	}
}

// inALine is what "systemctl status" shows.
func (v *service) inALine() string {
	told := v.daemon.Status()
	ready := 0
	for _, t := range told.Targets {
		if ok, _ := t.Ready(told.Now); ok {
			ready++
		}
	}
	return fmt.Sprintf("%d of %s ready", ready, count(len(told.Targets), "target"))
}
