package live

import (
	"context"
	"net"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/lars-lb/lars/internal/eventually"
	"github.com/lars-lb/lars/internal/sim"
)

// call is how a call to a host goes that waits for 300 ms at most.
func call(addr netip.AddrPort) string {
	const patience = 300 * time.Millisecond
	conn, err := net.DialTimeout("tcp4", addr.String(), patience)
	switch e, ok := err.(net.Error); {
	case ok && e.Timeout():
		return "hangs"
	case err != nil:
		return "refuses"
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience))
	b := []byte{0}
	if _, err := conn.Write(b); err != nil {
		return "breaks"
	}
	if _, err := conn.Read(b); err != nil {
		return "never answers"
	}
	return map[byte]string{answerOK: "succeeds", answerFail: "fails"}[b[0]]
}

func TestHostBecomesWhatTheScenarioSays(t *testing.T) {
	defer goleak.VerifyNone(t)
	h, err := newHost(netip.MustParseAddr("127.0.0.2"))
	if err != nil {
		t.Fatal(err)
	}
	var state atomic.Value
	state.Store(sim.State{})
	h.state = func(time.Time) sim.State { return state.Load().(sim.State) }
	h.answer = func(st sim.State) (bool, time.Duration) { return st.Fail == 0, 0 }
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- h.run(ctx) }()
	const patience = 20 * time.Second
	for _, step := range []struct {
		state sim.State
		want  string
	}{
		{sim.State{}, "succeeds"},
		{sim.State{Mode: sim.Refusing}, "refuses"},
		{sim.State{Fail: 1}, "fails"},
		{sim.State{Mode: sim.Hanging}, "hangs"},
		{sim.State{}, "succeeds"},
		{sim.State{Mode: sim.Frozen}, "never answers"},
		{sim.State{Mode: sim.Hanging}, "hangs"},
		{sim.State{Mode: sim.Refusing}, "refuses"},
		{sim.State{Mode: sim.Hanging}, "hangs"},
		{sim.State{}, "succeeds"},
	} {
		state.Store(step.state)
		eventually.True(t, patience, "the host "+step.want, func() bool { return call(h.addr) == step.want })
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if got := call(h.addr); got != "refuses" {
		t.Errorf("after its end the host %s", got)
	}
}
