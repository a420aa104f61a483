// Package wire is the frame of Lars: an 8-byte head and a protobuf body. It
// knows neither sockets nor messages, and builds on every platform.
//
// Over UDP a datagram is exactly one frame. Over TCP frames follow one another
// and may arrive in any pieces.
package wire
