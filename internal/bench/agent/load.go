package agent

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	pb "github.com/lars-lb/lars/proto/larspb"
	"github.com/lars-lb/lars/reactor"
)

// resendAfter is when a socket without answers is given its requests anew.
const resendAfter = 200 * time.Millisecond

// measure asks the target for length, keeping s.window requests under way on
// each socket, after a tenth of that to warm up.
func measure(ctx context.Context, t *target, s scenario, length time.Duration) (sample, error) {
	if err := ctx.Err(); err != nil {
		return sample{}, err
	}
	loop, err := reactor.NewLoop()
	if err != nil {
		return sample{}, err
	}
	g := &generator{loop: loop, scenario: s}
	if err := g.prepare(); err != nil {
		return sample{}, err
	}
	for i := range s.sockets {
		if err := g.open(t.addrs[i]); err != nil {
			loop.Close()
			return sample{}, err
		}
	}
	var before, after time.Duration
	var start time.Time
	var first, last uint64
	loop.AfterFunc(length/10, func() {
		before, start, first = t.cpu(), time.Now(), g.answers
		loop.AfterFunc(length, func() {
			after, last = t.cpu(), g.answers
			length = time.Since(start)
			loop.Close()
		})
	})
	defer context.AfterFunc(ctx, loop.Close)()
	if err := loop.Run(); err != nil {
		return sample{}, err
	}
	if err := ctx.Err(); err != nil {
		return sample{}, err
	}
	n := float64(last - first)
	if n == 0 {
		return sample{}, fmt.Errorf("%s does not answer", t.name)
	}
	return sample{
		rate: n / length.Seconds(),
		cpu:  float64((after - before).Microseconds()) / n,
		lost: g.lost,
	}, nil
}

// generator keeps requests under way: each answer is followed by another.
type generator struct {
	loop            *reactor.Loop
	scenario        scenario
	getHost, report []byte // bodies
	answers, lost   uint64
}

func (g *generator) prepare() (err error) {
	if g.getHost, err = (&pb.GetHostRequest{Modid: 1, Cmdid: 1, Seq: 7}).MarshalVT(); err != nil {
		return err
	}
	g.report, err = (&pb.ReportRequest{Modid: 1, Cmdid: 1, Host: sampleHost()}).MarshalVT()
	return err
}

// sampleHost is the only host of the module that is asked for.
func sampleHost() *pb.HostInfo {
	ip := netip.MustParseAddr("192.168.1.177").As4()
	return &pb.HostInfo{Ip: int32(uint32(ip[0])<<24 | uint32(ip[1])<<16 | uint32(ip[2])<<8 | uint32(ip[3])), Port: 7777}
}

func (g *generator) open(addr netip.AddrPort) error {
	var c *reactor.UDPClient
	answers := uint64(0) // on this socket
	ask := func() error {
		if err := c.Send(int32(pb.MessageId_ID_GetHostRequest), g.getHost); err != nil {
			return err
		}
		if g.scenario.reports {
			return c.Send(int32(pb.MessageId_ID_ReportRequest), g.report)
		}
		return nil
	}
	router := reactor.NewRouter[*reactor.Datagram]()
	router.Handle(int32(pb.MessageId_ID_GetHostResponse), func(_ *reactor.Datagram, body []byte) error {
		g.answers++
		answers++
		return ask()
	})
	var err error
	if c, err = reactor.DialUDP(g.loop, addr, 0, router); err != nil {
		return err
	}
	fill := func() (err error) {
		for range g.scenario.window {
			err = errors.Join(err, ask())
		}
		return err
	}
	if err := g.loop.Post(func() { _ = fill() }); err != nil {
		return err
	}
	// A lost datagram would shrink the window for good; a socket that has
	// fallen silent has lost them all.
	var watch *reactor.Timer
	seen := uint64(0)
	watch = g.loop.AfterFunc(resendAfter, func() {
		if answers == seen {
			g.lost += uint64(g.scenario.window)
			_ = fill()
		}
		seen = answers
		watch.Reset(resendAfter)
	})
	return nil
}

// knownTo asks the agent for the module until it is answered with a host, so
// that what is measured is not the answer that there is none.
func knownTo(ctx context.Context, addr netip.AddrPort) error {
	loop, err := reactor.NewLoop()
	if err != nil {
		return err
	}
	router := reactor.NewRouter[*reactor.Datagram]()
	known := false
	router.Handle(int32(pb.MessageId_ID_GetHostResponse), func(_ *reactor.Datagram, body []byte) error {
		var resp pb.GetHostResponse
		if err := resp.UnmarshalVT(body); err != nil {
			return err
		}
		if resp.Host != nil {
			known = true
			loop.Close()
		}
		return nil
	})
	c, err := reactor.DialUDP(loop, addr, 1, router)
	if err != nil {
		loop.Close()
		return err
	}
	var again *reactor.Timer
	ask := func() {
		_ = c.SendMessage(int32(pb.MessageId_ID_GetHostRequest), &pb.GetHostRequest{Modid: 1, Cmdid: 1})
		again.Reset(20 * time.Millisecond)
	}
	again = loop.AfterFunc(0, func() { ask() })
	loop.AfterFunc(10*time.Second, loop.Close)
	defer context.AfterFunc(ctx, loop.Close)()
	if err := loop.Run(); err != nil {
		return err
	}
	if !known {
		return errors.New("the agent does not learn its route")
	}
	return nil
}
