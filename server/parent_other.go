//go:build unix && !linux

package main

// parentEnded returns a channel that is closed when the process ends.
func parentEnded(pid int) <-chan struct{} { return pollParent(pid) }
