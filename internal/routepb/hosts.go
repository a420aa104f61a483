package routepb

import (
	"github.com/lars-lb/lars/internal/route"
	pb "github.com/lars-lb/lars/proto/larspb"
)

// Hosts makes the host lists of messages, one after the other, without
// allocating once it has grown. It belongs to one goroutine.
type Hosts struct {
	infos   []pb.HostInfo
	weights []uint32       // what infos point to
	list    []*pb.HostInfo // pointers to infos
}

// Of returns nodes as messages carry them, valid until the next call.
func (h *Hosts) Of(nodes []route.Node) []*pb.HostInfo {
	if len(h.infos) < len(nodes) {
		h.grow(max(len(nodes), min(2*len(h.infos), route.MaxHosts)))
	}
	for i, n := range nodes {
		info := &h.infos[i]
		info.Ip, info.Port, info.Weight = int32(n.IP), int32(n.Port), nil
		if n.Weight != route.DefaultWeight {
			h.weights[i] = uint32(n.Weight)
			info.Weight = &h.weights[i]
		}
	}
	return h.list[:len(nodes)]
}

func (h *Hosts) grow(n int) {
	h.infos, h.weights, h.list = make([]pb.HostInfo, n), make([]uint32, n), make([]*pb.HostInfo, n)
	for i := range h.list {
		h.list[i] = &h.infos[i]
	}
}
