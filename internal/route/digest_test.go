package route_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/lars-lb/lars/internal/route"
)

// The values are part of the protocol.
func TestDigest(t *testing.T) {
	a, b := route.Node{IP: 3232235953, Port: 7777, Weight: 100}, route.Node{IP: 3232235954, Port: 7777, Weight: 0}
	for _, c := range []struct {
		nodes []route.Node
		want  uint64
	}{
		{nil, 0x9e3779b97f4a7c15},
		{[]route.Node{a}, 0x8ced3807cc361e7c},
		{[]route.Node{a, b}, 0x5795d723f70aaa48},
	} {
		if got := route.Digest(c.nodes); got != c.want {
			t.Errorf("Digest(%v) = %#x, want %#x", c.nodes, got, c.want)
		}
	}
}

// Routes that differ a little have other digests.
func TestDigestTellsRoutesApart(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	seen := make(map[uint64][]route.Node)
	nodes := make([]route.Node, 8)
	for range 200_000 {
		switch n := &nodes[random.IntN(len(nodes))]; random.IntN(3) {
		case 0:
			n.IP ^= 1 << random.IntN(32)
		case 1:
			n.Port ^= 1 << random.IntN(16)
		case 2:
			n.Weight = uint16(random.IntN(route.MaxWeight + 1))
		}
		some := slices.Clone(nodes[:1+random.IntN(len(nodes))])
		d := route.Digest(some)
		if other, ok := seen[d]; ok && !slices.Equal(other, some) {
			t.Fatalf("%v and %v have the digest %#x", other, some, d)
		}
		seen[d] = some
	}
}
