//go:build linux

package reactor

import (
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/lars-lb/lars/internal/wire"
)

// keepOutput is the largest output buffer that an idle connection keeps, bytes.
const keepOutput = 16 << 10

// Send queues a frame, copying body. It is written at the end of the turn
// together with everything else sent in it. Send returns ErrBacklog, and
// queues nothing, when more than ConnConfig.MaxOutput would wait; ErrClosed on
// a closed connection; ErrTooLong for a body above 65,527 bytes.
func (c *TCPConn) Send(msgid int32, body []byte) error {
	b, err := c.reserve(msgid, len(body))
	if err != nil {
		return err
	}
	copy(b, body)
	return nil
}

// SendMessage is Send for a message, which is encoded straight into the output.
func (c *TCPConn) SendMessage(msgid int32, m Marshaler) error {
	b, err := c.reserve(msgid, m.SizeVT())
	if err != nil {
		return err
	}
	if _, err := m.MarshalToSizedBufferVT(b); err != nil {
		c.out = c.out[:len(c.out)-len(b)-wire.HeadSize]
		return fmt.Errorf("reactor: encode message %d: %w", msgid, err)
	}
	return nil
}

// Buffered is the number of bytes sent and not yet taken by the kernel.
func (c *TCPConn) Buffered() int { return len(c.out) - c.written }

// reserve appends a frame to the output and returns its body, to be filled.
func (c *TCPConn) reserve(msgid int32, n int) ([]byte, error) {
	if c.closed {
		return nil, ErrClosed
	}
	if n > wire.MaxBody {
		return nil, ErrTooLong
	}
	size := wire.HeadSize + n
	if c.Buffered()+size > c.kind.config.MaxOutput {
		c.kind.stats.backlogs.Add(1)
		return nil, ErrBacklog
	}
	if len(c.out)+size > cap(c.out) && c.written > 0 {
		c.out = c.out[:copy(c.out, c.out[c.written:])]
		c.written = 0
	}
	start := len(c.out)
	c.out = extend(c.out, size)
	wire.PutHead(c.out[start:], msgid, n)
	c.kind.stats.framesOut.Add(1)
	if !c.scheduled && !c.blocked && !c.draining {
		c.scheduled = true
		c.loop.dirty = append(c.loop.dirty, c)
	}
	return c.out[start+wire.HeadSize:], nil
}

// extend grows b by n bytes, the new ones unset.
func extend(b []byte, n int) []byte {
	if len(b)+n <= cap(b) {
		return b[:len(b)+n]
	}
	return append(b, make([]byte, n)...)
}

// flush writes the output with one system call. What the kernel does not take
// waits until epoll reports room.
func (c *TCPConn) flush() {
	c.scheduled = false
	if c.fd < 0 {
		return
	}
	if c.written < len(c.out) {
		n, err := writeNow(c.fd, c.out[c.written:])
		if err != nil && err != unix.EAGAIN && err != unix.EINTR {
			c.drop(fmt.Errorf("reactor: write: %w", err))
			return
		}
		n = max(n, 0)
		c.written += n
		c.kind.stats.bytesOut.Add(uint64(n))
	}
	if c.written < len(c.out) {
		c.await(true)
		return
	}
	c.out, c.written = c.out[:0], 0
	if cap(c.out) > keepOutput {
		c.out = nil
	}
	if c.closed {
		return
	}
	if c.kind.hooks.OnDrain != nil {
		c.draining = true // what OnDrain sends is not flushed in this turn
		c.kind.hooks.OnDrain(c)
		c.draining = false
	}
	c.await(len(c.out) > 0)
}

// await turns waiting for room in the kernel's buffer on or off.
func (c *TCPConn) await(room bool) {
	if c.closed || c.blocked == room {
		return
	}
	c.blocked = room
	events := uint32(readEvents)
	if room {
		events |= unix.EPOLLOUT
	}
	if err := c.loop.modify(c.fd, events); err != nil {
		c.drop(err)
	}
}
