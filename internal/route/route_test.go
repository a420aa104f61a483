package route_test

import (
	"math"
	"net/netip"
	"testing"

	"github.com/lars-lb/lars/internal/route"
)

func TestShard(t *testing.T) {
	for _, c := range []struct {
		m    route.Module
		want int
	}{
		{route.Module{0, 0}, 0},
		{route.Module{1, 1}, 2},
		{route.Module{2, 1}, 0},
		{route.Module{-1, 0}, 2},
		{route.Module{-5, 1}, 2},
		{route.Module{-3, 0}, 0},
		{route.Module{math.MaxInt32, 1}, 2},
		{route.Module{math.MinInt32, 0}, 1},
		{route.Module{math.MinInt32, math.MinInt32}, 2},
	} {
		if got := c.m.Shard(); got != c.want {
			t.Errorf("%v.Shard() = %d, want %d", c.m, got, c.want)
		}
	}
}

func TestModuleCompareAndString(t *testing.T) {
	ordered := []route.Module{{math.MinInt32, 3}, {-1, 5}, {0, 0}, {0, 1}, {1, -1}, {1, 0}}
	for i, a := range ordered {
		for j, b := range ordered {
			want := 0
			if i < j {
				want = -1
			} else if i > j {
				want = 1
			}
			if got := a.Compare(b); got != want {
				t.Errorf("%v.Compare(%v) = %d, want %d", a, b, got, want)
			}
		}
	}
	if got, want := ordered[0].String(), "(-2147483648,3)"; got != want {
		t.Errorf("String() = %q, want %q", got, want)
	}
}

func TestParseHost(t *testing.T) {
	h, err := route.ParseHost("192.168.1.177:7777")
	if err != nil || h != (route.Host{IP: 3232235953, Port: 7777}) || h.String() != "192.168.1.177:7777" {
		t.Fatalf("ParseHost = %v, %v", h, err)
	}
	for _, bad := range []string{"", "1.2.3.4", "1.2.3.4:0", "1.2.3.4:65536", "0.0.0.0:1", "[::1]:80", "host:80", "1.2.3.256:1", " 1.2.3.4:1"} {
		if h, err := route.ParseHost(bad); err == nil {
			t.Errorf("ParseHost(%q) = %v, want an error", bad, h)
		}
	}
	if h, ok := route.HostFrom(netip.MustParseAddrPort("[::ffff:10.0.0.1]:80")); !ok || h.String() != "10.0.0.1:80" {
		t.Errorf("an IPv4-mapped address became %v, %v", h, ok)
	}
}

func TestHostFromNumbers(t *testing.T) {
	for _, c := range []struct {
		ip, port int64
		ok       bool
	}{
		{1, 1, true}, {1<<32 - 1, 65535, true},
		{0, 1, false}, {1, 0, false}, {1 << 32, 1, false}, {1, 65536, false}, {-1, 1, false}, {1, -1, false},
	} {
		if h, ok := route.HostFromNumbers(c.ip, c.port); ok != c.ok {
			t.Errorf("HostFromNumbers(%d, %d) = %v, %v", c.ip, c.port, h, ok)
		}
	}
}

func TestHostCompare(t *testing.T) {
	ordered := []route.Host{{1, 2}, {1, 3}, {2, 1}, {math.MaxUint32, 0}}
	for i, a := range ordered {
		for j, b := range ordered {
			if got := a.Compare(b); (got < 0) != (i < j) || (got == 0) != (i == j) {
				t.Errorf("%v.Compare(%v) = %d", a, b, got)
			}
		}
	}
}

func TestClampWeight(t *testing.T) {
	for _, c := range []struct {
		n    int64
		want uint16
		ok   bool
	}{
		{0, 0, true}, {route.DefaultWeight, route.DefaultWeight, true}, {route.MaxWeight, route.MaxWeight, true},
		{-1, 0, false}, {math.MinInt64, 0, false},
		{route.MaxWeight + 1, route.MaxWeight, false}, {1 << 16, route.MaxWeight, false}, {math.MaxInt64, route.MaxWeight, false},
	} {
		if w, ok := route.ClampWeight(c.n); w != c.want || ok != c.ok {
			t.Errorf("ClampWeight(%d) = %d, %v; want %d, %v", c.n, w, ok, c.want, c.ok)
		}
	}
}
