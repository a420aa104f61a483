//go:build linux

package reactor

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// add registers a descriptor and the source that its events go to.
func (l *Loop) add(fd int, events uint32, s source) error {
	if err := l.control(unix.EPOLL_CTL_ADD, fd, events); err != nil {
		return err
	}
	l.sources[int32(fd)] = s
	return nil
}

// modify changes the events that a registered descriptor waits for.
func (l *Loop) modify(fd int, events uint32) error {
	return l.control(unix.EPOLL_CTL_MOD, fd, events)
}

// remove unregisters a descriptor: events already fetched for it are dropped.
// Its owner closes it in reap, not before: until then the number cannot be
// given to another descriptor, whose events these would seem to be.
func (l *Loop) remove(fd int) {
	delete(l.sources, int32(fd))
	// Closing the descriptor would unregister it as well; an error here
	// changes nothing for the loop.
	_ = l.control(unix.EPOLL_CTL_DEL, fd, 0)
}

func (l *Loop) control(op, fd int, events uint32) error {
	ev := unix.EpollEvent{Events: events, Fd: int32(fd)}
	if err := unix.EpollCtl(l.poller.fd, op, fd, &ev); err != nil {
		return fmt.Errorf("reactor: epoll_ctl: %w", err)
	}
	return nil
}

// signal makes the eventfd readable. It cannot fail but by the counter being
// full, and then the loop wakes all the same.
func (l *Loop) signal() {
	_, _ = writeNow(l.wake, l.one[:])
}

// clearWake lets the next Post signal again.
func (l *Loop) clearWake() {
	l.mu.Lock()
	_, _ = readNow(l.wake, l.counter[:])
	l.woken = false
	l.mu.Unlock()
}

func (l *Loop) closeDescriptors() {
	l.poller.close()
	for _, fd := range []*int{&l.wake, &l.alarm} {
		if *fd >= 0 {
			_ = unix.Close(*fd)
			*fd = -1
		}
	}
}
