package lars

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/internal/wire"
	pb "github.com/lars-lb/lars/proto/larspb"
)

// GetHost returns the host to call now. Call it, then Report how that went.
//
// While the agent is away it is one of those that the agent named last, which
// Host.Stale tells.
//
// The errors are ErrNotExist, ErrOverload, ErrAgentDown, ErrSystem and
// ErrClosed, or what ended ctx.
func (c *Client) GetHost(ctx context.Context, modid, cmdid int32) (Host, error) {
	a, err := c.Ask(ctx, modid, cmdid)
	return a.Host, err
}

// Ask is GetHost, and says besides whether the agent was there to answer.
func (c *Client) Ask(ctx context.Context, modid, cmdid int32) (Answer, error) {
	var a Answer
	m := route.Module{ModID: modid, CmdID: cmdid}
	deadline := c.deadline(ctx)
	err := c.whileLoading(ctx, deadline, m, func() (err error) {
		a, err = c.askOrRecall(ctx, deadline, m)
		return err
	})
	return a, err
}

// askOrRecall asks once, and answers from memory when the agent does not.
func (c *Client) askOrRecall(ctx context.Context, deadline time.Time, m route.Module) (Answer, error) {
	p := c.port(m)
	if err := ctx.Err(); err != nil {
		return Answer{}, &callError{op: opGetHost, module: m, agent: p.agent, asked: p.addr, kind: err}
	}
	now := p.now()
	o := p.memory.get(m)
	known := o.usable(now, c.staleFor)
	var h Host
	var err error
	switch {
	case !known:
		h, err = c.askHost(ctx, deadline, m)
	case !p.health.down.Load():
		h, err = c.askHost(ctx, wait(deadline, patience), m)
	case p.health.mayProbe(now):
		h, err = c.probeHost(ctx, wait(deadline, probeWait), m)
	case c.closing.Load():
		err = callFailed(opGetHost, m, p, ErrClosed)
	default:
		if a, ok := c.recall(p, o, now); ok {
			return a, nil
		}
		h, err = c.askHost(ctx, deadline, m)
	}
	if err == nil {
		return Answer{Host: h}, nil
	}
	if known && ctx.Err() == nil && p.mayRecall(err) {
		if a, ok := c.recall(p, o, p.now()); ok {
			return a, nil
		}
	}
	if errors.Is(err, ErrNotExist) {
		c.forget(p, m)
	}
	return Answer{}, err
}

// mayRecall reports whether err leaves it to memory to answer.
func (p *port) mayRecall(err error) bool {
	switch {
	case errors.Is(err, ErrAgentDown), errors.As(err, new(*dialError)):
		return true
	case errors.Is(err, ErrNotExist):
		return p.health.settles(p.now())
	default:
		return false
	}
}

// askHost asks the agent.
func (c *Client) askHost(ctx context.Context, deadline time.Time, m route.Module) (Host, error) {
	p := c.port(m)
	s, err := p.take(ctx, deadline)
	if err != nil {
		return Host{}, callFailed(opGetHost, m, p, err)
	}
	defer p.put(s)
	frame, err := c.question(s, m)
	if err == nil {
		err = p.ask(ctx, deadline, s, frame, s.in, s.isAnswer)
	}
	if err != nil {
		return Host{}, callFailed(opGetHost, m, p, err)
	}
	return c.take(p, s, deadline, m)
}

// take takes the answer that came to s: it is remembered, and the reports that
// waited for it are sent.
func (c *Client) take(p *port, s *socket, deadline time.Time, m route.Module) (Host, error) {
	h, err := s.read(m, p)
	if err == nil {
		c.remember(p, p.memory.get(m), m, h, p.now())
	}
	p.sendKept(s, deadline, p.now())
	return h, err
}

// probeHost asks an agent that is away, by a socket that is kept from probe to
// probe: an answer that comes late is found by the next.
func (c *Client) probeHost(ctx context.Context, deadline time.Time, m route.Module) (Host, error) {
	p := c.port(m)
	s := p.probe.Swap(nil)
	if s != nil && p.now()-s.asked > probeStale {
		p.discard(s)
		s = nil
	}
	if s == nil {
		s = newSocket()
		if err := p.dial(s); err != nil {
			return Host{}, callFailed(opGetHost, m, p, err)
		}
	}
	frame, err := c.question(s, m)
	if err == nil {
		err = p.ask(ctx, deadline, s, frame, s.in, s.isAnswer)
	}
	s.asked = p.now()
	if s.keepForProbe(err) && p.probe.CompareAndSwap(nil, s) {
		return Host{}, callFailed(opGetHost, m, p, err)
	}
	defer p.discard(s)
	if err != nil {
		return Host{}, callFailed(opGetHost, m, p, err)
	}
	return c.take(p, s, deadline, m)
}

// keepForProbe reports whether an answer may yet come to s, whose probe ended
// with err.
func (s *socket) keepForProbe(err error) bool {
	if !errors.Is(err, context.DeadlineExceeded) || s.heard || s.watched {
		return false
	}
	s.stale, s.spent = true, false
	return true
}

// question makes the frame that asks for a host of m.
func (c *Client) question(s *socket, m route.Module) ([]byte, error) {
	s.request.Seq, s.request.Modid, s.request.Cmdid = c.seq.Add(1), m.ModID, m.CmdID
	return s.encode(pb.MessageId_ID_GetHostRequest, &s.request)
}

// isAnswer decodes a datagram into s.answer and reports whether it answers
// s.request.
func (s *socket) isAnswer(datagram []byte) bool {
	id, body, err := wire.DecodeDatagram(datagram)
	if err != nil || pb.MessageId(id) != pb.MessageId_ID_GetHostResponse {
		return false
	}
	s.host.Reset()
	s.answer.Reset()
	s.answer.Host = &s.host // decoded in place
	if s.answer.UnmarshalVT(body) != nil {
		return false
	}
	s.heard = true
	return s.answer.Seq == s.request.Seq &&
		s.answer.Modid == s.request.Modid && s.answer.Cmdid == s.request.Cmdid
}

// read turns s.answer into the result of a call.
func (s *socket) read(m route.Module, p *port) (Host, error) {
	var kind, cause error
	switch code := pb.LarsRetCode(s.answer.Retcode); code {
	case pb.LarsRetCode_RET_SUCC:
		h, ok := hostFrom(&s.host)
		if ok {
			s.counts.hosts.Add(1)
			return h, nil
		}
		kind, cause = ErrSystem, fmt.Errorf("the answer names no host that can be called (ip %d, port %d)", uint32(s.host.Ip), s.host.Port)
	case pb.LarsRetCode_RET_NOEXIST:
		s.counts.notExist.Add(1)
		kind = ErrNotExist
	case pb.LarsRetCode_RET_OVERLOAD:
		s.counts.overload.Add(1)
		kind = ErrOverload
	default:
		kind, cause = ErrSystem, fmt.Errorf("the agent answered with return code %d", code)
	}
	if kind == ErrSystem {
		s.counts.systemErrors.Add(1)
	}
	return Host{}, &callError{op: opGetHost, module: m, agent: p.agent, asked: p.addr, kind: kind, cause: cause}
}
