//go:build linux

package reactor

// Handler is given the body of one frame, valid until it returns, and what it
// came by: a *TCPConn or a *Datagram. An error says that the body was not
// understood: the connection is closed, or the datagram dropped, and counted.
type Handler[C any] func(c C, body []byte) error

// Router finds the handler of a message id.
type Router[C any] struct {
	handlers map[int32]Handler[C]
}

// NewRouter returns an empty router.
func NewRouter[C any]() *Router[C] {
	return &Router[C]{handlers: make(map[int32]Handler[C])}
}

// Handle sets the handler of a message id, replacing any before. A router
// must not change once a server or client uses it; several may share it.
func (r *Router[C]) Handle(msgid int32, h Handler[C]) { r.handlers[msgid] = h }

// Marshaler is a message that encodes itself into a given buffer: what
// protoc-gen-go-vtproto generates.
type Marshaler interface {
	// SizeVT is the length of the encoding, bytes.
	SizeVT() int
	// MarshalToSizedBufferVT encodes to the end of b and returns the length.
	MarshalToSizedBufferVT(b []byte) (int, error)
}
