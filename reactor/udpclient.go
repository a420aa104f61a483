//go:build linux

package reactor

import (
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"
)

// UDPClient exchanges datagrams with one server. Its methods may be called on
// its loop's goroutine only, but for Stats.
type UDPClient struct {
	socket *udpSocket
}

// DialUDP returns a client on the loop whose answers go to the router. batch
// is as in UDPServerConfig; 0 is its default. It may be called on the loop's
// goroutine, or before Run.
func DialUDP(l *Loop, server netip.AddrPort, batch int, r *Router[*Datagram]) (*UDPClient, error) {
	cfg := UDPServerConfig{Batch: batch}.withDefaults()
	sa, family := sockaddr(server)
	fd, err := unix.Socket(family, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("reactor: socket: %w", err)
	}
	if err := unix.Connect(fd, sa); err != nil {
		_ = unix.Close(fd)
		return nil, fmt.Errorf("reactor: connect to %v: %w", server, err)
	}
	c := &UDPClient{socket: newUDPSocket(l, fd, cfg.Batch, cfg.MaxDatagram, r)}
	if err := l.add(fd, unix.EPOLLIN, c.socket); err != nil {
		_ = unix.Close(fd)
		return nil, err
	}
	return c, nil
}

// Send sends a frame at the end of the turn, with whatever else was sent in
// it, copying body. What the kernel does not take is dropped and counted. Send
// returns ErrTooLong for a body above 65,499 bytes, ErrClosed after Close.
func (c *UDPClient) Send(msgid int32, body []byte) error {
	b, err := c.socket.reserve(msgid, len(body), toPeer)
	if err != nil {
		return err
	}
	copy(b, body)
	return nil
}

// SendMessage is Send for a message, which is encoded straight into the output.
func (c *UDPClient) SendMessage(msgid int32, m Marshaler) error {
	return c.socket.encode(msgid, m, toPeer)
}

// Close releases the socket. It may be called more than once, in a handler too.
func (c *UDPClient) Close() { c.socket.close() }

// Stats returns the counters so far. Any goroutine may call it.
func (c *UDPClient) Stats() UDPStats { return c.socket.snapshot() }
