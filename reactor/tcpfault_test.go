//go:build linux

package reactor_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lars-lb/lars/internal/eventually"
	"github.com/lars-lb/lars/internal/wire"
	"github.com/lars-lb/lars/reactor"
)

func TestPeerThatNeverReads(t *testing.T) {
	const maxOutput = 256 << 10
	full := make(chan int, 1)
	body := make([]byte, 1000)
	r := echoRouter()
	r.Handle(msgFill, func(c *reactor.TCPConn, _ []byte) error {
		for {
			if err := c.Send(msgEcho, body); err != nil {
				if !errors.Is(err, reactor.ErrBacklog) {
					t.Errorf("Send = %v", err)
				}
				full <- c.Buffered()
				return nil
			}
		}
	})
	s := serveTCP(t, reactor.TCPServerConfig{Conn: reactor.ConnConfig{MaxOutput: maxOutput}}, r)
	lazy := dialTCP(t, s.Addr())
	// The first rounds fill the kernel's buffers; once it takes no more, the
	// output stays at its bound.
	for stuck := 0; stuck < 3; {
		lazy.send(msgFill, "")
		n := <-full
		if n > maxOutput || n < maxOutput-2*(len(body)+wire.HeadSize) {
			t.Fatalf("refused at %d bytes, the bound is %d", n, maxOutput)
		}
		before := s.Stats().BytesOut
		other := dialTCP(t, s.Addr()) // the loop serves others meanwhile
		other.send(msgEcho, "others")
		other.expect("others")
		if s.Stats().BytesOut-before < 1000 {
			stuck++
		}
	}
	// When it reads after all, it gets whole frames.
	for range 200 {
		if id, got := lazy.next(); id != msgEcho || len(got) != len(body) {
			t.Fatalf("got message %d of %d bytes", id, len(got))
		}
	}
}

func TestOnDrainContinuesAPausedStream(t *testing.T) {
	const frames = 5000
	body := strings.Repeat("d", 1000)
	r := reactor.NewRouter[*reactor.TCPConn]()
	more := func(c *reactor.TCPConn) {
		for left := c.Value().(*int); *left > 0 && c.Send(msgEcho, []byte(body)) == nil; *left-- {
		}
	}
	r.Handle(msgFill, func(c *reactor.TCPConn, _ []byte) error {
		left := frames
		c.SetValue(&left)
		more(c)
		return nil
	})
	s := serveTCP(t, reactor.TCPServerConfig{
		Conn: reactor.ConnConfig{MaxOutput: 65535},
		Hooks: reactor.ConnHooks{OnDrain: func(c *reactor.TCPConn) {
			if c.Value() != nil {
				more(c)
			}
		}},
	}, r)
	p := dialTCP(t, s.Addr())
	p.send(msgFill, "")
	for range frames {
		p.expect(body)
	}
}

// TestCloseWritesWhatWasSent closes where the output is not written in the
// same turn anyway.
func TestCloseWritesWhatWasSent(t *testing.T) {
	last := func(c *reactor.TCPConn) {
		_ = c.Send(msgEcho, []byte("last words"))
		c.Close(nil)
	}
	s := serveTCP(t, reactor.TCPServerConfig{Hooks: reactor.ConnHooks{OnDrain: last}}, echoRouter())
	p := dialTCP(t, s.Addr())
	p.send(msgEcho, "first")
	p.expect("first")
	p.expect("last words")
	p.expectClosed()
}

func TestPeerThatResets(t *testing.T) {
	checkDescriptors(t)
	reasons := make(chan error, 1)
	s := serveTCP(t, reactor.TCPServerConfig{Hooks: reactor.ConnHooks{
		OnClose: func(_ *reactor.TCPConn, reason error) { reasons <- reason },
	}}, echoRouter())
	p := dialTCP(t, s.Addr())
	p.send(msgEcho, "x")
	p.expect("x")
	p.write([]byte{1, 2, 3}) // half a head is pending when the reset comes
	if err := p.Conn.(*net.TCPConn).SetLinger(0); err != nil {
		t.Fatal(err)
	}
	_ = p.Close()
	if reason := <-reasons; !errors.Is(reason, unix.ECONNRESET) {
		t.Errorf("reason = %v, want ECONNRESET", reason)
	}
	eventually.True(t, patience, "counted", func() bool { return s.Stats().ClosedError == 1 })
}

func TestPeerThatHalfCloses(t *testing.T) {
	s := serveTCP(t, reactor.TCPServerConfig{}, echoRouter())
	p := dialTCP(t, s.Addr())
	p.send(msgEcho, "asked before shutdown")
	if err := p.Conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	p.expect("asked before shutdown")
	p.expectClosed()
}

func TestPartialFrameThenSilence(t *testing.T) {
	s := serveTCP(t, reactor.TCPServerConfig{Conn: reactor.ConnConfig{PartialTimeout: 50 * time.Millisecond}}, echoRouter())
	idle := dialTCP(t, s.Addr()) // silent, but between frames
	idle.send(msgEcho, "whole")
	idle.expect("whole")
	frame := wire.AppendFrame(nil, msgEcho, []byte("body"))
	for _, n := range []int{1, wire.HeadSize, len(frame) - 1} {
		p := dialTCP(t, s.Addr())
		p.write(frame[:n])
		p.expectClosed()
	}
	eventually.True(t, patience, "counted", func() bool { return s.Stats().ClosedPartialTimeout == 3 })
	idle.send(msgEcho, "still there")
	idle.expect("still there")
}

// TestHalfOpenPeer takes the peer away without a word to the server, as a
// power cut does: a socket in repair mode closes silently. Who may not do that
// still sees that the kernel is to ask after a silent peer.
func TestHalfOpenPeer(t *testing.T) {
	s := serveTCP(t, reactor.TCPServerConfig{Conn: reactor.ConnConfig{KeepAlive: 3 * time.Second}}, echoRouter())
	fd := rawDial(t, s)
	if _, err := unix.Write(fd, wire.AppendFrame(nil, msgEcho, nil)); err != nil {
		t.Fatal(err)
	}
	eventually.True(t, patience, "the connection is served", func() bool { return s.Stats().FramesIn == 1 })
	eventually.True(t, patience, "its keep-alive timer runs", func() bool { return keepAliveRuns(t, s.Addr().Port()) })
	if unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_REPAIR, 1) != nil {
		return // needs CAP_NET_ADMIN
	}
	_ = unix.Close(fd)
	eventually.True(t, patience, "the connection is given up", func() bool { return s.Stats().Open == 0 })
	if n := s.Stats().ClosedError; n != 1 {
		t.Errorf("stats = %+v; want it closed by an error", s.Stats())
	}
}

// keepAliveRuns looks into the kernel's table for a connection of the local
// port that is established and whose timer is the one of keep-alive.
func keepAliveRuns(t *testing.T, port uint16) bool {
	t.Helper()
	table, err := os.ReadFile("/proc/net/tcp")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(table)) {
		f := strings.Fields(line) // sl local remote state queues timer...
		if strings.HasSuffix(f[1], fmt.Sprintf(":%04X", port)) && f[3] == "01" && strings.HasPrefix(f[5], "02:") {
			return true
		}
	}
	return false
}

// TestOutOfDescriptors must not run beside other tests: the limit is the
// process's.
func TestOutOfDescriptors(t *testing.T) {
	checkDescriptors(t)
	s := serveTCP(t, reactor.TCPServerConfig{}, echoRouter())
	good := dialTCP(t, s.Addr())
	good.send(msgEcho, "x")
	good.expect("x")

	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	// Take every number up to the limit but the clients' own.
	clients := make([]int, 4)
	for i := range clients {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer unix.Close(fd)
		clients[i] = fd
	}
	low := limit
	low.Cur = uint64(clients[len(clients)-1] + 1)
	var fillers []int
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &low); err != nil {
		t.Fatal(err)
	}
	restore := func() {
		for _, fd := range fillers {
			_ = unix.Close(fd)
		}
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
			t.Error(err)
		}
	}
	for {
		fd, err := unix.Dup(clients[0])
		if err != nil {
			break
		}
		fillers = append(fillers, fd)
	}
	sa := &unix.SockaddrInet4{Addr: s.Addr().Addr().As4(), Port: int(s.Addr().Port())}
	for _, fd := range clients[1:] {
		if err := unix.Connect(fd, sa); err != nil {
			restore()
			t.Fatal(err)
		}
		// The server closes it: end of file or reset, but not silence.
		if n, _ := unix.Read(fd, make([]byte, 1)); n > 0 {
			t.Error("read something")
		}
	}
	good.send(msgEcho, "served meanwhile")
	good.expect("served meanwhile")
	if n := s.Stats().RejectedNoFD; n != 3 {
		t.Errorf("%d refused for want of descriptors, want 3", n)
	}

	// Without its reserve the listener cannot even refuse. It rests, rather
	// than being told again and again that somebody waits.
	_ = unix.Close(clients[1])
	again, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		restore()
		t.Fatal(err)
	}
	defer unix.Close(again)
	s.LoseReserve()
	filler, err := unix.Dup(clients[0]) // the number of the reserve
	if err != nil {
		restore()
		t.Fatal(err)
	}
	fillers = append(fillers, filler)
	if err := unix.Connect(again, sa); err != nil {
		restore()
		t.Fatal(err)
	}
	eventually.True(t, patience, "the listener rests", func() bool { return s.Stats().AcceptPauses > 0 })
	restore()
	p := dialTCP(t, s.Addr())
	p.send(msgEcho, "descriptors are back")
	p.expect("descriptors are back")
}
