package dns

import (
	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/proto/larspb"
)

// encoder writes routes as bodies of GetRouteResponse without allocating once
// it has grown. It belongs to one goroutine.
type encoder struct {
	message larspb.GetRouteResponse
	hosts   []*larspb.HostInfo // as many as any route had so far
	body    []byte
}

// encode returns the body, which is valid until the next call.
func (e *encoder) encode(m route.Module, hosts []route.Host) ([]byte, error) {
	for len(e.hosts) < len(hosts) {
		e.hosts = append(e.hosts, new(larspb.HostInfo))
	}
	for i, h := range hosts {
		e.hosts[i].Ip, e.hosts[i].Port = int32(h.IP), int32(h.Port)
	}
	e.message.Modid, e.message.Cmdid, e.message.Host = m.ModID, m.CmdID, e.hosts[:len(hosts)]
	size := e.message.SizeVT()
	if cap(e.body) < size {
		e.body = make([]byte, size)
	}
	body := e.body[:size]
	_, err := e.message.MarshalToSizedBufferVT(body)
	return body, err
}
