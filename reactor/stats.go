//go:build linux

package reactor

import (
	"errors"
	"sync/atomic"
)

// TCPStats counts what a TCP server or client has done since it was made.
type TCPStats struct {
	Opened uint64 `json:"opened"` // connections
	Open   int64  `json:"open"`   // connections now
	// MaxOpen is how many there may be; 1 for a client.
	MaxOpen int64 `json:"max_open"`

	FramesIn  uint64 `json:"frames_in"`
	FramesOut uint64 `json:"frames_out"` // queued by Send
	BytesIn   uint64 `json:"bytes_in"`
	BytesOut  uint64 `json:"bytes_out"`

	UnknownMessage uint64 `json:"unknown_message"` // frames skipped: no handler
	Backlogs       uint64 `json:"backlogs"`        // Sends refused with ErrBacklog

	// Connections that never opened, by reason.
	RejectedMaxConn uint64 `json:"rejected_max_conn"`
	RejectedNoFD    uint64 `json:"rejected_no_fd"` // the process or machine is out of descriptors
	RejectedError   uint64 `json:"rejected_error"`
	AcceptPauses    uint64 `json:"accept_pauses"` // times that accepting rested, since it could not go on

	// Connections closed, by reason.
	ClosedByPeer         uint64 `json:"closed_by_peer"`
	ClosedByUs           uint64 `json:"closed_by_us"`
	ClosedBadFrame       uint64 `json:"closed_bad_frame"`
	ClosedBadBody        uint64 `json:"closed_bad_body"`
	ClosedPartialTimeout uint64 `json:"closed_partial_timeout"`
	ClosedError          uint64 `json:"closed_error"` // reset, timed out, unreachable

	ConnectFailures uint64 `json:"connect_failures"` // of a client
	Switched        uint64 `json:"switched"`         // times that a client used another address than before
}

// tcpCounters is TCPStats as the loops write it.
type tcpCounters struct {
	opened                                                     atomic.Uint64
	open                                                       atomic.Int64
	framesIn, framesOut, bytesIn, bytesOut                     atomic.Uint64
	unknownMessage, backlogs                                   atomic.Uint64
	rejectedMaxConn, rejectedNoFD, rejectedError, acceptPauses atomic.Uint64
	closedByPeer, closedByUs                                   atomic.Uint64
	closedBadFrame, closedBadBody, closedPartial               atomic.Uint64
	closedError, connectFailures, switched                     atomic.Uint64
}

func (s *tcpCounters) countClose(reason error) {
	var badBody *BadBodyError
	switch {
	case errors.Is(reason, ErrPeerClosed):
		s.closedByPeer.Add(1)
	case errors.Is(reason, ErrBadFrame):
		s.closedBadFrame.Add(1)
	case errors.Is(reason, ErrPartialTimeout):
		s.closedPartial.Add(1)
	case errors.As(reason, &badBody):
		s.closedBadBody.Add(1)
	case isSystemError(reason):
		s.closedError.Add(1)
	default:
		s.closedByUs.Add(1)
	}
}

func (s *tcpCounters) snapshot() TCPStats {
	return TCPStats{
		Opened:               s.opened.Load(),
		Open:                 s.open.Load(),
		FramesIn:             s.framesIn.Load(),
		FramesOut:            s.framesOut.Load(),
		BytesIn:              s.bytesIn.Load(),
		BytesOut:             s.bytesOut.Load(),
		UnknownMessage:       s.unknownMessage.Load(),
		Backlogs:             s.backlogs.Load(),
		RejectedMaxConn:      s.rejectedMaxConn.Load(),
		RejectedNoFD:         s.rejectedNoFD.Load(),
		RejectedError:        s.rejectedError.Load(),
		AcceptPauses:         s.acceptPauses.Load(),
		ClosedByPeer:         s.closedByPeer.Load(),
		ClosedByUs:           s.closedByUs.Load(),
		ClosedBadFrame:       s.closedBadFrame.Load(),
		ClosedBadBody:        s.closedBadBody.Load(),
		ClosedPartialTimeout: s.closedPartial.Load(),
		ClosedError:          s.closedError.Load(),
		ConnectFailures:      s.connectFailures.Load(),
		Switched:             s.switched.Load(),
	}
}

// UDPStats counts what a UDP server or client has done since it was made.
type UDPStats struct {
	Received uint64 `json:"received"` // datagrams, dropped ones included
	Batches  uint64 `json:"batches"`  // recvmmsg calls that returned datagrams
	Sent     uint64 `json:"sent"`     // datagrams that the kernel took

	// Datagrams dropped, by reason.
	Short          uint64 `json:"short"`           // shorter than a head
	BadLength      uint64 `json:"bad_length"`      // body length not the datagram's
	Truncated      uint64 `json:"truncated"`       // longer than MaxDatagram
	UnknownMessage uint64 `json:"unknown_message"` // no handler
	BadBody        uint64 `json:"bad_body"`        // the handler did not understand it

	SendBlocked uint64 `json:"send_blocked"` // answers dropped: the kernel's buffer is full
	SendErrors  uint64 `json:"send_errors"`  // answers dropped: unreachable and the like

	// KernelDropped are datagrams that never reached us: the kernel had no
	// room in the receive buffer or found a bad checksum. ReceiveQueued of
	// ReceiveBuffer bytes are taken now. The kernel counts a datagram with what
	// it needs to keep it, several hundred bytes at least, and allows twice of
	// what was asked for.
	KernelDropped uint64 `json:"kernel_dropped"`
	ReceiveQueued uint64 `json:"receive_queued"`
	ReceiveBuffer uint64 `json:"receive_buffer"`
}

// udpCounters is UDPStats as the loop writes it.
type udpCounters struct {
	received, batches, sent                              atomic.Uint64
	short, badLength, truncated, unknownMessage, badBody atomic.Uint64
	sendBlocked, sendErrors                              atomic.Uint64
}

func (s *udpCounters) snapshot() UDPStats {
	return UDPStats{
		Received:       s.received.Load(),
		Batches:        s.batches.Load(),
		Sent:           s.sent.Load(),
		Short:          s.short.Load(),
		BadLength:      s.badLength.Load(),
		Truncated:      s.truncated.Load(),
		UnknownMessage: s.unknownMessage.Load(),
		BadBody:        s.badBody.Load(),
		SendBlocked:    s.sendBlocked.Load(),
		SendErrors:     s.sendErrors.Load(),
	}
}
