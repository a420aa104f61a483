//go:build linux

package reactor

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"strconv"
)

// splitAddr takes host:port apart, which a client can connect to.
func splitAddr(addr string) (host string, port uint16, err error) {
	host, text, err := net.SplitHostPort(addr)
	if err != nil {
		return "", 0, fmt.Errorf("reactor: address %q: %w", addr, err)
	}
	if host == "" {
		return "", 0, fmt.Errorf("reactor: address %q names no host", addr)
	}
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil || n == 0 {
		return "", 0, fmt.Errorf("reactor: address %q: port must be 1 to 65535", addr)
	}
	return host, uint16(n), nil
}

// start has d connect to its address, which splitAddr has taken. It may fail at
// once, so whoever wants to know that a try is under way notes it before.
func (d *dialing) start() {
	if ap, err := netip.ParseAddrPort(d.addr); err == nil {
		d.connect(ap)
	} else {
		d.resolve()
	}
}

// resolve lets d connect to an address of a host that it has by name.
func (d *dialing) resolve() {
	host, port, _ := splitAddr(d.addr)
	d.loop.Go(func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, d.within)
		defer cancel()
		addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		// If the loop is closed there is nobody left to tell.
		_ = d.loop.Post(func() {
			switch {
			case d.ended:
			case err != nil:
				d.end(err)
			case len(addrs) == 0:
				d.end(fmt.Errorf("reactor: %s has no address", host))
			default:
				d.connect(netip.AddrPortFrom(pickAddr(addrs), port))
			}
		})
	})
}

// pickAddr takes one by chance, so that a name for several servers spreads its
// clients over them, and one that failed is not tried for ever. It prefers
// IPv4, which is what services of one network share.
func pickAddr(addrs []netip.Addr) netip.Addr {
	v4 := slices.DeleteFunc(slices.Clone(addrs), func(a netip.Addr) bool { return !a.Unmap().Is4() })
	if len(v4) > 0 {
		addrs = v4
	}
	return addrs[rand.IntN(len(addrs))]
}
