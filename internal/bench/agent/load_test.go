package agent

import (
	"context"
	"net/netip"
	"os"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lars-lb/lars/internal/route"
	pb "github.com/lars-lb/lars/proto/larspb"
	"github.com/lars-lb/lars/reactor"
)

// startTarget is one of this process, which answers but one in so many requests
// for a host; 0 answers all.
func startTarget(t *testing.T, butOneIn int) (tg *target, reports func() uint64) {
	t.Helper()
	tg = &target{name: "a target", pid: os.Getpid()}
	var servers sync.WaitGroup
	var all []*reactor.UDPServer
	for i := range tg.addrs {
		router := reactor.NewRouter[*reactor.Datagram]()
		asked := 0
		router.Handle(int32(pb.MessageId_ID_GetHostRequest), func(d *reactor.Datagram, body []byte) error {
			var req pb.GetHostRequest
			if err := req.UnmarshalVT(body); err != nil {
				return err
			}
			if asked++; butOneIn > 0 && asked%butOneIn == 0 {
				return nil
			}
			return d.ReplyMessage(int32(pb.MessageId_ID_GetHostResponse), &pb.GetHostResponse{
				Seq: req.Seq, Modid: req.Modid, Cmdid: req.Cmdid, Host: &pb.HostInfo{Ip: 1, Port: 1},
			})
		})
		s, err := reactor.ListenUDP(reactor.UDPServerConfig{Addr: netip.MustParseAddrPort("127.0.0.1:0"), MaxDatagram: 2048}, router)
		if err != nil {
			t.Fatal(err)
		}
		tg.addrs[i] = s.Addr()
		all = append(all, s)
		servers.Go(func() { _ = s.Serve(context.Background()) })
	}
	t.Cleanup(func() {
		for _, s := range all {
			s.Close()
		}
		servers.Wait()
	})
	return tg, func() (n uint64) {
		for _, s := range all {
			n += s.Stats().UnknownMessage // nothing but reports
		}
		return n
	}
}

func TestClosedLoop(t *testing.T) {
	tg, reports := startTarget(t, 0)
	for _, sockets := range []int{1, 3} {
		s, err := measure(t.Context(), tg, load{sockets: sockets, window: 8, modules: modulesOf(5, 1), reports: true, times: true}, 20*time.Millisecond)
		if err != nil {
			t.Fatal(err)
		}
		if s.answers == 0 || s.used <= 0 || s.lost != 0 || len(s.times) == 0 {
			t.Errorf("%d sockets: %d answers, %v used, %d lost, %d times", sockets, s.answers, s.used, s.lost, len(s.times))
		}
	}
	if reports() == 0 {
		t.Error("no answer was reported")
	}
}

// TestClosedLoopCountsWhatIsLost has a window shrink to nothing and begin anew.
func TestClosedLoopCountsWhatIsLost(t *testing.T) {
	tg, _ := startTarget(t, 10)
	s, err := measure(t.Context(), tg, load{sockets: 1, window: 2, modules: theModule}, silence+silence/2)
	if err != nil {
		t.Fatal(err)
	}
	if s.lost < 2 {
		t.Errorf("%d lost", s.lost)
	}
}

func TestOpenLoopCountsAllThatItSent(t *testing.T) {
	tg, _ := startTarget(t, 4)
	var any unix.CPUSet
	if err := unix.SchedGetaffinity(0, &any); err != nil {
		t.Fatal(err)
	}
	f, err := ask(t.Context(), tg, route.Module{ModID: 1, CmdID: 1}, 1_000, 500*time.Millisecond, &any)
	if err != nil {
		t.Fatal(err)
	}
	if f.sent == 0 || f.sent > 500 || f.answered != f.sent-f.sent/4 || len(f.times) != int(f.answered) {
		t.Errorf("%d sent, %d answered, %d times; want three of four answered", f.sent, f.answered, len(f.times))
	}
}

func TestLoadsEndWithTheirContext(t *testing.T) {
	tg, _ := startTarget(t, 0)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := measure(ctx, tg, oneSocket(theModule), time.Hour); err == nil {
		t.Error("measure went on")
	}
	if err := makeKnown(ctx, tg.addrs[0], theModule); err == nil {
		t.Error("makeKnown went on")
	}
}

func TestMakeKnown(t *testing.T) {
	tg, _ := startTarget(t, 3) // as an agent that does not know all at once
	if err := makeKnown(t.Context(), tg.addrs[0], modulesOf(50, 1)); err != nil {
		t.Fatal(err)
	}
}
