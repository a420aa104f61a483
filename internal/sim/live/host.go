package live

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/lars-lb/lars/internal/sim"
)

// host is a TCP server that behaves as a scenario says. One goroutine runs it;
// each connection has one of its own.
type host struct {
	addr  netip.AddrPort
	state func(now time.Time) sim.State
	// answer decides about one call.
	answer func(sim.State) (ok bool, took time.Duration)

	listener *net.TCPListener // nil while connections are refused
	plugs    []net.Conn       // that fill the queue of connections while it hangs
	plugged  bool
	conns    sync.WaitGroup
}

const (
	// poll is how late a host may be with changing its state.
	poll = 5 * time.Millisecond
	// fullQueue is the length of a queue of connections in normal times.
	fullQueue = 1024
	// maxPlugs bounds the attempts to fill a queue that takes none, and plugTime
	// how long each waits to see whether the kernel answers.
	maxPlugs = 8
	plugTime = 100 * time.Millisecond
)

// newHost listens on a free port of ip.
func newHost(ip netip.Addr) (*host, error) {
	h := &host{addr: netip.AddrPortFrom(ip, 0)}
	if err := h.open(); err != nil {
		return nil, err
	}
	h.addr = h.listener.Addr().(*net.TCPAddr).AddrPort()
	return h, nil
}

// luck makes answers from a seed.
func luck(s *sim.Scenario, seed, stream uint64) func(sim.State) (bool, time.Duration) {
	var mu sync.Mutex
	random := rand.New(rand.NewPCG(seed, stream))
	return func(st sim.State) (bool, time.Duration) {
		mu.Lock()
		defer mu.Unlock()
		return s.Answer(st, random)
	}
}

// run serves until ctx ends.
func (h *host) run(ctx context.Context) error {
	defer h.conns.Wait()
	defer h.close()
	for ctx.Err() == nil {
		if err := h.become(h.state(time.Now()).Mode); err != nil {
			return fmt.Errorf("host %v: %w", h.addr, err)
		}
		if h.listener == nil || h.plugged {
			time.Sleep(poll)
			continue
		}
		_ = h.listener.SetDeadline(time.Now().Add(poll))
		conn, err := h.listener.Accept()
		if errors.Is(err, os.ErrDeadlineExceeded) {
			continue
		} else if err != nil {
			return fmt.Errorf("host %v: %w", h.addr, err)
		}
		h.conns.Go(func() { h.serve(ctx, conn) })
	}
	return nil
}

// become makes the kernel treat connections as the mode says.
func (h *host) become(mode sim.Mode) error {
	switch mode {
	case sim.Refusing:
		h.close()
		return nil
	case sim.Hanging:
		if err := h.open(); err != nil {
			return err
		}
		return h.plug()
	}
	if err := h.open(); err != nil {
		return err
	}
	return h.unplug()
}

func (h *host) open() error {
	if h.listener != nil {
		return nil
	}
	l, err := net.ListenTCP("tcp4", net.TCPAddrFromAddrPort(h.addr))
	h.listener = l
	return err
}

func (h *host) close() {
	for _, p := range h.plugs {
		_ = p.Close()
	}
	h.plugs, h.plugged = nil, false
	if h.listener != nil {
		_ = h.listener.Close()
		h.listener = nil
	}
}

// plug fills the queue of connections that nobody accepts, made as short as
// can be. The kernel then drops what asks for another, as if the machine were
// gone.
func (h *host) plug() error {
	if h.plugged {
		return nil
	}
	if err := h.setQueue(0); err != nil {
		return err
	}
	h.plugged = true
	for range maxPlugs {
		conn, err := net.DialTimeout("tcp4", h.addr.String(), plugTime)
		if os.IsTimeout(err) {
			return nil
		} else if err != nil {
			return err
		}
		h.plugs = append(h.plugs, conn)
	}
	return errors.New("the kernel goes on taking connections, so the host cannot hang")
}

func (h *host) unplug() error {
	if !h.plugged {
		return nil
	}
	for _, p := range h.plugs {
		_ = p.Close()
	}
	h.plugs, h.plugged = nil, false
	return h.setQueue(fullQueue)
}

// setQueue sets the length of the queue of connections that wait to be
// accepted; listen(2) may be called again for that.
func (h *host) setQueue(n int) error {
	raw, err := h.listener.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = raw.Control(func(fd uintptr) { failed = syscall.Listen(int(fd), n) })
	return errors.Join(err, failed)
}

// Answers of a host.
const (
	answerFail = 0
	answerOK   = 1
)

// serve takes one call.
func (h *host) serve(ctx context.Context, conn net.Conn) {
	closed := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer closed()
	defer conn.Close()
	b := make([]byte, 1)
	if _, err := conn.Read(b); err != nil {
		return // a check
	}
	st := h.state(time.Now())
	if st.Mode != sim.Up {
		_, _ = conn.Read(b) // until the caller gives up
		return
	}
	ok, took := h.answer(st)
	time.Sleep(took)
	if b[0] = answerFail; ok {
		b[0] = answerOK
	}
	_, _ = conn.Write(b)
	_, _ = conn.Read(b) // let the caller close first
}
