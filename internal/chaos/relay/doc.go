// Package relay stands between two processes that speak TCP and does to their
// connections what networks do: it delays, stalls, resets or refuses them. A
// stalled connection is what a machine leaves behind that lost its power: open
// at both ends, and silent.
//
// Each relay has a goroutine that accepts, and two for each connection, all of
// which end before Close returns. It buffers 32 KiB a connection and direction;
// beyond that the sender feels that nobody reads. Connections are bounded by
// their ends: a relay makes one for each that it is given.
package relay
