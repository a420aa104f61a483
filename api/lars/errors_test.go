package lars_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/lars-lb/lars/api/lars"
	"github.com/lars-lb/lars/api/lars/fakeagent"
	pb "github.com/lars-lb/lars/proto/larspb"
)

var kinds = []error{lars.ErrNotExist, lars.ErrOverload, lars.ErrAgentDown, lars.ErrSystem, lars.ErrClosed, context.Canceled}

// checkKind holds err to exactly one of the kinds, and its text to what a
// reader needs.
func checkKind(t *testing.T, err, want error, says ...string) {
	t.Helper()
	for _, kind := range kinds {
		if errors.Is(err, kind) != (kind == want) {
			t.Errorf("errors.Is(%v, %v) = %v", err, kind, kind != want)
		}
	}
	for _, s := range says {
		if err != nil && !strings.Contains(err.Error(), s) {
			t.Errorf("%q does not say %q", err, s)
		}
	}
}

func TestReturnCodes(t *testing.T) {
	agent, c := start(t)
	third := strings.Split(agent.Addr(), ",")[2]
	for _, row := range []struct {
		code int32
		want error
		says string
	}{
		{int32(pb.LarsRetCode_RET_OVERLOAD), lars.ErrOverload, "call later"},
		{int32(pb.LarsRetCode_RET_SYSTEM_ERROR), lars.ErrSystem, "return code 2"},
		{int32(pb.LarsRetCode_RET_NOEXIST), lars.ErrNotExist, "check the numbers, add a host (lars route add 1 1 IP:PORT), or see whether the agent reaches lars-dns"},
		{99, lars.ErrSystem, "return code 99"},
		{-1, lars.ErrSystem, "return code -1"},
	} {
		agent.SetRetcode(1, 1, row.code)
		h, err := c.GetHost(t.Context(), 1, 1)
		checkKind(t, err, row.want, "(1,1)", third, row.says)
		if h != (lars.Host{}) {
			t.Errorf("return code %d came with host %v", row.code, h)
		}
	}
}

// TestImpossibleHost covers an agent that answers with what cannot be called.
func TestImpossibleHost(t *testing.T) {
	agent, c := start(t)
	agent.SetRoute(1, 1, "10.0.0.1:80")
	for _, info := range []*pb.HostInfo{nil, {}, {Ip: 1}, {Port: 1}, {Ip: 1, Port: 65536}, {Ip: 1, Port: -1}} {
		agent.Tap(func(q fakeagent.Request, answer []byte) [][]byte {
			if q.Route {
				return frames(pb.MessageId_ID_API_GetRouteResponse, &pb.GetRouteResponse{Modid: 1, Cmdid: 1, Host: []*pb.HostInfo{{Ip: 1, Port: 1}, info}})
			}
			r := hostResponse(t, answer)
			r.Host = info
			return frames(pb.MessageId_ID_GetHostResponse, r)
		})
		_, err := c.GetHost(t.Context(), 1, 1)
		checkKind(t, err, lars.ErrSystem, "no host that can be called")
		hosts, err := c.GetRoute(t.Context(), 1, 1)
		if err != nil || len(hosts) != 1 || hosts[0].String() != "0.0.0.1:1" {
			t.Errorf("GetRoute with a host %v = %v, %v", info, hosts, err)
		}
	}
}

// TestNoAgent asks ports that nobody listens on. The client's own timeout is
// far away: the system refuses at once.
func TestNoAgent(t *testing.T) {
	agent := startAgent(t)
	addr := agent.Addr()
	agent.Close()
	c := newClient(t, lars.Config{Agent: addr, Timeout: patience})
	h, err := lars.ParseHost("10.0.0.1:80")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	for range 3 {
		if err := c.Report(1, 1, h, lars.Success, 0); err != nil {
			t.Errorf("Report = %v", err)
		}
		_, err := c.GetHost(ctx, 1, 1)
		checkKind(t, err, lars.ErrAgentDown, "(1,1)", "port "+strings.Split(addr, ",")[2]+":", "start lars-lb-agent on "+addr+",")
		_, err = c.GetRoute(ctx, 1, 1)
		checkKind(t, err, lars.ErrAgentDown)
		if errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the client waited for an agent that is not there: %v", err)
		}
	}
}

// TestAgentReturns starts an agent where one was refused: what the sockets
// remember of that must not fail the calls that follow.
func TestAgentReturns(t *testing.T) {
	gone := startAgent(t)
	addr := gone.Addr()
	c := newClient(t, lars.Config{Agent: addr, Timeout: patience})
	gone.SetRoute(1, 1, "10.0.0.1:80")
	h, err := c.GetHost(t.Context(), 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	gone.Close()
	if err := c.Report(1, 1, h, lars.Success, 0); err != nil { // leaves its refusal in the socket
		t.Fatal(err)
	}
	conn, err := net.ListenPacket("udp4", strings.Split(addr, ",")[2])
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := c.Report(1, 1, h, lars.Failure, 0); err != nil {
		t.Errorf("Report to an agent that is back = %v", err)
	}
	if err := conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if _, _, err := conn.ReadFrom(make([]byte, 512)); err != nil {
		t.Errorf("the report did not arrive: %v", err)
	}
}

func TestSilentAgent(t *testing.T) {
	agent := startAgent(t)
	agent.Tap(func(fakeagent.Request, []byte) [][]byte { return nil })
	c := newClient(t, lars.Config{Agent: agent.Addr(), Timeout: 20 * time.Millisecond})
	_, err := c.GetHost(t.Context(), 1, 1)
	checkKind(t, err, lars.ErrAgentDown)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v is no context.DeadlineExceeded", err)
	}
	patient := newClient(t, lars.Config{Agent: agent.Addr(), Timeout: patience})
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err = patient.GetRoute(ctx, 1, 1)
	checkKind(t, err, lars.ErrAgentDown)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v is no context.DeadlineExceeded", err)
	}
	// What was over before it began says nothing about the agent.
	<-ctx.Done()
	_, err = patient.GetRoute(ctx, 1, 1)
	if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, lars.ErrAgentDown) {
		t.Errorf("GetRoute past its deadline = %v", err)
	}
}
