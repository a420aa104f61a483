package peers

import "time"

// The settings that ELB ships, lbagent/conf/lbagent.ini of LeechanX's
// Easy-Load-Balancer. Where they differ from the defaults in its source, the
// file wins, as it is what an installation runs with.
const (
	elbInitSucc      = 180
	elbInitErr       = 5
	elbContinSucc    = 15
	elbContinErr     = 15
	elbProbeNum      = 10
	elbWindow        = 15 * time.Second
	elbOverloadLimit = 180 * time.Second
	elbSuccRate      = 0.95
	elbErrRate       = 0.1
	elbWindowErrRate = 0.7
	elbBadWindows    = 2

	elbErrUnit = 100 * time.Millisecond // of cost that weighs as one failure
	elbMaxErrs = 50                     // of one failed call
)

// elb follows lbagent/src/RouteLb.cc of Easy-Load-Balancer: the rules of Lars
// 1.0, except that a slow failure weighs as many, that an idle host is ejected
// for its share of failures in two windows in a row instead of one, and that
// it is harder to come back.
type elb struct {
	hosts      []elbHost
	idle, down rotation
	access     int // picks since the last probe, while any host is down
}

type elbHost struct {
	overload              bool
	since                 time.Duration // start of the window, or of the overload
	succ, err             int           // calls and the initial credit or charge
	realSucc, realErr     int           // calls
	continSucc, continErr int           // in a row
	badWindows            int           // in a row
}

// NewELB has the rules of Easy-Load-Balancer decide among n hosts. Its pick
// refuses like that of Lars 1.0: with all hosts down, only each eleventh names
// one.
func NewELB(n int) Balancer {
	e := &elb{hosts: make([]elbHost, n), idle: newRotation(n), down: emptyRotation(n)}
	for i := range e.hosts {
		e.hosts[i].succ = elbInitSucc
	}
	return e
}

func (e *elb) Pick(time.Duration) (int, bool) {
	if len(e.down.members) == 0 {
		e.access = 0
		return e.idle.pick()
	}
	if e.access >= elbProbeNum {
		e.access = 0
		return e.down.pick()
	}
	e.access++
	return e.idle.pick()
}

func (e *elb) Report(host int, ok bool, cost, now time.Duration) {
	h := &e.hosts[host]
	errs := min(max(int(cost/elbErrUnit), 1), elbMaxErrs)
	moved := false
	switch {
	case ok:
		moved = e.succeeded(host, now)
	case errs == 1:
		moved = e.failed(host, now)
	default:
		moved = e.failedSlowly(host, errs, now)
	}
	switch {
	case moved:
	case h.overload && now-h.since >= elbOverloadLimit:
		e.recover(host, now)
	case !h.overload && now-h.since >= elbWindow:
		e.endWindow(host, now)
	}
}

// Out reports whether host is overloaded.
func (e *elb) Out(host int) bool { return e.hosts[host].overload }

func (e *elb) succeeded(host int, now time.Duration) (moved bool) {
	h := &e.hosts[host]
	h.succ++
	h.realSucc++
	h.continSucc++
	h.continErr = 0
	if h.overload && (share(h.succ, h.err) > elbSuccRate || h.continSucc >= elbContinSucc) {
		e.recover(host, now)
		return true
	}
	return false
}

func (e *elb) failed(host int, now time.Duration) (moved bool) {
	h := &e.hosts[host]
	h.err++
	h.realErr++
	h.continErr++
	h.continSucc = 0
	if !h.overload && (share(h.err, h.succ) > elbErrRate || h.continErr >= elbContinErr) {
		e.eject(host, now)
		return true
	}
	return false
}

// failedSlowly is LB::reportSomeErr. Unlike failed it compares the new errors
// alone with the share that ejects, and what they exceed the limit by is
// charged to the host in its new state.
func (e *elb) failedSlowly(host, errs int, now time.Duration) (moved bool) {
	h := &e.hosts[host]
	h.realErr += errs
	h.continErr += errs
	h.continSucc = 0
	if h.overload {
		h.err += errs
		return false
	}
	left := -1
	if h.continErr >= elbContinErr {
		left = h.continErr - elbContinErr
	} else if need := h.succ/9 + 1; errs >= need { // the first whose share exceeds elbErrRate
		left = errs - need
	}
	if left < 0 {
		h.err += errs
		return false
	}
	e.eject(host, now)
	h.err += left
	return true
}

// endWindow is HI::checkWindow and what follows it.
func (e *elb) endWindow(host int, now time.Duration) {
	h := &e.hosts[host]
	if share(h.realErr, h.realSucc) < elbWindowErrRate {
		h.badWindows = 0
	} else if h.badWindows++; h.badWindows >= elbBadWindows {
		e.eject(host, now)
		return
	}
	*h = elbHost{since: now, succ: elbInitSucc, badWindows: h.badWindows}
}

func (e *elb) eject(host int, now time.Duration) {
	e.hosts[host] = elbHost{overload: true, since: now, err: elbInitErr}
	e.idle.leave(host)
	e.down.join(host)
}

func (e *elb) recover(host int, now time.Duration) {
	e.hosts[host] = elbHost{since: now, succ: elbInitSucc}
	e.down.leave(host)
	e.idle.join(host)
}

// share is part/(part+rest), 0 without any.
func share(part, rest int) float64 {
	if part+rest == 0 {
		return 0
	}
	return float64(part) / float64(part+rest)
}
