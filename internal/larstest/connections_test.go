package larstest_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/lars-lb/lars/internal/eventually"
	"github.com/lars-lb/lars/internal/larstest"
	"github.com/lars-lb/lars/internal/wire"
	pb "github.com/lars-lb/lars/proto/larspb"
)

// descriptors is the number of descriptors that a process has open.
func descriptors(t *testing.T, pid int) int {
	t.Helper()
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// resident is the memory of a process, bytes.
func resident(t *testing.T, pid int) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		var kib int
		if n, _ := fmt.Sscanf(line, "VmRSS: %d kB", &kib); n == 1 {
			return kib << 10
		}
	}
	t.Fatal("no VmRSS")
	return 0
}

func dial(t *testing.T, addr netip.AddrPort) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", addr.String())
	if err != nil {
		t.Fatal(err)
	}
	if err := c.SetDeadline(time.Now().Add(2 * patience)); err != nil {
		t.Fatal(err)
	}
	return c
}

func routeRequest(modid, cmdid int32) []byte {
	body, _ := (&pb.GetRouteRequest{Modid: modid, Cmdid: cmdid}).MarshalVT()
	return wire.AppendFrame(nil, int32(pb.MessageId_ID_GetRouteRequest), body)
}

// answers asks lars-dns for a route and reports whether it is answered.
func answers(c net.Conn) bool {
	if _, err := c.Write(routeRequest(1, 1)); err != nil {
		return false
	}
	head := make([]byte, wire.HeadSize)
	if _, err := io.ReadFull(c, head); err != nil {
		return false
	}
	h, err := wire.DecodeHead(head)
	if err != nil || h.ID != int32(pb.MessageId_ID_GetRouteResponse) {
		return false
	}
	_, err = io.ReadFull(c, make([]byte, h.Len))
	return err == nil
}

func TestTwoThousandConnections(t *testing.T) {
	const maxConn, tries = 1024, 2000
	s := larstest.NewSuite(t, programs, larstest.Options{MaxConn: maxConn})
	addHosts(t, s.Store(), entry(t, module1, "10.0.0.1:1"))
	s.DNS.Serve()
	s.Reporter.Serve()
	before := descriptors(t, s.DNS.PID())
	for _, x := range []struct {
		name   string
		addr   netip.AddrPort
		served func(net.Conn) bool
	}{
		{"lars-dns", s.DNSAddr, answers},
		// lars-reporter answers nothing: it serves what it does not close.
		{"lars-reporter", s.ReporterAddr, func(c net.Conn) bool {
			_ = c.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
			_, err := c.Read(make([]byte, 1))
			e, ok := err.(net.Error)
			return ok && e.Timeout()
		}},
	} {
		held := make([]net.Conn, tries)
		for i := range held {
			held[i] = dial(t, x.addr)
		}
		// Connections are accepted in order: the first are served.
		for i, c := range held[:maxConn] {
			if (i%100 == 0 || i == maxConn-1) && !x.served(c) {
				t.Errorf("%s: connection %d is not served", x.name, i)
			}
		}
		for i, c := range held[maxConn:] {
			if _, err := c.Read(make([]byte, 1)); err == nil {
				t.Errorf("%s: connection %d is served beyond maxConn", x.name, maxConn+i)
			}
		}
		for _, c := range held {
			_ = c.Close()
		}
	}
	eventually.True(t, patience, "all connections are freed", func() bool { return descriptors(t, s.DNS.PID()) <= before })
	eventually.True(t, patience, "a new one is served", func() bool {
		c := dial(t, s.DNSAddr)
		defer c.Close()
		return answers(c)
	})
}

func TestBrokenStreams(t *testing.T) {
	const streams = 2000
	s := larstest.NewSuite(t, programs, larstest.Options{})
	st := s.Store()
	addHosts(t, st, entry(t, module1, "10.0.0.1:1"))
	s.Start()
	c := newClient(t, s.AgentAddr)
	waitHost(t, c, module1, "10.0.0.1:1")
	random := rand.New(rand.NewPCG(9, 10))
	body := make([]byte, 4096)
	broken := func(n int, addr netip.AddrPort) {
		conn := dial(t, addr)
		defer conn.Close()
		for i := range body {
			body[i] = byte(random.Uint32())
		}
		frame := body[:1+random.IntN(len(body))]
		switch n % 5 {
		case 0: // anything
		case 1: // a plausible head before it
			if len(frame) >= wire.HeadSize {
				wire.PutHead(frame, int32(random.IntN(9)), len(frame)-wire.HeadSize)
			}
		case 2: // an impossible length
			frame = append(frame[:0:0], 1, 0, 0, 0, byte(n), 0xff, 0xff, 0x80)
		case 3: // no body, any message
			frame = wire.AppendFrame(nil, int32(n%12-2), nil)
		case 4: // the start of a frame, then silence
			frame = wire.AppendFrame(nil, 3, frame)[:wire.HeadSize+random.IntN(len(frame))]
		}
		_, _ = conn.Write(frame) // may be closed by the other side already
		if n%3 == 0 {
			_ = conn.(*net.TCPConn).SetLinger(0) // close with a reset
		}
	}
	for _, x := range []struct {
		daemon *larstest.Daemon
		addr   netip.AddrPort
	}{{s.DNS, s.DNSAddr}, {s.Reporter, s.ReporterAddr}} {
		for n := range streams / 4 { // warm up: the heap grows to its working size
			broken(n, x.addr)
		}
		before, files := resident(t, x.daemon.PID()), descriptors(t, x.daemon.PID())
		for n := range streams {
			broken(n, x.addr)
		}
		eventually.True(t, patience, "the connections are freed", func() bool { return descriptors(t, x.daemon.PID()) <= files })
		if grown := resident(t, x.daemon.PID()) - before; grown > 64<<20 {
			t.Errorf("memory grew by %d MiB", grown>>20)
		}
	}
	if conn := dial(t, s.DNSAddr); !answers(conn) {
		t.Error("lars-dns does not answer any more")
	}
	h, err := c.GetHost(t.Context(), 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Report(1, 1, h, 0, time.Millisecond); err != nil {
		t.Fatal(err)
	}
	waitStatus(t, st, module1)
}
