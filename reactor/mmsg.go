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
	trains  []train
	used    int // headers that the last receive filled
}

// train is the control message that has the kernel cut a buffer into datagrams
// of one size; the last may be shorter. The buffer goes through the kernel as
// one, which costs little more than a single datagram. See UDP_SEGMENT in udp(7).
type train struct {
	hdr  unix.Cmsghdr
	size uint16
	_    [unix.SizeofPtr - 2]byte // CMSG_SPACE rounds up
}

const (
	// maxTrain is how many datagrams the kernel cuts a buffer into at most.
	maxTrain = 64
	// maxTrainFrame is the longest datagram that is sent in a train, bytes: the
	// kernel wants each to fit the link.
	maxTrainFrame = 1024
)

// sendsTrains reports whether the kernel knows of trains: Linux 4.18.
func sendsTrains(fd int) bool {
	return unix.SetsockoptInt(fd, unix.SOL_UDP, unix.UDP_SEGMENT, 0) == nil // 0 for datagrams that do not ask for it
}

func newPackets(n int) *packets {
	p := &packets{
		headers: make([]mmsghdr, n),
		vectors: make([]unix.Iovec, n),
		names:   make([]unix.RawSockaddrInet6, n),
		trains:  make([]train, n),
	}
	for i := range n {
		p.headers[i].hdr.Iov = &p.vectors[i]
		p.headers[i].hdr.SetIovlen(1)
		t := &p.trains[i].hdr
		t.Level, t.Type = unix.SOL_UDP, unix.UDP_SEGMENT
		t.SetLen(unix.CmsgLen(2))
		p.setName(i, &p.names[i], unix.SizeofSockaddrInet6)
	}
	return p
}

// setBuffer points datagram i to its bytes, which must stay reachable.
func (p *packets) setBuffer(i int, b []byte) {
	p.vectors[i].Base = unsafe.SliceData(b)
	p.vectors[i].SetLen(len(b))
}

// setTrain makes datagram i a train of datagrams of a size; 0 for just one.
func (p *packets) setTrain(i, size int) {
	h := &p.headers[i].hdr
	if size == 0 {
		h.Control = nil
		h.SetControllen(0)
		return
	}
	p.trains[i].size = uint16(size)
	h.Control = (*byte)(unsafe.Pointer(&p.trains[i])) // rule 1: a pointer to the first byte of the struct
	h.SetControllen(int(unsafe.Sizeof(train{})))
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
	for i := range p.used { // the kernel has written how long the names were
		p.headers[i].hdr.Namelen = unix.SizeofSockaddrInet6
	}
	n, errno := mmsg(unix.SYS_RECVMMSG, fd, p.headers)
	p.used = n
	return n, errno
}

// send hands the first n datagrams to the kernel, which takes at least one or
// says why not.
func (p *packets) send(fd, n int) (int, unix.Errno) {
	if n > 1 {
		return mmsg(unix.SYS_SENDMMSG, fd, p.headers[:n])
	}
	// A single one is cheaper by itself: sendmmsg looks after it whether another
	// thread wants the processor, and whom it was sent to mostly does.
	_, _, errno := unix.RawSyscall(unix.SYS_SENDMSG, uintptr(fd),
		uintptr(unsafe.Pointer(&p.headers[0].hdr)), // rule 4: converted in the call itself
		unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
	return 1, errno
}

// mmsg does not wait, so Go's scheduler need not know of the call, nor of that
// in send: a goroutine that is known to be in one loses its processor when
// others could use it, and has to get one again.
func mmsg(trap uintptr, fd int, headers []mmsghdr) (int, unix.Errno) {
	n, _, errno := unix.RawSyscall6(trap, uintptr(fd),
		uintptr(unsafe.Pointer(unsafe.SliceData(headers))), // rule 4: converted in the call itself
		uintptr(len(headers)), unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(n), 0
}
