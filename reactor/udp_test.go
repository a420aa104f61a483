//go:build linux

package reactor_test

import (
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lars-lb/lars/internal/eventually"
	"github.com/lars-lb/lars/internal/wire"
	"github.com/lars-lb/lars/reactor"
)

func serveUDP(t testing.TB, cfg reactor.UDPServerConfig, r *reactor.Router[*reactor.Datagram]) *reactor.UDPServer {
	t.Helper()
	if !cfg.Addr.IsValid() {
		cfg.Addr = loopback
	}
	s, err := reactor.ListenUDP(cfg, r)
	if err != nil {
		t.Fatal(err)
	}
	serve(t, s)
	return s
}

// echoDatagrams speaks the tests' protocol over UDP.
func echoDatagrams() *reactor.Router[*reactor.Datagram] {
	r := reactor.NewRouter[*reactor.Datagram]()
	r.Handle(msgEcho, func(d *reactor.Datagram, body []byte) error { return d.Reply(msgEcho, body) })
	r.Handle(msgBad, func(*reactor.Datagram, []byte) error { return io.ErrUnexpectedEOF })
	return r
}

// dialUDP returns a socket that loses nothing for want of patience.
func dialUDP(t testing.TB, addr netip.AddrPort) *net.UDPConn {
	t.Helper()
	c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(addr))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return c
}

func sendUDP(t testing.TB, c *net.UDPConn, b []byte) {
	t.Helper()
	if _, err := c.Write(b); err != nil {
		t.Fatal(err)
	}
}

// expectUDP reads one answer.
func expectUDP(t testing.TB, c *net.UDPConn, want string) {
	t.Helper()
	buf := make([]byte, 1<<16)
	n, err := c.Read(buf)
	if err != nil {
		t.Fatal(err)
	}
	id, body, err := wire.DecodeDatagram(buf[:n])
	if id != msgEcho || string(body) != want || err != nil {
		t.Fatalf("got message %d, %d bytes %.40q, %v; want %.40q", id, len(body), body, err, want)
	}
}

func TestUDPEcho(t *testing.T) {
	checkDescriptors(t)
	s := serveUDP(t, reactor.UDPServerConfig{}, echoDatagrams())
	c := dialUDP(t, s.Addr())
	for _, body := range []string{"hello", "", strings.Repeat("x", wire.MaxDatagram-wire.HeadSize), "again"} {
		sendUDP(t, c, wire.AppendFrame(nil, msgEcho, []byte(body)))
		expectUDP(t, c, body)
	}
}

func TestUDPOverIPv6(t *testing.T) {
	s := serveUDP(t, reactor.UDPServerConfig{Addr: netip.MustParseAddrPort("[::1]:0")}, echoDatagrams())
	c := dialUDP(t, s.Addr())
	sendUDP(t, c, wire.AppendFrame(nil, msgEcho, []byte("six")))
	expectUDP(t, c, "six")
}

func TestUDPAnswersEachItsOwn(t *testing.T) {
	r := reactor.NewRouter[*reactor.Datagram]()
	r.Handle(msgEcho, func(d *reactor.Datagram, _ []byte) error { return d.Reply(msgEcho, []byte(d.From().String())) })
	s := serveUDP(t, reactor.UDPServerConfig{Batch: 8}, r)
	for range 20 {
		var clients []*net.UDPConn
		for range 10 {
			c := dialUDP(t, s.Addr())
			sendUDP(t, c, wire.AppendFrame(nil, msgEcho, nil))
			clients = append(clients, c)
		}
		for _, c := range clients {
			expectUDP(t, c, c.LocalAddr().String())
			_ = c.Close()
		}
	}
}

// TestUDPTakesAndAnswersInBatches holds the loop back until a batch waits.
func TestUDPTakesAndAnswersInBatches(t *testing.T) {
	s := serveUDP(t, reactor.UDPServerConfig{}, echoDatagrams())
	c := dialUDP(t, s.Addr())
	release, held := make(chan struct{}), make(chan struct{})
	_ = s.Loop().Post(func() { close(held); <-release })
	<-held
	const n = 64
	for range n {
		sendUDP(t, c, wire.AppendFrame(nil, msgEcho, []byte("batched")))
	}
	close(release)
	for range n {
		expectUDP(t, c, "batched")
	}
	if st := s.Stats(); st.Received != n || st.Sent != n || st.Batches != 1 {
		t.Errorf("stats = %+v; want %d received in one batch", st, n)
	}
}

func TestUDPDropsByReason(t *testing.T) {
	s := serveUDP(t, reactor.UDPServerConfig{MaxDatagram: 100}, echoDatagrams())
	c := dialUDP(t, s.Addr())
	good := wire.AppendFrame(nil, msgEcho, []byte("good"))
	for _, b := range [][]byte{
		{}, good[:1], good[:7], // short
		good[:len(good)-1], append(good[:len(good):len(good)], 0), {1, 0, 0, 0, 255, 255, 255, 255}, // bad length
		wire.AppendFrame(nil, msgEcho, make([]byte, 93)), // truncated
		wire.AppendFrame(nil, 99, nil), wire.AppendFrame(nil, -1, nil),
		wire.AppendFrame(nil, msgBad, []byte("x")),
	} {
		sendUDP(t, c, b)
	}
	sendUDP(t, c, good)
	expectUDP(t, c, "good")
	st := s.Stats()
	if st.Short != 3 || st.BadLength != 3 || st.Truncated != 1 || st.UnknownMessage != 2 || st.BadBody != 1 || st.Received != 11 {
		t.Errorf("stats = %+v", st)
	}
}

func TestUDPSurvivesAnyDatagram(t *testing.T) {
	s := serveUDP(t, reactor.UDPServerConfig{}, echoDatagrams())
	c := dialUDP(t, s.Addr())
	random := rand.New(rand.NewPCG(3, 4))
	for i := range 2000 {
		b := make([]byte, random.IntN(200))
		for j := range b {
			b[j] = byte(random.Uint32())
		}
		if i%2 == 0 && len(b) >= wire.HeadSize { // a plausible head
			wire.PutHead(b, int32(random.IntN(5)), len(b)-wire.HeadSize)
		}
		_, _ = c.Write(b)
	}
	fresh := dialUDP(t, s.Addr())
	sendUDP(t, fresh, wire.AppendFrame(nil, msgEcho, []byte("alive")))
	expectUDP(t, fresh, "alive")
}

func TestUDPRepliesBeyondABatch(t *testing.T) {
	const answers = 20
	r := reactor.NewRouter[*reactor.Datagram]()
	body := strings.Repeat("r", 60000) // so that the output bound is passed as well
	r.Handle(msgFill, func(d *reactor.Datagram, _ []byte) error {
		for range answers {
			if err := d.Reply(msgEcho, []byte(body)); err != nil {
				t.Error(err)
			}
		}
		if err := d.Reply(msgEcho, make([]byte, wire.MaxDatagram)); err != reactor.ErrTooLong {
			t.Errorf("too long a reply: %v", err)
		}
		return nil
	})
	s := serveUDP(t, reactor.UDPServerConfig{Batch: 4}, r)
	c := dialUDP(t, s.Addr())
	if err := c.SetReadBuffer(8 << 20); err != nil {
		t.Fatal(err)
	}
	sendUDP(t, c, wire.AppendFrame(nil, msgFill, nil))
	eventually.True(t, patience, "all replies handed to the kernel", func() bool { return s.Stats().Sent == answers })
	expectUDP(t, c, body)
}

func TestUDPReplyToNobody(t *testing.T) {
	s := serveUDP(t, reactor.UDPServerConfig{}, echoDatagrams())
	for range 10 { // the answers find no socket any more
		c := dialUDP(t, s.Addr())
		sendUDP(t, c, wire.AppendFrame(nil, msgEcho, []byte("gone")))
		_ = c.Close()
	}
	c := dialUDP(t, s.Addr())
	sendUDP(t, c, wire.AppendFrame(nil, msgEcho, []byte("here")))
	expectUDP(t, c, "here")
}

func TestUDPClient(t *testing.T) {
	checkDescriptors(t)
	s := serveUDP(t, reactor.UDPServerConfig{}, echoDatagrams())
	l := runLoop(t)
	answers := make(chan string, 200)
	r := reactor.NewRouter[*reactor.Datagram]()
	r.Handle(msgEcho, func(_ *reactor.Datagram, body []byte) error { answers <- string(body); return nil })
	var c *reactor.UDPClient
	onLoop(t, l, func() {
		var err error
		if c, err = reactor.DialUDP(l, s.Addr(), 0, r); err != nil {
			t.Fatal(err)
		}
		for range 100 { // more than a batch
			if err := c.Send(msgEcho, []byte("asked")); err != nil {
				t.Error(err)
			}
		}
	})
	for range 100 {
		if got := <-answers; got != "asked" {
			t.Fatalf("answer = %q", got)
		}
	}
	if st := c.Stats(); st.Sent != 100 || st.Received != 100 {
		t.Errorf("stats = %+v", st)
	}
	onLoop(t, l, func() {
		c.Close()
		c.Close()
		if err := c.Send(msgEcho, nil); err != reactor.ErrClosed {
			t.Errorf("Send after Close = %v", err)
		}
	})
}

func TestUDPListenErrors(t *testing.T) {
	checkDescriptors(t)
	s := serveUDP(t, reactor.UDPServerConfig{}, echoDatagrams())
	if _, err := reactor.ListenUDP(reactor.UDPServerConfig{Addr: s.Addr()}, echoDatagrams()); err == nil || !strings.Contains(err.Error(), s.Addr().String()) {
		t.Errorf("listening twice on %v: %v", s.Addr(), err)
	}
	unserved, err := reactor.ListenUDP(reactor.UDPServerConfig{Addr: loopback}, echoDatagrams())
	if err != nil {
		t.Fatal(err)
	}
	unserved.Close()
	unserved.Close()
}

func TestNoAllocationPerDatagram(t *testing.T) {
	s := serveUDP(t, reactor.UDPServerConfig{}, echoDatagrams())
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if err := unix.Connect(fd, &unix.SockaddrInet4{Addr: s.Addr().Addr().As4(), Port: int(s.Addr().Port())}); err != nil {
		t.Fatal(err)
	}
	frame := wire.AppendFrame(nil, msgEcho, []byte("no garbage"))
	answer := make([]byte, 100)
	if n := testing.AllocsPerRun(1000, func() {
		if _, err := unix.Write(fd, frame); err != nil {
			t.Fatal(err)
		}
		if n, err := unix.Read(fd, answer); err != nil || n != len(frame) {
			t.Fatalf("read %d, %v", n, err)
		}
	}); n != 0 {
		t.Errorf("%v allocations a datagram, want none", n)
	}
}
