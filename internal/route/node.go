package route

import "cmp"

const (
	// DefaultWeight is the weight of a node that nobody gave another.
	DefaultWeight = 100
	// MaxWeight is the largest weight of a node.
	MaxWeight = 10_000
)

// Node is a Host and its weight: the share of its module's calls that it is
// to get, relative to the other nodes. A weight of 0 drains the node: it stays
// in the route and gets no new calls. A Node takes 8 bytes, as tables hold
// millions.
type Node struct {
	IP     uint32 // as in Host
	Port   uint16
	Weight uint16 // 0 to MaxWeight
}

// NodeOf gives a host a weight.
func NodeOf(h Host, weight uint16) Node { return Node{h.IP, h.Port, weight} }

// Host returns the node without its weight.
func (n Node) Host() Host { return Host{n.IP, n.Port} }

// Drained reports whether the node gets no new calls.
func (n Node) Drained() bool { return n.Weight == 0 }

// Compare orders nodes by host, then weight.
func (n Node) Compare(o Node) int {
	return cmp.Or(n.Host().Compare(o.Host()), cmp.Compare(n.Weight, o.Weight))
}
