//go:build linux

package reactor

import (
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
)

// kernelView is what the kernel knows of a socket and the loop does not: what
// it dropped for want of room. It is asked for when somebody wants to know
// (SO_MEMINFO), rather than told with each datagram (SO_RXQ_OVFL), so that
// receiving costs nothing more.
type kernelView struct {
	mu      sync.Mutex // so that fd is not closed, and another's, while it is asked
	fd      int
	ended   bool
	last    uint32 // the kernel's counter, which wraps
	dropped uint64
	queued  uint32
	buffer  uint32
}

// The numbers of SO_MEMINFO that are used, and how many there are at least;
// include/uapi/linux/sock_diag.h.
const (
	memInfoQueued = 0 // SK_MEMINFO_RMEM_ALLOC
	memInfoBuffer = 1 // SK_MEMINFO_RCVBUF
	memInfoDrops  = 8 // SK_MEMINFO_DROPS
	memInfoVars   = 9
)

// look fills in stats. After the end of the socket, and should the kernel not
// answer, it says what was known last.
func (k *kernelView) look(stats *UDPStats) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.ask()
	stats.KernelDropped, stats.ReceiveQueued, stats.ReceiveBuffer = k.dropped, uint64(k.queued), uint64(k.buffer)
}

func (k *kernelView) ask() {
	if k.ended {
		return
	}
	var info [memInfoVars]uint32
	size := uint32(unsafe.Sizeof(info))
	_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(k.fd), unix.SOL_SOCKET, unix.SO_MEMINFO,
		uintptr(unsafe.Pointer(&info)), uintptr(unsafe.Pointer(&size)), 0) // rule 4: converted in the call itself
	if errno != 0 || int(size) < int(unsafe.Sizeof(info)) {
		return
	}
	k.dropped += uint64(info[memInfoDrops] - k.last)
	k.last, k.queued, k.buffer = info[memInfoDrops], info[memInfoQueued], info[memInfoBuffer]
}

// end looks a last time: the descriptor is closed next.
func (k *kernelView) end() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.ask()
	k.ended, k.queued = true, 0
}
