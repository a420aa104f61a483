//go:build linux

package reactor

import "errors"

var (
	// ErrClosed is returned by whatever belongs to a closed loop, server or
	// connection; it is also the reason given to OnClose when our side closed.
	ErrClosed = errors.New("reactor: closed")
	// ErrFull is returned by Post when too many tasks wait already.
	ErrFull = errors.New("reactor: too many tasks posted")
	// ErrBacklog is returned when a connection's output is full; nothing of
	// the frame was queued.
	ErrBacklog = errors.New("reactor: output buffer full")
	// ErrTooLong is returned for a body that no frame carries.
	ErrTooLong = errors.New("reactor: body longer than a frame carries")
	// ErrPeerClosed is the reason given to OnClose when the peer closed.
	ErrPeerClosed = errors.New("reactor: closed by the peer")
	// ErrBadFrame is the reason when a head announced an impossible length.
	ErrBadFrame = errors.New("reactor: impossible body length")
	// ErrPartialTimeout is the reason when the rest of a frame did not come.
	ErrPartialTimeout = errors.New("reactor: frame not completed in time")
)
