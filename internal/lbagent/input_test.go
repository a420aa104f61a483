package lbagent_test

import (
	"encoding/hex"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/lars-lb/lars/internal/eventually"
	"github.com/lars-lb/lars/internal/wire"
)

func TestSurvivesAnyDatagram(t *testing.T) {
	dns := newFakeDNS(t)
	dns.set(module1, hostA)
	a, _ := startAgent(t, dns.addr, nowhere, nil)
	callerOf(t, a, module1).waitFor(module1)
	random := rand.New(rand.NewPCG(7, 8))
	good := [][]byte{}
	for _, s := range []string{"040000000700000008ac0210011801", "070000000400000008011001", "0600000014000000080110011a0e08b183a085fcffffffff0110e13c"} {
		b, _ := hex.DecodeString(s)
		good = append(good, b)
	}
	const perPort = 10_000
	var before runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i, addr := range a.Addrs() {
		c := newCaller(t, addr)
		for n := range perPort {
			var b []byte
			switch n % 3 {
			case 0: // anything
				b = make([]byte, random.IntN(100))
				for j := range b {
					b[j] = byte(random.Uint32())
				}
			case 1: // a request, changed in some bytes
				b = slices.Clone(good[random.IntN(len(good))])
				for range 1 + random.IntN(3) {
					b[random.IntN(len(b))] = byte(random.Uint32())
				}
			case 2: // a plausible head, any body
				b = make([]byte, wire.HeadSize+random.IntN(60))
				for j := range b {
					b[j] = byte(random.Uint32())
				}
				wire.PutHead(b, int32(random.IntN(9)), len(b)-wire.HeadSize)
			}
			if _, err := c.Write(b); err != nil {
				t.Fatal(err)
			}
			if n%100 == 99 { // keep the kernel from dropping what the test counts
				eventually.True(t, patience, "the agent keeps up", func() bool { return a.Stats().UDP[i].Received >= uint64(n+1) })
			}
		}
	}
	var after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 16<<20 {
		t.Errorf("the heap grew by %d bytes", grown)
	}
	for i, s := range a.Stats().UDP {
		dropped := s.Short + s.BadLength + s.UnknownMessage + s.BadBody + s.Truncated
		if dropped < perPort/2 || s.Short == 0 || s.BadLength == 0 || s.UnknownMessage == 0 || s.BadBody == 0 {
			t.Errorf("port %d dropped %+v", i, s)
		}
	}
	for _, addr := range a.Addrs() {
		newCaller(t, addr).waitFor(module1)
	}
}

// TestUDPPathDoesNotAllocate measures the whole process, so the caller uses
// bare system calls.
func TestUDPPathDoesNotAllocate(t *testing.T) {
	dns := newFakeDNS(t)
	dns.set(module1, hostA, hostB)
	a, _ := startAgent(t, dns.addr, nowhere, nil)
	callerOf(t, a, module1).waitFor(module1)
	addr := a.Addrs()[module1.Shard()]
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if err := unix.Connect(fd, &unix.SockaddrInet4{Addr: addr.Addr().As4(), Port: int(addr.Port())}); err != nil {
		t.Fatal(err)
	}
	getHost, _ := hex.DecodeString("040000000700000008ac0210011801")
	report, _ := hex.DecodeString("0600000014000000080110011a0e08b183a085fcffffffff0110e13c")
	answer := make([]byte, 100)
	// The agent's timers run meanwhile; a whole allocation a round is what
	// would be one per request.
	if n := testing.AllocsPerRun(2000, func() {
		_, _ = unix.Write(fd, report)
		_, _ = unix.Write(fd, getHost)
		if n, err := unix.Read(fd, answer); err != nil || n < wire.HeadSize {
			t.Fatalf("read %d, %v", n, err)
		}
	}); n != 0 {
		t.Errorf("%v allocations a GetHost and Report, want none", n)
	}
}
