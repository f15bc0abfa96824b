//go:build unix

package main

import (
	"os/signal"
	"syscall"
)

// ignoreBrokenPipes makes a write to a closed pipe an error; for standard output and error Go would end the process.
func ignoreBrokenPipes() {
	signal.Ignore(syscall.SIGPIPE)
}
