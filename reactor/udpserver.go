//go:build linux

package reactor

import (
	"context"
	"errors"
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"

	"github.com/lars-lb/lars/internal/wire"
)

// UDPServerConfig configures a UDPServer. Zero fields take their defaults.
type UDPServerConfig struct {
	// Addr to receive on; port 0 takes a free one.
	Addr netip.AddrPort
	// Batch is the most datagrams received, or sent, with one system call;
	// default 64.
	Batch int
	// MaxDatagram is the longest datagram accepted, bytes; default 65,507,
	// which is the longest there is. The server keeps Batch times as much.
	MaxDatagram int
	// RecvBuffer is the size asked for the kernel's receive buffer, bytes;
	// default 1 MiB. The kernel caps it at net.core.rmem_max, but for processes
	// with CAP_NET_ADMIN, and gives twice as much, for its own books.
	RecvBuffer int
}

func (c UDPServerConfig) withDefaults() UDPServerConfig {
	if c.Batch == 0 {
		c.Batch = 64
	}
	if c.MaxDatagram == 0 {
		c.MaxDatagram = wire.MaxDatagram
	}
	if c.RecvBuffer == 0 {
		c.RecvBuffer = 1 << 20
	}
	return c
}

// UDPServer receives datagrams on a loop of its own and answers them in
// batches. Its methods may be called on any goroutine.
type UDPServer struct {
	loop   *Loop
	socket *udpSocket
	addr   netip.AddrPort
}

// ListenUDP binds the address. The caller must call Serve or Close.
func ListenUDP(cfg UDPServerConfig, r *Router[*Datagram]) (*UDPServer, error) {
	cfg = cfg.withDefaults()
	fd, bound, err := bindSocket(cfg.Addr, unix.SOCK_DGRAM, sockopt{unix.SOL_SOCKET, unix.SO_RCVBUF, cfg.RecvBuffer})
	if err != nil {
		return nil, err
	}
	// Beyond the cap, where that is allowed. Where it is not, what was got has
	// to do.
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, cfg.RecvBuffer)
	l, err := NewLoop()
	if err != nil {
		_ = unix.Close(fd)
		return nil, err
	}
	s := &UDPServer{loop: l, socket: newUDPSocket(l, fd, cfg.Batch, cfg.MaxDatagram, r), addr: bound}
	// Edge-triggered epoll does not look at the socket again before it waits. A
	// connected socket would need more care: an error may hide what is behind it.
	s.socket.edge = true
	if err := l.add(fd, unix.EPOLLIN|unix.EPOLLET, s.socket); err != nil {
		_ = unix.Close(fd)
		l.Close()
		return nil, err
	}
	return s, nil
}

// Serve runs the server until ctx is done or Close, and returns nil then. It
// may be called once.
func (s *UDPServer) Serve(ctx context.Context) error {
	defer context.AfterFunc(ctx, s.Close)()
	if err := s.loop.Run(); err != nil && !errors.Is(err, ErrClosed) {
		return fmt.Errorf("reactor: UDP server %v: %w", s.addr, err)
	}
	return nil
}

// Close ends Serve; it does not wait for it. It may be called more than once.
func (s *UDPServer) Close() { s.loop.Close() }

// Addr is the address that the server receives on.
func (s *UDPServer) Addr() netip.AddrPort { return s.addr }

// Loop is the loop that the handlers run on.
func (s *UDPServer) Loop() *Loop { return s.loop }

// Stats returns the counters so far.
func (s *UDPServer) Stats() UDPStats { return s.socket.snapshot() }
