package main

import (
	"golang.org/x/sys/unix"
)

// parentEnded returns a channel that is closed when the process ends.
//
// A process file descriptor tells at once, and exactly: it does not confuse the process with a later one of the same
// number, and a zombie counts as ended. Kernels before 5.3 have none.
func parentEnded(pid int) <-chan struct{} {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return pollParent(pid)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer func() { _ = unix.Close(fd) }()
		for {
			events := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
			count, err := unix.Poll(events, -1)
			if count > 0 || err != nil && err != unix.EINTR {
				return
			}
		}
	}()
	return ended
}
