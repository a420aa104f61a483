//go:build linux

package reactor

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// These are system calls on descriptors that do not block, made without telling
// Go's scheduler, which would only look for a way to use the time. They keep
// their P for as long as the kernel takes to copy what is read or written.

// readNow is unix.Read.
func readNow(fd int, b []byte) (int, error) { return rawCall(unix.SYS_READ, fd, b) }

// writeNow is unix.Write.
func writeNow(fd int, b []byte) (int, error) { return rawCall(unix.SYS_WRITE, fd, b) }

func rawCall(trap uintptr, fd int, b []byte) (int, error) {
	n, _, errno := unix.RawSyscall(trap, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b))) // rule 4: converted in the call itself
	if errno != 0 {
		return -1, errno
	}
	return int(n), nil
}

// pollEpoll is unix.EpollWait that does not wait.
func pollEpoll(epoll int, events []unix.EpollEvent) (int, error) {
	n, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(epoll),
		uintptr(unsafe.Pointer(unsafe.SliceData(events))), uintptr(len(events)), 0, 0, 0) // rule 4: converted in the call itself
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}
