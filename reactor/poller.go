//go:build linux

package reactor

import (
	"fmt"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// busyTurns is how many turns a loop may make without a wait before Go's
// scheduler hears of it.
const busyTurns = 64

// poller is a loop's epoll descriptor. The kernel is asked what is ready without
// blocking; when that is nothing, Go's own poller, which watches the descriptor
// like that of any connection, parks the goroutine until it is something.
//
// To block in epoll_wait would be fewer system calls, and cost more. A goroutine
// in a system call keeps a P. The runtime's sysmon thread takes it away after
// 20 µs if no other P is idle, or if the goroutine has not been scheduled for
// 10 ms; it then sleeps until the call returns, finds itself without a P, takes
// one from the list, and wakes sysmon, which begins anew: two futex calls and
// two switches of threads for each turn.
type poller struct {
	fd     int
	file   *os.File // owns fd
	conn   syscall.RawConn
	lookup func(fd uintptr) bool // p.look, bound once

	// The parameter and the results of look; events is nil between calls.
	events []unix.EpollEvent
	n      int
	err    error

	busy int // turns since the goroutine was parked
}

func newPoller() (*poller, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("reactor: epoll_create1: %w", err)
	}
	// Only a descriptor that is marked so is given to Go's poller.
	if err := unix.SetNonblock(fd, true); err != nil {
		_ = unix.Close(fd)
		return nil, fmt.Errorf("reactor: fcntl: %w", err)
	}
	p := &poller{fd: fd, file: os.NewFile(uintptr(fd), "epoll")}
	p.lookup = p.look
	// Go's poller may not have taken it; a deadline tells.
	if err := p.file.SetReadDeadline(time.Time{}); err != nil {
		_ = p.file.Close()
		return nil, fmt.Errorf("reactor: wait for epoll: %w", err)
	}
	if p.conn, err = p.file.SyscallConn(); err != nil {
		_ = p.file.Close()
		return nil, fmt.Errorf("reactor: wait for epoll: %w", err)
	}
	return p, nil
}

// wait fills in events with what is ready, once something is.
func (p *poller) wait(events []unix.EpollEvent) (n int, err error) {
	p.events = events
	err = p.conn.Read(p.lookup)
	p.events = nil
	if err == nil {
		err = p.err
	}
	if err != nil {
		return 0, fmt.Errorf("reactor: epoll_wait: %w", err)
	}
	return p.n, nil
}

// look asks the kernel, and reports whether that has an answer.
func (p *poller) look(uintptr) bool {
	if p.busy++; p.busy >= busyTurns {
		// Calls that are hidden from Go's scheduler do not wake sysmon, without
		// which a loop that never waits would not be preempted; this one does.
		p.busy = 0
		p.n, p.err = unix.EpollWait(p.fd, p.events, 0)
	} else {
		p.n, p.err = pollEpoll(p.fd, p.events)
	}
	if p.err == unix.EINTR {
		p.n, p.err = 0, nil
		return true // a turn without events
	}
	if p.n == 0 && p.err == nil {
		p.busy = 0
		return false
	}
	return true
}

// close is not for while the loop waits.
func (p *poller) close() {
	_ = p.file.Close()
	p.fd = -1 // the number may be another's soon
}
