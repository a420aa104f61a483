package lars

import (
	"context"
	"errors"
	"time"

	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/internal/wire"
	pb "github.com/lars-lb/lars/proto/larspb"
)

// GetRoute returns all hosts of a module, overloaded and drained ones included.
// The errors are those of GetHost, without ErrOverload; the slice is the
// caller's. While the agent is away it is the last route that GetRoute or
// Register was given; AskRoute says which it is.
//
// It is for programs that choose or show hosts themselves. One that only wants
// to call asks GetHost, which heeds the weights that operators gave the hosts.
func (c *Client) GetRoute(ctx context.Context, modid, cmdid int32) ([]Host, error) {
	r, err := c.AskRoute(ctx, modid, cmdid)
	return r.Hosts, err
}

// AskRoute is GetRoute, and says besides whether the agent was there to answer.
func (c *Client) AskRoute(ctx context.Context, modid, cmdid int32) (Route, error) {
	var r Route
	m := route.Module{ModID: modid, CmdID: cmdid}
	deadline := c.deadline(ctx)
	err := c.whileLoading(ctx, deadline, m, func() (err error) {
		r, err = c.askOrRecallRoute(ctx, deadline, m)
		return err
	})
	return r, err
}

// askOrRecallRoute asks once, and answers from memory when the agent does not.
// A probe waits for as long as any call: late answers to it are not found.
func (c *Client) askOrRecallRoute(ctx context.Context, deadline time.Time, m route.Module) (Route, error) {
	p := c.port(m)
	now := p.now()
	old, known := p.routes.get(m, now, c.staleFor)
	if !known {
		hosts, err := c.askRoute(ctx, deadline, m, opGetRoute)
		if errors.Is(err, ErrNotExist) {
			c.forget(p, m)
		}
		return Route{Hosts: hosts}, err
	}
	if p.health.down.Load() && ctx.Err() == nil && !c.closing.Load() && !p.health.mayProbe(now) {
		p.stale.Add(1)
		return old, nil
	}
	hosts, err := c.askRoute(ctx, wait(deadline, patience), m, opGetRoute)
	switch {
	case err == nil:
		return Route{Hosts: hosts}, nil
	case ctx.Err() == nil && p.mayRecall(err):
		p.stale.Add(1)
		return old, nil
	case errors.Is(err, ErrNotExist):
		c.forget(p, m)
	}
	return Route{}, err
}

// Register waits until the agent has the route of a module, and until the agent
// is there at all: a program may start before either. Unlike the other methods
// it waits as long as ctx allows, and Config.Timeout only when ctx has no
// deadline, and it is never answered from memory. The error is the last answer, ErrNotExist or ErrAgentDown as a rule.
func (c *Client) Register(ctx context.Context, modid, cmdid int32) error {
	m := route.Module{ModID: modid, CmdID: cmdid}
	deadline, ok := ctx.Deadline()
	if !ok {
		deadline = c.deadline(ctx)
	}
	for {
		_, err := c.askRoute(ctx, deadline, m, opRegister)
		if !errors.Is(err, ErrNotExist) && !errors.Is(err, ErrAgentDown) {
			return err
		}
		if !c.pause(ctx, deadline, loadPause) {
			return err
		}
	}
}

// askRoute asks once.
func (c *Client) askRoute(ctx context.Context, deadline time.Time, m route.Module, op string) ([]Host, error) {
	p := c.port(m)
	if err := ctx.Err(); err != nil {
		return nil, &callError{op: op, module: m, agent: p.agent, asked: p.addr, kind: err}
	}
	hosts, err := p.route(ctx, deadline, m)
	if err != nil {
		return nil, callFailed(op, m, p, err)
	}
	if len(hosts) == 0 {
		return nil, &callError{op: op, module: m, agent: p.agent, asked: p.addr, kind: ErrNotExist}
	}
	if c.staleFor >= 0 {
		p.routes.put(m, hosts, p.now())
	}
	return hosts, nil
}

func (p *port) route(ctx context.Context, deadline time.Time, m route.Module) ([]Host, error) {
	s, err := p.take(ctx, deadline)
	if err != nil {
		return nil, err
	}
	defer p.put(s)
	// A route answer carries no seq: on a connection that was never used it
	// cannot be the answer to an earlier question.
	if s.stale {
		p.keepRefused(s, s.refusal())
		if err := p.dial(s); err != nil {
			return nil, err
		}
	}
	frame, err := s.encode(pb.MessageId_ID_API_GetRouteRequest, &pb.GetRouteRequest{Modid: m.ModID, Cmdid: m.CmdID})
	if err != nil {
		return nil, err
	}
	var hosts []Host
	err = p.ask(ctx, deadline, s, frame, make([]byte, wire.MaxDatagram), func(datagram []byte) (ok bool) {
		hosts, ok = decodeRoute(datagram, m)
		return ok
	})
	switch {
	case err != nil:
	case len(hosts) == 0:
		s.counts.notExist.Add(1)
	default:
		s.counts.routes.Add(1)
	}
	if err == nil {
		p.sendKept(s, deadline, p.now())
	}
	return hosts, err
}

// decodeRoute returns the hosts that a datagram names, those left out that
// cannot be called. It reports false when it is no route of m.
func decodeRoute(datagram []byte, m route.Module) ([]Host, bool) {
	id, body, err := wire.DecodeDatagram(datagram)
	if err != nil || pb.MessageId(id) != pb.MessageId_ID_API_GetRouteResponse {
		return nil, false
	}
	var answer pb.GetRouteResponse
	if answer.UnmarshalVT(body) != nil || answer.Modid != m.ModID || answer.Cmdid != m.CmdID {
		return nil, false
	}
	hosts := make([]Host, 0, len(answer.Host))
	for _, info := range answer.Host {
		if h, ok := hostFrom(info); ok {
			hosts = append(hosts, h)
		}
	}
	return hosts, true
}
