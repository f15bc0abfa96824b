package main

import (
	"os"
	"os/signal"
	"syscall"
	"time"
)

// drainTime is what open requests get to end in. Long polls never do; clients repeat them elsewhere or later.
const drainTime = 200 * time.Millisecond

// stopRequests returns a channel that tells when to stop, and how long to let open requests go on. A second signal ends
// the process at once.
func stopRequests(parentPID int) <-chan time.Duration {
	// A reader of our output that goes away must not take the server with it.
	ignoreBrokenPipes()
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGTERM, os.Interrupt)
	var parent <-chan struct{}
	if parentPID != 0 {
		parent = parentEnded(parentPID)
	}
	stop := make(chan time.Duration, 1)
	go func() {
		select {
		case <-signals:
			stop <- drainTime
		case <-parent:
			// Whose server this was is gone. A successor may want the port and the file already.
			stop <- 0
		}
		<-signals
		os.Exit(exitError)
	}()
	return stop
}
