package agent

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// batchSize is the most datagrams sent or received with one system call.
const batchSize = 64

// datagramSize holds any request and any answer to one, bytes.
const datagramSize = 128

// batch is a set of datagrams for one recvmmsg or sendmmsg call on a connected
// socket. Its parts point into one another, so it is never copied.
type batch struct {
	headers [batchSize]struct {
		hdr unix.Msghdr
		len uint32
	}
	vectors [batchSize]unix.Iovec
	bytes   [batchSize][datagramSize]byte
	train   struct {
		header unix.Msghdr
		cut    struct { // the control message UDP_SEGMENT
			hdr  unix.Cmsghdr
			size uint16
			_    [unix.SizeofPtr - 2]byte // CMSG_SPACE rounds up
		}
	}
}

func newBatch() *batch {
	b := &batch{}
	for i := range b.headers {
		b.headers[i].hdr.Iov = &b.vectors[i]
		b.headers[i].hdr.SetIovlen(1)
		b.vectors[i].Base = &b.bytes[i][0]
		b.vectors[i].SetLen(datagramSize)
	}
	cut := &b.train.cut
	cut.hdr.Level, cut.hdr.Type = unix.SOL_UDP, unix.UDP_SEGMENT
	cut.hdr.SetLen(unix.CmsgLen(2))
	h := &b.train.header
	h.Iov = &b.vectors[0]
	h.Control = (*byte)(unsafe.Pointer(cut)) // rule 1: a pointer to the first byte of the struct
	h.SetControllen(int(unsafe.Sizeof(*cut)))
	return b
}

// put makes datagram i a copy of d, which must fit, and returns the copy.
func (b *batch) put(i int, d []byte) []byte {
	n := copy(b.bytes[i][:], d)
	b.vectors[i].SetLen(n)
	return b.bytes[i][:n]
}

// at is datagram i as it was received.
func (b *batch) at(i int) []byte { return b.bytes[i][:b.headers[i].len] }

// receive takes what there is, and waits for the first of it unless
// MSG_DONTWAIT is among the flags.
func (b *batch) receive(fd, flags int) (int, unix.Errno) {
	return b.call(unix.SYS_RECVMMSG, fd, 0, batchSize, flags)
}

// send hands datagrams from to to-1 to the kernel.
func (b *batch) send(fd, from, to int) (int, unix.Errno) {
	return b.call(unix.SYS_SENDMMSG, fd, from, to, 0)
}

// sendTrain hands the first n datagrams, all of one size, to the kernel as one
// that it cuts, which costs the sender far less than n.
func (b *batch) sendTrain(fd, n int) unix.Errno {
	b.train.header.SetIovlen(n)
	b.train.cut.size = uint16(b.vectors[0].Len)
	_, _, errno := unix.Syscall6(unix.SYS_SENDMSG, uintptr(fd),
		uintptr(unsafe.Pointer(&b.train.header)), 0, 0, 0, 0) // rule 4: converted in the call itself
	return errno
}

func (b *batch) call(trap uintptr, fd, from, to, flags int) (int, unix.Errno) {
	n, _, errno := unix.Syscall6(trap, uintptr(fd),
		uintptr(unsafe.Pointer(&b.headers[from])), // rule 4: converted in the call itself
		uintptr(to-from), uintptr(flags), 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(n), 0
}
