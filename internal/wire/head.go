package wire

import (
	"encoding/binary"
	"errors"
)

const (
	// HeadSize is the length of a frame's head, bytes.
	HeadSize = 8
	// MaxBody is the largest body of a frame, bytes: Lars 1.0's buffer of
	// 65,535 less the head.
	MaxBody = 65535 - HeadSize
	// MaxDatagram is the largest frame that fits into one UDP datagram over
	// IPv4, bytes: 65,535 less the IP and the UDP header.
	MaxDatagram = 65535 - 20 - 8
)

// Errors of a frame that no peer of ours sends.
var (
	ErrShort  = errors.New("wire: shorter than a frame's head")
	ErrLength = errors.New("wire: body length out of bounds or not the datagram's")
)

// Head is what stands before every body: both numbers are little-endian int32.
type Head struct {
	ID  int32 // message id
	Len int32 // length of the body alone, bytes; 0 to MaxBody
}

// DecodeHead reads the head at the start of b. It returns ErrShort when b is
// shorter than a head and ErrLength when the length is impossible; the head
// is returned even then.
func DecodeHead(b []byte) (Head, error) {
	if len(b) < HeadSize {
		return Head{}, ErrShort
	}
	h := Head{
		ID:  int32(binary.LittleEndian.Uint32(b)),
		Len: int32(binary.LittleEndian.Uint32(b[4:])),
	}
	if h.Len < 0 || h.Len > MaxBody {
		return h, ErrLength
	}
	return h, nil
}

// DecodeDatagram splits a datagram, which must be exactly one frame. The body
// is part of b.
func DecodeDatagram(b []byte) (id int32, body []byte, err error) {
	h, err := DecodeHead(b)
	if err != nil {
		return h.ID, nil, err
	}
	if int(h.Len) != len(b)-HeadSize {
		return h.ID, nil, ErrLength
	}
	return h.ID, b[HeadSize:], nil
}

// PutHead writes the head of a frame with n bytes of body to b[:HeadSize].
func PutHead(b []byte, id int32, n int) {
	_ = b[HeadSize-1]
	binary.LittleEndian.PutUint32(b, uint32(id))
	binary.LittleEndian.PutUint32(b[4:], uint32(n))
}

// AppendFrame appends a whole frame to dst.
func AppendFrame(dst []byte, id int32, body []byte) []byte {
	dst = binary.LittleEndian.AppendUint32(dst, uint32(id))
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(body)))
	return append(dst, body...)
}
