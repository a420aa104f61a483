package agent

import (
	"encoding/binary"

	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/internal/wire"
	pb "github.com/lars-lb/lars/proto/larspb"
)

// firstSeq is the number of the first request, so large that all that follow
// take as many bytes: a request is changed in place.
const firstSeq = 1 << 28

// The request's number as a field: its tag, and five bytes of seven bits.
const (
	seqAt  = wire.HeadSize
	seqEnd = seqAt + 6
)

// getHost is a GetHostRequest with the number firstSeq.
func getHost(id route.Module) []byte {
	body, err := (&pb.GetHostRequest{Seq: firstSeq, Modid: id.ModID, Cmdid: id.CmdID}).MarshalVT()
	if err != nil {
		panic(err) // the generated code has no way to fail on a message of numbers
	}
	return wire.AppendFrame(nil, int32(pb.MessageId_ID_GetHostRequest), body)
}

// setSeq changes the number of a request.
func setSeq(frame []byte, seq uint32) {
	b := frame[seqAt+1 : seqEnd]
	for i := range b {
		b[i] = byte(seq) | 0x80
		seq >>= 7
	}
	b[4] &= 0x7f
}

// seqOf is the number in an answer; ok is false for what is not an answer to
// such a request.
func seqOf(frame []byte) (seq uint32, ok bool) {
	if len(frame) < seqEnd || frame[0] != byte(pb.MessageId_ID_GetHostResponse) || frame[seqAt] != 0x08 {
		return 0, false
	}
	for i := 4; i >= 0; i-- {
		seq = seq<<7 | uint32(frame[seqAt+1+i]&0x7f)
	}
	return seq, true
}

// hostOf is the HostInfo in an answer, encoded; nil if it has none.
func hostOf(frame []byte) []byte {
	b := frame[seqEnd:]
	for len(b) > 1 {
		tag := b[0]
		n, size := binary.Uvarint(b[1:])
		if size <= 0 {
			return nil
		}
		b = b[1+size:]
		if tag == 0x2a && n <= uint64(len(b)) { // field 5, with a length
			return b[:n]
		}
	}
	return nil
}

// reportHead is a report of a call of the module but for the host, which is
// what appendReport adds.
func reportHead(id route.Module) []byte {
	body, err := (&pb.ReportRequest{Modid: id.ModID, Cmdid: id.CmdID, CostUs: 1000}).MarshalVT()
	if err != nil {
		panic(err) // as in getHost
	}
	return wire.AppendFrame(nil, int32(pb.MessageId_ID_ReportRequest), body)
}

// appendReport appends the report of a call of a host that went well.
func appendReport(dst, head, host []byte) []byte {
	start := len(dst)
	dst = append(dst, head...)
	dst = append(dst, 0x1a, byte(len(host))) // field 3; a HostInfo takes 20 bytes at most
	dst = append(dst, host...)
	wire.PutHead(dst[start:], int32(pb.MessageId_ID_ReportRequest), len(dst)-start-wire.HeadSize)
	return dst
}
