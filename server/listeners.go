package main

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"

	"go.temporal.io/server/common/testing/freeport"
)

// listen opens a port that this process serves itself.
func listen(ip netip.Addr, port int, flag string) (net.Listener, error) {
	listener, err := net.Listen("tcp", netip.AddrPortFrom(ip, uint16(port)).String())
	if err != nil {
		return nil, listenError(ip, port, flag, err)
	}
	return listener, nil
}

// pickPort settles the port of a listener that a library opens later: zero becomes a free port, and a port in use is an
// error now, with a clear message.
func pickPort(ip netip.Addr, port int, flag string) (int, error) {
	if port == 0 {
		return freePort()
	}
	listener, err := listen(ip, port, flag)
	if err != nil {
		return 0, err
	}
	return port, listener.Close()
}

// freePort returns a port that the system does not hand out to anybody else for the next seconds.
func freePort() (port int, err error) {
	defer func() {
		if value := recover(); value != nil {
			err = fmt.Errorf("no free port: %v", value)
		}
	}()
	return freeport.MustGetFreePort(), nil
}

func listenError(ip netip.Addr, port int, flag string, err error) error {
	address := net.JoinHostPort(ip.String(), strconv.Itoa(port))
	var operation *net.OpError
	if errors.As(err, &operation) {
		err = operation.Err
	}
	if isAddressInUse(err) {
		return fmt.Errorf("port %d is already in use on %s: choose another with %s (0 picks a free one)", port, ip, flag)
	}
	return fmt.Errorf("cannot listen on %s: %w", address, err)
}

// reachable is the address under which this machine reaches a listener: the unspecified address is no place to call.
func reachable(ip netip.Addr, port int) string {
	switch ip {
	case netip.IPv4Unspecified():
		ip = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	case netip.IPv6Unspecified():
		ip = netip.IPv6Loopback()
	}
	return netip.AddrPortFrom(ip, uint16(port)).String()
}

func portOf(listener net.Listener) int {
	return listener.Addr().(*net.TCPAddr).Port
}
