package lars

import (
	"context"
	"errors"
	"net"
	"os"
	"time"

	"github.com/lars-lb/lars/internal/wire"
	pb "github.com/lars-lb/lars/proto/larspb"
)

const (
	// firstTry is how long the first try of a question waits before it is
	// sent again; each further try waits twice as long, up to lastTry.
	firstTry = 50 * time.Millisecond
	// lastTry is the longest such wait, and so the most by which an agent that
	// came back is noticed late.
	lastTry = 500 * time.Millisecond

	// unwatched is how long a call first waits without watching its context.
	// Nearly every answer is there by then, and watching costs allocations;
	// being cancelled takes this much longer at most.
	unwatched = time.Millisecond

	// maxSmall bounds the frames of GetHost and Report, bytes. The largest
	// request is 74 bytes; an answer may grow by fields that are not known yet.
	maxSmall = 512
)

// socket is one UDP socket connected to one of the agent's ports, with the
// buffers and messages of the call that uses it. One call has it at a time.
type socket struct {
	conn  *net.UDPConn
	stale bool // an earlier call used conn, and may have left its error there
	spent bool // conn may yet get what is not for the next call, or has failed

	asked  time.Duration // when it last probed, since the client was made
	heard  bool          // an answer came, perhaps to an earlier question
	unsure bool          // conn was last used to send a report, which is sent
	sent   report

	// unwatch stops the watcher that roundTrip set on its context, and reports
	// whether it came before the watcher ran. Nil when there is none.
	unwatch func() bool
	watched bool // the watcher ran, or may yet

	out, in []byte
	host    pb.HostInfo
	request pb.GetHostRequest
	answer  pb.GetHostResponse
	report  pb.ReportRequest
	counts  counts
}

func newSocket() *socket {
	return &socket{out: make([]byte, 0, maxSmall), in: make([]byte, maxSmall)}
}

// message is what vtprotobuf generates.
type message interface {
	SizeVT() int
	MarshalToSizedBufferVT([]byte) (int, error)
}

// encode returns the frame of m. It is part of s.out and valid until the next
// encode.
func (s *socket) encode(id pb.MessageId, m message) ([]byte, error) {
	n := m.SizeVT()
	frame := s.out[:wire.HeadSize+n]
	wire.PutHead(frame, int32(id), n)
	_, err := m.MarshalToSizedBufferVT(frame[wire.HeadSize:])
	return frame, err
}

// send sends frame once.
func (s *socket) send(deadline time.Time, frame []byte) error {
	err := s.conn.SetWriteDeadline(deadline)
	if err == nil {
		_, err = s.conn.Write(frame)
	}
	if err != nil {
		s.spent = true
		return err
	}
	s.unsure = false // what was refused, the system would have told
	return nil
}

// refusal returns what the system has to tell of the last report, which is
// nothing as a rule. What else came is lost: conn must not be used again.
func (s *socket) refusal() error {
	if !s.unsure {
		return nil
	}
	err := s.conn.SetReadDeadline(time.Now().Add(unwatched))
	if err == nil {
		_, err = s.conn.Read(s.in)
	}
	return err
}

// roundTrip sends frame, again and again, until accept takes a datagram that
// came back; buf is where it is read. Datagrams that accept refuses are
// skipped: late, foreign or garbled ones. It returns context.Canceled,
// context.DeadlineExceeded when deadline passed first, or what the socket
// failed with.
func (s *socket) roundTrip(ctx context.Context, deadline time.Time, frame, buf []byte, accept func([]byte) bool) (err error) {
	defer func() {
		s.watched = s.unwatch != nil && !s.unwatch()
		s.unwatch = nil
		s.spent = err != nil || s.watched
	}()
	for wait := firstTry; ; wait = min(2*wait, lastTry) {
		if err := s.send(deadline, frame); err != nil {
			return ended(ctx, err)
		}
		end := earlier(time.Now().Add(wait), deadline)
		if err := s.await(ctx, end, buf, accept); !errors.Is(err, os.ErrDeadlineExceeded) {
			return ended(ctx, err)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if !time.Now().Before(deadline) {
			return context.DeadlineExceeded
		}
	}
}

// await waits for an answer until end, or until ctx is cancelled.
func (s *socket) await(ctx context.Context, end time.Time, buf []byte, accept func([]byte) bool) error {
	if ctx.Done() != nil && s.unwatch == nil {
		err := s.receive(ctx, earlier(time.Now().Add(unwatched), end), buf, accept)
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			return err
		}
		conn := s.conn
		s.unwatch = context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	}
	return s.receive(ctx, end, buf, accept)
}

// receive reads until accept takes a datagram, or until end.
func (s *socket) receive(ctx context.Context, end time.Time, buf []byte, accept func([]byte) bool) error {
	if err := s.conn.SetReadDeadline(end); err != nil {
		return err
	}
	// After, not before: the watcher may have run already, and its deadline
	// was overwritten just now.
	if err := ctx.Err(); err != nil {
		return err
	}
	for {
		n, err := s.conn.Read(buf)
		if err != nil {
			return err
		}
		if accept(buf[:n]) {
			return nil
		}
	}
}

// ended is err, or what ended ctx if that is why the socket returned it. A
// deadline of the socket is one of the context package.
func ended(ctx context.Context, err error) error {
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return context.DeadlineExceeded
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
