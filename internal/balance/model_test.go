package balance_test

import (
	"cmp"
	"slices"
	"time"

	"github.com/lars-lb/lars/internal/balance"
	"github.com/lars-lb/lars/internal/route"
)

// model is the policy "classic" written down as plainly as possible: slices
// that are searched, and rates as whole numbers of a thousandth.
type model struct {
	probeNum, initSucc, initErr   int
	errRate, succRate, windowRate int // thousandths
	succLimit, errLimit           int
	idleTimeout, overloadTimeout  time.Duration
	access                        int
	idle, overload                []*modelHost
	unsentSucc, unsentErr         map[route.Host]int
}

type modelHost struct {
	addr                                              route.Host
	since                                             time.Duration
	vsucc, verr, rsucc, rerr, continSucc, continError int
}

func (m *model) config() balance.Config {
	return balance.Config{
		Policy:   balance.Classic,
		ProbeNum: uint32(m.probeNum), InitSuccCnt: uint32(m.initSucc), InitErrCnt: uint32(m.initErr),
		ErrRate: float64(m.errRate) / 1000, SuccRate: float64(m.succRate) / 1000, WindowErrRate: float64(m.windowRate) / 1000,
		ContinSuccLimit: uint32(m.succLimit), ContinErrLimit: uint32(m.errLimit),
		IdleTimeout: m.idleTimeout, OverloadTimeout: m.overloadTimeout,
	}
}

func (m *model) pick() (route.Host, balance.Verdict) {
	fromOverload := false
	switch {
	case len(m.idle)+len(m.overload) == 0:
		return route.Host{}, balance.Empty
	case len(m.idle) == 0:
		if m.access < m.probeNum {
			m.access++
			return route.Host{}, balance.Overloaded
		}
		m.access, fromOverload = 0, true
	case len(m.overload) == 0:
	case m.access >= m.probeNum:
		m.access, fromOverload = 0, true
	default:
		m.access++
	}
	l := &m.idle
	if fromOverload {
		l = &m.overload
	}
	h := (*l)[0]
	*l = append((*l)[1:], h)
	return h.addr, balance.Picked
}

func (m *model) find(addr route.Host) (h *modelHost, idle bool) {
	is := func(h *modelHost) bool { return h.addr == addr }
	if i := slices.IndexFunc(m.idle, is); i >= 0 {
		return m.idle[i], true
	}
	if i := slices.IndexFunc(m.overload, is); i >= 0 {
		return m.overload[i], false
	}
	return nil, false
}

func (m *model) report(addr route.Host, ok bool, now time.Duration) bool {
	h, idle := m.find(addr)
	if h == nil {
		return false
	}
	if ok {
		h.vsucc, h.rsucc, h.continSucc, h.continError = h.vsucc+1, h.rsucc+1, h.continSucc+1, 0
		m.unsentSucc[addr]++
	} else {
		h.verr, h.rerr, h.continError, h.continSucc = h.verr+1, h.rerr+1, h.continError+1, 0
		m.unsentErr[addr]++
	}
	switch {
	case idle && !ok && (h.verr*1000 > m.errRate*(h.vsucc+h.verr) || h.continError >= m.errLimit):
		m.toOverload(h, now)
	case !idle && ok && (h.vsucc*1000 > m.succRate*(h.vsucc+h.verr) || h.continSucc >= m.succLimit):
		m.toIdle(h, now)
	case idle && now-h.since >= m.idleTimeout:
		if h.rerr*1000 >= m.windowRate*(h.rsucc+h.rerr) {
			m.toOverload(h, now)
		} else {
			*h = modelHost{addr: addr, since: now, vsucc: m.initSucc}
		}
	case !idle && now-h.since >= m.overloadTimeout:
		m.toIdle(h, now)
	}
	return true
}

func (m *model) drop(h *modelHost) {
	is := func(x *modelHost) bool { return x == h }
	m.idle, m.overload = slices.DeleteFunc(m.idle, is), slices.DeleteFunc(m.overload, is)
}

func (m *model) toIdle(h *modelHost, now time.Duration) {
	m.drop(h)
	*h = modelHost{addr: h.addr, since: now, vsucc: m.initSucc}
	m.idle = append(m.idle, h)
}

func (m *model) toOverload(h *modelHost, now time.Duration) {
	m.drop(h)
	*h = modelHost{addr: h.addr, since: now, verr: m.initErr}
	m.overload = append(m.overload, h)
}

func (m *model) update(addrs []route.Host, now time.Duration) {
	for _, h := range slices.Concat(m.idle, m.overload) {
		if !slices.Contains(addrs, h.addr) {
			m.drop(h)
		}
	}
	for _, addr := range addrs {
		if h, _ := m.find(addr); h == nil && addr.Valid() {
			m.idle = append(m.idle, &modelHost{addr: addr, since: now, vsucc: m.initSucc})
		}
	}
}

// view is what LoadBalance.View should return.
func (m *model) view() []balance.HostView {
	var vs []balance.HostView
	for i, h := range slices.Concat(m.idle, m.overload) {
		v := balance.HostView{
			Host: h.addr, Weight: route.DefaultWeight, Since: h.since,
			VSucc: uint32(h.vsucc), VErr: uint32(h.verr), RSucc: uint32(h.rsucc), RErr: uint32(h.rerr),
			ContinSucc: uint32(h.continSucc), ContinErr: uint32(h.continError),
		}
		if i >= len(m.idle) {
			v.State = balance.Overload
		}
		vs = append(vs, v)
	}
	slices.SortFunc(vs, func(a, b balance.HostView) int {
		return cmp.Or(cmp.Compare(a.Host.IP, b.Host.IP), cmp.Compare(a.Host.Port, b.Host.Port))
	})
	return vs
}
