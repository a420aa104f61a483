package dns

import (
	"time"

	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/proto/larspb"
	"github.com/lars-lb/lars/reactor"
)

// member is one connection, which comes back when it is lost.
type member struct {
	crowd    *members
	client   *reactor.TCPClient
	modules  []route.Module
	missing  int   // answers to come, of those it asked for when it was opened
	pushed   int   // since it was told to forget
	at       int64 // when it had the last of what it waits for
	timeouts int
	asked    []time.Time // of requests under way, in order
}

// has reports whether there is nothing to wait for.
func (m *member) has(pushes int) bool {
	if pushes == 0 {
		return m.at != 0 && m.missing == 0
	}
	return m.pushed >= pushes
}

func (c *members) open(o order) error {
	place := len(c.all)
	m := &member{crowd: c, modules: o.Common}
	for i := range o.Own {
		m.modules = append(m.modules[:len(m.modules):len(m.modules)], module((place*o.Own+i)%o.Modules))
	}
	var err error
	m.client, err = reactor.NewTCPClient(c.loop, reactor.TCPClientConfig{
		Addrs: []string{o.Addrs[place%len(o.Addrs)]},
		Hooks: reactor.ConnHooks{
			OnOpen:  m.opened,
			OnClose: func(*reactor.TCPConn, error) { m.missing, m.at = len(m.modules), 0 },
		},
		OnConnectError: m.connectFailed,
	}, c.router)
	if err != nil {
		return err
	}
	c.all = append(c.all, m)
	m.missing = len(m.modules)
	return m.client.Start()
}

// opened asks for all modules.
func (m *member) opened(conn *reactor.TCPConn) {
	conn.SetValue(m)
	m.missing, m.at, m.asked = len(m.modules), 0, nil
	for _, mod := range m.modules {
		// A connection that is lost meanwhile is opened again.
		_ = conn.SendMessage(int32(larspb.MessageId_ID_GetRouteRequest), &larspb.GetRouteRequest{Modid: mod.ModID, Cmdid: mod.CmdID})
	}
}

// routes takes what lars-dns sends. A route is not looked into: only when it
// came is of interest.
func (c *members) routes() *reactor.Router[*reactor.TCPConn] {
	router := reactor.NewRouter[*reactor.TCPConn]()
	router.Handle(int32(larspb.MessageId_ID_GetRouteResponse), func(conn *reactor.TCPConn, _ []byte) error {
		m := conn.Value().(*member)
		switch {
		case m.missing > 0:
			if m.missing--; m.missing == 0 {
				m.at = time.Now().UnixNano()
				if c.pushes == 0 {
					c.arrived()
				}
			}
		case len(m.asked) > 0:
			c.asking.answered(m.asked[0])
			m.asked = m.asked[1:]
		default:
			m.at = time.Now().UnixNano()
			if m.pushed++; m.pushed == c.pushes {
				c.arrived()
			}
		}
		return nil
	})
	return router
}

// asking is a load of requests.
type asking struct {
	order
	began     time.Time
	sent      int
	latencies []int64
}

func (a *asking) answered(at time.Time) { a.latencies = append(a.latencies, int64(time.Since(at))) }

// askEvery is the time between two looks at what is to be sent.
const askEvery = time.Millisecond

func (c *members) ask(o order) {
	a := &asking{order: o, began: time.Now()}
	c.asking = a
	length := time.Duration(o.MS) * time.Millisecond
	var tick *reactor.Timer
	next := 0
	step := func() {
		now := time.Now()
		due := int(min(now.Sub(a.began), length).Seconds() * float64(o.Ask))
		for ; a.sent < due; a.sent++ {
			m := c.all[a.sent%len(c.all)]
			next = (next + 7919*97) % o.Modules
			mod := module(next)
			conn := m.client.Conn()
			if conn == nil || m.missing > 0 {
				continue
			}
			if conn.SendMessage(int32(larspb.MessageId_ID_GetRouteRequest), &larspb.GetRouteRequest{Modid: mod.ModID, Cmdid: mod.CmdID}) == nil {
				m.asked = append(m.asked, time.Now())
			}
		}
		if now.Sub(a.began) >= length+time.Second/10 { // the last answers have come, too
			c.done <- report{Latencies: a.latencies}
			return
		}
		tick.Reset(askEvery)
	}
	tick = c.loop.AfterFunc(askEvery, func() { step() })
}
