//go:build linux

package reactor_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/lars-lb/lars/internal/eventually"
	"github.com/lars-lb/lars/internal/wire"
	"github.com/lars-lb/lars/reactor"
)

// TestUDPTrains holds answers of all kinds of sizes to arriving as they were
// sent and in their order, whether the kernel takes them in trains or not.
func TestUDPTrains(t *testing.T) {
	for _, answers := range []struct {
		name  string
		sizes []int // of their bodies; the number of each is ahead of it
	}{
		{"one", repeat(1, 30)},
		{"two", repeat(2, 30)},
		{"more than a train", repeat(200, 30)},
		{"without a body", repeat(10, 0)},
		{"a shorter last", append(repeat(10, 30), 20)},
		{"a longer last", append(repeat(10, 30), 40)},
		{"shorter amid", append(append(repeat(10, 30), 20), repeat(10, 30)...)},
		{"each shorter", []int{50, 40, 30, 20, 10, 0}},
		{"each longer", []int{0, 10, 20, 30, 40, 50}},
		{"too long for trains", repeat(10, 5000)},
		{"longest in trains", repeat(100, 1000)},
	} {
		for _, refused := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, refused=%v", answers.name, refused), func(t *testing.T) {
				r := reactor.NewRouter[*reactor.Datagram]()
				r.Handle(msgFill, func(d *reactor.Datagram, _ []byte) error {
					for i, size := range answers.sizes {
						if err := d.Reply(msgEcho, numbered(i, size)); err != nil {
							t.Error(err)
						}
					}
					return nil
				})
				s := serveUDP(t, reactor.UDPServerConfig{}, r)
				if refused {
					if err := reactor.WithoutChecksums(s); err != nil {
						t.Fatal(err)
					}
				}
				c := dialUDP(t, s.Addr())
				if err := c.SetReadBuffer(8 << 20); err != nil {
					t.Fatal(err)
				}
				for range 2 { // refused the first time, not tried the second
					sendUDP(t, c, wire.AppendFrame(nil, msgFill, nil))
					for i, size := range answers.sizes {
						expectUDP(t, c, string(numbered(i, size)))
					}
				}
				want := 2 * uint64(len(answers.sizes))
				eventually.True(t, patience, "all counted as sent", func() bool { return s.Stats().Sent == want })
				if st := s.Stats(); st.SendErrors+st.SendBlocked != 0 {
					t.Errorf("stats = %+v", st)
				}
			})
		}
	}
}

func repeat(n, size int) []int {
	sizes := make([]int, n)
	for i := range sizes {
		sizes[i] = size
	}
	return sizes
}

// numbered is a body that tells which it is, if it has the room.
func numbered(i, size int) []byte {
	return []byte((fmt.Sprintf("%d.", i) + strings.Repeat("x", size))[:size])
}

// TestUDPTrainsOfSeveralPeers has one batch answered to some that follow one
// another and some that take turns.
func TestUDPTrainsOfSeveralPeers(t *testing.T) {
	for _, addr := range []string{"127.0.0.1:0", "[::1]:0"} {
		s := serveUDP(t, reactor.UDPServerConfig{Addr: netip.MustParseAddrPort(addr)}, echoDatagrams())
		release, held := make(chan struct{}), make(chan struct{})
		_ = s.Loop().Post(func() { close(held); <-release })
		<-held
		a, b := dialUDP(t, s.Addr()), dialUDP(t, s.Addr())
		order := []struct {
			conn int
			body string
		}{{0, "a0"}, {0, "a1"}, {1, "b0"}, {0, "a2"}, {1, "b1"}, {1, "b2"}, {1, "b3"}, {0, "a3"}}
		for _, o := range order {
			if o.conn == 0 {
				sendUDP(t, a, wire.AppendFrame(nil, msgEcho, []byte(o.body)))
			} else {
				sendUDP(t, b, wire.AppendFrame(nil, msgEcho, []byte(o.body)))
			}
		}
		close(release)
		for i := range 4 {
			expectUDP(t, a, fmt.Sprintf("a%d", i))
			expectUDP(t, b, fmt.Sprintf("b%d", i))
		}
		eventually.True(t, patience, "all counted as sent", func() bool { return s.Stats().Sent == uint64(len(order)) })
		if st := s.Stats(); st.Batches != 1 {
			t.Errorf("stats = %+v; want one batch", st)
		}
	}
}

// TestUDPServesWhatPiledUp has more arrive than one turn takes, and nothing
// after it.
func TestUDPServesWhatPiledUp(t *testing.T) {
	for _, batch := range []int{1, 8, 64} {
		s := serveUDP(t, reactor.UDPServerConfig{Batch: batch}, echoDatagrams())
		c := dialUDP(t, s.Addr())
		if err := c.SetReadBuffer(8 << 20); err != nil {
			t.Fatal(err)
		}
		release, held := make(chan struct{}), make(chan struct{})
		_ = s.Loop().Post(func() { close(held); <-release })
		<-held
		const n = 1000
		for i := range n {
			sendUDP(t, c, wire.AppendFrame(nil, msgEcho, numbered(i, 4)))
		}
		close(release)
		for i := range n {
			expectUDP(t, c, string(numbered(i, 4)))
		}
	}
}
