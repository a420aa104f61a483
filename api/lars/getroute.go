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
// caller's.
//
// It is for programs that choose or show hosts themselves. One that only wants
// to call asks GetHost, which heeds the weights that operators gave the hosts.
func (c *Client) GetRoute(ctx context.Context, modid, cmdid int32) ([]Host, error) {
	var hosts []Host
	m := route.Module{ModID: modid, CmdID: cmdid}
	deadline := c.deadline(ctx)
	err := c.whileLoading(ctx, deadline, m, func() (err error) {
		hosts, err = c.askRoute(ctx, deadline, m, opGetRoute)
		return err
	})
	return hosts, err
}

// Register waits until the agent has the route of a module, and until the agent
// is there at all: a program may start before either. Unlike the other methods
// it waits as long as ctx allows, and Config.Timeout only when ctx has no
// deadline. The error is the last answer, ErrNotExist or ErrAgentDown as a rule.
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
