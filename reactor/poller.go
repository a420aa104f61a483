//go:build linux

package reactor

import (
	"fmt"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// busyTurns is how many turns a loop may make before Go's scheduler hears of it,
// unless it finds nothing to do meanwhile. One that is parked after each turn may
// still never wait, for something may have come by then.
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
	fd   int
	file *os.File // owns fd
	conn syscall.RawConn

	// What look needs while each runs, and why it ended.
	events []unix.EpollEvent
	turn   func(ready []unix.EpollEvent) next
	err    error

	busy int // looks since the last that found nothing, or that Go's scheduler heard of
}

// next is what comes after a turn.
type next uint8

const (
	// lookAgain: something may be ready still.
	lookAgain next = iota
	// park: whatever is ready from now on was not when the kernel was asked, and
	// so Go's poller hears of it. That saves a look.
	park
	// end: each returns.
	end
)

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

// each calls turn with what is ready, each time that something is, until it
// returns end.
func (p *poller) each(events []unix.EpollEvent, turn func(ready []unix.EpollEvent) next) error {
	p.events, p.turn = events, turn
	// All turns are made in one Read: a new one would forget what Go's poller
	// has heard since the last look.
	err := p.conn.Read(p.look)
	if err == nil {
		err = p.err
	}
	if err != nil {
		return fmt.Errorf("reactor: epoll_wait: %w", err)
	}
	return nil
}

// look makes turns for as long as something is ready, and reports whether they
// have ended.
func (p *poller) look(uintptr) bool {
	for {
		n, err := p.ready()
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			p.err = err
			return true
		}
		if n == 0 {
			p.busy = 0
			return false
		}
		switch p.turn(p.events[:n]) {
		case park:
			return false
		case end:
			return true
		}
	}
}

// ready asks the kernel.
func (p *poller) ready() (n int, err error) {
	if p.busy++; p.busy >= busyTurns {
		// Calls that are hidden from Go's scheduler do not wake sysmon, without
		// which a loop that never waits would not be preempted; this one does.
		p.busy = 0
		return unix.EpollWait(p.fd, p.events, 0)
	}
	return pollEpoll(p.fd, p.events)
}

// close is not for while the loop waits.
func (p *poller) close() {
	_ = p.file.Close()
	p.fd = -1 // the number may be another's soon
}
