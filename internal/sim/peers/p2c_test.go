package peers

import (
	"math"
	"testing"
	"time"
)

// p2cWith has hosts with the averages given.
func p2cWith(hosts ...p2cHost) *p2c {
	p := NewP2C(len(hosts), 1).(*p2c)
	copy(p.hosts, hosts)
	return p
}

func TestP2CPrefers(t *testing.T) {
	const ms = float64(time.Millisecond)
	usual := p2cHost{latency: 10 * ms, success: 1}
	tests := []struct {
		name  string
		other p2cHost
	}{
		{"the quicker", p2cHost{latency: 11 * ms, success: 1}},
		{"the less busy", p2cHost{latency: 10 * ms, success: 1, inFlight: 1}},
		{"the more successful", p2cHost{latency: 10 * ms, success: 0.99}},
		{"one that answers over a quick one that fails", p2cHost{latency: ms / 2, success: 0.5}},
		{"one with results over one without", p2cHost{success: 1}},
	}
	for _, tt := range tests {
		for seed := range uint64(10) {
			p := NewP2C(2, seed).(*p2c)
			p.hosts[0], p.hosts[1] = tt.other, usual
			if h, _ := p.Pick(time.Second); h != 1 {
				t.Errorf("%s: not preferred with seed %d", tt.name, seed)
			}
		}
	}
}

func TestP2CChoosesTwoDifferentHosts(t *testing.T) {
	// Were both choices the same, the dead host would get one pick in nine.
	p := p2cWith(p2cHost{latency: 1, success: 0}, p2cHost{latency: 1, success: 1}, p2cHost{latency: 1, success: 1})
	for range 1000 {
		h, _ := p.Pick(time.Second)
		p.hosts[h].inFlight--
		if h == 0 {
			t.Fatal("the worst of all was picked")
		}
	}
}

func TestP2CForcesAPickAfterThreeSeconds(t *testing.T) {
	p := p2cWith(p2cHost{latency: 1, success: 0}, p2cHost{latency: 1, success: 1})
	for _, tt := range []struct {
		at   time.Duration
		want int
	}{{time.Second, 1}, {3 * time.Second, 1}, {3*time.Second + 1, 0}, {3*time.Second + 2, 1}, {6*time.Second + 1, 1}, {6*time.Second + 2, 0}} {
		if h, _ := p.Pick(tt.at); h != tt.want {
			t.Errorf("at %v it picks %d", tt.at, h)
		}
	}
}

func TestP2CAveragesDecay(t *testing.T) {
	p := NewP2C(1, 1).(*p2c)
	h := &p.hosts[0]
	p.Report(0, true, 10*time.Millisecond, time.Second)
	if h.latency != 1e7 || h.success != 1 {
		t.Fatalf("the first result gives %+v", *h)
	}
	p.Report(0, false, 20*time.Millisecond, time.Second+p2cTau)
	w := math.Exp(-1)
	if want := w*1e7 + (1-w)*2e7; math.Abs(h.latency-want) > 1 {
		t.Errorf("latency is %v, want %v", h.latency, want)
	}
	if math.Abs(h.success-w) > 1e-9 {
		t.Errorf("success is %v, want %v", h.success, w)
	}
	p.Report(0, true, 40*time.Millisecond, time.Second+p2cTau)
	if math.Abs(h.success-w) > 1e-9 {
		t.Error("a second result at the same instant has weight")
	}
}

func TestP2CCountsCallsUnderWay(t *testing.T) {
	p := NewP2C(1, 1).(*p2c)
	for range 3 {
		p.Pick(0)
	}
	for _, want := range []int{2, 1, 0, 0} {
		p.Report(0, true, 1, 0)
		if got := p.hosts[0].inFlight; got != want {
			t.Errorf("%d under way, want %d", got, want)
		}
	}
}
