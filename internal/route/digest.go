package route

// Digest is a number that two routes share only if they are the same, but for
// one chance in 2^64. The nodes must be in the order of Compare, each host
// once. It is part of the protocol: see docs/PROTOCOL.md.
func Digest(nodes []Node) uint64 {
	h := uint64(0x9e3779b97f4a7c15)
	for _, n := range nodes {
		h ^= uint64(n.IP)<<32 | uint64(n.Port)<<16 | uint64(n.Weight)
		h ^= h >> 32
		h *= 0xd6e8feb86659fd93
		h ^= h >> 32
	}
	return h
}
