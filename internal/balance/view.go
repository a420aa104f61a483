package balance

import (
	"time"

	"github.com/lars-lb/lars/internal/route"
)

// HostView is what is known about one host, for people to read.
type HostView struct {
	Host  route.Host
	State State
	// Since is when the host entered its state or, if it is idle, when its
	// window began; on the clock of the LoadBalance's owner.
	Since time.Duration

	VSucc, VErr           uint32 // virtual counts: real calls and an initial credit or charge
	RSucc, RErr           uint32 // real calls since Since
	ContinSucc, ContinErr uint32 // current run of equal results
}

// View appends the state of every host to dst, in the order of addresses.
func (b *LoadBalance) View(dst []HostView) []HostView {
	for _, h := range b.order {
		dst = append(dst, HostView{
			Host:       h.addr,
			State:      h.state,
			Since:      h.since,
			VSucc:      h.stats.vsucc,
			VErr:       h.stats.verr,
			RSucc:      h.stats.rsucc,
			RErr:       h.stats.rerr,
			ContinSucc: h.stats.continSucc,
			ContinErr:  h.stats.continErr,
		})
	}
	return dst
}
