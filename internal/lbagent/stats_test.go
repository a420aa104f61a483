package lbagent_test

import (
	"slices"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/lars-lb/lars/internal/eventually"
	"github.com/lars-lb/lars/internal/lbagent"
)

// Scrapes go on beside calls, as many as like, and also when the agent has
// ended. What it says is the matter goes as it is mended.
func TestMetricsWhileServing(t *testing.T) {
	dns := newFakeDNS(t)
	dns.set(module1, hostA)
	a, stop := startAgent(t, dns.addr, nowhere, func(*lbagent.Config) {})
	c := callerOf(t, a, module1)
	c.waitFor(module1)
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(a.Metrics())
	gather := func() map[string]float64 {
		families, err := registry.Gather()
		if err != nil {
			t.Fatal(err)
		}
		sums := make(map[string]float64)
		for _, f := range families {
			for _, m := range f.Metric {
				sums[f.GetName()] += m.GetCounter().GetValue() + m.GetGauge().GetValue()
			}
		}
		return sums
	}
	done := make(chan struct{})
	var scrapers sync.WaitGroup
	for range 3 {
		scrapers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
					gather()
				}
			}
		})
	}
	before := gather()["lars_agent_host_requests_total"]
	const calls = 500
	for i := range uint32(calls) {
		c.getHost(i, module1)
	}
	close(done)
	scrapers.Wait()
	now := gather()
	if got := now["lars_agent_host_requests_total"] - before; got != calls {
		t.Errorf("%v requests, want %d", got, calls)
	}
	if now["lars_agent_udp_receive_buffer_bytes"] == 0 || now["lars_agent_dns_connections"] != 1 || now["lars_agent_modules"] != 1 {
		t.Errorf("metrics: %v", now)
	}
	var loops []string
	for _, l := range a.Stats().Loops {
		loops = append(loops, l.Name)
		if l.Name == "dns" && (l.Turns.Count == 0 || l.Busy > 5) {
			t.Errorf("loop dns: %+v", l)
		}
	}
	if !slices.Equal(loops, []string{"udp0", "udp1", "udp2", "dns", "reporter", "side"}) {
		t.Errorf("loops: %v", loops)
	}
	if reasons := a.Explain(); len(reasons) != 1 {
		t.Errorf("without lars-reporter it says %q", reasons)
	}
	dns.stop()
	eventually.True(t, patience, "it says that lars-dns is gone", func() bool { return len(a.Explain()) == 2 })
	stop()
	if after := gather(); after["lars_agent_udp_received_total"] < now["lars_agent_udp_received_total"] {
		t.Errorf("after the end: %v", after)
	}
}
