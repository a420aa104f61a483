//go:build linux

package reactor

import (
	"errors"
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"
)

// sockaddr converts an address for the kernel, with its address family.
func sockaddr(ap netip.AddrPort) (unix.Sockaddr, int) {
	addr := ap.Addr().Unmap()
	if addr.Is4() {
		return &unix.SockaddrInet4{Addr: addr.As4(), Port: int(ap.Port())}, unix.AF_INET
	}
	return &unix.SockaddrInet6{Addr: addr.As16(), Port: int(ap.Port())}, unix.AF_INET6
}

// addrPort converts an address from the kernel.
func addrPort(sa unix.Sockaddr) netip.AddrPort {
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), uint16(sa.Port))
	case *unix.SockaddrInet6:
		return netip.AddrPortFrom(netip.AddrFrom16(sa.Addr).Unmap(), uint16(sa.Port))
	default:
		return netip.AddrPort{}
	}
}

// bindSocket makes a bound, non-blocking socket and returns the address that
// it got.
func bindSocket(ap netip.AddrPort, kind int, options ...sockopt) (fd int, bound netip.AddrPort, err error) {
	if !ap.IsValid() {
		return -1, bound, errors.New("reactor: no address to listen on")
	}
	sa, family := sockaddr(ap)
	if fd, err = unix.Socket(family, kind|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0); err != nil {
		return -1, bound, fmt.Errorf("reactor: socket: %w", err)
	}
	for _, o := range options {
		if err := unix.SetsockoptInt(fd, o.level, o.name, o.value); err != nil {
			_ = unix.Close(fd)
			return -1, bound, fmt.Errorf("reactor: setsockopt: %w", err)
		}
	}
	if err := unix.Bind(fd, sa); err != nil {
		_ = unix.Close(fd)
		return -1, bound, fmt.Errorf("reactor: listen on %v: %w", ap, err)
	}
	if sa, err = unix.Getsockname(fd); err != nil {
		_ = unix.Close(fd)
		return -1, bound, fmt.Errorf("reactor: getsockname: %w", err)
	}
	return fd, addrPort(sa), nil
}

type sockopt struct{ level, name, value int }

// isSystemError tells what the kernel reported from what we decided.
func isSystemError(err error) bool {
	var errno unix.Errno
	return errors.As(err, &errno)
}
