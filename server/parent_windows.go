package main

import "os"

// parentEnded returns a channel that is closed when the process ends.
func parentEnded(pid int) <-chan struct{} {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if parent, err := os.FindProcess(pid); err == nil {
			_, _ = parent.Wait()
		}
	}()
	return ended
}
