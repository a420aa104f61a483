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
	"time"
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

// dialTo tries to connect to addr, which splitAddr has taken. See newDialing
// for done.
func (l *Loop) dialTo(addr string, timeout time.Duration, done func(fd int, remote netip.AddrPort, err error)) *dialing {
	d := l.newDialing(addr, timeout, done)
	if ap, err := netip.ParseAddrPort(addr); err == nil {
		d.connect(ap)
	} else {
		l.resolve(d, addr, timeout)
	}
	return d
}

// resolve lets d connect to an address of a host that addr has by name.
func (l *Loop) resolve(d *dialing, addr string, timeout time.Duration) {
	host, port, _ := splitAddr(addr)
	l.Go(func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, timeout)
		defer cancel()
		addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		// If the loop is closed there is nobody left to tell.
		_ = l.Post(func() {
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
