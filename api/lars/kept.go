package lars

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/lars-lb/lars/internal/route"
	pb "github.com/lars-lb/lars/proto/larspb"
)

const (
	// maxKept bounds the reports kept for each of the agent's ports. Beyond it
	// the oldest are dropped.
	maxKept = 4096
	// maxKeptAge is how old a report may become: what a host did before says
	// nothing about how it does.
	maxKeptAge = time.Minute
	// keptBatch is how many of them one later call sends along.
	keptBatch = 16
	// farewell is how long Close sends what waits.
	farewell = 100 * time.Millisecond
)

// report is one call to report.
type report struct {
	module route.Module
	host   Host
	code   Code
	costUS uint32
	at     time.Duration // since the client was made
}

// kept are the reports that wait for the agent, the oldest first. The zero
// value is ready.
type kept struct {
	n atomic.Int32 // what to look at before taking mu

	mu             sync.Mutex
	queue          []report
	added, dropped uint64
}

// add keeps r.
func (k *kept) add(r report) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.added++
	k.push(r)
}

// again keeps a report that next returned.
func (k *kept) again(r report) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.push(r)
}

func (k *kept) push(r report) {
	if len(k.queue) >= maxKept {
		k.queue = k.queue[1:]
		k.dropped++
	}
	k.queue = append(k.queue, r)
	k.n.Store(int32(len(k.queue)))
}

// next takes the oldest report that is not too old. It takes none if the agent is
// not ready for that one: they are sent in order.
func (k *kept) next(now time.Duration, ready func(route.Module) bool) (report, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	defer func() { k.n.Store(int32(len(k.queue))) }()
	for len(k.queue) > 0 {
		r := k.queue[0]
		young := now-r.at <= maxKeptAge
		if young && !ready(r.module) {
			return report{}, false
		}
		k.queue = k.queue[1:]
		if young {
			return r, true
		}
		k.dropped++
	}
	k.queue = nil
	return report{}, false
}

// sendKept sends some of the reports that wait, by a socket that has just been
// used.
func (p *port) sendKept(s *socket, deadline time.Time, now time.Duration) {
	if p.kept.n.Load() == 0 || p.health.down.Load() {
		return
	}
	for range keptBatch {
		r, ok := p.kept.next(now, p.ready)
		if !ok {
			return
		}
		if err := p.sendReport(s, deadline, r); err != nil {
			p.kept.again(r)
			return
		}
	}
}

// ready reports whether the agent counts reports on m. One that has just come
// back, and has yet to name a host of m, may not know m and would ignore them.
func (p *port) ready(m route.Module) bool {
	o := p.memory.get(m)
	return o == nil || !o.stale.Load() || !p.health.settles(p.now()) || p.leaving.Load()
}

// sendAllKept sends what waits before the client is closed. The agent has to
// answer before each batch: its socket has room for so many and no more.
func (p *port) sendAllKept(deadline time.Time) {
	p.leaving.Store(true)
	for waiting := p.kept.n.Load(); waiting > 0 && time.Now().Before(deadline); {
		if _, err := p.route(context.Background(), deadline, p.kept.first()); err != nil {
			return
		}
		before := waiting
		if waiting = p.kept.n.Load(); waiting >= before {
			return
		}
	}
}

// first is the module of the oldest report.
func (k *kept) first() route.Module {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.queue) == 0 {
		return route.Module{}
	}
	return k.queue[0].module
}

// drop drops all that wait.
func (k *kept) drop() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.dropped += uint64(len(k.queue))
	k.queue = nil
	k.n.Store(0)
}

// sendReport sends r once.
func (p *port) sendReport(s *socket, deadline time.Time, r report) error {
	s.host.Reset()
	s.host.Ip, s.host.Port = int32(r.host.h.IP), int32(r.host.h.Port)
	s.report.Modid, s.report.Cmdid, s.report.Host = r.module.ModID, r.module.CmdID, &s.host
	s.report.Retcode, s.report.CostUs = int32(r.code), r.costUS
	frame, err := s.encode(pb.MessageId_ID_ReportRequest, &s.report)
	if err != nil {
		return err
	}
	if err := s.send(deadline, frame); err != nil {
		p.keepRefused(s, err)
		return err
	}
	s.sent, s.unsure = r, true
	s.counts.reports.Add(1)
	return nil
}

// keepRefused keeps the report that the socket sent last, if err says that it
// was refused: the system tells of that when the socket is next used.
func (p *port) keepRefused(s *socket, err error) {
	if s.unsure && errors.Is(err, syscall.ECONNREFUSED) {
		p.kept.add(s.sent)
	}
	s.unsure = false
}
