//go:build linux

package reactor

import (
	"encoding/binary"
	"net/netip"
	"unsafe"

	"golang.org/x/sys/unix"
)

// mmsghdr is the kernel's struct mmsghdr.
type mmsghdr struct {
	hdr unix.Msghdr
	len uint32 // bytes received or sent
}

// packets is a set of datagrams for one recvmmsg or sendmmsg call. Its parts
// point into one another, so it is filled in place and never copied.
type packets struct {
	headers []mmsghdr
	vectors []unix.Iovec
	names   []unix.RawSockaddrInet6 // large enough for IPv4 too
}

func newPackets(n int) *packets {
	p := &packets{
		headers: make([]mmsghdr, n),
		vectors: make([]unix.Iovec, n),
		names:   make([]unix.RawSockaddrInet6, n),
	}
	for i := range n {
		p.headers[i].hdr.Iov = &p.vectors[i]
		p.headers[i].hdr.SetIovlen(1)
	}
	return p
}

// setBuffer points datagram i to its bytes, which must stay reachable.
func (p *packets) setBuffer(i int, b []byte) {
	p.vectors[i].Base = unsafe.SliceData(b)
	p.vectors[i].SetLen(len(b))
}

// setName tells the kernel where the address of datagram i is, or is to be
// stored; a length of 0 means the socket's own peer.
func (p *packets) setName(i int, name *unix.RawSockaddrInet6, length uint32) {
	p.headers[i].hdr.Name = (*byte)(unsafe.Pointer(name)) // rule 1: a pointer to the first byte of the struct
	p.headers[i].hdr.Namelen = length
}

// addr reads the address that the kernel stored for datagram i.
func (p *packets) addr(i int) netip.AddrPort {
	name := &p.names[i]
	// sin_port and sin6_port stand at the same place, in network order.
	port := binary.BigEndian.Uint16((*[2]byte)(unsafe.Pointer(&name.Port))[:]) // rule 1: the same two bytes
	if name.Family == unix.AF_INET {
		v4 := (*unix.RawSockaddrInet4)(unsafe.Pointer(name)) // rule 1: the kernel wrote a sockaddr_in, which is the shorter
		return netip.AddrPortFrom(netip.AddrFrom4(v4.Addr), port)
	}
	return netip.AddrPortFrom(netip.AddrFrom16(name.Addr).Unmap(), port)
}

// receive takes up to len(p.headers) datagrams without waiting. It returns
// EAGAIN when there are none.
func (p *packets) receive(fd int) (int, unix.Errno) {
	for i := range p.headers {
		p.setName(i, &p.names[i], unix.SizeofSockaddrInet6)
	}
	return mmsg(unix.SYS_RECVMMSG, fd, p.headers)
}

// send hands datagrams from to to-1 to the kernel, which takes at least one or
// says why not.
func (p *packets) send(fd, from, to int) (int, unix.Errno) {
	return mmsg(unix.SYS_SENDMMSG, fd, p.headers[from:to])
}

func mmsg(trap uintptr, fd int, headers []mmsghdr) (int, unix.Errno) {
	n, _, errno := unix.Syscall6(trap, uintptr(fd),
		uintptr(unsafe.Pointer(unsafe.SliceData(headers))), // rule 4: converted in the call itself
		uintptr(len(headers)), unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(n), 0
}
