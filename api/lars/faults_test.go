package lars_test

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lars-lb/lars/api/lars"
	"github.com/lars-lb/lars/api/lars/fakeagent"
	"github.com/lars-lb/lars/internal/eventually"
	"github.com/lars-lb/lars/internal/wire"
	pb "github.com/lars-lb/lars/proto/larspb"
)

func frames(id pb.MessageId, m interface{ MarshalVT() ([]byte, error) }) [][]byte {
	body, err := m.MarshalVT()
	if err != nil {
		panic(err)
	}
	return [][]byte{wire.AppendFrame(nil, int32(id), body)}
}

func hostResponse(t *testing.T, frame []byte) *pb.GetHostResponse {
	var r pb.GetHostResponse
	_, body, err := wire.DecodeDatagram(frame)
	if err != nil || r.UnmarshalVT(body) != nil {
		t.Errorf("the fake agent answers with % x", frame)
	}
	return &r
}

// TestLoss loses the first datagrams of a call.
func TestLoss(t *testing.T) {
	agent, c := start(t)
	agent.SetRoute(1, 1, "10.0.0.1:80")
	var lost int
	agent.Tap(func(_ fakeagent.Request, answer []byte) [][]byte {
		if lost++; lost <= 2 {
			return nil
		}
		return [][]byte{answer}
	})
	if h, err := c.GetHost(t.Context(), 1, 1); err != nil || h.String() != "10.0.0.1:80" {
		t.Errorf("GetHost = %v, %v", h, err)
	}
	if n := len(agent.Requests()); n != 3 {
		t.Errorf("the client asked %d times, want 3", n)
	}
	agent.Tap(func(q fakeagent.Request, answer []byte) [][]byte { return [][]byte{answer} })
}

// TestLongSilence loses so many datagrams that waits which went on doubling
// would pass the call's deadline before the one that is answered.
func TestLongSilence(t *testing.T) {
	const answered = 10 // doubling from 50 ms, the tenth would be sent after 25 s
	agent, c := start(t)
	agent.SetRoute(1, 1, "10.0.0.1:80")
	agent.Tap(func(_ fakeagent.Request, answer []byte) [][]byte {
		if len(agent.Requests()) < answered {
			return nil
		}
		return [][]byte{answer}
	})
	if h, err := c.GetHost(t.Context(), 1, 1); err != nil || h.String() != "10.0.0.1:80" {
		t.Errorf("GetHost of an agent that was silent for long = %v, %v", h, err)
	}
	if n := len(agent.Requests()); n != answered {
		t.Errorf("the client asked %d times, want %d", n, answered)
	}
}

// TestForeignAnswers precedes every answer with what is not one.
func TestForeignAnswers(t *testing.T) {
	agent, c := start(t)
	agent.SetRoute(1, 1, "10.0.0.1:80")
	evil := &pb.HostInfo{Ip: 666, Port: 666}
	agent.Tap(func(q fakeagent.Request, answer []byte) [][]byte {
		var out [][]byte
		add := func(id pb.MessageId, m interface{ MarshalVT() ([]byte, error) }) { out = append(out, frames(id, m)...) }
		out = append(out, nil, []byte("x"), []byte("not a frame at all"), answer[:len(answer)-1], append(answer[:len(answer):len(answer)], 0))
		out = append(out, wire.AppendFrame(nil, int32(pb.MessageId_ID_GetHostResponse), []byte{0xff, 0xff}))
		out = append(out, wire.AppendFrame(nil, int32(pb.MessageId_ID_API_GetRouteResponse), []byte{0x1a, 0x7f}))
		out = append(out, make([]byte, 8000))
		if q.Route {
			r := pb.GetRouteResponse{Modid: 1, Cmdid: 1, Host: []*pb.HostInfo{evil}}
			add(pb.MessageId_ID_GetRouteResponse, &r) // lars-dns's answer, not the agent's
			r.Cmdid = 2
			add(pb.MessageId_ID_API_GetRouteResponse, &r)
			add(pb.MessageId_ID_GetHostResponse, &pb.GetHostResponse{Modid: 1, Cmdid: 1, Host: evil})
			return append(out, answer)
		}
		r := hostResponse(t, answer)
		r.Host = evil
		r.Seq--
		add(pb.MessageId_ID_GetHostResponse, r)
		r.Seq += 2
		add(pb.MessageId_ID_GetHostResponse, r)
		r.Seq--
		r.Modid++
		add(pb.MessageId_ID_GetHostResponse, r)
		r.Modid--
		r.Cmdid--
		add(pb.MessageId_ID_GetHostResponse, r)
		r.Cmdid++
		add(pb.MessageId_ID_GetHostRequest, r)
		return append(out, answer, answer, answer)
	})
	for range 50 {
		if h, err := c.GetHost(t.Context(), 1, 1); err != nil || h.String() != "10.0.0.1:80" {
			t.Fatalf("GetHost = %v, %v", h, err)
		}
	}
	if hosts, err := c.GetRoute(t.Context(), 1, 1); err != nil || len(hosts) != 1 || hosts[0].String() != "10.0.0.1:80" {
		t.Errorf("GetRoute = %v, %v", hosts, err)
	}
}

// TestLateAnswers answers each question only when the next one is asked.
func TestLateAnswers(t *testing.T) {
	agent := startAgent(t)
	c := newClient(t, lars.Config{Agent: agent.Addr(), Timeout: 30 * time.Millisecond})
	agent.SetRoute(1, 1, "10.0.0.1:80")
	var late []byte
	agent.Tap(func(_ fakeagent.Request, answer []byte) [][]byte {
		out := [][]byte{late}
		late = answer
		return out
	})
	for range 3 {
		if h, err := c.GetHost(t.Context(), 1, 1); !errors.Is(err, lars.ErrAgentDown) {
			t.Errorf("GetHost = %v, %v; want only late answers, skipped", h, err)
		}
	}
}

// TestRepeatedRoute repeats a route answer; the copy must not answer the next
// question, asked after the route changed.
func TestRepeatedRoute(t *testing.T) {
	agent, c := start(t)
	agent.Tap(func(_ fakeagent.Request, answer []byte) [][]byte { return [][]byte{answer, answer} })
	for _, want := range []string{"10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80"} {
		agent.SetRoute(1, 1, want)
		hosts, err := c.GetRoute(t.Context(), 1, 1)
		if err != nil || len(hosts) != 1 || hosts[0].String() != want {
			t.Errorf("GetRoute = %v, %v; want %s", hosts, err, want)
		}
	}
}

// TestStranger answers from a port that was not asked.
func TestStranger(t *testing.T) {
	agent, stranger := startAgent(t), startAgent(t)
	c := newClient(t, lars.Config{Agent: agent.Addr(), Timeout: 100 * time.Millisecond})
	agent.SetRoute(1, 1, "10.0.0.1:80")
	agent.Tap(func(fakeagent.Request, []byte) [][]byte { return nil })
	if _, err := c.GetHost(t.Context(), 1, 1); !errors.Is(err, lars.ErrAgentDown) {
		t.Errorf("GetHost of a silent agent = %v", err)
	}
	if n := len(stranger.Requests()); n != 0 {
		t.Errorf("a stranger was asked %d times", n)
	}
	// Any of the three ports serves any module.
	ports := strings.Split(agent.Addr(), ",")
	agent.Tap(nil)
	turned := newClient(t, lars.Config{Agent: ports[2] + "," + ports[0] + "," + ports[1], Timeout: patience})
	if h, err := turned.GetHost(t.Context(), 1, 1); err != nil || h.AddrPort() != netip.MustParseAddrPort("10.0.0.1:80") {
		t.Errorf("GetHost by another port = %v, %v", h, err)
	}
}

func TestCancel(t *testing.T) {
	agent, c := start(t)
	agent.SetRoute(1, 1, "10.0.0.1:80")
	asked := make(chan struct{}, 16)
	agent.Tap(func(fakeagent.Request, []byte) [][]byte { asked <- struct{}{}; return nil })
	for range 3 {
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { _, err := c.GetHost(ctx, 1, 1); done <- err }()
		<-asked
		cancel()
		checkKind(t, <-done, context.Canceled)
		for len(asked) > 0 {
			<-asked
		}
	}
	agent.Tap(nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	n := len(agent.Requests())
	_, err := c.GetHost(ctx, 1, 1)
	checkKind(t, err, context.Canceled)
	_, err = c.GetRoute(ctx, 1, 1)
	checkKind(t, err, context.Canceled)
	if got := len(agent.Requests()); got != n {
		t.Errorf("%d questions were asked for a caller that had given up", got-n)
	}
	if _, err := c.GetHost(t.Context(), 1, 1); err != nil {
		t.Errorf("GetHost after cancelled ones = %v", err)
	}
}

// watchedContext hands the test what watches it. The context package asks only
// a context of an unknown kind, one with a Done of its own, for AfterFunc.
type watchedContext struct {
	context.Context
	done     chan struct{}
	watchers chan func()
}

func (w watchedContext) Done() <-chan struct{} { return w.done }

func (w watchedContext) AfterFunc(f func()) (stop func() bool) {
	w.watchers <- f
	return func() bool { return false }
}

// TestCancelWakes cancels a call in the middle of a wait: what watches the
// context ends the wait, however long it would have been.
func TestCancelWakes(t *testing.T) {
	agent, c := start(t)
	agent.Tap(func(fakeagent.Request, []byte) [][]byte { return nil })
	inner, cancel := context.WithCancel(t.Context())
	ctx := watchedContext{inner, make(chan struct{}), make(chan func(), 1)}
	done := make(chan error, 1)
	go func() { _, err := c.GetHost(ctx, 1, 1); done <- err }()
	select {
	case wake := <-ctx.watchers:
		cancel()
		wake()
		checkKind(t, <-done, context.Canceled)
	case err := <-done:
		t.Errorf("nothing watched the context, and GetHost = %v", err)
	}
	cancel()
}

// TestCloseDuringCalls closes the client under calls in every state: waiting
// for an answer, for a socket, and for a module to be loaded.
func TestCloseDuringCalls(t *testing.T) {
	agent := startAgent(t)
	c := newClient(t, lars.Config{Agent: agent.Addr(), Timeout: patience, MaxSockets: 2})
	var asked atomic.Int32
	agent.Tap(func(q fakeagent.Request, answer []byte) [][]byte {
		asked.Add(1)
		if q.ModID == 1 {
			return nil
		}
		return [][]byte{answer}
	})
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			_, err := c.GetHost(t.Context(), 1, 1)
			checkKind(t, err, lars.ErrClosed)
		})
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			checkKind(t, c.Register(ctx, 2, int32(i)*3+1), lars.ErrClosed)
		})
	}
	eventually.True(t, patience, "calls are under way", func() bool { return asked.Load() >= 4 })
	c.Close()
	wg.Wait()
}

// TestManyGoroutines has many callers share few sockets: every one gets the
// answer to its own question.
func TestManyGoroutines(t *testing.T) {
	agent := startAgent(t)
	c := newClient(t, lars.Config{Agent: agent.Addr(), Timeout: patience, MaxSockets: 4})
	const callers, calls = 64, 50
	var wg sync.WaitGroup
	for i := range callers {
		want := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(i + 1)}), 80).String()
		agent.SetRoute(int32(i), -1, want)
		wg.Go(func() {
			ctx := context.Background()
			if i%2 == 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithCancel(ctx)
				defer cancel()
			}
			for range calls {
				h, err := c.GetHost(ctx, int32(i), -1)
				if err != nil || h.String() != want {
					t.Errorf("GetHost of %d = %v, %v; want %s", i, h, err, want)
				}
				if err := c.Report(int32(i), -1, h, lars.Success, time.Millisecond); err != nil {
					t.Error(err)
				}
			}
			if hosts, err := c.GetRoute(ctx, int32(i), -1); err != nil || len(hosts) != 1 || hosts[0].String() != want {
				t.Errorf("GetRoute of %d = %v, %v; want %s", i, hosts, err, want)
			}
		})
	}
	wg.Wait()
	if n := len(waitReports(t, agent, callers*calls)); n != callers*calls {
		t.Errorf("%d reports arrived, want %d", n, callers*calls)
	}
}
