//go:build linux

package reactor

import (
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/lars-lb/lars/internal/wire"
)

// keepInput is the largest buffer for half-read frames that a connection
// keeps once the frame is complete, bytes.
const keepInput = 4 << 10

// receive reads once what the kernel holds and hands whole frames to their
// handlers. Frames are parsed where they were read: in the loop's input
// buffer, or, when the start of a frame came earlier, in the connection's own.
func (c *TCPConn) receive() {
	if len(c.in) > 0 {
		n := c.read(c.in[len(c.in):c.need])
		if n <= 0 {
			return
		}
		c.in = c.in[:len(c.in)+n]
		if len(c.in) < c.need {
			c.inSince = c.loop.now()
			return
		}
		if !c.completePartial() || c.closed {
			return
		}
		// The partial frame is done; more has probably come behind it.
	}
	buf := c.loop.inputBuffer()
	n := c.read(buf)
	if n <= 0 {
		return
	}
	if rest := c.dispatch(buf[:n]); len(rest) > 0 && !c.closed {
		c.keepPartial(rest)
	}
}

// completePartial dispatches the connection's own buffer, which holds all it
// waited for: a whole head, or a whole frame. It reports false while more of
// the frame is to come.
func (c *TCPConn) completePartial() bool {
	rest := c.dispatch(c.in)
	if c.closed {
		return true
	}
	if len(rest) > 0 {
		c.keepPartial(rest)
		return false
	}
	if cap(c.in) > keepInput {
		c.in = nil
	}
	c.in = c.in[:0]
	return true
}

// keepPartial stores the start of a frame until the rest has come, in a buffer
// just large enough, so that reading the rest never takes in the next frame.
func (c *TCPConn) keepPartial(part []byte) {
	c.need = wire.HeadSize
	if head, err := wire.DecodeHead(part); err == nil {
		c.need += int(head.Len)
	}
	if cap(c.in) < c.need {
		c.in = append(make([]byte, 0, c.need), part...)
	} else {
		c.in = c.in[:copy(c.in[:cap(c.in)], part)]
	}
	c.inSince = c.loop.now()
	if c.inTimer == nil {
		c.inTimer = c.loop.newTimer(c.checkPartial)
	}
	if c.inTimer.index < 0 {
		c.inTimer.Reset(c.kind.config.PartialTimeout)
	}
}

// checkPartial closes the connection if a half-read frame has been silent too
// long. The timer is not stopped for each frame that completes: it looks, when
// it fires, whether there is anything to wait for.
func (c *TCPConn) checkPartial() {
	if len(c.in) == 0 || c.closed {
		return
	}
	silent := c.loop.now() - c.inSince
	if silent >= c.kind.config.PartialTimeout {
		c.drop(ErrPartialTimeout)
		return
	}
	c.inTimer.Reset(c.kind.config.PartialTimeout - silent)
}

// read returns what one read system call gave, and 0 when there was nothing
// or the connection is closed now.
func (c *TCPConn) read(buf []byte) int {
	n, err := readNow(c.fd, buf)
	switch {
	case n > 0:
		c.kind.stats.bytesIn.Add(uint64(n))
		return n
	case err == unix.EAGAIN || err == unix.EINTR:
	case err != nil:
		c.drop(fmt.Errorf("reactor: read: %w", err))
	default:
		c.Close(ErrPeerClosed) // it may still read what it asked for
	}
	return 0
}

// dispatch hands the whole frames in data to their handlers and returns what
// is left: the start of a frame, or nothing.
func (c *TCPConn) dispatch(data []byte) (rest []byte) {
	frames := uint64(0)
	for len(data) >= wire.HeadSize && !c.closed {
		head, err := wire.DecodeHead(data)
		if err != nil {
			c.drop(fmt.Errorf("%w: %d", ErrBadFrame, head.Len))
			break
		}
		end := wire.HeadSize + int(head.Len)
		if len(data) < end {
			break
		}
		frames++
		c.handle(head.ID, data[wire.HeadSize:end])
		data = data[end:]
	}
	c.kind.stats.framesIn.Add(frames)
	return data
}

func (c *TCPConn) handle(msgid int32, body []byte) {
	h, ok := c.kind.router.handlers[msgid]
	if !ok {
		c.kind.stats.unknownMessage.Add(1)
		return
	}
	if err := h(c, body); err != nil {
		c.drop(&BadBodyError{MsgID: msgid, Err: err})
	}
}

// BadBodyError is the reason for closing a connection whose frame a handler
// did not understand.
type BadBodyError struct {
	MsgID int32
	Err   error // what the handler returned
}

func (e *BadBodyError) Error() string {
	return fmt.Sprintf("reactor: message %d: %v", e.MsgID, e.Err)
}

func (e *BadBodyError) Unwrap() error { return e.Err }
