package main

import (
	"errors"

	"golang.org/x/sys/windows"
)

// isAddressInUse also takes the error of a port that another process holds exclusively.
func isAddressInUse(err error) bool {
	return errors.Is(err, windows.WSAEADDRINUSE) || errors.Is(err, windows.WSAEACCES)
}
