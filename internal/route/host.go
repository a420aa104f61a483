package route

import (
	"encoding/binary"
	"fmt"
	"net/netip"
)

// MaxHosts is the largest number of hosts of one module: as many as one UDP
// datagram carries at 20 bytes a host, rounded down.
const MaxHosts = 3000

// Host is one node that serves a module: an IPv4 address and a port.
type Host struct {
	IP   uint32 // host order: 192.168.1.177 is 3232235953
	Port uint16
}

// HostFrom converts an IPv4 address and port. It reports false for any other
// address, and for an address or port that is no Valid host.
func HostFrom(ap netip.AddrPort) (Host, bool) {
	addr := ap.Addr().Unmap()
	if !addr.Is4() {
		return Host{}, false
	}
	b := addr.As4()
	h := Host{IP: binary.BigEndian.Uint32(b[:]), Port: ap.Port()}
	return h, h.Valid()
}

// HostFromNumbers converts an address and port as tables and frames carry
// them. It reports false when they are out of range, or not Valid.
func HostFromNumbers(ip, port int64) (Host, bool) {
	if ip <= 0 || ip > 1<<32-1 || port <= 0 || port > 1<<16-1 {
		return Host{}, false
	}
	return Host{IP: uint32(ip), Port: uint16(port)}, true
}

// ParseHost reads "192.168.1.177:7777".
func ParseHost(s string) (Host, error) {
	ap, err := netip.ParseAddrPort(s)
	if err != nil {
		return Host{}, fmt.Errorf("host %q is not IPv4:PORT", s)
	}
	h, ok := HostFrom(ap)
	if !ok {
		return Host{}, fmt.Errorf("host %q needs an IPv4 address other than 0.0.0.0 and a port of 1 to 65535", s)
	}
	return h, nil
}

// Valid reports whether h can be called: neither its address nor its port is 0.
func (h Host) Valid() bool { return h.IP != 0 && h.Port != 0 }

// AddrPort returns h as the standard library's type.
func (h Host) AddrPort() netip.AddrPort {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], h.IP)
	return netip.AddrPortFrom(netip.AddrFrom4(b), h.Port)
}

// Compare orders hosts by address, then port.
func (h Host) Compare(o Host) int {
	switch {
	case h.IP < o.IP, h.IP == o.IP && h.Port < o.Port:
		return -1
	case h == o:
		return 0
	default:
		return 1
	}
}

// String formats h as IP:PORT.
func (h Host) String() string { return h.AddrPort().String() }
