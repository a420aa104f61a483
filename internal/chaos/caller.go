package chaos

import (
	"errors"
	"net"
	"net/netip"
	"syscall"
	"time"

	"github.com/lars-lb/lars/internal/chaos/history"
	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/internal/wire"
	pb "github.com/lars-lb/lars/proto/larspb"
)

// caller asks one agent over sockets of its own, without the retries of the
// client library, which would hide what is to be seen. It is for one goroutine.
type caller struct {
	conns [route.Shards]*net.UDPConn
	seq   uint32
	in    []byte
	out   []byte
}

func newCaller(agent netip.AddrPort) (*caller, error) {
	c := &caller{in: make([]byte, 1<<16)}
	for i := range c.conns {
		addr := netip.AddrPortFrom(agent.Addr(), agent.Port()+uint16(i))
		conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(addr))
		if err != nil {
			c.close()
			return nil, err
		}
		c.conns[i] = conn
	}
	return c, nil
}

func (c *caller) close() {
	for _, conn := range c.conns {
		if conn != nil {
			_ = conn.Close()
		}
	}
}

// message is what is sent.
type message interface {
	MarshalVT() ([]byte, error)
}

// send reports whether the kernel took the datagram. That nobody took an
// earlier one is told with the next, and says nothing about that.
func (c *caller) send(m route.Module, id pb.MessageId, msg message) bool {
	body, err := msg.MarshalVT()
	if err != nil {
		panic(err) // a message of ours
	}
	c.out = wire.AppendFrame(c.out[:0], int32(id), body)
	conn := c.conns[m.Shard()]
	if _, err = conn.Write(c.out); errors.Is(err, syscall.ECONNREFUSED) {
		_, err = conn.Write(c.out)
	}
	return err == nil
}

// receive waits for an answer until the deadline and gives it to take, which
// reports whether it was the right one.
func (c *caller) receive(m route.Module, id pb.MessageId, deadline time.Time, take func(body []byte) bool) history.Outcome {
	conn := c.conns[m.Shard()]
	_ = conn.SetReadDeadline(deadline) // fails on a closed socket only, as Read does then
	for {
		n, err := conn.Read(c.in)
		if errors.Is(err, syscall.ECONNREFUSED) {
			return history.Refused
		} else if err != nil {
			return history.Unanswered
		}
		head, body, err := wire.DecodeDatagram(c.in[:n])
		if err == nil && head == int32(id) && take(body) {
			return history.Answered
		}
	}
}

// getHost asks for a host once.
func (c *caller) getHost(m route.Module, deadline time.Time) (h route.Host, o history.Outcome) {
	c.seq++
	if !c.send(m, pb.MessageId_ID_GetHostRequest, &pb.GetHostRequest{Seq: c.seq, Modid: m.ModID, Cmdid: m.CmdID}) {
		return h, history.Refused
	}
	var answer pb.GetHostResponse
	o = c.receive(m, pb.MessageId_ID_GetHostResponse, deadline, func(body []byte) bool {
		answer.Reset()
		return answer.UnmarshalVT(body) == nil && answer.Seq == c.seq
	})
	if o != history.Answered {
		return h, o
	}
	switch pb.LarsRetCode(answer.Retcode) {
	case pb.LarsRetCode_RET_SUCC:
		var ok bool
		if answer.Host != nil {
			h, ok = route.HostFromNumbers(int64(uint32(answer.Host.Ip)), int64(answer.Host.Port))
		}
		if ok && answer.Modid == m.ModID && answer.Cmdid == m.CmdID {
			return h, history.Answered
		}
		return h, history.Failed
	case pb.LarsRetCode_RET_OVERLOAD:
		return h, history.Overloaded
	case pb.LarsRetCode_RET_NOEXIST:
		return h, history.NoExist
	}
	return h, history.Failed
}

// report tells how a call went, and returns whether the kernel took that.
func (c *caller) report(m route.Module, h route.Host, succ bool) bool {
	r := &pb.ReportRequest{Modid: m.ModID, Cmdid: m.CmdID, Host: &pb.HostInfo{Ip: int32(h.IP), Port: int32(h.Port)}, CostUs: 1000}
	if !succ {
		r.Retcode = 1
	}
	return c.send(m, pb.MessageId_ID_ReportRequest, r)
}

// getRoute asks for all hosts of a module.
func (c *caller) getRoute(m route.Module, deadline time.Time) ([]route.Host, history.Outcome) {
	if !c.send(m, pb.MessageId_ID_API_GetRouteRequest, &pb.GetRouteRequest{Modid: m.ModID, Cmdid: m.CmdID}) {
		return nil, history.Refused
	}
	var hosts []route.Host
	o := c.receive(m, pb.MessageId_ID_API_GetRouteResponse, deadline, func(body []byte) bool {
		var answer pb.GetRouteResponse
		if answer.UnmarshalVT(body) != nil || answer.Modid != m.ModID || answer.Cmdid != m.CmdID {
			return false
		}
		hosts = hosts[:0]
		for _, info := range answer.Host {
			h, _ := route.HostFromNumbers(int64(uint32(info.Ip)), int64(info.Port))
			hosts = append(hosts, h)
		}
		return true
	})
	return hosts, o
}
