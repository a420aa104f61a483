package reporter

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	"github.com/lars-lb/lars/internal/bench/result"
	pb "github.com/lars-lb/lars/proto/larspb"
	"github.com/lars-lb/lars/reactor"
)

const (
	// turnEvery is the time between two looks at what is due.
	turnEvery = 2 * time.Millisecond
	// lookEvery is how often lars-lb-agent looks for counts that are due.
	lookEvery = 100 * time.Millisecond
	// burst is how many frames an agent sends in its turn where there is no
	// rate: as many as are due of a thousand modules in lookEvery.
	burst = 7
	// mostBuffered bounds what waits for a connection, bytes.
	mostBuffered = 32 << 10
	// mostLags bounds the lags that are kept between two answers.
	mostLags = 1 << 20
)

// Send is the process of the agents: it reads a load and then commands from in,
// answers on out, and ends with in.
func Send(in io.Reader, out, stderr io.Writer) int {
	if err := send(in, out); err != nil {
		fmt.Fprintln(stderr, "bench: agents:", err)
		return 1
	}
	return 0
}

func send(in io.Reader, out io.Writer) error {
	lines := bufio.NewScanner(in)
	if !lines.Scan() {
		return io.ErrUnexpectedEOF
	}
	var l load
	if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
		return err
	}
	loop, err := reactor.NewLoop()
	if err != nil {
		return err
	}
	f := &fleet{load: l, loop: loop, out: json.NewEncoder(out), newest: make([]uint16, l.Keys.Agents*l.Keys.Modules)}
	for range l.Keys.Hosts {
		f.request.Results = append(f.request.Results, &pb.HostCallResult{Port: int32(port)})
	}
	for i := range l.Keys.Agents {
		s := &sender{fleet: f, index: i}
		if err := s.start(); err != nil {
			loop.Close()
			return err
		}
		f.senders = append(f.senders, s)
	}
	f.tick = loop.AfterFunc(turnEvery, f.turn)
	go func() {
		defer loop.Close()
		for lines.Scan() {
			var c command
			if json.Unmarshal(lines.Bytes(), &c) != nil || loop.Post(func() { f.obey(c) }) != nil {
				return
			}
		}
	}()
	return loop.Run()
}

// fleet is all agents. Everything happens on its loop.
type fleet struct {
	load    load
	loop    *reactor.Loop
	out     *json.Encoder
	tick    *reactor.Timer
	senders []*sender
	request pb.ReportStatusRequest

	began           time.Time // with a rate: when the first frame was due
	looks           int       // of all agents, since then
	next            int       // whose turn it is
	ended           bool
	connected, lost int
	sent, done      uint64
	calls           uint64
	lags            []float64
	newest          []uint16 // of each agent and module: the calls in the newest report
}

func (f *fleet) obey(c command) {
	if !f.load.Numbered {
		f.done = max(f.done, c.Saved)
	}
	f.ended = f.ended || c.End
	if c.Tell {
		_ = f.out.Encode(f.progress()) // whoever asked has gone if it fails
	}
	f.send()
}

func (f *fleet) progress() progress {
	p := progress{At: time.Now().UnixNano(), Connected: f.connected, Lost: f.lost, Sent: f.sent, Done: f.done, Calls: f.calls}
	if len(f.lags) > 0 {
		p.Lag = result.DistributionOf("", f.lags)
		f.lags = f.lags[:0]
	}
	if f.ended {
		for _, succ := range f.newest {
			if succ > 0 {
				p.Rows += uint64(f.load.Keys.Hosts)
				p.Newest += uint64(succ) * uint64(f.load.Keys.Hosts)
			}
		}
	}
	return p
}

func (f *fleet) turn() {
	f.tick.Reset(turnEvery)
	f.send()
}

// send sends what may be sent, some frames of each agent in turn.
func (f *fleet) send() {
	if f.ended || f.connected < len(f.senders) {
		return // none may have a start on the others
	}
	if f.load.Rate > 0 {
		f.sendDue()
		return
	}
	for idle := 0; idle < len(f.senders); {
		idle++
		for range burst {
			if !f.senders[f.next].send() {
				break
			}
			idle = 0
		}
		f.next = (f.next + 1) % len(f.senders)
	}
}

// sendDue lets agents send all that is due at a time, each every lookEvery.
func (f *fleet) sendDue() {
	if f.began.IsZero() {
		f.began = time.Now()
	}
	passed := time.Since(f.began)
	frames := int(passed.Seconds() * f.load.Rate / float64(len(f.senders))) // of each so far
	for due := int(passed * time.Duration(len(f.senders)) / lookEvery); f.looks < due; f.looks++ {
		for s := f.senders[f.looks%len(f.senders)]; s.step < frames; {
			if !s.send() {
				break
			}
		}
	}
}

// frame is one on its way.
type frame struct {
	seq  uint64
	sent time.Time
}

// sender is one agent.
type sender struct {
	fleet  *fleet
	index  int
	client *reactor.TCPClient
	bootID uint64
	seq    uint64
	step   int
	flying []frame // numbered ones, not acknowledged
	ack    pb.ReportStatusResponse
}

func (s *sender) start() error {
	router := reactor.NewRouter[*reactor.TCPConn]()
	router.Handle(int32(pb.MessageId_ID_ReportStatusResponse), s.onAck)
	var err error
	s.client, err = reactor.NewTCPClient(s.fleet.loop, reactor.TCPClientConfig{
		Addrs: []string{s.fleet.load.Addr},
		Hooks: reactor.ConnHooks{
			OnOpen: func(*reactor.TCPConn) {
				// What was on its way is lost: another run begins.
				s.bootID, s.seq, s.flying = rand.Uint64()|1, 0, s.flying[:0]
				s.fleet.connected++
			},
			OnClose: func(*reactor.TCPConn, error) {
				s.fleet.connected--
				s.fleet.lost++
			},
		},
	}, router)
	if err != nil {
		return err
	}
	return s.client.Start()
}

// send sends the next frame, if it may be sent now.
func (s *sender) send() bool {
	f := s.fleet
	hosts := f.load.Keys.Hosts
	c := s.client.Conn()
	if c == nil || c.Buffered() > mostBuffered {
		return false
	}
	if window := f.load.Window; window > 0 {
		if f.load.Numbered && len(s.flying)*hosts >= window ||
			!f.load.Numbered && f.sent >= f.done+uint64(window*len(f.senders)) {
			return false
		}
	}
	now := time.Now()
	module, succ := f.load.Keys.module(s.index, s.step), succOf(s.step)
	r := &f.request
	r.Modid, r.Cmdid, r.Caller, r.Ts = int32(modid(module)), int32(cmdid), int32(callerOf(s.index)), uint32(now.Unix())
	if f.load.Numbered {
		r.BootId, r.Seq = s.bootID, s.seq+1
	}
	for i, h := range r.Results {
		h.Ip, h.Succ = int32(ipOf(module, i)), succ
	}
	if c.SendMessage(int32(pb.MessageId_ID_ReportStatusRequest), r) != nil {
		return false
	}
	s.seq++
	s.step++
	f.sent += uint64(hosts)
	f.calls += uint64(succ) * uint64(hosts)
	f.newest[s.index*f.load.Keys.Modules+module] = uint16(succ)
	if f.load.Numbered {
		s.flying = append(s.flying, frame{s.seq, now})
	}
	return true
}

func (s *sender) onAck(_ *reactor.TCPConn, body []byte) error {
	s.ack.Reset()
	if err := s.ack.UnmarshalVT(body); err != nil {
		return err
	}
	if s.ack.BootId != s.bootID {
		return nil
	}
	f, now, n := s.fleet, time.Now(), 0
	for n < len(s.flying) && s.flying[n].seq <= s.ack.Seq {
		if len(f.lags) < mostLags {
			f.lags = append(f.lags, float64(now.Sub(s.flying[n].sent).Microseconds())/1000)
		}
		n++
	}
	f.done += uint64(n * f.load.Keys.Hosts)
	s.flying = append(s.flying[:0], s.flying[n:]...)
	for f.load.Rate == 0 && !f.ended && s.send() {
	}
	return nil
}
