package lbagent

import (
	"cmp"
	"hash/fnv"
	"slices"
)

// preference is the order in which the agent with that id likes endpoints:
// the one with the highest hash of both first (rendezvous hashing; Thaler and
// Ravishankar 1998). So agents spread evenly over all, those of one that is
// gone evenly over the others, and all know where to come back to.
func preference(endpoints []string, id uint64) []string {
	weight := func(endpoint string) uint64 {
		h := fnv.New64a()
		_, _ = h.Write([]byte(endpoint))
		return mix(h.Sum64() ^ id)
	}
	return slices.SortedFunc(slices.Values(endpoints), func(x, y string) int {
		return cmp.Or(cmp.Compare(weight(y), weight(x)), cmp.Compare(x, y))
	})
}

// mix spreads every bit of x over all of the result: the finalizer of
// MurmurHash3 (Appleby). FNV alone leaves names that differ in their last
// letter close together.
func mix(x uint64) uint64 {
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	x *= 0xc4ceb9fe1a85ec53
	return x ^ x>>33
}
