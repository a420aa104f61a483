package agent

import (
	"fmt"
	"net/netip"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/lars-lb/lars/internal/route"
)

// clientBuffer is asked for as the receive buffer of a client, bytes: it must
// not be the client that loses answers.
const clientBuffer = 8 << 20

// underWayMax bounds the requests whose time is remembered: a power of 2.
const underWayMax = 1 << 16

// client is one socket that asks a target. Requests and answers are taken and
// sent in batches, since whoever asks must cost less than who answers.
type client struct {
	fd      int
	in, out *batch
	queued  int // datagrams in out

	requests [][]byte // which to send, one of them by chance
	report   []byte   // the head of the report to send for each answer, if any
	chance   uint64
	scratch  []byte

	start    time.Time
	now      time.Duration // since start, as it was when it was looked at last
	next     uint32        // number of the next request
	sentAt   [underWayMax]time.Duration
	answered [underWayMax]bool

	sent, answers uint64
	times         []float64 // from a request to its answer, µs, up to its capacity
}

// dial returns a client that asks addr for hosts of the modules, and reports a
// call for each answer if reports is set: of the first module then.
func dial(addr netip.AddrPort, modules []route.Module, reports bool) (*client, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("socket: %w", err)
	}
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, clientBuffer)
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, clientBuffer) // where it is allowed
	if err := unix.Connect(fd, &unix.SockaddrInet4{Addr: addr.Addr().As4(), Port: int(addr.Port())}); err != nil {
		_ = unix.Close(fd)
		return nil, fmt.Errorf("connect to %v: %w", addr, err)
	}
	c := &client{fd: fd, in: newBatch(), out: newBatch(), start: time.Now(), next: firstSeq, chance: 1}
	for _, id := range modules {
		c.requests = append(c.requests, getHost(id))
	}
	if reports {
		c.report = reportHead(modules[0])
	}
	return c, nil
}

func (c *client) close() { _ = unix.Close(c.fd) }

// look reads the clock: once for a batch.
func (c *client) look() { c.now = time.Since(c.start) }

// ask queues a request for one of the modules, by chance.
func (c *client) ask() {
	which := 0
	if len(c.requests) > 1 { // xorshift64
		c.chance ^= c.chance << 13
		c.chance ^= c.chance >> 7
		c.chance ^= c.chance << 17
		which = int(c.chance % uint64(len(c.requests)))
	}
	c.askFor(which)
}

// askFor is ask for one of the modules.
func (c *client) askFor(which int) {
	setSeq(c.queue(c.requests[which]), c.next)
	slot := c.next % underWayMax
	c.sentAt[slot], c.answered[slot] = c.now, false
	c.next++
	c.sent++
}

func (c *client) queue(d []byte) []byte {
	if c.queued == batchSize {
		c.flush()
	}
	c.queued++
	return c.out.put(c.queued-1, d)
}

// flushTrain is flush for requests alone, which are all of one size. What the
// kernel does not take was not sent.
func (c *client) flushTrain() {
	if c.queued > 0 && c.out.sendTrain(c.fd, c.queued) != 0 {
		c.next -= uint32(c.queued)
		c.sent -= uint64(c.queued)
	}
	c.queued = 0
}

// flush sends what is queued. What the kernel does not take is lost, and found
// to be when no answer comes.
func (c *client) flush() {
	for from := 0; from < c.queued; {
		n, errno := c.out.send(c.fd, from, c.queued)
		switch errno {
		case 0:
			from += n
		case unix.EINTR:
		default:
			from++
		}
	}
	c.queued = 0
}

// receive takes one batch of answers and reports how many there were; each is
// followed by a report if there are to be any. Flags are as in batch.
func (c *client) receive(flags int) int {
	n, errno := c.in.receive(c.fd, flags)
	if errno != 0 {
		return 0
	}
	c.look()
	answers := 0
	for i := range n {
		frame := c.in.at(i)
		seq, ok := seqOf(frame)
		slot := seq % underWayMax
		if !ok || c.next-seq > underWayMax || c.answered[slot] {
			continue
		}
		c.answered[slot] = true
		answers++
		if len(c.times) < cap(c.times) {
			c.times = append(c.times, float64(c.now-c.sentAt[slot])/1e3)
		}
		if c.report != nil {
			if host := hostOf(frame); host != nil {
				c.scratch = appendReport(c.scratch[:0], c.report, host)
				c.queue(c.scratch)
			}
		}
	}
	c.answers += uint64(answers)
	return answers
}

// patience makes receive give up waiting after d.
func (c *client) patience(d time.Duration) error {
	tv := unix.NsecToTimeval(int64(d))
	return unix.SetsockoptTimeval(c.fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &tv)
}

// lost is how many answers came, and found no room here.
func (c *client) lost() uint64 {
	var info [9]uint32 // SO_MEMINFO; the last is SK_MEMINFO_DROPS
	size := uint32(unsafe.Sizeof(info))
	_, _, _ = unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(c.fd), unix.SOL_SOCKET, unix.SO_MEMINFO,
		uintptr(unsafe.Pointer(&info)), uintptr(unsafe.Pointer(&size)), 0) // rule 4: converted in the call itself
	return uint64(info[8])
}
