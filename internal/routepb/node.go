package routepb

import (
	"github.com/lars-lb/lars/internal/route"
	pb "github.com/lars-lb/lars/proto/larspb"
)

// Node reads one host of a route. A weight that is absent is
// route.DefaultWeight, one above route.MaxWeight is that. It reports false
// when address and port are no Valid host.
func Node(info *pb.HostInfo) (route.Node, bool) {
	h, ok := route.HostFromNumbers(int64(uint32(info.Ip)), int64(info.Port))
	if !ok {
		return route.Node{}, false
	}
	weight := uint16(route.DefaultWeight)
	if info.Weight != nil {
		weight, _ = route.ClampWeight(int64(*info.Weight))
	}
	return route.NodeOf(h, weight), true
}
