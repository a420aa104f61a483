//go:build linux

package reactor

import (
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"

	"github.com/lars-lb/lars/internal/wire"
)

const (
	// maxOutputUDP is how much output is collected before it is sent although
	// the batch is not full, bytes.
	maxOutputUDP = 512 << 10
	// receiveRounds bounds the batches taken in one turn of the loop.
	receiveRounds = 4
)

// Datagram is one received datagram and the way to answer it. It is valid,
// and may be used, only in the handler that was given it.
type Datagram struct {
	socket *udpSocket
	index  int // in the batch being handled
}

// From is the sender's address.
func (d *Datagram) From() netip.AddrPort { return d.socket.in.addr(d.index) }

// Reply sends a frame to the sender, copying body. It leaves with the other
// answers of the batch. UDP promises nothing: what the kernel does not take is
// dropped and counted. Reply returns ErrTooLong for a body above 65,499 bytes.
func (d *Datagram) Reply(msgid int32, body []byte) error {
	b, err := d.socket.reserve(msgid, len(body), d.index)
	if err != nil {
		return err
	}
	copy(b, body)
	return nil
}

// ReplyMessage is Reply for a message, which is encoded straight into the
// output.
func (d *Datagram) ReplyMessage(msgid int32, m Marshaler) error {
	return d.socket.encode(msgid, m, d.index)
}

// udpSocket receives and sends in batches. It belongs to one loop.
type udpSocket struct {
	loop   *Loop
	fd     int
	router *Router[*Datagram]
	stats  udpCounters
	kernel kernelView

	in       *packets
	inBytes  []byte // maxFrame bytes for each datagram of in
	maxFrame int
	datagram Datagram // what handlers are given; one suffices, they run one at a time

	out       *packets
	outBytes  []byte  // the frames to send, one behind the other
	replies   []reply // what they are
	runs      []int   // for each datagram or train of out the reply after its last
	trains    bool    // the kernel takes them
	scheduled bool    // in the loop's list of sockets to flush
	edge      bool    // registered edge-triggered
	receiving bool    // in handleIO, which flushes by itself
	closed    bool
}

// reply is a frame to send.
type reply struct {
	end        int                    // of it in outBytes
	name       *unix.RawSockaddrInet6 // of whom it is for, nil for the socket's own peer
	nameLength uint32
}

// sameName reports whether both are for the same.
func (r *reply) sameName(o *reply) bool {
	return r.nameLength == o.nameLength && (r.name == o.name || r.name != nil && o.name != nil && *r.name == *o.name)
}

func newUDPSocket(l *Loop, fd, batch, maxFrame int, r *Router[*Datagram]) *udpSocket {
	s := &udpSocket{
		loop: l, fd: fd, router: r, maxFrame: maxFrame,
		in: newPackets(batch), inBytes: make([]byte, batch*maxFrame),
		out: newPackets(batch), replies: make([]reply, 0, batch), runs: make([]int, 0, batch),
		trains: sendsTrains(fd),
	}
	s.datagram.socket = s
	s.kernel.fd = fd
	for i := range batch {
		s.in.setBuffer(i, s.inBytes[i*maxFrame:(i+1)*maxFrame])
	}
	return s
}

// handleIO receives and answers batch by batch, a few of them in one turn. Where
// several came at once more has mostly arrived meanwhile; after a single one
// there is mostly nothing, and it is cheaper to wait than to look.
func (s *udpSocket) handleIO(uint32) {
	s.receiving = true
	emptied := false
	for range receiveRounds {
		n, errno := s.in.receive(s.fd)
		if errno != 0 {
			// EAGAIN: nothing there. On a connected socket also ECONNREFUSED
			// and the like, which reading has cleared: the peer is not there,
			// which over UDP is no different from a lost datagram.
			emptied = errno == unix.EAGAIN
			break
		}
		s.stats.received.Add(uint64(n))
		s.stats.batches.Add(1)
		for i := 0; i < n && !s.closed; i++ {
			s.handle(i)
		}
		s.flush()
		if n == 1 || s.closed {
			emptied = n < len(s.in.headers)
			break
		}
	}
	s.receiving = false
	switch {
	case !s.edge || s.closed:
	case emptied:
		s.loop.emptied++
	default:
		// Nothing new need come for what is left to be reported: ask again. It
		// cannot fail for a descriptor that is registered, but for want of memory.
		_ = s.loop.modify(s.fd, unix.EPOLLIN|unix.EPOLLET)
	}
}

func (s *udpSocket) handle(i int) {
	h := &s.in.headers[i]
	if h.hdr.Flags&unix.MSG_TRUNC != 0 {
		s.stats.truncated.Add(1)
		return
	}
	start := i * s.maxFrame
	msgid, body, err := wire.DecodeDatagram(s.inBytes[start : start+int(h.len)])
	if err == wire.ErrShort {
		s.stats.short.Add(1)
		return
	} else if err != nil {
		s.stats.badLength.Add(1)
		return
	}
	handler, ok := s.router.handlers[msgid]
	if !ok {
		s.stats.unknownMessage.Add(1)
		return
	}
	s.datagram.index = i
	if handler(&s.datagram, body) != nil {
		s.stats.badBody.Add(1)
	}
}

// toPeer as an index means the peer of a connected socket.
const toPeer = -1

// reserve appends a frame to the output, for the sender of received datagram
// to, and returns its body, to be filled.
func (s *udpSocket) reserve(msgid int32, n, to int) ([]byte, error) {
	if s.closed {
		return nil, ErrClosed
	}
	size := wire.HeadSize + n
	if size > wire.MaxDatagram {
		return nil, ErrTooLong
	}
	if len(s.replies) == cap(s.replies) || len(s.outBytes)+size > maxOutputUDP {
		s.flush()
	}
	start := len(s.outBytes)
	s.outBytes = extend(s.outBytes, size)
	wire.PutHead(s.outBytes[start:], msgid, n)
	r := reply{end: len(s.outBytes)}
	if to != toPeer {
		// The name stays in the batch being handled until the answer is sent:
		// flush comes before the next receive.
		r.name, r.nameLength = &s.in.names[to], s.in.headers[to].hdr.Namelen
	}
	s.replies = append(s.replies, r)
	if !s.receiving && !s.scheduled {
		s.scheduled = true
		s.loop.dirty = append(s.loop.dirty, s)
	}
	return s.outBytes[start+wire.HeadSize:], nil
}

// encode appends a message to the output.
func (s *udpSocket) encode(msgid int32, m Marshaler, to int) error {
	b, err := s.reserve(msgid, m.SizeVT(), to)
	if err != nil {
		return err
	}
	if _, err := m.MarshalToSizedBufferVT(b); err != nil {
		s.replies = s.replies[:len(s.replies)-1]
		s.outBytes = s.outBytes[:len(s.outBytes)-len(b)-wire.HeadSize]
		return fmt.Errorf("reactor: encode message %d: %w", msgid, err)
	}
	return nil
}

// flush sends the output. What the kernel does not take is dropped.
func (s *udpSocket) flush() {
	s.scheduled = false
	trains := s.trains
	for first := 0; first < len(s.replies) && !s.closed; {
		s.pack(first, trains)
		n, errno := s.out.send(s.fd, len(s.runs))
		switch errno {
		case 0:
			s.stats.sent.Add(uint64(s.runs[n-1] - first))
			first = s.runs[n-1]
		case unix.EINTR:
		case unix.EAGAIN, unix.ENOBUFS:
			s.stats.sendBlocked.Add(uint64(len(s.replies) - first))
			first = len(s.replies)
		default:
			if s.runs[0] > first+1 { // perhaps only as a train
				trains = false
				// The device or what is before it cannot cut, which it will not learn.
				s.trains = s.trains && errno != unix.EIO && errno != unix.EINVAL
				continue
			}
			s.stats.sendErrors.Add(1) // this one alone; the next may go elsewhere
			first++
		}
	}
	s.replies, s.outBytes = s.replies[:0], s.outBytes[:0]
}

// pack makes out what is to be sent of the replies from first on. Frames of one
// size that follow one another to the same peer, which may be as many as it has
// requests under way, become a train.
func (s *udpSocket) pack(first int, trains bool) {
	s.runs = s.runs[:0]
	start := 0
	if first > 0 {
		start = s.replies[first-1].end
	}
	for first < len(s.replies) {
		r := &s.replies[first]
		size, end, next := r.end-start, r.end, first+1
		for trains && size <= maxTrainFrame && next < len(s.replies) && next-first < maxTrain && end-start == (next-first)*size {
			o := &s.replies[next]
			if o.end-end > size || !o.sameName(r) {
				break
			}
			end = o.end
			next++
		}
		i := len(s.runs)
		s.out.setBuffer(i, s.outBytes[start:end])
		s.out.setName(i, r.name, r.nameLength)
		if next-first > 1 {
			s.out.setTrain(i, size)
		} else {
			s.out.setTrain(i, 0)
		}
		s.runs = append(s.runs, next)
		first, start = next, end
	}
}

// close releases the socket at the end of the turn.
func (s *udpSocket) close() {
	if !s.closed {
		s.closed = true
		s.loop.remove(s.fd)
		s.loop.dead = append(s.loop.dead, s)
	}
}

// abandon is called when the loop ends, after which nothing is reaped.
func (s *udpSocket) abandon() {
	s.closed = true
	s.loop.remove(s.fd)
	s.reap()
}

func (s *udpSocket) reap() {
	s.kernel.end()
	_ = unix.Close(s.fd)
}

// snapshot may be called on any goroutine.
func (s *udpSocket) snapshot() UDPStats {
	stats := s.stats.snapshot()
	s.kernel.look(&stats)
	return stats
}
