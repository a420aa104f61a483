package dns

import (
	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/internal/routepb"
	"github.com/lars-lb/lars/proto/larspb"
)

// encoder writes routes as bodies of GetRouteResponse without allocating once
// it has grown. It belongs to one goroutine.
type encoder struct {
	message larspb.GetRouteResponse
	hosts   routepb.Hosts
	body    []byte
}

// encode returns the body, which is valid until the next call.
func (e *encoder) encode(m route.Module, nodes []route.Node, stale bool) ([]byte, error) {
	e.message.Stale = stale
	e.message.Modid, e.message.Cmdid, e.message.Host = m.ModID, m.CmdID, e.hosts.Of(nodes)
	size := e.message.SizeVT()
	if cap(e.body) < size {
		e.body = make([]byte, size)
	}
	body := e.body[:size]
	_, err := e.message.MarshalToSizedBufferVT(body)
	return body, err
}
