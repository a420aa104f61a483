package lars

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/lars-lb/lars/internal/route"
	pb "github.com/lars-lb/lars/proto/larspb"
)

// Code is how a call went: Success, or anything else for a failure.
type Code int32

const (
	Success Code = 0
	Failure Code = 1
)

// Report tells the agent how a call to h went, and how long it took; 0 is
// unknown. Report every call: a host that fails is found by nothing else.
//
// Reports are not answered. Nil means that the report was handed to the system,
// not that an agent has it: whether one is there, GetHost says. Report waits
// only when Config.MaxSockets calls are under way, Config.Timeout at most.
func (c *Client) Report(modid, cmdid int32, h Host, code Code, cost time.Duration) error {
	m := route.Module{ModID: modid, CmdID: cmdid}
	p := c.port(m)
	if !h.h.Valid() {
		return fmt.Errorf("lars: report on module %v: host %v is none that GetHost returned", m, h)
	}
	ctx := context.Background()
	deadline := c.deadline(ctx)
	s, err := p.take(ctx, deadline)
	if err != nil {
		return callFailed(opReport, m, p, err)
	}
	defer p.put(s)
	s.host.Reset()
	s.host.Ip, s.host.Port = int32(h.h.IP), int32(h.h.Port)
	s.report.Modid, s.report.Cmdid, s.report.Host = m.ModID, m.CmdID, &s.host
	s.report.Retcode, s.report.CostUs = int32(code), microseconds(cost)
	frame, err := s.encode(pb.MessageId_ID_ReportRequest, &s.report)
	if err == nil {
		err = p.tell(deadline, s, frame)
	}
	if err != nil {
		return callFailed(opReport, m, p, err)
	}
	return nil
}

// microseconds is d as reports carry it: rounded up, since 0 means unknown, and
// the largest value for what does not fit, 71 minutes.
func microseconds(d time.Duration) uint32 {
	if d <= 0 {
		return 0
	}
	us := (d-1)/time.Microsecond + 1
	return uint32(min(us, math.MaxUint32))
}
