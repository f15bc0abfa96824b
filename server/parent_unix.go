//go:build unix

package main

import (
	"errors"
	"os"
	"syscall"
	"time"
)

const parentPollInterval = 200 * time.Millisecond

// pollParent returns a channel that is closed when the process ends.
//
// For the direct parent the operating system says so exactly: an orphan gets another parent, even while the dead one is
// a zombie. A process further up (a wrapper may sit between) is asked for with signal zero.
func pollParent(pid int) <-chan struct{} {
	alive := func() bool { return exists(pid) }
	if os.Getppid() == pid {
		alive = func() bool { return os.Getppid() == pid }
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for alive() {
			time.Sleep(parentPollInterval)
		}
	}()
	return ended
}

func exists(pid int) bool {
	err := syscall.Kill(pid, 0)
	return err == nil || errors.Is(err, syscall.EPERM)
}
