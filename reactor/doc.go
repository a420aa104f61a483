//go:build linux

// Package reactor is an event-loop library over Linux epoll: TCP servers and
// clients, UDP servers and clients, timers, and queues between goroutines.
// What travels is a frame: an 8-byte head, message id and body length as
// little-endian int32, and the body. What a body means is the caller's.
//
// # Threads
//
// A [Loop] runs on one goroutine, and everything that belongs to it (its
// connections, sockets, timers and the handlers they call) is touched on that
// goroutine only, so handlers need no locks. Other goroutines reach a loop by
// [Loop.Post] and [Queue.Push], which an eventfd wakes it for. A [TCPServer]
// owns one accepting loop and several worker loops; a connection stays on the
// worker that it was given. Handlers must not block: while one runs, its loop
// serves nobody else.
//
// epoll is used level-triggered, but for UDP servers, and waited for without a
// time-out: a loop with nothing to do costs nothing, nor does it keep a thread,
// since Go's own poller parks its goroutine. [Loop] documents the order in which
// a turn handles its events.
//
// # Buffers
//
// The body that a handler is given is part of the loop's input buffer, valid
// until the handler returns. Send, SendMessage and Reply copy, so the caller
// may reuse what it passed at once. In steady state no message of up to 4 KiB
// allocates; connections that wait give larger buffers back, so that ten
// thousand of them do not hold the memory of their largest message.
//
// # Bounds
//
// Every buffer is bounded. A connection's output by [ConnConfig.MaxOutput]:
// beyond it Send returns [ErrBacklog] and queues nothing. Its input by one
// frame. Connections by [TCPServerConfig.MaxConn]: the newest is closed.
// Posted tasks and queued values by their capacity: Post returns [ErrFull],
// Push false. What is dropped or closed is counted by reason in [TCPStats] and
// [UDPStats].
package reactor
