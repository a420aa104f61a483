package lars

import (
	"net/netip"

	"github.com/lars-lb/lars/internal/route"
	pb "github.com/lars-lb/lars/proto/larspb"
)

// Host is one node that serves a module: an IPv4 address and a port. Hosts
// compare with == and may be map keys: two are equal when their addresses are,
// whether the agent named them or memory did, which Ask tells. The zero Host is no
// host.
type Host struct {
	h route.Host
}

// ParseHost reads "192.168.1.177:7777". A host that the agent gave needs no
// parsing; this is for one that comes from elsewhere.
func ParseHost(s string) (Host, error) {
	h, err := route.ParseHost(s)
	return Host{h}, err
}

// String formats h as IP:PORT, the form that net.Dial takes.
func (h Host) String() string { return h.h.String() }

// AddrPort returns h as the standard library's type.
func (h Host) AddrPort() netip.AddrPort { return h.h.AddrPort() }

// MarshalText formats h as String does, so that JSON and logs show it.
func (h Host) MarshalText() ([]byte, error) { return h.h.AddrPort().MarshalText() }

// hostFrom reads a host off the wire. It reports false when there is none, or
// none that can be called.
func hostFrom(info *pb.HostInfo) (Host, bool) {
	if info == nil {
		return Host{}, false
	}
	h, ok := route.HostFromNumbers(int64(uint32(info.Ip)), int64(info.Port))
	return Host{h}, ok
}
