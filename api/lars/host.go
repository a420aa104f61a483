package lars

import (
	"math"
	"net/netip"

	"github.com/lars-lb/lars/internal/route"
	pb "github.com/lars-lb/lars/proto/larspb"
)

// Host is one node that serves a module: an IPv4 address and a port. Hosts
// compare with == and may be map keys; both go by address and port alone, so a
// Host that is Stale is the same as one that is not. The zero Host is no host.
type Host struct {
	h    route.Host
	from source
}

// source says who named a Host: 0 is the agent, and -0 the memory of the
// client. The language has the two zeros equal, and the same key of a map, so
// that a Host carries its source without being another Host for it: what a
// program keeps for each Host, its connections say, must be found just when the
// agent is away.
type source float32

// asStale is h as the client remembers it.
func (h Host) asStale() Host { return Host{h.h, source(math.Copysign(0, -1))} }

// Stale reports whether the agent was away, and h is one of those that it named
// when it last answered. It is worth calling all the same.
func (h Host) Stale() bool { return math.Signbit(float64(h.from)) }

// ParseHost reads "192.168.1.177:7777". A host that the agent gave needs no
// parsing; this is for one that comes from elsewhere.
func ParseHost(s string) (Host, error) {
	h, err := route.ParseHost(s)
	return Host{h: h}, err
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
	return Host{h: h}, ok
}
