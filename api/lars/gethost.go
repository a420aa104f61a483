package lars

import (
	"context"
	"fmt"
	"time"

	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/internal/wire"
	pb "github.com/lars-lb/lars/proto/larspb"
)

// GetHost returns the host to call now. Call it, then Report how that went.
//
// The errors are ErrNotExist, ErrOverload, ErrAgentDown, ErrSystem and
// ErrClosed, or what ended ctx.
func (c *Client) GetHost(ctx context.Context, modid, cmdid int32) (Host, error) {
	var h Host
	m := route.Module{ModID: modid, CmdID: cmdid}
	deadline := c.deadline(ctx)
	err := c.whileLoading(ctx, deadline, m, func() (err error) {
		h, err = c.askHost(ctx, deadline, m)
		return err
	})
	return h, err
}

// askHost asks once.
func (c *Client) askHost(ctx context.Context, deadline time.Time, m route.Module) (Host, error) {
	p := c.port(m)
	if err := ctx.Err(); err != nil {
		return Host{}, &callError{op: opGetHost, module: m, agent: p.agent, asked: p.addr, kind: err}
	}
	s, err := p.take(ctx, deadline)
	if err != nil {
		return Host{}, callFailed(opGetHost, m, p, err)
	}
	defer p.put(s)
	s.request.Seq, s.request.Modid, s.request.Cmdid = c.seq.Add(1), m.ModID, m.CmdID
	frame, err := s.encode(pb.MessageId_ID_GetHostRequest, &s.request)
	if err == nil {
		err = p.ask(ctx, deadline, s, frame, s.in, s.isAnswer)
	}
	if err != nil {
		return Host{}, callFailed(opGetHost, m, p, err)
	}
	return s.read(m, p)
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
	return s.answer.UnmarshalVT(body) == nil && s.answer.Seq == s.request.Seq &&
		s.answer.Modid == s.request.Modid && s.answer.Cmdid == s.request.Cmdid
}

// read turns s.answer into the result of a call.
func (s *socket) read(m route.Module, p *port) (Host, error) {
	var kind, cause error
	switch code := pb.LarsRetCode(s.answer.Retcode); code {
	case pb.LarsRetCode_RET_SUCC:
		h, ok := hostFrom(&s.host)
		if ok {
			return h, nil
		}
		kind, cause = ErrSystem, fmt.Errorf("the answer names no host that can be called (ip %d, port %d)", uint32(s.host.Ip), s.host.Port)
	case pb.LarsRetCode_RET_NOEXIST:
		kind = ErrNotExist
	case pb.LarsRetCode_RET_OVERLOAD:
		kind = ErrOverload
	default:
		kind, cause = ErrSystem, fmt.Errorf("the agent answered with return code %d", code)
	}
	return Host{}, &callError{op: opGetHost, module: m, agent: p.agent, asked: p.addr, kind: kind, cause: cause}
}
